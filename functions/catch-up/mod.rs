//! `catch-up`: finds, every few minutes, the chats in which a message may have gone untold, and puts the reading of each into the
//! chat's own lane. Which those are is decided by [`bridge::catch_up`]; `deliver-to-genesys` reads them.
//!
//! A run that is cut off is repeated from the beginning: what it put on the queue is known there.

mod progress;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use bridge::catch_up::{Look, Newest, Sweep};
use bridge::ids::{ChatId, CorrelationId, Digest};
use bridge::queue::envelope::{CatchUpEnvelope, Content, Envelope};
use bridge::state::blobs;
use bridge::state::inbound::InboundState;
use futures::{StreamExt, TryStreamExt, stream};
use services::error::ErrorKind;
use services::graph::{ChatRecord, Preview};
use time::OffsetDateTime;
use tokio::time::Instant;

pub(crate) use self::progress::{note_coverage, note_gap};
use crate::app::App;
use crate::failure::Failure;
use crate::outside::{Call, Caller};
use crate::queue::enqueue::enqueue;
use crate::settings::SupportAccount;
use crate::store::document::peek;
use crate::timer;

/// Folder, and the name by which Azure knows the function.
pub const NAME: &str = "catch-up";

/// Where the host calls it.
pub const PATH: &str = "/catch-up";

/// Chats that are looked at and enqueued at the same time.
const PARALLEL_CHATS: usize = 16;

/// Looks through every Support User's chats as far as that is due.
pub async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    timer::run(&app, NAME, request, |deadline| catch_up(&app, deadline)).await
}

/// What becomes of one Support User does not concern the others.
async fn catch_up(app: &App, deadline: Instant) -> Result<(), Failure> {
    // Until then nobody can have signed in, which is nothing to alarm anybody of.
    if !app.settings.is_set_up() {
        return Ok(());
    }
    let mut result = Ok(());
    for account in &app.settings.support_accounts {
        let swept = match sweep(app, account, deadline).await {
            // Whoever must sign in was told; then everything since is read.
            Err(Failure::Service(error)) if error.kind == ErrorKind::SignInNeeded => Ok(()),
            swept => swept,
        };
        result = result.and(swept);
    }
    result
}

async fn sweep(app: &App, account: &SupportAccount, deadline: Instant) -> Result<(), Failure> {
    // Until there was a subscription nothing can have been missed.
    let Some(progress) = progress::known(app, &account.name).await? else {
        return Ok(());
    };
    let now = OffsetDateTime::now_utc();
    let Some(sweep) = progress.due(now, app.settings.silence_check) else {
        return Ok(());
    };
    let caller = Caller {
        subject: Digest::of("account", account.name.as_str()),
        correlation: CorrelationId::of_subscription(&account.name),
        deadline,
    };
    let (mut listed, mut read, mut next) = (0, 0, None);
    loop {
        let user = app.graph.as_user(account.name.as_str());
        let part = user.chats(caller.correlation.as_str(), next);
        let part = app
            .gate
            .call(Call::GraphChats(&account.name), &caller, part);
        let part = part.await?;
        listed += part.entries.len();
        let (wanted, is_end) = wanted(app, &sweep, part.entries);
        read += put_into_lanes(app, account, &sweep, wanted).await?;
        next = part.next.filter(|_| !is_end);
        if next.is_none() {
            break;
        }
    }
    progress::change(app, &account.name, |progress| progress.done(&sweep)).await?;
    if sweep.whole || read > 0 {
        let (account, whole) = (account.name.as_str(), sweep.whole);
        tracing::info!(event = "chats_swept", account, whole, listed, read);
    }
    Ok(())
}

/// A chat that is to be read, for the sake of this message alone unless it is known, or for all that changed.
struct Wanted {
    chat: ChatId,
    unless_known: Option<Newest>,
}

/// Which chats of a part of the list are to be read, and whether the end of what moved is reached.
fn wanted(app: &App, sweep: &Sweep, chats: Vec<ChatRecord>) -> (Vec<Wanted>, bool) {
    let policy = app.settings.policy();
    let mut all = Vec::new();
    for record in chats {
        let newest = record.last_message_preview.as_ref().and_then(newest);
        let look = sweep.look(newest.as_ref(), |user| policy.is_support_user(user));
        // A chat whose id cannot be named cannot be asked for either.
        let Ok(chat) = record.id.parse() else {
            continue;
        };
        match look {
            Look::Read => all.push(Wanted {
                chat,
                unless_known: None,
            }),
            Look::ReadUnlessKnown => all.push(Wanted {
                chat,
                unless_known: newest,
            }),
            Look::Pass => {}
            Look::End => return (all, true),
        }
    }
    (all, false)
}

fn newest(preview: &Preview) -> Option<Newest> {
    Some(Newest {
        message: preview.id.parse().ok()?,
        created: preview.created_date_time,
        user: preview.user().and_then(|user| user.parse().ok()),
        is_system: preview
            .message_type
            .as_deref()
            .is_some_and(|it| it != "message"),
    })
}

/// Puts the reading of each chat into its lane; tells how many there are.
async fn put_into_lanes(
    app: &App,
    account: &SupportAccount,
    sweep: &Sweep,
    wanted: Vec<Wanted>,
) -> Result<usize, Failure> {
    let put = stream::iter(wanted).map(|wanted| async move {
        let Wanted { chat, unless_known } = wanted;
        if let Some(newest) = &unless_known {
            let state = peek::<InboundState>(&app.blobs, &blobs::inbound_state(&chat)).await?;
            if state.is_some_and(|state| state.messages.contains_key(&newest.message)) {
                return Ok(0);
            }
        }
        let reading = CatchUpEnvelope {
            chat,
            account: account.name.clone(),
            since: sweep.since,
            gap: sweep.gap,
            message: unless_known.map(|newest| newest.message),
            part: None,
        };
        let content = Content::CatchUp(reading);
        enqueue(app, &[Envelope::new(OffsetDateTime::now_utc(), content)]).await?;
        Ok::<_, Failure>(1)
    });
    put.buffer_unordered(PARALLEL_CHATS)
        .try_fold(0, async |sum, one| Ok(sum + one))
        .await
}

#[cfg(test)]
mod tests;
