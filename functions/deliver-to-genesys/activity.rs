//! What the bot's connector told, on its way to the agent: a message like any other, or that the bot was added.

use bridge::bot::activity::{Activity, What};
use bridge::bot::press::Press;
use bridge::conversation::present_thread;
use bridge::conversation::series::{Piece, Series};
use bridge::ids::{Digest, Party, SupportAccountName, TeamsMessageId, ThreadId};
use bridge::notices::{Language, NoticeKind};
use bridge::queue::envelope::{
    ActivityEnvelope, AnsweredEnvelope, Content, EndingEnvelope, Envelope, NoticeEnvelope,
};
use bridge::teams::chat_kind::ChatKind;
use time::OffsetDateTime;

use super::chat::InboundChat;
use super::ending::Ending;
use super::message::CustomerMessage;
use super::notice;
use crate::app::App;
use crate::failure::Failure;
use crate::outside::Caller;
use crate::queue::delivery::{Delivery, HandBack, Outcome};
use crate::queue::enqueue::enqueue;
use crate::queue::job::Job;
use crate::queue::opening::Opened;
use crate::queue::settlement::{refuse, settle};

/// Delivers one activity.
///
/// # Errors
/// It is to be delivered again.
pub(super) async fn deliver(
    app: &App,
    delivery: &Delivery,
    opened: &Opened,
    envelope: &ActivityEnvelope,
    is_replay: bool,
) -> Result<Outcome, HandBack> {
    let now = OffsetDateTime::now_utc();
    let Ok(activity) = Activity::parse(envelope.activity.as_bytes(), now) else {
        return refuse(app, delivery, opened).await;
    };
    if activity.press == Some(Press::End) {
        // In a group nobody ends what others may need.
        if activity.kind != ChatKind::OneOnOne {
            return Ok(Outcome::Skipped("a group's conversation is not ended"));
        }
        let ending = EndingEnvelope {
            chat: envelope.chat.clone(),
            message: envelope.message.clone(),
            account: envelope.account.clone(),
        };
        let ending = Ending::new(app, delivery, &ending);
        return settle(app, delivery, opened, &ending).await;
    }
    match (envelope.notification(), envelope.what) {
        (Some(notification), _) => {
            let message = CustomerMessage::new(app, delivery, &notification)
                .telling_of_delay(delivery, is_replay)
                .of_bot(activity);
            settle(app, delivery, opened, &message).await
        }
        (None, What::Installed) => {
            let installed = Installed {
                app,
                envelope,
                activity,
                caller: delivery.caller(envelope.chat.digest()),
            };
            settle(app, delivery, opened, &installed).await
        }
        (None, _) => Ok(Outcome::Skipped("nothing that the agent is told")),
    }
}

/// Understands the press of a card's button as the answer to its question, and has a card whose question has its answer, be it
/// typed, show no buttons any more.
///
/// # Errors
/// The queue did not take it.
pub(super) async fn understand(
    app: &App,
    activity: &Activity,
    told: &mut [Series],
    chat: &InboundChat,
) -> Result<(), Failure> {
    let Some(posts) = chat.known().outbound else {
        return Ok(());
    };
    if let Some(press) = &activity.press {
        press.answer(told, Some(posts));
    }
    let answer = told.iter().find_map(|series| match series.pieces.first()? {
        Piece::Choice {
            question, choice, ..
        } => Some((series, question, choice)),
        _ => None,
    });
    let Some((series, question, choice)) = answer else {
        return Ok(());
    };
    let Some(card) = posts.card_of(question) else {
        return Ok(());
    };
    let answered = AnsweredEnvelope {
        thread: series.conversation.thread.clone(),
        chat: activity.chat.clone(),
        question: question.clone(),
        card: card.clone(),
        answer: choice.text.clone(),
    };
    let envelope = Envelope::new(OffsetDateTime::now_utc(), Content::Answered(answered));
    enqueue(app, &[envelope]).await?;
    Ok(())
}

/// The bot was added to a conversation: from now on it can be written to, and it greets.
struct Installed<'a> {
    app: &'a App,
    envelope: &'a ActivityEnvelope,
    activity: Activity,
    caller: Caller,
}

impl Installed<'_> {
    /// The thread that a first message would have, where that is certain: the greeting travels in its lane.
    fn thread(&self, chat: &InboundChat) -> Option<ThreadId> {
        let party = || match self.activity.kind {
            ChatKind::OneOnOne => self.activity.sender.as_ref().map(Party::of),
            _ => Some(Party::Group(self.activity.chat.digest())),
        };
        let first = || {
            Some(ThreadId {
                account: self.envelope.account.clone(),
                party: party()?,
                counter: 0,
            })
        };
        present_thread(chat.known().inbound).or_else(first)
    }
}

impl Job for Installed<'_> {
    async fn attempt(&self) -> Result<Outcome, Failure> {
        let (app, envelope) = (self.app, self.envelope);
        let _lane = app
            .lanes
            .hold(&self.caller.subject, self.caller.deadline)
            .await?;
        let mut chat = InboundChat::load(app, &envelope.chat, &envelope.account).await?;
        let state = chat.state();
        state.reference = Some(self.activity.reference.clone());
        state.kind = state.kind.or(Some(self.activity.kind));
        chat.save(app).await?;
        if !notice::is_on(app, NoticeKind::Greeting) {
            return Ok(Outcome::Skipped("greetings are off"));
        }
        if !self.activity.is_greeted(app.settings.policy().groups) {
            return Ok(Outcome::Skipped("groups are off"));
        }
        let greeting = NoticeEnvelope {
            chat: envelope.chat.clone(),
            // Both of what Teams tells of an installation ask for the same greeting.
            message: TeamsMessageId::standing_for(&envelope.chat.digest()),
            account: envelope.account.clone(),
            thread: self.thread(&chat),
            says: NoticeKind::Greeting,
            language: self
                .activity
                .language()
                .map(Language::tag)
                .map(str::to_owned),
        };
        let greeting = Envelope::new(OffsetDateTime::now_utc(), Content::Notice(greeting));
        enqueue(app, &[greeting]).await?;
        Ok(Outcome::Delivered)
    }

    fn subject(&self) -> &Digest {
        &self.caller.subject
    }

    fn chat(&self) -> Option<Digest> {
        Some(self.caller.subject.clone())
    }

    fn account(&self) -> Option<&SupportAccountName> {
        Some(&self.envelope.account)
    }

    fn is_worth_storing(&self) -> bool {
        false
    }
}
