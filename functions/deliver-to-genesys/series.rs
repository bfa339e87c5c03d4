//! A series of Genesys messages that belong together: the text of a Teams message in its parts, then each of its files. It can
//! stop anywhere and goes on where it stopped.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bridge::conversation::attributes::custom_attributes;
use bridge::genesys::inbound::{Body, Channel, part_message_id};
use bridge::ids::{ChatId, Digest, GenesysMessageId, SupportAccountName, TeamsMessageId, ThreadId};
use bridge::state::customer::Customer;
use bridge::state::inbound::{InboundState, PostedPart, Seen};
use bridge::teams::convert::SentFile;
use bridge::text::split::split;
use bytes::Bytes;
use services::genesys::PostedMessage;
use time::OffsetDateTime;
use tokio::time::Instant;

use super::chat::ChatMemory;
use super::{attachments, call_genesys};
use crate::app::App;
use crate::failure::Failure;
use crate::invocation::Delivery;
use crate::persistence::Work;

/// Whose conversation a series belongs to.
pub struct Conversation {
    /// The Support User that bridges the chat.
    pub account: SupportAccountName,
    /// Its thread.
    pub thread: ThreadId,
    /// Whom its attributes describe.
    pub customer: Customer,
    /// For the flow.
    pub attributes: BTreeMap<String, String>,
}

impl Conversation {
    /// The conversation of a chat, with the attributes that describe the customer.
    pub fn new(
        chat: &ChatId,
        account: SupportAccountName,
        thread: ThreadId,
        customer: Customer,
    ) -> Self {
        let attributes = custom_attributes(&customer, chat, &account);
        Self {
            account,
            thread,
            customer,
            attributes,
        }
    }
}

/// One piece of a series.
pub enum Piece {
    /// Words; long ones become numbered parts.
    Text(String),
    /// A file that has to be fetched first.
    File(SentFile),
    /// The answer to the agent's question.
    Choice {
        /// The answer.
        body: Body,
        /// What is sent should Genesys not take the answer any more.
        otherwise: String,
    },
}

/// How a message's files are dealt with over its attempts.
#[derive(Debug, Default)]
pub struct Files {
    failing_since: OnceLock<Instant>,
    /// The present attempt failed while it fetched one.
    pub failing: AtomicBool,
    /// What cannot be fetched now becomes a notice, because the message was waited for long enough.
    pub given_up: AtomicBool,
}

impl Files {
    /// How long it is since Graph first failed for one of the files.
    pub fn failing_for(&self) -> Duration {
        self.failing_since.get_or_init(Instant::now).elapsed()
    }
}

/// What is to be posted, and how it is remembered.
pub struct Series {
    /// What it is remembered by, and what Genesys knows it by: the message's id, or one derived from it.
    pub id: TeamsMessageId,
    /// The Teams message that it is about.
    pub original: TeamsMessageId,
    /// Version of the message.
    pub etag: Option<String>,
    /// Time that Genesys is told.
    pub time: OffsetDateTime,
    /// In order.
    pub pieces: Vec<Piece>,
    /// What is known of the original once all is posted.
    pub seen: Option<Seen>,
    /// The question that it answers.
    pub answered: Option<GenesysMessageId>,
}

impl Series {
    /// Posts what Genesys does not have yet, and notes each part.
    ///
    /// # Errors
    /// Those of Genesys, Graph and the state; what was posted stays noted.
    pub async fn post(
        &self,
        app: &App,
        delivery: &Delivery,
        memory: &mut ChatMemory,
        conversation: &Conversation,
        files: &Files,
    ) -> Result<(), Failure> {
        let subject = memory.inbound.chat.digest();
        self.recall(app, memory, &subject);
        let progress = memory.inbound.progress(&self.id);
        if let (true, 0, Some(seen)) = (self.id == self.original, progress.posted, &self.seen) {
            // What the first attempt saw is what the agent gets; an edit during a later attempt is told by its own notification.
            let now = OffsetDateTime::now_utc();
            memory.inbound.entry(&self.id, now).seen = seen.clone();
        }
        // A state that cannot be written must show before the post, or each attempt would post again.
        if memory.inbound.progress(&self.id).piece >= self.pieces.len() {
            self.finish(&mut memory.inbound);
        }
        memory.save(app).await?;
        app.unsaved.forget(&subject, &self.id);
        for piece in self
            .pieces
            .iter()
            .skip(memory.inbound.progress(&self.id).piece)
        {
            if Instant::now() >= delivery.deadline {
                return Err(Failure::OutOfTime);
            }
            let bodies = self
                .bodies(app, delivery, memory, conversation, piece, files)
                .await?;
            self.post_piece(app, delivery, memory, conversation, &bodies)
                .await?;
        }
        Ok(())
    }

    /// Notes the parts that an earlier attempt posted without being able to note them. A note that seemed to fail may have been
    /// written all the same.
    fn recall(&self, app: &App, memory: &mut ChatMemory, subject: &Digest) {
        let noted: Vec<String> = memory
            .inbound
            .handled
            .get(&self.id)
            .map(|handled| handled.genesys.clone())
            .unwrap_or_default();
        for part in app.unsaved.of(subject, &self.id) {
            if noted.contains(&part.genesys) {
                continue;
            }
            tracing::info!(
                event = "unsaved_part_noted",
                part = memory.inbound.progress(&self.id).posted + 1,
                "an earlier attempt had posted it"
            );
            let now = OffsetDateTime::now_utc();
            memory.inbound.record_part(&self.id, part, now);
        }
    }

    /// The Genesys messages of a piece.
    async fn bodies(
        &self,
        app: &App,
        delivery: &Delivery,
        memory: &ChatMemory,
        conversation: &Conversation,
        piece: &Piece,
        files: &Files,
    ) -> Result<Vec<Body>, Failure> {
        let texts = |text: &str| {
            split(text, app.settings.genesys_text_limit)
                .into_iter()
                .map(Body::Text)
                .collect()
        };
        match piece {
            Piece::Text(text) => Ok(texts(text)),
            Piece::Choice { body, .. } => Ok(vec![body.clone()]),
            Piece::File(file) => {
                let origin = attachments::Origin {
                    account: &conversation.account,
                    chat: &memory.inbound.chat,
                    message: &self.original,
                };
                match attachments::brought(app, delivery, &origin, file, files).await? {
                    attachments::Brought::File(attachment) => Ok(vec![Body::File(attachment)]),
                    attachments::Brought::Text(text) => Ok(texts(&text)),
                }
            }
        }
    }

    async fn post_piece(
        &self,
        app: &App,
        delivery: &Delivery,
        memory: &mut ChatMemory,
        conversation: &Conversation,
        bodies: &[Body],
    ) -> Result<(), Failure> {
        let progress = memory.inbound.progress(&self.id);
        // The piece may have fewer parts than when it was begun: what is there stays there.
        if progress.part >= bodies.len() {
            memory
                .inbound
                .finish_piece(&self.id, OffsetDateTime::now_utc());
            self.finish_if_done(memory);
            return memory.save(app).await;
        }
        let subject = memory.inbound.chat.digest();
        for (index, body) in bodies.iter().enumerate().skip(progress.part) {
            let posted = self
                .post_part(app, delivery, memory, conversation, body)
                .await?;
            let part = PostedPart {
                genesys: posted.id,
                ends_piece: index + 1 == bodies.len(),
            };
            // Should the note fail, this process at least knows what Genesys has.
            app.unsaved.add(&subject, &self.id, part.clone());
            memory
                .inbound
                .record_part(&self.id, part, OffsetDateTime::now_utc());
            self.finish_if_done(memory);
            memory.save(app).await?;
            app.unsaved.forget(&subject, &self.id);
        }
        Ok(())
    }

    async fn post_part(
        &self,
        app: &App,
        delivery: &Delivery,
        memory: &ChatMemory,
        conversation: &Conversation,
        body: &Body,
    ) -> Result<PostedMessage, Failure> {
        let posted = memory.inbound.progress(&self.id).posted;
        let message_id = part_message_id(&self.id, posted + 1);
        let channel = Channel {
            thread: &conversation.thread,
            name: conversation.customer.name.as_deref(),
            time: self.time,
            message_id: &message_id,
            attributes: &conversation.attributes,
        };
        let json = Bytes::from(body.to_json(&channel));
        let correlation = delivery.correlation.as_str();
        let subject = memory.inbound.chat.digest();
        let posted = match body {
            Body::Choice { .. } => {
                let call = app.genesys.post_structured_response(json, correlation);
                call_genesys(app, delivery, Work::Message, &subject, call).await
            }
            Body::Text(_) | Body::File(_) => {
                let call = app.genesys.post_message(json, correlation);
                call_genesys(app, delivery, Work::Message, &subject, call).await
            }
        };
        let otherwise = match &posted {
            Err(failure) if is_refusal(failure, body) => self.otherwise(body),
            _ => None,
        };
        let Some(text) = otherwise else {
            return posted;
        };
        tracing::info!(
            event = "sent_as_text",
            "Genesys does not take the choice or file, so it goes as text"
        );
        let json = Bytes::from(Body::Text(text).to_json(&channel));
        let call = app.genesys.post_message(json, correlation);
        call_genesys(app, delivery, Work::Message, &subject, call).await
    }

    /// What is sent in the place of something that Genesys refuses.
    fn otherwise(&self, body: &Body) -> Option<String> {
        match body {
            Body::Text(_) => None,
            Body::File(file) => Some(format!("[file] {}\n{}", file.filename, file.url)),
            Body::Choice { .. } => self.pieces.iter().find_map(|piece| match piece {
                Piece::Choice { otherwise, .. } => Some(otherwise.clone()),
                _ => None,
            }),
        }
    }

    fn finish_if_done(&self, memory: &mut ChatMemory) {
        if memory.inbound.progress(&self.id).piece >= self.pieces.len() {
            self.finish(&mut memory.inbound);
        }
    }

    /// All is posted: what that says of the message, in the same write as the last part.
    fn finish(&self, state: &mut InboundState) {
        let now = OffsetDateTime::now_utc();
        state.entry(&self.id, now).etag.clone_from(&self.etag);
        state.complete(&self.id, now);
        if let Some(seen) = &self.seen {
            if self.id != self.original {
                state.entry(&self.original, now).seen = seen.clone();
            }
            state.complete(&self.original, now);
        }
        if let Some(question) = &self.answered {
            state.answered = Some(question.clone());
        }
    }
}

/// Genesys understood, and will never take it: the file, or a question that is too old or unknown by now.
fn is_refusal(failure: &Failure, body: &Body) -> bool {
    match failure {
        Failure::Permanent(rejection) => {
            rejection.service == Some(services::error::Service::Genesys)
        }
        Failure::Retriable(error) => {
            matches!(body, Body::Choice { .. })
                && error.service == services::error::Service::Genesys
                && error.kind == services::error::ErrorKind::NotFound
        }
        _ => false,
    }
}
