//! An agent's file on its way to the customer: a picture in the message itself, anything else stored and linked.

use std::sync::Arc;

use bridge::files::{FileKind, LARGEST_INLINE_IMAGE, clean_name, file_name_for, readable_size};
use bridge::genesys::receipt::ReasonCode;
use bridge::genesys::webhook::{Webhook, WebhookAttachment};
use bridge::ids::{ChatId, Digest};
use bridge::state::blobs;
use bridge::teams::from_text::{escaped, from_text, link};
use bytes::Bytes;
use services::error::{ErrorKind, Service};
use services::files::{Credential, Download, FetchError, Origin, Wanted};
use services::graph::HostedImage;
use time::macros::format_description;
use tokio::time::Instant;
use url::Url;

use super::posting::Part;
use crate::app::App;
use crate::failure::{Failure, Rejection};
use crate::persistence::KNOWN_FAILING_PATIENCE;
use crate::rehosting::{
    HostTime, NotRehosted, Opened, Rehosted, Small, Unfetched, look, persistently, read_up_to,
    refused, store,
};

/// The Teams message that shows a file.
///
/// # Errors
/// Permanent when the customer can never get the file, so that the agent hears of it; retriable when Blob or Genesys' login
/// does not do its part.
pub async fn part(
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
    let host = Digest::of("media host", url.host_str().unwrap_or_default());
    let mut patience = app.settings.file_timeout;
    if app.slow_files.contains(&host) {
        patience = patience.min(KNOWN_FAILING_PATIENCE);
    }
    let time = HostTime::of(patience);
    let place = Digest::of("agent's file", &format!("{index}\n{url}"));
    let blob = blobs::attachment(&chat.digest(), webhook.id.as_str(), &place);
    let needs_token = needs_token(app, &url);
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
            app.slow_files.insert(&host);
            tracing::warn!(event = "file_not_fetched", reason = reason.label());
            Ok(linked(file, name.as_deref(), &url, None))
        }
        Err(NotRehosted::Finally(reason)) => {
            tracing::warn!(event = "file_not_fetched", reason = reason.label());
            Err(failed(reason))
        }
    }
}

/// Whether the API itself serves the file, to those with a token; signed addresses of media hosts want none.
fn needs_token(app: &App, url: &Url) -> bool {
    let api = Url::parse(&app.settings.genesys_api_endpoint)
        .ok()
        .and_then(|api| Origin::of(&api));
    api.is_some() && api == Origin::of(url) && url.path().starts_with("/api/v2/downloads/")
}

async fn bring(
    app: &App,
    url: &Url,
    file: &WebhookAttachment,
    name: Option<&str>,
    blob: &str,
    time: &Arc<HostTime>,
) -> Result<Part, NotRehosted> {
    let limit = app.settings.attachment_limit;
    let started = Instant::now();
    let download = open(app, url, time).await.map_err(|error| {
        if matches!(&error, FetchError::Service(error) if error.service == Service::Files) {
            time.used(started.elapsed());
        }
        if let FetchError::NotAllowed { host } = &error {
            // What an operator would add to FILE_ORIGINS or FILE_HOSTS; a host of Genesys', no person's.
            tracing::warn!(event = "media_host_not_allowed", host = host.as_deref());
        }
        refused(error)
    })?;
    let opened = look(download, name.unwrap_or_default(), limit, time).await?;
    let opened = if opened.kind.is_inline_in_teams() {
        match read_up_to(opened, LARGEST_INLINE_IMAGE).await? {
            Small::Whole(kind, bytes) => return Ok(inline(file, name, &kind, bytes)),
            Small::TooLarge(opened) => opened,
        }
    } else {
        opened
    };
    let name = shown_name(name, &opened);
    let stored = store(app, opened, blob, &name, limit).await?;
    Ok(linked(
        file,
        Some(&name),
        &stored.link.clone(),
        Some(&stored),
    ))
}

/// Opens the file, with a new token should the API refuse the one at hand.
async fn open(app: &App, url: &Url, time: &HostTime) -> Result<Download, FetchError> {
    let mut wanted = Wanted {
        credential: None,
        url: url.clone(),
        service: Service::Files,
        headers: Vec::new(),
        host_limit: time.left(),
    };
    if !needs_token(app, url) {
        return app.files.open(&wanted).await;
    }
    wanted.credential = Some(credential(app, url).await?);
    match app.files.open(&wanted).await {
        Err(FetchError::Service(error)) if error.kind == ErrorKind::Unauthorized => {
            app.genesys.drop_token();
            wanted.credential = Some(credential(app, url).await?);
            app.files.open(&wanted).await
        }
        opened => opened,
    }
}

async fn credential(app: &App, url: &Url) -> Result<Credential, FetchError> {
    let origin = Origin::of(url).ok_or(FetchError::NotAllowed { host: None })?;
    Ok(Credential {
        origin,
        token: app.genesys.token().await?,
    })
}

fn shown_name(name: Option<&str>, opened: &Opened) -> String {
    name.map_or_else(|| file_name_for("file", &opened.kind), str::to_owned)
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
    Failure::Permanent(Rejection::new(
        "file_not_fetched",
        format!("the agent's file was not delivered ({})", reason.label()),
        code,
    ))
}
