//! The doors to a chat: whatever is done in Teams is done through one of a few verbs. Microsoft Graph as a Support User is one of
//! them, a bot the other; what a conversation is, is the same behind both.

pub mod bot;
pub mod graph;

use std::time::Duration;

use bridge::bot::outgoing;
use bridge::ids::{ChatId, Digest, TeamsMessageId};
use bridge::state::customer::Member;
use bridge::teams::chat_kind::ChatKind;
use bridge::teams::from_text::from_text;
use bridge::teams::recognise::fingerprint_html;
use serde_json::Value;
use services::error::{ErrorKind, Sent, Service, ServiceError};
use services::files::{Download, FetchError};
use services::graph::HostedImage;
use url::Url;

pub use self::bot::Bot;
pub use self::graph::Graph;
use crate::app::App;
use crate::failure::Failure;
use crate::outside::{Caller, Turn};

/// A chat, as the account that bridges it reaches it for one message.
#[derive(Clone, Copy)]
pub enum Door<'a> {
    /// As a Support User.
    Graph(Graph<'a>),
    /// As the bot.
    Bot(Bot<'a>),
}

/// One message to a chat, in the form that its door takes.
pub enum Part {
    /// HTML, and the pictures in it.
    Html {
        /// What it shows.
        html: String,
        /// The pictures.
        images: Vec<HostedImage>,
    },
    /// An activity.
    Activity(Value),
}

impl Part {
    /// HTML without pictures.
    pub fn of_html(html: String) -> Self {
        let images = Vec::new();
        Self::Html { html, images }
    }

    /// By what it is recognised in the chat.
    pub fn fingerprint(&self) -> Digest {
        match self {
            Self::Html { html, .. } => fingerprint_html(html),
            Self::Activity(activity) => Digest::of("activity", &activity.to_string()),
        }
    }
}

impl<'a> Door<'a> {
    /// Words of our own as this door takes them.
    pub fn words(&self, text: &str) -> Part {
        match self {
            Self::Graph(_) => Part::of_html(from_text(text)),
            Self::Bot(_) => Part::Activity(outgoing::words(text)),
        }
    }

    /// Where.
    pub const fn chat(&self) -> &'a ChatId {
        match self {
            Self::Graph(graph) => graph.chat,
            Self::Bot(bot) => bot.chat,
        }
    }

    /// Clients and gate.
    pub const fn app(&self) -> &'a App {
        match self {
            Self::Graph(graph) => graph.app,
            Self::Bot(bot) => bot.app,
        }
    }

    /// For which message.
    pub const fn caller(&self) -> &'a Caller {
        match self {
            Self::Graph(graph) => graph.caller,
            Self::Bot(bot) => bot.caller,
        }
    }

    /// The kind of the chat.
    ///
    /// # Errors
    /// Those of the gate and of Graph.
    pub async fn kind(self) -> Result<ChatKind, Failure> {
        match self {
            Self::Graph(graph) => graph.kind().await,
            Self::Bot(bot) => Ok(bot.kind()),
        }
    }

    /// Members of the chat, as far as they are shown.
    ///
    /// # Errors
    /// Those of the gate and of the service.
    pub async fn members(self) -> Result<Vec<Member>, Failure> {
        match self {
            Self::Graph(graph) => graph.members().await,
            Self::Bot(bot) => bot.members().await,
        }
    }

    /// Waits for the turn of a post, after which the caller saves that it is about to post.
    ///
    /// # Errors
    /// The turn would come too late.
    pub async fn turn_to_post(self) -> Result<Turn<'a>, Failure> {
        match self {
            Self::Graph(graph) => graph.turn_to_post().await,
            Self::Bot(bot) => bot.turn_to_post().await,
        }
    }

    /// Posts one message.
    ///
    /// # Errors
    /// Those of the service; `sent` tells whether the post may be in the chat all the same.
    pub async fn post(self, turn: Turn<'_>, part: &Part) -> Result<TeamsMessageId, ServiceError> {
        match (self, part) {
            (Self::Graph(graph), Part::Html { html, images }) => {
                graph.post(turn, html, images).await
            }
            (Self::Bot(bot), Part::Activity(activity)) => bot.post(turn, activity).await,
            // A part is made by the door that posts it.
            (Self::Graph(_), Part::Activity(_)) | (Self::Bot(_), Part::Html { .. }) => {
                let (service, kind) = (Service::Platform, ErrorKind::Configuration);
                Err(ServiceError::new(service, kind, Sent::No))
            }
        }
    }

    /// Waits for the turn of opening a file: what the service asked to wait for is not the file's fault.
    ///
    /// # Errors
    /// The turn would come too late.
    pub async fn turn_for_file(self, is_hosted: bool) -> Result<Turn<'a>, Failure> {
        match self {
            Self::Graph(graph) => graph.turn_for_file(is_hosted).await,
            Self::Bot(bot) => bot.turn_to_read().await,
        }
    }

    /// Opens a file.
    ///
    /// # Errors
    /// See [`FetchError`]. A transient or `Unauthorized` error of the door's own service is about that or the account; any other,
    /// and all that comes after a redirect, is about this file.
    pub async fn file(
        self,
        turn: Turn<'_>,
        url: &Url,
        host_limit: Duration,
    ) -> Result<Download, FetchError> {
        match self {
            Self::Graph(graph) => graph.file(turn, url, host_limit).await,
            Self::Bot(bot) => bot.file(turn, url, host_limit).await,
        }
    }
}
