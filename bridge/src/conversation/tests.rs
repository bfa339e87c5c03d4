//! A chat, both sides of the bridge and Genesys, as far as the decisions see them.

mod changes;
mod choices;
mod histories;
mod holders;
mod profiles;
mod rules;
mod senders;
mod tenants;

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::datetime;

use super::admission::CustomerTenants;
use super::case::{
    Answers, Asked, Case, Chat, DirectoryEntry, GroupPolicy, Need, Plan, Policy, TenantInformation,
};
use super::plan;
use super::series::{Piece, Series};
use crate::ids::{
    ChatId, Digest, GenesysMessageId, SupportAccountName, TeamsMessageId, TenantId, UserId,
};
use crate::queue::envelope::NotificationEnvelope;
use crate::state::customer::Member;
use crate::state::inbound::{InboundState, PostedPart};
use crate::state::outbound::{OutboundState, Says};
use crate::state::thread::WindowPolicy;
use crate::teams::chat_kind::ChatKind;
use crate::teams::message::{ChatMessage, Mention, MessageKind, Reaction, Sender};
use crate::teams::notification::{ChangeType, EncryptedContent};
use crate::teams::recognise::fingerprint_html;
use crate::teams::to_text::ReplyContext;
use crate::text::split::split;

const START: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);
const LIMIT: usize = 200;

fn user(last: char) -> UserId {
    format!("0f0e0d0c-0000-4000-8000-00000000000{last}")
        .parse()
        .expect("a GUID")
}

fn tenant(last: char) -> TenantId {
    format!("be9c1b6e-0000-4000-8000-c0ffee00000{last}")
        .parse()
        .expect("a GUID")
}

fn account(name: &str) -> SupportAccountName {
    name.parse().expect("a name")
}

fn id(text: &str) -> TeamsMessageId {
    text.parse().expect("an id")
}

fn policy() -> Policy {
    Policy {
        accounts: vec![
            (account("support"), user('5')),
            (account("sales"), user('6')),
        ],
        home: tenant('1'),
        tenants: CustomerTenants::All,
        groups: GroupPolicy::Mention,
        window: Duration::from_secs(24 * 3600),
        window_policy: WindowPolicy::Same,
        replies: ReplyContext::Quote,
        reactions: true,
    }
}

/// A message of the customer.
fn message(name: &str, html: &str, at: OffsetDateTime) -> ChatMessage {
    let (user, tenant) = (user('a'), tenant('2'));
    let json = serde_json::json!({
        "id": name,
        "etag": html,
        "createdDateTime": at.format(&Rfc3339).expect("a time"),
        "from": { "user": { "id": user.as_str(), "tenantId": tenant.as_str(), "displayName": "Anna" } },
        "body": { "contentType": "html", "content": html },
    });
    ChatMessage::parse(json.to_string().as_bytes()).expect("readable")
}

/// The same, as written by the Support User's account.
fn of_support(mut message: ChatMessage) -> ChatMessage {
    message.from = Some(Sender {
        user: Some(user('5')),
        name: Some("Sam".to_owned()),
        ..Sender::default()
    });
    message
}

fn mentioning(mut message: ChatMessage, whom: UserId) -> ChatMessage {
    message.mentions.push(Mention {
        text: "Support".to_owned(),
        user: Some(whom),
    });
    message
}

fn thumb(by: UserId) -> Reaction {
    Reaction {
        kind: "like".to_owned(),
        label: None,
        user: Some(by),
        name: Some("Anna".to_owned()),
    }
}

/// How a notification ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Told,
    Skipped(&'static str),
    Noted(&'static str),
    Refused(&'static str),
    /// Not passed on, for this reason, and whether its sender is told.
    TurnedAway(&'static str, bool),
    /// The attempt ended between two parts.
    Broken,
}

struct World {
    policy: Policy,
    inbound: InboundState,
    outbound: OutboundState,
    kind: Asked<ChatKind>,
    members: Asked<Vec<Member>>,
    directory: Asked<Option<DirectoryEntry>>,
    tenant: Asked<Option<TenantInformation>>,
    domain: Asked<Option<TenantId>>,
    fresh: Asked<Option<ChatMessage>>,
    file_hosts: Asked<Vec<String>>,
    now: OffsetDateTime,
    /// Id and text, or kind, of each message that Genesys got.
    genesys: Vec<(String, String)>,
    /// What had to be found out about the latest notification.
    needed: Vec<Need>,
    /// Posts that the process remembers.
    remembered: Vec<TeamsMessageId>,
    /// Parts that can be posted before the attempt breaks off.
    patience: usize,
    /// Genesys refuses the post for which there is no patience; else its answer is lost.
    refuses: bool,
    /// Whether the latest conversation was new, and the windows before it.
    thread: (bool, u32),
    /// Whether the series told last was its thread's first of the day.
    is_first_of_day: bool,
}

impl World {
    fn new() -> Self {
        let chat: ChatId = "19:a_b@unq.gbl.spaces".parse().expect("an id");
        Self {
            policy: policy(),
            inbound: InboundState::new(chat.clone(), account("support")),
            outbound: OutboundState::new(chat),
            kind: Asked::Told(ChatKind::OneOnOne),
            members: Asked::Told(Vec::new()),
            directory: Asked::Told(None),
            tenant: Asked::Told(None),
            domain: Asked::Told(None),
            fresh: Asked::Told(None),
            file_hosts: Asked::Told(vec!["ours.sharepoint.com".to_owned()]),
            now: START,
            genesys: Vec::new(),
            needed: Vec::new(),
            remembered: Vec::new(),
            patience: usize::MAX,
            refuses: false,
            thread: (false, 0),
            is_first_of_day: false,
        }
    }

    fn group() -> Self {
        let mut world = Self::new();
        world.kind = Asked::Told(ChatKind::Group);
        world
    }

    /// A world in which the customer wrote "hello".
    fn begun() -> Self {
        let mut world = Self::new();
        world.tells(&message("1", "hello", START));
        world.genesys.clear();
        world
    }

    fn created(&mut self, message: &ChatMessage) -> End {
        self.notified(ChangeType::Created, message)
    }

    fn updated(&mut self, message: &ChatMessage) -> End {
        self.notified(ChangeType::Updated, message)
    }

    fn deleted(&mut self, name: &str) -> End {
        self.notified(ChangeType::Deleted, &message(name, "", START))
    }

    /// Delivers a new message, of which the agent must be told.
    #[track_caller]
    fn tells(&mut self, message: &ChatMessage) {
        assert_eq!(self.created(message), End::Told);
    }

    /// Delivers a change of a message, of which the agent must be told.
    #[track_caller]
    fn tells_of_change(&mut self, message: &ChatMessage) {
        assert_eq!(self.updated(message), End::Told);
    }

    /// Delivers a new message, of which the agent must not be told for this reason.
    #[track_caller]
    fn skips(&mut self, message: &ChatMessage, reason: &'static str) {
        assert_eq!(self.created(message), End::Skipped(reason));
    }

    /// The same of a change.
    #[track_caller]
    fn skips_change(&mut self, message: &ChatMessage, reason: &'static str) {
        assert_eq!(self.updated(message), End::Skipped(reason));
    }

    /// Delivers a notification that encloses the message.
    fn notified(&mut self, change: ChangeType, message: &ChatMessage) -> End {
        let notification = notification(change, &message.id, &self.inbound);
        let mut answers = Answers {
            is_own_post: self.remembered.contains(&message.id),
            ..Answers::default()
        };
        self.needed.clear();
        loop {
            let case = Case {
                policy: &self.policy,
                notification: &notification,
                chat: self.needed.contains(&Need::Chat).then_some(Chat {
                    inbound: &self.inbound,
                    outbound: Some(&self.outbound),
                }),
                answers: &answers,
                holder: &Digest::of("holder", "one"),
                now: self.now,
            };
            match plan(&case) {
                Plan::Need(need) => {
                    assert!(!self.needed.contains(&need), "asked twice: {need:?}");
                    self.needed.push(need.clone());
                    match need {
                        Need::Message => answers.message = Some(message.clone()),
                        Need::Chat => {}
                        Need::Fresh => answers.fresh = self.fresh.clone(),
                        Need::Kind => answers.kind = self.kind.clone(),
                        Need::Members { .. } | Need::Tenant => {
                            answers.members = self.members.clone()
                        }
                        Need::DirectoryEntry(_) => answers.directory = self.directory.clone(),
                        Need::TenantInformation(_) => answers.tenant = self.tenant.clone(),
                        Need::TenantOfDomain(_) => answers.domain = self.domain.clone(),
                        Need::FileHosts => answers.file_hosts = self.file_hosts.clone(),
                    }
                }
                Plan::Wait => unreachable!("nobody else holds the lane"),
                Plan::Skip(reason) => return End::Skipped(reason),
                Plan::Refuse(refusal) => return End::Refused(refusal.kind),
                Plan::TurnAway(turned_away) => {
                    turned_away.apply(&mut self.inbound, self.now);
                    return End::TurnedAway(turned_away.why.label(), turned_away.tell);
                }
                Plan::Note(note) => {
                    let reason = note.reason;
                    note.apply(&mut self.inbound, self.now);
                    return End::Noted(reason);
                }
                Plan::Tell(series) => {
                    let conversation = &series[0].conversation;
                    self.thread = (conversation.is_new, conversation.thread.counter);
                    self.is_first_of_day = conversation.is_first_of_day;
                    return match series.iter().all(|series| self.post(series)) {
                        true => End::Told,
                        false => End::Broken,
                    };
                }
            }
        }
    }

    fn post(&mut self, series: &Series) -> bool {
        while let Some((piece, progress)) = series.next(&self.inbound) {
            let parts = parts(piece);
            let Some(part) = parts.get(progress.part) else {
                series.finish_piece(&mut self.inbound, self.now);
                continue;
            };
            let holder = Digest::of("holder", "one");
            let is_first = series.claim(&mut self.inbound, &holder, self.now);
            let Some(patience) = self.patience.checked_sub(1) else {
                if is_first && self.refuses {
                    series.retract(&mut self.inbound, self.now);
                }
                return false;
            };
            self.patience = patience;
            let id = series.next_id(&self.inbound);
            self.genesys.push((id, part.clone()));
            let posted = PostedPart {
                piece: progress.piece,
                part: progress.part,
                genesys: format!("g{}", self.genesys.len()),
                ends_piece: progress.part + 1 == parts.len(),
            };
            series.posted(&mut self.inbound, posted, self.now);
        }
        true
    }

    /// The customer's user principal name, as far as it is known.
    fn upn(&self) -> Option<&str> {
        self.inbound.customer.as_ref()?.upn.as_deref()
    }

    fn texts(&self) -> Vec<&str> {
        self.genesys.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// The bridge posts something of the agent's; its echo.
    fn agent_posts(&mut self, name: &str, html: &str, says: Says) -> ChatMessage {
        let echo = self.begins_to_post(name, html, says);
        self.outbound.posted(id(name), self.now);
        echo
    }

    fn begins_to_post(&mut self, name: &str, html: &str, says: Says) -> ChatMessage {
        let agent: GenesysMessageId = format!("agent-{name}").parse().expect("an id");
        let fingerprint = fingerprint_html(html);
        let (posts, now) = (&mut self.outbound, self.now);
        posts.begin(&agent, 0, true, now, fingerprint, says);
        // As Teams rewrites it.
        of_support(message(name, &format!("<p>{html}</p>"), self.now))
    }
}

fn notification(
    change: ChangeType,
    message: &TeamsMessageId,
    state: &InboundState,
) -> NotificationEnvelope {
    NotificationEnvelope {
        change,
        chat: state.chat.clone(),
        message: message.clone(),
        account: account("support"),
        encrypted: Some(EncryptedContent {
            data: String::new(),
            data_signature: String::new(),
            data_key: String::new(),
            certificate_id: String::new(),
        }),
    }
}

fn parts(piece: &Piece) -> Vec<String> {
    match piece {
        Piece::Text(text) => split(text, LIMIT),
        Piece::File(file) => vec![format!("<{file:?}>")],
        Piece::Choice { choice, .. } => vec![format!("<choice {}>", choice.text)],
    }
}
