//! Bringing a customer's file to where Genesys can fetch it, or saying in words why it stays where it is.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bridge::files::{clean_name, file_name_for, readable_size};
use bridge::genesys::inbound::Attachment;
use bridge::ids::{ChatId, SupportAccountName, TeamsMessageId};
use bridge::state::blobs;
use bridge::teams::convert::SentFile;
use bridge::teams::hosted;
use bridge::text::fenced;
use http::{HeaderName, HeaderValue};
use services::error::{ErrorKind, Service, ServiceError};
use services::files::{Credential, Download, FetchError, Origin as WebOrigin, Wanted};
use tokio::time::Instant;
use url::Url;

use super::series::Files;
use crate::app::App;
use crate::failure::Failure;
use crate::graph_calls::{answers_to, as_support_user, note_throttling, reads_key};
use crate::invocation::Delivery;
use crate::pauses::{GRAPH_HOSTED, GRAPH_READS, Rate};
use crate::persistence::{KNOWN_FAILING_PATIENCE, Work};
use crate::rehosting::{
    HostTime, NotRehosted, Opened, Rehosted, Small, Unfetched, look, persistently, read_up_to,
    refused, store,
};

/// Largest file that Genesys takes (Genesys Cloud Resource Center, "Supported content profiles": 25 MB); a larger one goes as
/// a link.
const GENESYS_FILE_LIMIT: u64 = 25 * 1024 * 1024;

/// Largest code snippet that is shown as text; a larger one is a file.
const SNIPPET_LIMIT: usize = 64 * 1024;

/// Name of a snippet: the ending lets it be anything that is text.
const SNIPPET_NAME: &str = "snippet.html";

/// Where a file was sent.
pub struct Origin<'a> {
    /// Who reads it for us.
    pub account: &'a SupportAccountName,
    /// The chat.
    pub chat: &'a ChatId,
    /// The message.
    pub message: &'a TeamsMessageId,
}

/// What a file becomes for the agent.
pub enum Brought {
    /// A file.
    File(Attachment),
    /// Words in its place.
    Text(String),
}

/// Brings one file over.
///
/// # Errors
/// Graph or Blob does not do its part, so that the message has to wait.
pub async fn brought(
    app: &App,
    delivery: &Delivery,
    origin: &Origin<'_>,
    file: &SentFile,
    files: &Files,
) -> Result<Brought, Failure> {
    let subject = origin.chat.digest();
    let is_slow = app.slow_files.contains(&subject);
    let patience = |usual: Duration| {
        if is_slow {
            usual.min(KNOWN_FAILING_PATIENCE)
        } else {
            usual
        }
    };
    let time = HostTime::of(patience(app.settings.file_timeout));
    match bring(app, delivery, origin, file, &time).await {
        Ok(brought) => {
            app.slow_files.remove(&subject);
            app.served(Work::Message, Service::Graph, &subject);
            Ok(brought)
        }
        Err(Stopped::Finally(reason)) => {
            if matches!(reason, Unfetched::TooSlow | Unfetched::Unreachable) {
                // The chat's next files do not hold its lane as long again.
                app.slow_files.insert(&subject);
            }
            tracing::warn!(event = "file_not_fetched", reason = reason.label());
            Ok(Brought::Text(notice(file, reason)))
        }
        Err(Stopped::Failure(failure)) if is_graphs(&failure) => {
            // Losing a file is cheaper than holding its chat: that Graph answers at all is enough to blame the file.
            let is_over = files.failing_for() >= patience(app.settings.failing_message);
            let given_up = files.given_up.load(Ordering::Relaxed);
            if given_up || (is_over && answers_to(app, origin.account).await) {
                app.slow_files.insert(&subject);
                tracing::warn!(event = "file_not_fetched", reason = "given_up");
                return Ok(Brought::Text(notice(file, Unfetched::Unreachable)));
            }
            files.failing.store(true, Ordering::Relaxed);
            Err(failure)
        }
        Err(Stopped::Failure(failure)) => Err(failure),
    }
}

/// Graph fails for this very file, while nothing is wrong with our own store. A wish to be left alone is no failure.
fn is_graphs(failure: &Failure) -> bool {
    matches!(failure, Failure::Retriable(error)
        if error.service == Service::Graph && error.kind != ErrorKind::Throttled)
}

enum Stopped {
    Finally(Unfetched),
    Failure(Failure),
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<NotRehosted> for Stopped {
    fn from(reason: NotRehosted) -> Self {
        match reason {
            NotRehosted::Finally(reason) => Self::Finally(reason),
            NotRehosted::Later(error) => Self::Failure(error.into()),
        }
    }
}

async fn bring(
    app: &App,
    delivery: &Delivery,
    origin: &Origin<'_>,
    file: &SentFile,
    time: &Arc<HostTime>,
) -> Result<Brought, Stopped> {
    let (url, name) = match file {
        SentFile::Picture { source, .. } | SentFile::Snippet { source, .. } => {
            let id = hosted::content_id(source, origin.chat, origin.message)
                .ok_or(Stopped::Finally(Unfetched::NotAllowed))?;
            let (chat, message) = (origin.chat.as_str(), origin.message.as_str());
            let url = app.graph.hosted_content_url(chat, message, &id);
            let key = format!("graph-hosted-{}", origin.chat.digest());
            wait_for_turn(app, delivery, &key, GRAPH_HOSTED).await?;
            let name = match file {
                // Code may well begin like a web page.
                SentFile::Snippet { .. } => SNIPPET_NAME,
                _ => "",
            };
            (url.map_err(Failure::from)?, name.to_owned())
        }
        SentFile::Shared { address, name } => {
            let url = app.graph.shared_file_url(address);
            (url.map_err(Failure::from)?, name.clone())
        }
    };
    // What Graph asked to wait for is waited for here: it is not the file's fault, and must not use up its time.
    wait_for_turn(app, delivery, &reads_key(origin.account), GRAPH_READS).await?;
    // Each file on its way holds a few blocks in memory.
    let transfer = tokio::time::timeout_at(delivery.deadline, app.transfers.acquire());
    let _transfer = transfer.await.map_err(|_| Failure::OutOfTime)?;
    let blob = blobs::attachment(
        &origin.chat.digest(),
        origin.message.as_str(),
        &file.digest(),
    );
    let brought = persistently(time, || async {
        let opened = open(app, delivery, origin, &url, &name, time).await?;
        if let SentFile::Snippet { language, .. } = file {
            return snippet(app, opened, language.as_deref(), &blob).await;
        }
        let name = match name.as_str() {
            "" => file_name_for("image", &opened.kind),
            name => name.to_owned(),
        };
        let stored = store(app, opened, &blob, &name, app.settings.attachment_limit).await?;
        let caption = match file {
            SentFile::Picture { description, .. } => description.clone(),
            _ => None,
        };
        Ok(for_genesys(app, stored, name, caption))
    });
    Ok(brought.await?)
}

async fn wait_for_turn(
    app: &App,
    delivery: &Delivery,
    key: &str,
    rate: Rate,
) -> Result<(), Failure> {
    app.pauses
        .turn(&app.blobs, key, rate, delivery.deadline)
        .await
}

/// Opens a file through Graph, which for shared files redirects to the file's own host.
async fn open(
    app: &App,
    delivery: &Delivery,
    origin: &Origin<'_>,
    url: &Url,
    name: &str,
    time: &Arc<HostTime>,
) -> Result<Opened, NotRehosted> {
    let graph = WebOrigin::of(url).ok_or(NotRehosted::Finally(Unfetched::NotAllowed))?;
    let started = Instant::now();
    let opened = as_support_user(app, origin.account, |token| {
        let wanted = Wanted {
            url: url.clone(),
            service: Service::Graph,
            credential: Some(Credential {
                origin: graph.clone(),
                token,
            }),
            headers: headers(delivery),
            host_limit: time.left(),
        };
        Box::pin(async move { judged(app.files.open(&wanted).await) })
    })
    .await;
    let download = match opened {
        Ok(opened) => opened.map_err(|error| {
            if matches!(&error, FetchError::Service(error) if error.service == Service::Files) {
                time.used(started.elapsed());
            }
            refused(error)
        })?,
        // Some files of other tenants are refused like a bad token; a good one shows that it is the file.
        Err(error)
            if error.kind == ErrorKind::Unauthorized && answers_to(app, origin.account).await =>
        {
            return Err(Unfetched::NoAccess.into());
        }
        Err(error) => {
            note_throttling(app, &reads_key(origin.account), &error).await;
            return Err(NotRehosted::Later(error));
        }
    };
    look(download, name, app.settings.attachment_limit, time).await
}

/// What Graph itself answered about the token or its own state is judged like the answer to any other call; whatever else it
/// says, and all that comes after a redirect, is about this file.
fn judged(
    opened: Result<Download, FetchError>,
) -> Result<Result<Download, FetchError>, ServiceError> {
    match opened {
        Err(FetchError::Service(error))
            if error.service == Service::Graph
                && (error.is_transient() || error.kind == ErrorKind::Unauthorized) =>
        {
            Err(error)
        }
        other => Ok(other),
    }
}

fn headers(delivery: &Delivery) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = vec![(
        HeaderName::from_static("prefer"),
        // Gives access for this one request when the address is a sharing link ("Access shared items").
        HeaderValue::from_static("redeemSharingLinkIfNecessary"),
    )];
    if let Ok(correlation) = HeaderValue::from_str(delivery.correlation.as_str()) {
        headers.push((HeaderName::from_static("client-request-id"), correlation));
    }
    headers
}

/// A stored file as an attachment; what Genesys would drop goes as a link in the text.
fn for_genesys(app: &App, stored: Rehosted, name: String, caption: Option<String>) -> Brought {
    let taken = app
        .settings
        .genesys_media_types
        .allow(&stored.kind.media_type)
        && stored.size <= GENESYS_FILE_LIMIT;
    if !taken {
        let size = readable_size(stored.size);
        return Brought::Text(format!("[file] {name} ({size})\n{}", stored.link));
    }
    Brought::File(Attachment {
        media_type: stored.kind.genesys(),
        url: stored.link.to_string(),
        mime: stored.kind.media_type,
        filename: name,
        text: caption,
        sha256: stored.sha256,
    })
}

async fn snippet(
    app: &App,
    opened: Opened,
    language: Option<&str>,
    blob: &str,
) -> Result<Brought, NotRehosted> {
    match read_up_to(opened, SNIPPET_LIMIT).await? {
        Small::Whole(_, code) => Ok(Brought::Text(fenced(
            &String::from_utf8_lossy(&code),
            language.unwrap_or_default(),
        ))),
        Small::TooLarge(opened) => {
            let name = clean_name(SNIPPET_NAME);
            let stored = store(app, opened, blob, &name, app.settings.attachment_limit).await?;
            Ok(for_genesys(app, stored, name, None))
        }
    }
}

/// What stands in the place of a file that was not brought over: its name, its address and why.
fn notice(file: &SentFile, reason: Unfetched) -> String {
    let sentence = reason.sentence();
    match file {
        SentFile::Picture { description, .. } => match description {
            Some(description) => format!("[image: {description}] {sentence}"),
            None => format!("[image] {sentence}"),
        },
        SentFile::Snippet { .. } => format!("[code snippet] {sentence}"),
        SentFile::Shared { address, name } => {
            format!("[file] {} {address}\n{sentence}", clean_name(name))
        }
    }
}
