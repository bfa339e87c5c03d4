//! What becomes of a notification in a chat, as `deliver-to-genesys` would go about it.

use std::sync::LazyLock;
use std::time::Duration;

use bridge::conversation::admission::CustomerTenants;
use bridge::conversation::case::{Answers, Asked, Case, Chat, GroupPolicy, Need, Plan, Policy};
use bridge::conversation::plan;
use bridge::conversation::series::Series;
use bridge::ids::Digest;
use bridge::queue::envelope::NotificationEnvelope;
use bridge::state::inbound::{InboundState, PostedPart};
use bridge::state::outbound::OutboundState;
use bridge::state::thread::WindowPolicy;
use bridge::teams::chat_kind::ChatKind;
use bridge::teams::message::ChatMessage;
use bridge::teams::to_text::ReplyContext;
use time::OffsetDateTime;
use time::macros::datetime;

/// The present.
pub const NOW: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);

/// Questions that one notification raises at most.
const MOST_QUESTIONS: usize = 16;

static POLICY: LazyLock<Policy> = LazyLock::new(|| Policy {
    accounts: vec![(
        "support".parse().expect("a name"),
        "00000000-0000-0000-0000-000000000004"
            .parse()
            .expect("an id"),
    )],
    home: "be9c1b6e-0000-4000-8000-c0ffee000001"
        .parse()
        .expect("an id"),
    tenants: CustomerTenants::All,
    groups: GroupPolicy::All,
    window: Duration::from_secs(72 * 3600),
    window_policy: WindowPolicy::New,
    replies: ReplyContext::Quote,
    reactions: true,
});

/// Plans what a notification means, answers what the plan asks, and does in the state what it says. The message is what Graph shows
/// whenever it is asked.
pub fn play(
    notification: &NotificationEnvelope,
    message: &ChatMessage,
    state: &mut InboundState,
    posts: Option<&OutboundState>,
) {
    let holder = Digest::of("holder", "this one");
    let mut answers = Answers::default();
    for _ in 0..MOST_QUESTIONS {
        let chat = Chat {
            inbound: state,
            outbound: posts,
        };
        let case = Case {
            policy: &POLICY,
            notification,
            chat: Some(chat),
            answers: &answers,
            holder: &holder,
            now: NOW,
        };
        match plan(&case) {
            Plan::Need(need) => answer(need, message, &mut answers),
            Plan::Note(note) => return note.apply(state, NOW),
            Plan::TurnAway(turned_away) => return turned_away.apply(state, NOW),
            Plan::Tell(told) => return told.iter().for_each(|series| post(series, state, &holder)),
            Plan::Wait | Plan::Skip(_) | Plan::Refuse(_) => return,
        }
    }
    panic!("the plan asks and asks: {answers:?}");
}

fn answer(need: Need, message: &ChatMessage, answers: &mut Answers) {
    match need {
        Need::Message => answers.message = Some(message.clone()),
        Need::Chat => panic!("the chat is known"),
        Need::Fresh => answers.fresh = Asked::Told(Some(message.clone())),
        Need::Kind => answers.kind = Asked::Told(ChatKind::Group),
        Need::Members { .. } | Need::Tenant => answers.members = Asked::Told(Vec::new()),
        Need::DirectoryEntry(_) => answers.directory = Asked::Told(None),
        Need::TenantInformation(_) => answers.tenant = Asked::CannotTell,
        Need::TenantOfDomain(_) => answers.domain = Asked::Told(None),
        Need::FileHosts => {
            let ours = "contoso.sharepoint.com".to_owned();
            answers.file_hosts = Asked::Told(vec![ours]);
        }
    }
}

fn post(series: &Series, state: &mut InboundState, holder: &Digest) {
    series.finish_if_done(state, NOW);
    while let Some((_, progress)) = series.next(state) {
        let _ = series.next_id(state);
        series.claim(state, holder, NOW);
        let part = PostedPart {
            piece: progress.piece,
            part: progress.part,
            genesys: "g1".to_owned(),
            ends_piece: true,
        };
        series.posted(state, part, NOW);
    }
    assert!(state.is_complete(&series.id), "all of it is posted");
}
