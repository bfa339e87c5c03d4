//! An agent's file on its way to the customer: a picture in the message itself, anything else stored and linked.

use std::sync::Arc;

use bridge::files::{FileKind, LARGEST_INLINE_IMAGE, clean_name, file_name_for, readable_size};
use bridge::genesys::receipt::ReasonCode;
use bridge::genesys::webhook::{Webhook, WebhookAttachment};
use bridge::ids::{ChatId, Digest};
use bridge::state::blobs;
use bridge::teams::from_text::{escaped, from_text, link};
use bytes::Bytes;
use futures::TryFutureExt;
use services::files::FetchError;
use services::graph::HostedImage;
use time::macros::format_description;
use url::Url;

use super::posting::Part;
use crate::app::App;
use crate::failure::{Failure, Rejection};
use crate::files::{
    HostTime, NotRehosted, Rehosted, Unfetched, look, persistently, read_up_to, store,
};

/// The Teams message that shows a file.
///
/// # Errors
/// Permanent when the customer can never get the file, so that the agent hears of it; retriable when Blob or Genesys' login
/// does not do its part.
pub(super) async fn part(
    app: &App,
    webhook: &Webhook,
    chat: &ChatId,
    index: usize,
    file: &WebhookAttachment,
) -> Result<Part, Failure> {
    let name = file.filename.as_deref().map(clean_name);
    let url = file
        .url
        .as_deref()
        .and_then(|url| Url::parse(url).ok())
        .ok_or_else(|| failed(Unfetched::NotAllowed))?;
    if file.media_type == "Link" {
        return Ok(linked(file, name.as_deref(), &url, None));
    }
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
    let brought = persistently(&time, || {
        bring(app, &url, file, name.as_deref(), &blob, &time)
    })
    .await;
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
            Ok(linked(file, name.as_deref(), &url, None))
        }
        Err(NotRehosted::Finally(reason)) => {
            tracing::warn!(event = "file_not_fetched", reason = reason.label());
            Err(failed(reason))
        }
    }
}

async fn bring(
    app: &App,
    url: &Url,
    file: &WebhookAttachment,
    name: Option<&str>,
    blob: &str,
    time: &Arc<HostTime>,
) -> Result<Part, NotRehosted> {
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
    if kind.is_inline_in_teams() {
        opened = match read_up_to(opened, LARGEST_INLINE_IMAGE).await? {
            Ok(bytes) => return Ok(inline(file, name, &kind, bytes)),
            Err(larger) => larger,
        };
    }
    let name = name.map_or_else(|| file_name_for("file", &kind), str::to_owned);
    let stored = store(app, opened, blob, &name, limit).await?;
    Ok(linked(file, Some(&name), &stored.link, Some(&stored)))
}

/// A picture that the message shows.
fn inline(file: &WebhookAttachment, name: Option<&str>, kind: &FileKind, bytes: Bytes) -> Part {
    let alt = escaped(name.unwrap_or("image"));
    Part {
        html: format!(
            "{}<img src=\"../hostedContents/1/$value\" alt=\"{alt}\">",
            caption(file)
        ),
        images: vec![HostedImage {
            content_type: kind.media_type.clone(),
            bytes,
        }],
    }
}

/// A file behind a link, with its size and the end of the link where they are known.
fn linked(
    file: &WebhookAttachment,
    name: Option<&str>,
    address: &Url,
    stored: Option<&Rehosted>,
) -> Part {
    let shown = name.unwrap_or("file");
    let anchor = link(address.as_str(), shown).unwrap_or_else(|| escaped(shown));
    let details = stored.map_or_else(String::new, |stored| {
        let format = format_description!("[day] [month repr:short] [year], [hour]:[minute] UTC");
        let until = stored.expires.format(format).unwrap_or_default();
        format!(" ({}, until {until})", readable_size(stored.size))
    });
    Part::of_html(format!("{}📎 {anchor}{details}", caption(file)))
}

fn caption(file: &WebhookAttachment) -> String {
    match file.text.as_deref().map(str::trim) {
        Some(text) if !text.is_empty() => format!("{}<br>", from_text(text)),
        _ => String::new(),
    }
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
