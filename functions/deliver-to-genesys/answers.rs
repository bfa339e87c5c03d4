//! Finding out what a plan needs: the message, decrypted or read from Graph, and what only Graph knows of its chat.

use bridge::conversation::case::{Answers, Asked, Need};
use bridge::genesys::receipt::ReasonCode;
use bridge::state::outbound::OutboundState;
use bridge::teams::message::ChatMessage;
use bridge::teams::recognise::fingerprint;
use bridge::teams::unwrap::unwrap;
use services::error::ErrorKind;
use tokio::time::timeout_at;

use super::chat::InboundChat;
use super::lookups::TenantQuestion;
use super::message::CustomerMessage;
use crate::doors::{Bot, Door, Graph};
use crate::failure::{Failure, Rejection};
use crate::outside::Caller;

impl CustomerMessage<'_> {
    /// Finds one answer.
    ///
    /// # Errors
    /// The content was tampered with, names another message or is no chat message; or Graph or Key Vault did not do its part,
    /// and the answer is needed.
    pub(super) async fn answer(
        &self,
        need: Need,
        answers: &mut Answers,
        chat: Option<&InboundChat>,
    ) -> Result<(), Failure> {
        let door = self.door(&self.caller)?;
        match need {
            // The state is read by whoever writes it.
            Need::Chat => {}
            Need::Message => {
                let message = match &self.activity {
                    Some(activity) => activity.chat_message(self.posts(chat)),
                    None => self.message().await?,
                };
                answers.is_own_post = self.is_own_post(&message);
                answers.message = Some(message);
            }
            Need::Fresh => {
                let found = match self.read().await {
                    Err(Failure::Service(error)) if error.kind == ErrorKind::NotFound => Ok(None),
                    read => read.map(Some),
                };
                answers.fresh = told(found, &need)?;
            }
            Need::Kind => answers.kind = told(door.kind().await, &need)?,
            // An activity itself tells who wrote it.
            Need::Members { dispensable } if dispensable || self.activity.is_some() => {
                let end = self.lookups_end();
                let mut caller = self.caller.clone();
                caller.deadline = caller.deadline.min(end);
                let asked = timeout_at(end, self.door(&caller)?.members()).await;
                let asked = asked.unwrap_or(Err(Failure::OutOfTime));
                answers.members = told(asked, &Need::Members { dispensable: true })?;
            }
            Need::Members { .. } => {
                answers.members = told(door.members().await, &need)?;
            }
            Need::Tenant => {
                let members = door.members().await?;
                answers.members = Asked::Told(members);
            }
            Need::DirectoryEntry(user) => answers.directory = self.directory_entry(&user).await,
            Need::TenantInformation(tenant) => {
                answers.tenant = self.tenant(TenantQuestion::Of(tenant)).await;
            }
            Need::TenantOfDomain(domain) => {
                let owner = self.tenant(TenantQuestion::Owning(domain)).await;
                answers.domain = match owner {
                    Asked::Told(owner) => Asked::Told(owner.map(|owner| owner.tenant)),
                    _ => Asked::CannotTell,
                };
            }
            // What somebody sends to a bot comes with an address of its own, by which nobody sees more than the sender gave.
            Need::FileHosts if self.activity.is_some() => {
                answers.file_hosts = Asked::Told(Vec::new());
            }
            Need::FileHosts => {
                let user = self.app.graph.as_user(self.notification.account.as_str());
                let hosts = user.own_file_hosts(self.caller.correlation.as_str()).await;
                answers.file_hosts = match hosts {
                    Some(hosts) => Asked::Told(hosts.to_vec()),
                    None => Asked::CannotTell,
                };
            }
        }
        Ok(())
    }

    /// The door that the message came through.
    ///
    /// # Errors
    /// It is a bot's, and there is none any more.
    pub(super) fn door<'a>(&'a self, caller: &'a Caller) -> Result<Door<'a>, Failure> {
        let (app, chat) = (self.app, &self.notification.chat);
        let Some(activity) = &self.activity else {
            return Ok(Door::Graph(self.graph(caller)));
        };
        Ok(Door::Bot(Bot {
            app,
            client: app.bot.as_ref().ok_or_else(no_bot)?,
            reference: &activity.reference,
            activity: Some(activity),
            chat,
            caller,
        }))
    }

    fn graph<'a>(&'a self, caller: &'a Caller) -> Graph<'a> {
        Graph {
            app: self.app,
            account: &self.notification.account,
            chat: &self.notification.chat,
            caller,
        }
    }

    /// What was posted in the chat, by which a press of a card's button is understood.
    fn posts<'a>(&self, chat: Option<&'a InboundChat>) -> Option<&'a OutboundState> {
        chat?.known().outbound
    }

    /// Whether this process posted the message: then no state need be read.
    fn is_own_post(&self, message: &ChatMessage) -> bool {
        let (posts, chat) = (&self.app.own_posts, &self.caller.subject);
        self.policy.is_from_us(message)
            && posts.contains(chat, &message.id, &fingerprint(&message.body))
    }

    /// The message as the notification encloses it or a list showed it, else as Graph has it.
    async fn message(&self) -> Result<ChatMessage, Failure> {
        if let Some(listed) = &self.listed {
            return self.of_this_id(parse(listed)?);
        }
        let Some(encrypted) = &self.notification.encrypted else {
            return self.read().await;
        };
        let (keys, secrets) = (&self.app.keys, &self.app.secrets);
        let Some(key) = keys.find(secrets, &encrypted.certificate_id).await? else {
            tracing::warn!(
                event = "notification_key_unknown",
                "the message is read from Graph instead"
            );
            return self.read().await;
        };
        let body = unwrap(encrypted, &key).map_err(|_| {
            malformed(
                "tampered",
                "the notification's content does not match its signature",
            )
        })?;
        let message = parse(&body)?;
        // The resource outside the encryption is what was enqueued by; only the inside is signed.
        if message.chat_id.as_ref() != Some(&self.notification.chat) {
            return Err(swapped());
        }
        self.of_this_id(message)
    }

    /// The message as it is at Graph now.
    async fn read(&self) -> Result<ChatMessage, Failure> {
        let graph = self.graph(&self.caller);
        let body = graph.read(&self.notification.message).await?;
        self.of_this_id(parse(&body)?)
    }

    fn of_this_id(&self, message: ChatMessage) -> Result<ChatMessage, Failure> {
        if message.id == self.notification.message {
            Ok(message)
        } else {
            Err(swapped())
        }
    }
}

/// An answer, or that there is none to be had: a lapsed sign-in does not stop a customer's message, and what can be done
/// without never does.
fn told<T>(asked: Result<T, Failure>, need: &Need) -> Result<Asked<T>, Failure> {
    let failure = match asked {
        Ok(answer) => return Ok(Asked::Told(answer)),
        Err(failure) => failure,
    };
    let kind = match &failure {
        Failure::Service(error) => Some(error.kind),
        _ => None,
    };
    let serves = match (need, kind) {
        (Need::Members { dispensable: true }, _)
        | (_, Some(ErrorKind::SignInNeeded | ErrorKind::Unauthorized)) => true,
        // What kind of chat it is, its id suggests.
        (Need::Kind, Some(ErrorKind::Forbidden | ErrorKind::NotFound)) => true,
        _ => false,
    };
    if !serves {
        return Err(failure);
    }
    let kind = kind.map(ErrorKind::label);
    tracing::warn!(event = "known_serves", kind, "Graph cannot be asked now");
    Ok(Asked::CannotTell)
}

/// A message of a bot that the settings do not name any more.
pub(super) fn no_bot() -> Failure {
    Rejection::new(
        "bot_unknown",
        "the message came through a bot that BOT_APP_ID does not name any more",
        ReasonCode::InvalidDestination,
    )
    .into()
}

fn parse(body: &[u8]) -> Result<ChatMessage, Failure> {
    ChatMessage::parse(body).map_err(|error| {
        let explanation = format!("the content is no Teams chat message: {error}");
        malformed("message_malformed", explanation)
    })
}

fn swapped() -> Failure {
    malformed(
        "ids_differ",
        "the content belongs to another message than the notification says",
    )
}

fn malformed(kind: &'static str, explanation: impl Into<String>) -> Failure {
    Rejection::new(kind, explanation, ReasonCode::InvalidMessageStructure).into()
}
