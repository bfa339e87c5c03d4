//! What happened to a message in Teams, on its way to the agent: read, plan, post.

use std::sync::OnceLock;
use std::time::Duration;

use bridge::conversation::admission::TurnedAway;
use bridge::conversation::case::{Answers, Case, Need, Plan, Policy};
use bridge::conversation::plan;
use bridge::ids::{Digest, SupportAccountName};
use bridge::queue::envelope::{NoticeKind, NotificationEnvelope};
use time::OffsetDateTime;
use tokio::time::{Instant, sleep};

use super::attachments::LeftFiles;
use super::chat::InboundChat;
use super::notice;
use super::posting::Posting;
use crate::app::App;
use crate::counters::count;
use crate::failure::{Failure, Rejection};
use crate::outside::Caller;
use crate::queue::delivery::{Delivery, HandBack, Outcome};
use crate::queue::job::Job;

/// Time until the state is read again while another holder of the lane posts.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// A notification about a customer's message.
pub(super) struct CustomerMessage<'a> {
    pub(super) app: &'a App,
    pub(super) notification: &'a NotificationEnvelope,
    pub(super) policy: Policy,
    pub(super) caller: Caller,
    /// When the message first waited for something that it can do without.
    pub(super) first_wait: OnceLock<Instant>,
    left_files: LeftFiles,
}

impl<'a> CustomerMessage<'a> {
    /// The message of an envelope.
    pub(super) fn new(
        app: &'a App,
        delivery: &Delivery,
        notification: &'a NotificationEnvelope,
    ) -> Self {
        Self {
            app,
            notification,
            policy: app.settings.policy(),
            caller: delivery.caller(notification.chat.digest()),
            first_wait: OnceLock::new(),
            left_files: LeftFiles::default(),
        }
    }
}

impl CustomerMessage<'_> {
    async fn load(&self) -> Result<InboundChat, Failure> {
        let (chat, account) = (&self.notification.chat, &self.notification.account);
        InboundChat::load(self.app, chat, account).await
    }

    /// Counts a message that is not passed on, and has its sender told. Should the note of that not be saved, the repetition
    /// sends the same notice, which the chat then knows.
    async fn turn_away(
        &self,
        turned_away: &TurnedAway,
        chat: &mut InboundChat,
    ) -> Result<Outcome, Failure> {
        let app = self.app;
        let told = turned_away.tell && app.settings.tenant_notice.is_some();
        if told {
            let state = Some(chat.known().inbound);
            notice::send(app, self.notification, state, NoticeKind::TurnedAway).await?;
        }
        if turned_away.tell {
            turned_away.apply(chat.state(), OffsetDateTime::now_utc());
            chat.save(app).await?;
        }
        count(&app.counters.turned_away, 1);
        let reason = turned_away.why.label();
        let tenant = turned_away.tenant.as_ref();
        let tenant = tenant.map(|tenant| Digest::of("tenant", tenant.as_str()).to_string());
        tracing::warn!(
            event = "customer_turned_away",
            reason,
            tenant,
            told,
            "CUSTOMER_TENANTS does not let the sender write"
        );
        Ok(Outcome::Skipped("the sender's tenant may not write"))
    }
}

impl Job for CustomerMessage<'_> {
    /// Reads what a plan needs, makes the plan, and does what it says.
    async fn attempt(&self) -> Result<Outcome, Failure> {
        let (app, caller, notification) = (self.app, &self.caller, self.notification);
        let _lane = app.lanes.hold(&caller.subject, caller.deadline).await?;
        let mut answers = Answers::default();
        let mut chat: Option<InboundChat> = None;
        loop {
            let case = Case {
                policy: &self.policy,
                notification,
                chat: chat.as_ref().map(InboundChat::known),
                answers: &answers,
                holder: app.lanes.holder(),
                now: OffsetDateTime::now_utc(),
            };
            match (plan(&case), &mut chat) {
                (Plan::Skip(reason), _) => return Ok(Outcome::Skipped(reason)),
                (Plan::Refuse(refusal), _) => return Err(Rejection::from(refusal).into()),
                (Plan::TurnAway(turned_away), Some(chat)) => {
                    return self.turn_away(&turned_away, chat).await;
                }
                (Plan::Note(note), Some(chat)) => {
                    let reason = note.reason;
                    note.apply(chat.state(), OffsetDateTime::now_utc());
                    chat.save(app).await?;
                    return Ok(Outcome::Skipped(reason));
                }
                (Plan::Tell(told), Some(chat)) => {
                    for series in &told {
                        let posting = Posting {
                            app,
                            caller,
                            left_files: &self.left_files,
                            series,
                        };
                        posting.run(chat).await?;
                    }
                    return Ok(Outcome::Delivered);
                }
                (Plan::Wait, _) if Instant::now() >= caller.deadline => {
                    return Err(Failure::OutOfTime);
                }
                (Plan::Wait, _) => {
                    sleep(LOOK_AGAIN).await;
                    chat = Some(self.load().await?);
                }
                (Plan::Need(Need::Chat) | Plan::TurnAway(_) | Plan::Note(_) | Plan::Tell(_), _) => {
                    chat = Some(self.load().await?);
                }
                (Plan::Need(need), _) => self.answer(need, &mut answers).await?,
            }
        }
    }

    fn subject(&self) -> &Digest {
        &self.caller.subject
    }

    fn chat(&self) -> Option<Digest> {
        Some(self.caller.subject.clone())
    }

    fn account(&self) -> Option<&SupportAccountName> {
        Some(&self.notification.account)
    }

    fn give_up_file(&self, file: &Digest) -> bool {
        self.left_files.leave(file)
    }

    async fn tell(&self, rejection: &Rejection) -> Result<(), HandBack> {
        notice::tell(self.app, self.notification, rejection).await
    }
}
