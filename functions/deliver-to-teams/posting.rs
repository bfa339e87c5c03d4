//! A chat as this function remembers it, and putting a message into it once: wait for the turn, save pending, post, save posted.

use bridge::bot::reference::ConversationReference;
use bridge::genesys::receipt::ReasonCode;
use bridge::ids::{ChatId, GenesysMessageId, SupportAccountName, UserId};
use bridge::state::blobs;
use bridge::state::inbound::InboundState;
use bridge::state::outbound::{OutboundState, Says};
use services::error::{Sent, Service};
use time::OffsetDateTime;

use crate::app::App;
use crate::doors::{Bot, Door, Graph, Part};
use crate::failure::{Failure, Rejection};
use crate::outside::Caller;
use crate::store::document::{Document, peek};

/// A chat with its outbound state in the version that was read.
pub(super) struct OutboundChat<'a> {
    /// How it is reached.
    pub(super) way: Way<'a>,
    /// Our posts so far.
    pub(super) state: Document<OutboundState>,
}

/// How a chat is reached for one message.
pub(super) struct Way<'a> {
    /// Clients and gate.
    pub(super) app: &'a App,
    /// For which message.
    pub(super) caller: &'a Caller,
    /// Who acts.
    pub(super) account: &'a SupportAccountName,
    /// Where.
    pub(super) chat: &'a ChatId,
    /// Its address, where it is the bot's.
    reference: Option<ConversationReference>,
}

impl<'a> OutboundChat<'a> {
    /// Reads the state; a chat without one has no posts yet.
    ///
    /// # Errors
    /// Blob could not be read, or holds something that is no such state. Permanent where no account of this name is configured.
    pub(super) async fn load(
        app: &'a App,
        caller: &'a Caller,
        account: &'a SupportAccountName,
        chat: &'a ChatId,
    ) -> Result<Self, Failure> {
        let is_bot = app.settings.is_bot(account);
        if !is_bot && app.settings.support_account(account).is_none() {
            return Err(account_unknown());
        }
        let (absent, name) = (
            || OutboundState::new(chat.clone()),
            blobs::inbound_state(chat),
        );
        let other_side = async {
            match is_bot {
                true => peek::<InboundState>(&app.blobs, &name).await,
                false => Ok(None),
            }
        };
        let own = Document::load(&app.blobs, blobs::outbound_state(chat), absent);
        let (other_side, state) = futures::try_join!(other_side, own)?;
        let way = Way {
            app,
            caller,
            account,
            chat,
            reference: other_side.and_then(|state| state.reference),
        };
        Ok(Self { way, state })
    }

    /// Writes the state, without what need not be known any more.
    ///
    /// # Errors
    /// As [`Document::save`].
    pub(super) async fn save(&mut self) -> Result<(), Failure> {
        save(&self.way, &mut self.state).await
    }

    /// Posts the parts of a message that are not in the chat yet; tells whether there were any. A pending post of an earlier
    /// attempt must have been resolved.
    ///
    /// # Errors
    /// The state is such that another attempt finds out what was posted.
    pub(super) async fn post(
        &mut self,
        id: &GenesysMessageId,
        parts: &[Part],
        says: &Says,
    ) -> Result<bool, Failure> {
        let already = self.state.value.parts_posted(id);
        for (index, part) in parts.iter().enumerate().skip(already) {
            let is_last = index + 1 == parts.len();
            self.post_part(id, part, (index, is_last), says).await?;
        }
        Ok(already < parts.len())
    }

    async fn post_part(
        &mut self,
        id: &GenesysMessageId,
        part: &Part,
        (index, is_last): (usize, bool),
        says: &Says,
    ) -> Result<(), Failure> {
        let Self { way, state } = self;
        let (own_posts, chat) = (&way.app.own_posts, way.chat.digest());
        let door = way.door()?;
        let turn = door.turn_to_post().await?;
        let fingerprint = part.fingerprint();
        own_posts.begin(&chat, &fingerprint);
        let now = OffsetDateTime::now_utc();
        state
            .value
            .begin(id, index, is_last, now, fingerprint, says.clone());
        // Another holder of this lane that was faster has changed the state, so this stops here.
        save(way, state).await?;
        match door.post(turn, part).await {
            Ok(posted) => {
                own_posts.posted(&chat, &posted);
                state.value.posted(posted, OffsetDateTime::now_utc());
                save(way, state).await
            }
            Err(error) => {
                let is_of_door = matches!(error.service, Service::Graph | Service::Bot);
                if !is_of_door || error.sent == Sent::No {
                    own_posts.not_posted(&chat);
                    state.value.clear_pending();
                    save(way, state).await?;
                } else if error.status.is_some() {
                    own_posts.answered(&chat);
                }
                Err(error.into())
            }
        }
    }
}

/// Writes the state, without what need not be known any more.
async fn save(way: &Way<'_>, state: &mut Document<OutboundState>) -> Result<(), Failure> {
    state.value.forget_before(OffsetDateTime::now_utc());
    state.save(&way.app.blobs).await
}

impl<'a> Way<'a> {
    /// The Support User, where it is one that acts.
    pub(super) fn user(&self) -> Option<&'a UserId> {
        let account = self.app.settings.support_account(self.account);
        account.map(|account| &account.user)
    }

    /// The door that leads there.
    ///
    /// # Errors
    /// Nothing is known of a bot's conversation yet.
    pub(super) fn door(&self) -> Result<Door<'_>, Failure> {
        let Self {
            app,
            caller,
            account,
            chat,
            ..
        } = *self;
        if !app.settings.is_bot(account) {
            return Ok(Door::Graph(Graph {
                app,
                account,
                chat,
                caller,
            }));
        }
        match (&app.bot, &self.reference) {
            (Some(client), Some(reference)) => Ok(Door::Bot(Bot {
                app,
                client,
                reference,
                activity: None,
                chat,
                caller,
            })),
            _ => Err(Failure::NotYet(Box::new(Rejection::new(
                "bot_conversation_unknown",
                "nobody has written to the bot in this conversation, so that its address is not known",
                ReasonCode::InvalidDestination,
            )))),
        }
    }
}

/// No account of this name is configured.
fn account_unknown() -> Failure {
    Failure::from(Rejection::new(
        "account_unknown",
        "the thread belongs to a support account that neither SUPPORT_ACCOUNTS nor BOT_ACCOUNT names",
        ReasonCode::InvalidDestination,
    ))
}
