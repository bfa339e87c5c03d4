//! An agent's file on its way to the customer: a picture in the message itself, anything else stored and linked.

use std::sync::Arc;

use bridge::bot::{cards, outgoing};
use bridge::files::{FileKind, LARGEST_INLINE_IMAGE, clean_name, file_name_for, readable_size};
use bridge::genesys::receipt::ReasonCode;
use bridge::genesys::webhook::{Target, Webhook, WebhookAttachment};
use bridge::ids::Digest;
use bridge::state::blobs;
use bridge::teams::from_text::{escaped, from_text, link};
use bridge::text::one_line;
use bytes::Bytes;
use futures::TryFutureExt;
use services::files::FetchError;
use services::graph::HostedImage;
use time::macros::format_description;
use url::Url;

use crate::doors::{Door, Part};
use crate::failure::{Failure, Rejection};
use crate::files::{
    HostTime, NotRehosted, Opened, Rehosted, Unfetched, look, persistently, read_up_to, store,
};

/// Most characters of an address that stands for the name of what it leads to.
const LONGEST_ADDRESS: usize = 200;

/// What is shown of a file.
enum Shown {
    /// A picture in the message itself.
    Inline {
        name: Option<String>,
        kind: FileKind,
        bytes: Bytes,
    },
    /// A link, with what is said of it.
    Linked {
        name: String,
        address: Url,
        details: String,
    },
    /// A link that no browser opens.
    Words(String),
}

/// The Teams messages that show a file.
///
/// # Errors
/// Permanent when the customer can never get the file, so that the agent hears of it; retriable when Blob or Genesys' login
/// does not do its part.
pub(super) async fn parts(
    door: &Door<'_>,
    webhook: &Webhook,
    index: usize,
    file: &WebhookAttachment,
) -> Result<Vec<Part>, Failure> {
    let shown = shown(door, webhook, index, file).await?;
    let caption = file.text.as_deref().map(str::trim);
    let caption = caption.filter(|text| !text.is_empty());
    Ok(match door {
        Door::Graph(_) => vec![for_graph(shown, caption)],
        Door::Bot(_) => for_bot(shown, caption),
    })
}

async fn shown(
    door: &Door<'_>,
    webhook: &Webhook,
    index: usize,
    file: &WebhookAttachment,
) -> Result<Shown, Failure> {
    let (app, chat) = (door.app(), door.chat());
    let name = file.filename.as_deref().map(clean_name);
    if file.media_type == "Link" {
        return shown_link(name, file.url.as_deref().unwrap_or_default());
    }
    let url = file
        .url
        .as_deref()
        .and_then(|url| Url::parse(url).ok())
        .ok_or_else(|| failed(Unfetched::NotAllowed))?;
    let limit = app.settings.attachment_limit;
    if let Some(size) = file.size.filter(|size| *size > limit) {
        tracing::warn!(event = "file_not_fetched", reason = "too_large", size);
        return Err(failed(Unfetched::TooLarge { limit }));
    }
    let host = Digest::of("media host", url.host_str().unwrap_or_default());
    let time = HostTime::allowed(app, &host);
    let place = Digest::of("agent's file", &format!("{index}\n{url}"));
    let blob = blobs::attachment(&chat.digest(), webhook.id.as_str(), &place);
    let needs_token = app.genesys.needs_token(&url);
    let brought = persistently(&time, || bring(door, &url, name.as_deref(), &blob, &time)).await;
    match brought {
        Ok(part) => {
            app.slow_files.remove(&host);
            Ok(part)
        }
        Err(NotRehosted::Later(error)) => Err(error.into()),
        // Late is better than never: the customer may have more luck with the file's own address.
        Err(NotRehosted::Finally(reason @ (Unfetched::TooSlow | Unfetched::Unreachable)))
            if !needs_token =>
        {
            app.slow_files.insert(host, ());
            tracing::warn!(event = "file_not_fetched", reason = reason.label());
            Ok(linked(name.as_deref(), &url, None))
        }
        Err(NotRehosted::Finally(reason)) => {
            tracing::warn!(event = "file_not_fetched", reason = reason.label());
            Err(failed(reason))
        }
    }
}

/// A link is not fetched, only shown: by its name, or by its address where it has none.
fn shown_link(name: Option<String>, address: &str) -> Result<Shown, Failure> {
    let not_allowed = || failed(Unfetched::NotAllowed);
    match Target::of(address) {
        Target::Page(page) => {
            let url = Url::parse(&page).map_err(|_| not_allowed())?;
            let name = name.unwrap_or_else(|| one_line(&page, LONGEST_ADDRESS));
            Ok(linked(Some(&name), &url, None))
        }
        Target::Contact(words) | Target::Words(words) => Ok(Shown::Words(match name {
            Some(name) => format!("{name}: {words}"),
            None => words,
        })),
        Target::Unshown => Err(not_allowed()),
    }
}

async fn bring(
    door: &Door<'_>,
    url: &Url,
    name: Option<&str>,
    blob: &str,
    time: &Arc<HostTime>,
) -> Result<Shown, NotRehosted> {
    let app = door.app();
    let opening = app.genesys.download(&app.files, url, time.left());
    let opening = opening.inspect_err(|error| {
        if let FetchError::NotAllowed { host } = error {
            // What an operator would add to FILE_ORIGINS or FILE_HOSTS; a host of Genesys', no person's.
            tracing::warn!(event = "media_host_not_allowed", host = host.as_deref());
        }
    });
    let limit = app.settings.attachment_limit;
    let mut opened = look(opening, name.unwrap_or_default(), limit, time).await?;
    let kind = opened.kind.clone();
    let largest = match door {
        Door::Graph(_) => LARGEST_INLINE_IMAGE,
        Door::Bot(_) => outgoing::PICTURE_LIMIT,
    };
    if kind.is_inline_in_teams() {
        opened = match read_up_to(opened, largest).await? {
            Ok(bytes) if fits(door, &kind, &bytes) => {
                let name = name.map(str::to_owned);
                return Ok(Shown::Inline { name, kind, bytes });
            }
            Ok(bytes) => Opened::of_bytes(bytes, kind.clone()),
            Err(larger) => larger,
        };
    }
    let name = name.map_or_else(|| file_name_for("file", &kind), str::to_owned);
    let stored = store(app, opened, blob, &name, limit).await?;
    Ok(linked(Some(&name), &stored.link, Some(&stored)))
}

/// Whether a picture of a bot's message is of a kind and size that Teams shows.
fn fits(door: &Door<'_>, kind: &FileKind, bytes: &Bytes) -> bool {
    match door {
        Door::Graph(_) => true,
        Door::Bot(_) => outgoing::is_shown(&kind.media_type, bytes),
    }
}

/// A file behind a link, with its size and the end of the link where they are known.
fn linked(name: Option<&str>, address: &Url, stored: Option<&Rehosted>) -> Shown {
    let details = stored.map(|stored| {
        let format = format_description!("[day] [month repr:short] [year], [hour]:[minute] UTC");
        let until = stored.expires.format(format).unwrap_or_default();
        format!("{}, until {until}", readable_size(stored.size))
    });
    Shown::Linked {
        name: name.unwrap_or("file").to_owned(),
        address: address.clone(),
        details: details.unwrap_or_default(),
    }
}

fn for_graph(shown: Shown, caption: Option<&str>) -> Part {
    let caption = caption.map_or_else(String::new, |text| format!("{}<br>", from_text(text)));
    match shown {
        Shown::Inline { name, kind, bytes } => {
            let alt = escaped(name.as_deref().unwrap_or("image"));
            Part::Html {
                html: format!("{caption}<img src=\"../hostedContents/1/$value\" alt=\"{alt}\">"),
                images: vec![HostedImage {
                    content_type: kind.media_type,
                    bytes,
                }],
            }
        }
        Shown::Linked {
            name,
            address,
            details,
        } => {
            let anchor = link(address.as_str(), &name).unwrap_or_else(|| escaped(&name));
            let details = match details.as_str() {
                "" => String::new(),
                details => format!(" ({details})"),
            };
            Part::of_html(format!("{caption}📎 {anchor}{details}"))
        }
        Shown::Words(words) => Part::of_html(format!("{caption}📎 {}", from_text(&words))),
    }
}

/// What is said of a file is a message of its own: a bot's message with words and an attachment has no id (Microsoft Learn, "Messages
/// in bot conversations").
fn for_bot(shown: Shown, caption: Option<&str>) -> Vec<Part> {
    let caption = caption.map(|text| Part::Activity(outgoing::words(text)));
    let file = match shown {
        Shown::Inline { name, kind, bytes } => {
            let name = name.as_deref().unwrap_or("image");
            outgoing::picture(&kind.media_type, &bytes, name)
        }
        Shown::Linked {
            name,
            address,
            details,
        } => {
            let card = cards::file(&name, &details, address.as_str());
            outgoing::card(&card, &name)
        }
        Shown::Words(words) => outgoing::words(&format!("📎 {words}")),
    };
    caption.into_iter().chain([Part::Activity(file)]).collect()
}

/// The agent hears that the customer did not get the file.
fn failed(reason: Unfetched) -> Failure {
    let code = match reason {
        Unfetched::TooLarge { .. } | Unfetched::Empty => ReasonCode::InvalidMediaContentLength,
        Unfetched::WebPage => ReasonCode::MediaTypeNotAllowed,
        _ => ReasonCode::GeneralError,
    };
    Failure::from(Rejection::new(
        "file_not_fetched",
        format!("the agent's file was not delivered ({})", reason.label()),
        code,
    ))
}
