//! The body of a posted message: what it may hold, and what Teams makes of it (Microsoft Learn, "Send chatMessage in a channel
//! or a chat").

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::answers::Refusal;
use super::parts::{self, Hosted, Parts, relative};
use super::rewrite::rewritten;
use crate::shared::content::Content;
use crate::shared::download::media_type;

/// About 28 KB a post, everything but the bytes of hosted contents included.
const LARGEST_POST: usize = 28 * 1024;

/// Largest hosted content, in bytes.
const LARGEST_HOSTED: usize = 4 * 1024 * 1024;

type Read<T> = Result<T, Refusal>;

pub fn read(body: &[u8]) -> Read<Parts> {
    let message: Value = serde_json::from_slice(body).map_err(|_| {
        if body.len() > LARGEST_POST {
            Refusal::TOO_LARGE
        } else {
            Refusal::bad_request("Unable to read JSON request payload.")
        }
    })?;
    let given = list(&message, "hostedContents")?;
    let bytes = given.iter().filter_map(|it| it["contentBytes"].as_str());
    let bytes: usize = bytes.map(str::len).sum();
    if body.len().saturating_sub(bytes) > LARGEST_POST {
        return Err(Refusal::TOO_LARGE);
    }
    let html = content(&message)?;
    let mut hosted = BTreeMap::new();
    for item in given {
        let (name, content) = hosted_content(item)?;
        if hosted.insert(name, content).is_some() {
            return Err(Refusal::bad_request(
                "Duplicate temporaryId in hostedContents.",
            ));
        }
    }
    let html = with_images(&html, &hosted)?;
    let attachments = list(&message, "attachments")?;
    check_markers(&html, attachments)?;
    Ok(Parts {
        html: rewritten(&html),
        attachments: attachments.iter().map(parts::complete).collect(),
        hosted: hosted.into_values().collect(),
    })
}

fn list<'a>(message: &'a Value, name: &str) -> Read<&'a [Value]> {
    match &message[name] {
        Value::Null => Ok(&[]),
        Value::Array(items) => Ok(items),
        _ => Err(Refusal::bad_request("A collection was expected.")),
    }
}

/// The HTML of a post's body; plain text is escaped as Teams would show it.
fn content(message: &Value) -> Read<String> {
    let content = message["body"]["content"]
        .as_str()
        .filter(|content| !content.is_empty())
        .ok_or(Refusal::bad_request("Missing body content"))?;
    match message["body"]["contentType"].as_str() {
        Some("html") => Ok(content.to_owned()),
        None | Some("text") => Ok(parts::escaped(content)),
        Some(_) => Err(Refusal::bad_request("Invalid contentType specified")),
    }
}

/// One of `hostedContents`, with its temporary id.
fn hosted_content(item: &Value) -> Read<(String, Hosted)> {
    let text = |name: &str| item[name].as_str().filter(|text| !text.is_empty());
    let name =
        text("@microsoft.graph.temporaryId").ok_or(Refusal::bad_request("Missing temporaryId."))?;
    let kind = text("contentType").ok_or(Refusal::bad_request("Missing contentType."))?;
    if !kind.starts_with("image/") {
        return Err(Refusal::bad_request(
            "The contentType of a hosted content must be an image type.",
        ));
    }
    let kind = media_type(kind).map_err(|_| Refusal::bad_request("Invalid contentType."))?;
    let bytes = text("contentBytes").ok_or(Refusal::bad_request("Missing contentBytes."))?;
    let bytes = STANDARD
        .decode(bytes)
        .map_err(|_| Refusal::bad_request("contentBytes is not valid base64."))?;
    if bytes.len() > LARGEST_HOSTED {
        return Err(Refusal::TOO_LARGE);
    }
    Ok((name.to_owned(), Hosted::new(kind, Content::given(bytes))))
}

/// The HTML whose images name the hosted contents by their new ids. Every reference needs its content and the other way round.
fn with_images(html: &str, hosted: &BTreeMap<String, Hosted>) -> Read<String> {
    let mut used = BTreeSet::new();
    let mut pieces = html.split("<img");
    let mut written = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find('>').map_or(piece.len(), |end| end + 1);
        let (tag, after) = piece.split_at(end);
        let tag = format!("<img{tag}");
        match reference(&tag) {
            Some((source, name)) => {
                let content = hosted.get(name).ok_or(Refusal::bad_request(
                    "A referenced hosted content is not in the request.",
                ))?;
                used.insert(name.to_owned());
                written.push_str(&image(&tag, source, content));
            }
            None => written.push_str(&tag),
        }
        written.push_str(after);
    }
    if used.len() < hosted.len() {
        return Err(Refusal::bad_request(
            "A hosted content is not referenced in the body.",
        ));
    }
    Ok(written)
}

/// The source of an image that refers to a hosted content of the request, and that content's temporary id.
fn reference(tag: &str) -> Option<(&str, &str)> {
    let source = parts::attribute(tag, "src")?;
    let name = source
        .strip_prefix("../hostedContents/")?
        .strip_suffix("/$value")?;
    Some((source, name))
}

fn image(tag: &str, source: &str, content: &Hosted) -> String {
    let named = tag.replace(source, &relative(&content.id));
    let open = named.trim_end_matches('>').trim_end_matches('/').trim_end();
    let alt = match parts::attribute(tag, "alt") {
        Some(_) => "",
        None => " alt=\"image\"",
    };
    format!("{open}{alt} itemid=\"{}\">", content.id)
}

/// Every attachment stands in the body, and every marker has its attachment.
fn check_markers(html: &str, attachments: &[Value]) -> Read<()> {
    let ids: Option<Vec<&str>> = attachments
        .iter()
        .map(|attachment| {
            attachment["contentType"].as_str()?;
            attachment["id"].as_str().filter(|id| !id.is_empty())
        })
        .collect();
    let ids = ids.ok_or(Refusal::bad_request(
        "An attachment needs id and contentType.",
    ))?;
    let markers = parts::markers(html);
    let same = markers.iter().all(|marker| ids.contains(marker))
        && ids.iter().all(|id| markers.contains(id));
    if same {
        Ok(())
    } else {
        Err(Refusal::bad_request(
            "The attachments of the body and of the message differ.",
        ))
    }
}
