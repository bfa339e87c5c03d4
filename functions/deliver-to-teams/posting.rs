//! Putting a message into a chat once: save pending, post, save posted.

use bridge::ids::{ChatId, Digest, GenesysMessageId, TeamsMessageId};
use bridge::state::outbound::Says;
use bridge::teams::recognise::fingerprint_html;
use services::error::{ErrorKind, Sent, Service, ServiceError};
use services::graph::HostedImage;
use time::OffsetDateTime;

use super::chat::ChatMemory;
use crate::app::{App, graph_key};
use crate::failure::Failure;
use crate::graph_calls::{as_support_user, token};
use crate::invocation::Delivery;
use crate::pauses::GRAPH_POSTS;
use crate::persistence::Work;
use crate::settings::SupportAccount;

/// A message that is to be in a chat, in one part or several.
pub struct Posting<'a> {
    /// Who posts it.
    pub account: &'a SupportAccount,
    /// Where.
    pub chat: &'a ChatId,
    /// What it is remembered by.
    pub id: &'a GenesysMessageId,
    /// What can fail on its own while others succeed.
    pub subject: Digest,
    /// Its parts, in order.
    pub parts: &'a [Part],
    /// What it is to the conversation.
    pub says: Says,
}

/// One Teams message of a posting.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// What it shows.
    pub html: String,
    /// The pictures in it.
    pub images: Vec<HostedImage>,
}

impl Part {
    /// A part of words only.
    pub fn of_html(html: String) -> Self {
        Self {
            html,
            images: Vec::new(),
        }
    }
}

impl Posting<'_> {
    /// Posts the parts that are not in the chat yet; tells whether there were any. A pending post of an earlier attempt must
    /// have been resolved.
    ///
    /// # Errors
    /// Retriable ones leave the state such that another attempt finds out what was posted.
    pub async fn run(
        &self,
        app: &App,
        delivery: &Delivery,
        memory: &mut ChatMemory,
    ) -> Result<bool, Failure> {
        let already = memory.state.parts_posted(self.id);
        for (index, part) in self.parts.iter().enumerate().skip(already) {
            self.post_part(app, delivery, memory, index, part).await?;
        }
        Ok(already < self.parts.len())
    }

    async fn post_part(
        &self,
        app: &App,
        delivery: &Delivery,
        memory: &mut ChatMemory,
        index: usize,
        part: &Part,
    ) -> Result<(), Failure> {
        let (account, chat) = (self.account, self.chat);
        let key = graph_key(account.name.as_str());
        app.pauses
            .turn(&app.blobs, &key, GRAPH_POSTS, delivery.deadline)
            .await?;
        let _probe = app.outages.turn(Service::Graph, delivery.deadline).await?;
        // A sign-in problem must not leave a post pending that was never sent.
        token(app, &account.name).await?;
        let complete = index + 1 == self.parts.len();
        memory.state.begin(
            self.id,
            index,
            complete,
            OffsetDateTime::now_utc(),
            fingerprint_html(&part.html),
            self.says.clone(),
        );
        memory.save(app).await?;

        let posted = as_support_user(app, &account.name, |token| {
            Box::pin(async move {
                let timeout = app.settings.graph_post_timeout;
                app.graph
                    .post_message(
                        &token,
                        delivery.correlation.as_str(),
                        chat.as_str(),
                        &part.html,
                        &part.images,
                        timeout,
                    )
                    .await
            })
        })
        .await
        .and_then(|id| {
            // It is in the chat, but only its listing can tell its id now.
            let unusable = || ServiceError::new(Service::Graph, ErrorKind::Malformed, Sent::Yes);
            id.parse::<TeamsMessageId>().map_err(|_| unusable())
        });
        match posted {
            Ok(id) => {
                app.served(Work::Post, Service::Graph, &self.subject);
                memory.state.posted(id, OffsetDateTime::now_utc());
                memory.save(app).await
            }
            Err(error) => {
                if certainly_not_posted(&error) {
                    memory.state.clear_pending();
                    memory.save(app).await?;
                }
                Err(app.judge(error, &key, GRAPH_POSTS).await)
            }
        }
    }
}

/// Graph's own refusal, or a request that never left.
fn certainly_not_posted(error: &ServiceError) -> bool {
    error.service != Service::Graph || error.sent == Sent::No
}
