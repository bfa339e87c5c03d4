//! Bringing a customer's file to where Genesys can fetch it, or saying in words why it stays where it is.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use bridge::files::{clean_name, file_name_for, readable_size};
use bridge::genesys::inbound::Attachment;
use bridge::ids::{Digest, TeamsMessageId};
use bridge::state::blobs;
use bridge::teams::convert::SentFile;
use bridge::teams::hosted;
use bridge::teams::to_text::Medium;
use bridge::text::fenced;
use services::error::{ErrorKind, Service};
use tokio::time::timeout_at;
use url::Url;

use crate::app::App;
use crate::doors::{Bot, Door, Graph};
use crate::failure::Failure;
use crate::files::{
    HostTime, NotRehosted, Opened, Rehosted, Unfetched, look, persistently, read_up_to, store,
};

/// Largest file that Genesys takes (Genesys Cloud Resource Center, "Supported content profiles": 25 MB); a larger one goes as
/// a link.
const GENESYS_FILE_LIMIT: u64 = 25 * 1024 * 1024;

/// Largest code snippet that is shown as text; a larger one is a file.
const SNIPPET_LIMIT: usize = 64 * 1024;

/// Name of a snippet: the ending lets it be anything that is text.
const SNIPPET_NAME: &str = "snippet.html";

/// Files that stay where they are, because their message was waited for long enough.
#[derive(Debug, Default)]
pub(super) struct LeftFiles(Mutex<BTreeSet<Digest>>);

impl LeftFiles {
    /// Leaves a file; false when it was left before.
    pub(super) fn leave(&self, file: &Digest) -> bool {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        left.insert(file.clone())
    }

    fn contains(&self, file: &Digest) -> bool {
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        left.contains(file)
    }
}

/// What a file becomes for the agent.
pub(super) enum Brought {
    /// A file.
    File(Attachment),
    /// Words in its place.
    Text(String),
}

/// Brings one file over.
///
/// # Errors
/// Graph, the bot's connector or Blob does not do its part, so that the message has to wait.
pub(super) async fn bring(
    door: Door<'_>,
    message: &TeamsMessageId,
    file: &SentFile,
    left: &LeftFiles,
) -> Result<Brought, Failure> {
    let (app, subject, digest) = (door.app(), &door.caller().subject, file.digest());
    let fetched = match address(door, message, file) {
        _ if left.contains(&digest) => Err(Unfetched::Unreachable.into()),
        Ok(address) => fetch(door, message, file, &address).await?,
        Err(reason) => Err(reason),
    };
    let reason = match fetched {
        Ok(brought) => {
            app.slow_files.remove(subject);
            return Ok(brought);
        }
        Err(NotRehosted::Finally(reason)) => reason,
        // Without the file the message need not wait for a person to sign in.
        Err(NotRehosted::Later(error))
            if matches!(
                error.kind,
                ErrorKind::SignInNeeded | ErrorKind::Unauthorized
            ) =>
        {
            Unfetched::SignedOut
        }
        Err(NotRehosted::Later(error))
            if matches!(error.service, Service::Graph | Service::Bot) =>
        {
            return Err(Failure::OfFile {
                file: digest,
                error,
            });
        }
        Err(NotRehosted::Later(error)) => return Err(error.into()),
    };
    if matches!(reason, Unfetched::TooSlow | Unfetched::Unreachable) {
        // The chat's next files do not hold its lane as long again.
        app.slow_files.insert(subject.clone(), ());
    }
    tracing::warn!(event = "file_not_fetched", reason = reason.label());
    Ok(Brought::Text(file.notice(&reason.to_string())))
}

/// Where Graph has a file, and its name as far as it has one.
struct Address {
    url: Url,
    name: String,
    is_hosted: bool,
}

fn address(
    door: Door<'_>,
    message: &TeamsMessageId,
    file: &SentFile,
) -> Result<Address, NotRehosted> {
    match door {
        Door::Graph(graph) => address_at_graph(graph, message, file),
        Door::Bot(bot) => address_of_activity(bot, file),
    }
}

/// The signed address of a file that was sent to the bot, or that of a picture.
fn address_of_activity(bot: Bot<'_>, file: &SentFile) -> Result<Address, NotRehosted> {
    let (address, name) = match file {
        SentFile::Picture { source, .. } | SentFile::Snippet { source, .. } => {
            (Some(source.as_str()), "")
        }
        SentFile::Shared { name, .. } => {
            let address = bot.activity.and_then(|it| it.download_address(file));
            (address, name.as_str())
        }
    };
    let url = address.and_then(|address| Url::parse(address).ok());
    Ok(Address {
        url: url.ok_or(Unfetched::NotAllowed)?,
        name: name.to_owned(),
        is_hosted: false,
    })
}

fn address_at_graph(
    door: Graph<'_>,
    message: &TeamsMessageId,
    file: &SentFile,
) -> Result<Address, NotRehosted> {
    let (graph, chat) = (&door.app.graph, door.chat);
    let (url, name, is_hosted) = match file {
        SentFile::Picture { source, .. } | SentFile::Snippet { source, .. } => {
            let id = hosted::content_id(source, chat, message).ok_or(Unfetched::NotAllowed)?;
            let name = match file {
                // Code may well begin like a web page.
                SentFile::Snippet { .. } => SNIPPET_NAME,
                _ => "",
            };
            let url = graph.hosted_content_url(chat.as_str(), message.as_str(), &id);
            (url, name, true)
        }
        SentFile::Shared { address, name } => {
            (graph.shared_file_url(address), name.as_str(), false)
        }
    };
    Ok(Address {
        url: url.map_err(NotRehosted::Later)?,
        name: name.to_owned(),
        is_hosted,
    })
}

/// Fetches and stores a file, again and again while only its own host fails.
async fn fetch(
    door: Door<'_>,
    message: &TeamsMessageId,
    file: &SentFile,
    address: &Address,
) -> Result<Result<Brought, NotRehosted>, Failure> {
    let (app, caller) = (door.app(), door.caller());
    let time = HostTime::allowed(app, &caller.subject);
    // What Graph asked to wait for is waited for here: it is not the file's fault, and must not use up its time.
    let mut turn = Some(door.turn_for_file(address.is_hosted).await?);
    // Each file on its way holds a few blocks in memory.
    let transfer = timeout_at(caller.deadline, app.transfers.acquire()).await;
    let _transfer = transfer.map_err(|_| Failure::OutOfTime)?;
    let blob = blobs::attachment(&caller.subject, message.as_str(), &file.digest());
    let limit = app.settings.attachment_limit;
    let attempt = || {
        let turn = turn.take();
        let (time, blob) = (&time, blob.as_str());
        async move {
            let turn = match turn {
                Some(turn) => turn,
                None => {
                    let turn = door.turn_for_file(address.is_hosted).await;
                    turn.map_err(|_| Unfetched::TooSlow)?
                }
            };
            let opening = door.file(turn, &address.url, time.left());
            let opened = look(opening, &address.name, limit, time).await?;
            if let SentFile::Snippet { language, .. } = file {
                return snippet(app, opened, language.as_deref(), blob).await;
            }
            let (name, caption) = match file {
                SentFile::Picture {
                    kind, description, ..
                } => {
                    let description = description.clone();
                    let unnamed = || file_name_for(kind.label(), &opened.kind);
                    match kind {
                        Medium::Image => (unnamed(), description),
                        // What is said of a recording is its name.
                        _ => {
                            let name = description.as_deref().map(clean_name);
                            (name.unwrap_or_else(unnamed), None)
                        }
                    }
                }
                _ => (address.name.clone(), None),
            };
            let stored = store(app, opened, blob, &name, limit).await?;
            Ok(for_genesys(app, stored, name, caption))
        }
    };
    Ok(persistently(&time, attempt).await)
}

/// A stored file as an attachment; what Genesys would drop goes as a link in the text.
fn for_genesys(app: &App, stored: Rehosted, name: String, caption: Option<String>) -> Brought {
    let media_types = &app.settings.genesys_media_types;
    let is_taken = media_types.allow(&stored.kind.media_type) && stored.size <= GENESYS_FILE_LIMIT;
    if !is_taken {
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
        Ok(code) => {
            let code = String::from_utf8_lossy(&code);
            Ok(Brought::Text(fenced(&code, language.unwrap_or_default())))
        }
        Err(larger) => {
            let name = clean_name(SNIPPET_NAME);
            let stored = store(app, larger, blob, &name, app.settings.attachment_limit).await?;
            Ok(for_genesys(app, stored, name, None))
        }
    }
}
