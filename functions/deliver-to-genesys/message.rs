//! What happened to a message in Teams, on its way to the agent: read, plan, post.

use std::convert::Infallible;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bridge::bot::activity::Activity;
use bridge::conversation::admission::TurnedAway;
use bridge::conversation::case::{Answers, Case, Need, Plan, Policy};
use bridge::conversation::series::{Piece, Series};
use bridge::conversation::{OURS, plan};
use bridge::ids::{Digest, SupportAccountName};
use bridge::notices::{Language, NoticeKind, Waiting};
use bridge::queue::envelope::NotificationEnvelope;
use bridge::self_check::Way;
use bridge::state::inbound::InboundState;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep};

use super::activity;
use super::attachments::LeftFiles;
use super::chat::InboundChat;
use super::ending;
use super::notice;
use super::posting::Posting;
use crate::app::App;
use crate::counters::count;
use crate::failure::{Failure, Rejection};
use crate::outside::Caller;
use crate::queue::delivery::{Delivery, HandBack, Outcome};
use crate::queue::job::Job;
use crate::queue::settlement::handed_back;
use crate::self_check;

/// Time until the state is read again while another holder of the lane posts.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// A notification about a customer's message.
pub(super) struct CustomerMessage<'a> {
    pub(super) app: &'a App,
    pub(super) notification: &'a NotificationEnvelope,
    pub(super) policy: Policy,
    pub(super) caller: Caller,
    /// The message as Graph listed it, where it did.
    pub(super) listed: Option<Vec<u8>>,
    /// The activity that told of it, where it came through the bot.
    pub(super) activity: Option<Box<Activity>>,
    /// When the message first waited for something that it can do without.
    pub(super) first_wait: OnceLock<Instant>,
    left_files: LeftFiles,
    /// When the queue accepted it, where its sender waits for it since then.
    accepted: Option<OffsetDateTime>,
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
            listed: None,
            activity: None,
            first_wait: OnceLock::new(),
            left_files: LeftFiles::default(),
            accepted: None,
        }
    }

    /// Gives the message as Graph listed it a moment ago, so that it need not be read.
    pub(super) fn with_listed(mut self, listed: Option<Vec<u8>>) -> Self {
        self.listed = listed;
        self
    }

    /// Gives the activity that told of it.
    pub(super) fn of_bot(mut self, activity: Activity) -> Self {
        self.activity = Some(Box::new(activity));
        self
    }

    /// Has the sender told when the message waits for long; not so where it comes late anyway.
    pub(super) fn telling_of_delay(mut self, delivery: &Delivery, is_replay: bool) -> Self {
        self.accepted = delivery.trigger.enqueued_at.filter(|_| !is_replay);
        self
    }
}

impl CustomerMessage<'_> {
    async fn load(&self) -> Result<InboundChat, Failure> {
        let (chat, account) = (&self.notification.chat, &self.notification.account);
        let mut chat = InboundChat::load(self.app, chat, account).await?;
        if let Some(activity) = &self.activity {
            // Saved with whatever else is noted of the message.
            chat.state().reference = Some(activity.reference.clone());
        }
        Ok(chat)
    }

    /// Posts what the agent is to be told, and has the customer told while that waits for too long.
    async fn post(&self, told: &[Series], chat: &mut InboundChat) -> Result<Outcome, Failure> {
        let (app, is_told) = (self.app, AtomicBool::new(false));
        let delay = Delay::of(self, told, chat);
        let posting = async {
            for series in told {
                let posting = Posting {
                    app,
                    caller: &self.caller,
                    activity: self.activity.as_deref(),
                    left_files: &self.left_files,
                    series,
                };
                posting.run(chat).await?;
            }
            for series in told {
                let texts = series.pieces.iter().filter_map(|piece| match piece {
                    Piece::Text(text) => Some(text.as_str()),
                    _ => None,
                });
                let (way, accepted) = (Way::ToAgent, self.accepted);
                self_check::note(app, texts, way, series.time, accepted).await;
            }
            Ok(Outcome::Delivered)
        };
        let telling = async {
            if let Some(wait) = delay.told_in(false) {
                sleep(wait).await;
                is_told.store(delay.tell().await, Ordering::Relaxed);
            }
            std::future::pending::<Infallible>().await
        };
        let posted = tokio::select! {
            biased;
            posted = posting => posted,
            never = telling => match never {},
        };
        if posted.is_err() {
            if !is_told.load(Ordering::Relaxed) && delay.told_in(true) == Some(Duration::ZERO) {
                is_told.store(delay.tell().await, Ordering::Relaxed);
            }
            // What the attempt left of the state may not be what is stored.
            if is_told.into_inner()
                && let Ok(mut chat) = self.load().await
            {
                chat.state().delay_told_at = Some(OffsetDateTime::now_utc());
                notice::note(app, &mut chat).await;
            }
        }
        posted
    }

    /// Counts a message that is not passed on, and has its sender told. Should the note of that not be saved, the repetition
    /// sends the same notice, which the chat then knows.
    async fn turn_away(
        &self,
        turned_away: &TurnedAway,
        language: Option<Language>,
        chat: &mut InboundChat,
    ) -> Result<Outcome, Failure> {
        let app = self.app;
        let told = turned_away.tell && notice::is_on(app, NoticeKind::TurnedAway);
        if told {
            let (says, state) = (NoticeKind::TurnedAway, Some(chat.known().inbound));
            let language = language.map(|language| language.tag().to_owned());
            notice::send(app, self.notification, state, says, language).await?;
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
                (Plan::Skip(OURS), _) => return Ok(Outcome::Routine(Some(OURS))),
                (Plan::Skip(reason), _) => return Ok(Outcome::Skipped(reason)),
                (Plan::Refuse(refusal), _) => return Err(Rejection::from(refusal).into()),
                (Plan::TurnAway(turned_away), Some(chat)) => {
                    let language = answers.message.as_ref().and_then(|it| it.language);
                    return self.turn_away(&turned_away, language, chat).await;
                }
                (Plan::Note(note), Some(chat)) => {
                    let reason = note.reason;
                    note.apply(chat.state(), OffsetDateTime::now_utc());
                    chat.save(app).await?;
                    return Ok(Outcome::Skipped(reason));
                }
                (Plan::Tell(mut told), Some(chat)) => {
                    if let Some(activity) = &self.activity {
                        let (state, bot) = (chat.known().inbound, &app.settings.bot_account);
                        if activity.comes_by_graph(state, self.policy.groups, bot) {
                            return Ok(Outcome::Skipped("the Support User's door brings it"));
                        }
                        let press = activity.press.as_ref();
                        if press.is_some_and(|press| press.is_late(state)) {
                            return Ok(Outcome::Skipped("its question has its answer"));
                        }
                        Box::pin(activity::understand(app, activity, &mut told, chat)).await?;
                    }
                    Box::pin(ending::ask(app, notification, &told)).await?;
                    return Box::pin(self.post(&told, chat)).await;
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
                (Plan::Need(need), chat) => {
                    // On the heap, as is all that is large and seldom: what calls this holds the rest.
                    Box::pin(self.answer(need, &mut answers, chat.as_ref())).await?;
                }
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

/// What the customer is told when the message waits for long.
struct Delay<'a> {
    message: &'a CustomerMessage<'a>,
    waiting: Waiting,
    state: InboundState,
    language: Option<String>,
}

impl<'a> Delay<'a> {
    fn of(message: &'a CustomerMessage<'a>, told: &[Series], chat: &InboundChat) -> Self {
        let (settings, state) = (&message.app.settings, chat.known().inbound);
        let is_on = notice::is_on(message.app, NoticeKind::Delayed);
        let new = told.iter().find(|series| series.is_new_of_customer);
        let language = new.and_then(|series| series.conversation.learned.language);
        Self {
            message,
            waiting: Waiting {
                told_after: settings.delay_notice_after,
                age: Duration::ZERO,
                is_new: is_on && new.is_some(),
                is_late_anyway: message.accepted.is_none(),
                is_told: state.delay_told_at.is_some(),
                has_failed: false,
            },
            language: language.map(str::to_owned).or(state.language.clone()),
            state: state.clone(),
        }
    }

    /// How long from now the customer is to be told.
    fn told_in(&self, has_failed: bool) -> Option<Duration> {
        let age = self
            .message
            .accepted
            .map(|accepted| OffsetDateTime::now_utc() - accepted);
        let age = age.and_then(|age| age.try_into().ok()).unwrap_or_default();
        let waiting = Waiting {
            age,
            has_failed,
            ..self.waiting
        };
        waiting.told_in()
    }

    /// Has the customer told; true when it is on its way.
    async fn tell(&self) -> bool {
        let CustomerMessage {
            app, notification, ..
        } = self.message;
        let (says, language) = (NoticeKind::Delayed, self.language.clone());
        let sent = notice::send(app, notification, Some(&self.state), says, language).await;
        match &sent {
            Ok(()) => tracing::warn!(
                event = "delay_told",
                "a customer is told that the message waits"
            ),
            // The next attempt tells it.
            Err(error) => drop(handed_back("notice_not_enqueued", error)),
        }
        sent.is_ok()
    }
}
