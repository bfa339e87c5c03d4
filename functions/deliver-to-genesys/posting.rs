//! Posting a series to Genesys: each part once, in order, and noted.

use bridge::bot::activity::Activity;
use bridge::conversation::series::{Piece, Series};
use bridge::genesys::inbound::{Body, Channel};
use bridge::ids::{Digest, TeamsMessageId};
use bridge::state::inbound::PostedPart;
use bridge::state::thread::ThreadRecord;
use bridge::text::split::split;
use services::error::{ErrorKind, Sent, Service, ServiceError};
use services::genesys::PostedMessage;
use time::OffsetDateTime;
use tokio::time::Instant;

use super::answers::no_bot;
use super::attachments::{Brought, LeftFiles, bring};
use super::chat::InboundChat;
use crate::app::App;
use crate::doors::{Bot, Door, Graph};
use crate::failure::Failure;
use crate::outside::{Call, Caller};

/// A series on its way.
pub(super) struct Posting<'a> {
    pub(super) app: &'a App,
    pub(super) caller: &'a Caller,
    /// The activity that told of it, where it came through the bot.
    pub(super) activity: Option<&'a Activity>,
    pub(super) left_files: &'a LeftFiles,
    pub(super) series: &'a Series,
}

impl Posting<'_> {
    /// Posts what Genesys does not have yet.
    ///
    /// # Errors
    /// Those of Genesys, Graph and the state; what was posted stays noted.
    pub(super) async fn run(&self, chat: &mut InboundChat) -> Result<(), Failure> {
        let (app, series) = (self.app, self.series);
        self.recall(chat);
        if series.next(chat.state()).is_none() {
            series.finish_if_done(chat.state(), OffsetDateTime::now_utc());
            chat.save(app).await?;
        }
        if series.conversation.is_new || series.conversation.is_first_of_day {
            // Before Genesys hears of it, so that even an answer within milliseconds finds its way back.
            let (thread, account) = (&series.conversation.thread, &series.conversation.account);
            if series.conversation.is_new {
                app.threads.unlearn(thread);
            }
            let now = OffsetDateTime::now_utc();
            let chat = chat.state().chat.clone();
            let record = ThreadRecord::new(thread, chat, account.clone(), now);
            app.threads.remember(&app.blobs, &record).await?;
        }
        while let Some((piece, _)) = series.next(chat.state()) {
            if Instant::now() >= self.caller.deadline {
                return Err(Failure::OutOfTime);
            }
            let bodies = self.bodies(chat, piece).await?;
            self.post_piece(chat, piece, &bodies).await?;
        }
        app.unsaved.remove(&self.key());
        Ok(())
    }

    /// Notes the parts that an earlier attempt posted without being able to note them. A note that seemed to fail may have been
    /// written all the same.
    fn recall(&self, chat: &mut InboundChat) {
        for part in self.app.unsaved.get(&self.key()).unwrap_or_default() {
            let number = part.part + 1;
            if chat
                .state()
                .record_part(&self.series.id, part, OffsetDateTime::now_utc())
            {
                tracing::info!(
                    event = "unsaved_part_noted",
                    part = number,
                    "an earlier attempt had posted it"
                );
            }
        }
    }

    fn key(&self) -> (Digest, TeamsMessageId) {
        (self.caller.subject.clone(), self.series.id.clone())
    }

    /// The Genesys messages of a piece.
    async fn bodies(&self, chat: &mut InboundChat, piece: &Piece) -> Result<Vec<Body>, Failure> {
        let texts = |text: &str| {
            let parts = split(text, self.app.settings.genesys_text_limit);
            parts.into_iter().map(Body::Text).collect()
        };
        Ok(match piece {
            Piece::Text(text) => texts(text),
            Piece::Choice {
                question,
                choice,
                otherwise,
            } => vec![Body::answer(question.clone(), choice.clone(), otherwise)],
            Piece::File(file) => {
                let (app, caller, id) = (self.app, self.caller, &chat.state().chat);
                let door = match self.activity {
                    None => Door::Graph(Graph {
                        app,
                        account: &self.series.conversation.account,
                        chat: id,
                        caller,
                    }),
                    Some(activity) => Door::Bot(Bot {
                        app,
                        client: app.bot.as_ref().ok_or_else(no_bot)?,
                        reference: &activity.reference,
                        activity: Some(activity),
                        chat: id,
                        caller,
                    }),
                };
                let message = &self.series.original;
                match bring(door, message, file, self.left_files).await? {
                    Brought::File(attachment) => vec![Body::File(attachment)],
                    Brought::Text(text) => texts(&text),
                }
            }
        })
    }

    async fn post_piece(
        &self,
        chat: &mut InboundChat,
        piece: &Piece,
        bodies: &[Body],
    ) -> Result<(), Failure> {
        let (app, series) = (self.app, self.series);
        let progress = chat.state().progress(&series.id);
        // The piece may have fewer parts than when it was begun: what is there stays there.
        if progress.part >= bodies.len() {
            series.finish_piece(chat.state(), OffsetDateTime::now_utc());
            return chat.save(app).await;
        }
        for (index, body) in bodies.iter().enumerate().skip(progress.part) {
            let posted = match self.post(chat, body).await {
                Err(Failure::Service(error)) => {
                    let text = otherwise(piece, body, &error).ok_or(error)?;
                    tracing::info!(
                        event = "sent_as_text",
                        "Genesys does not take the choice or file, so it goes as text"
                    );
                    self.post(chat, &Body::Text(text)).await?
                }
                posted => posted?,
            };
            let part = PostedPart {
                piece: progress.piece,
                part: index,
                genesys: posted.id,
                ends_piece: index + 1 == bodies.len(),
            };
            // Should the note fail, this process at least knows what Genesys has.
            app.unsaved
                .update(&self.key(), Vec::new, |parts| parts.push(part.clone()));
            series.posted(chat.state(), part, OffsetDateTime::now_utc());
            chat.save(app).await?;
            app.unsaved.remove(&self.key());
        }
        Ok(())
    }

    /// Posts one part. The state is written when its turn has come: one that cannot be written must show before the post, or
    /// each attempt would post again; and another holder of the lane that was faster makes this one stop and read again.
    async fn post(&self, chat: &mut InboundChat, body: &Body) -> Result<PostedMessage, Failure> {
        let (app, series) = (self.app, self.series);
        let conversation = &series.conversation;
        let turn = app.gate.turn(Call::GenesysMessage, self.caller).await?;
        let is_first = series.claim(chat.state(), app.lanes.holder(), OffsetDateTime::now_utc());
        chat.save(app).await?;
        let door = match app.settings.is_bot(&conversation.account) {
            true => "bot",
            false => "graph",
        };
        let json = body.to_json(&Channel {
            thread: &conversation.thread,
            name: conversation.customer.name.as_deref(),
            time: series.time,
            message_id: &series.next_id(chat.state()),
            attributes: &conversation.attributes(&chat.state().chat, door),
        });
        let correlation = self.caller.correlation.as_str();
        let genesys = app.genesys_by(turn.client());
        let posted = match body {
            Body::Choice { .. } => {
                turn.make(genesys.post_structured_response(json, correlation))
                    .await
            }
            Body::Text(_) | Body::File(_) => {
                turn.make(genesys.post_message(json, correlation)).await
            }
        };
        if is_first && posted.as_ref().is_err_and(|error| error.sent == Sent::No) {
            series.retract(chat.state(), OffsetDateTime::now_utc());
            // Should this not be noted, the agent is told at worst that a message is deleted that never came.
            let noted = chat.save(app).await;
            drop(noted);
        }
        Ok(posted?)
    }
}

/// What is sent in the place of what Genesys understood and does not take: a file, or a choice of a question that is too old or
/// unknown by now.
fn otherwise(piece: &Piece, body: &Body, error: &ServiceError) -> Option<String> {
    let is_of_form = matches!(error.kind, ErrorKind::Rejected | ErrorKind::TooLarge);
    let is_gone = matches!(error.kind, ErrorKind::NotFound | ErrorKind::Conflict);
    match (body, piece) {
        _ if error.service != Service::Genesys => None,
        (Body::Choice { .. }, Piece::Choice { otherwise, .. }) if is_of_form || is_gone => {
            Some(otherwise.clone())
        }
        (Body::File(file), _) if is_of_form => {
            Some(format!("[file] {}\n{}", file.filename, file.url))
        }
        _ => None,
    }
}
