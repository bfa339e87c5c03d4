//! The body of a posted message: what it may hold, and what Teams makes of it (Microsoft Learn, "Send chatMessage in a channel
//! or a chat").

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Post {
    body: Body,
    hosted_contents: Option<Vec<HostedContent>>,
    attachments: Option<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    content: String,
    #[serde(default)]
    content_type: ContentType,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ContentType {
    #[default]
    Text,
    Html,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HostedContent {
    #[serde(rename = "@microsoft.graph.temporaryId")]
    name: String,
    content_type: String,
    content_bytes: String,
}

pub fn read(body: &[u8]) -> Read<Parts> {
    let post: Post = serde_json::from_slice(body).map_err(|_| {
        if body.len() > LARGEST_POST {
            Refusal::TOO_LARGE
        } else {
            Refusal::bad_request("Unable to read JSON request payload.")
        }
    })?;
    let given = post.hosted_contents.unwrap_or_default();
    let bytes: usize = given.iter().map(|item| item.content_bytes.len()).sum();
    if body.len().saturating_sub(bytes) > LARGEST_POST {
        return Err(Refusal::TOO_LARGE);
    }
    let html = match post.body.content_type {
        ContentType::Html => post.body.content,
        // As Teams would show it.
        ContentType::Text => parts::escaped(&post.body.content),
    };
    if html.is_empty() {
        return Err(Refusal::bad_request("Missing body content"));
    }
    let mut hosted = BTreeMap::new();
    for item in given {
        let content = hosted_content(&item)?;
        if hosted.insert(item.name, content).is_some() {
            const TWICE: &str = "Duplicate temporaryId in hostedContents.";
            return Err(Refusal::bad_request(TWICE));
        }
    }
    let html = with_images(&html, &hosted)?;
    let attachments = post.attachments.unwrap_or_default();
    check_markers(&html, &attachments)?;
    Ok(Parts {
        html: rewritten(&html),
        attachments: attachments.iter().map(parts::complete).collect(),
        hosted: hosted.into_values().collect(),
    })
}

fn hosted_content(item: &HostedContent) -> Read<Hosted> {
    const TYPE: Refusal = Refusal::bad_request("The contentType must be an image type.");
    const BYTES: Refusal = Refusal::bad_request("contentBytes is not valid base64.");
    let kind = media_type(&item.content_type).map_err(|_| TYPE)?;
    let bytes = STANDARD.decode(&item.content_bytes).map_err(|_| BYTES)?;
    match bytes.len() {
        _ if item.name.is_empty() => Err(Refusal::bad_request("Missing temporaryId.")),
        _ if !item.content_type.starts_with("image/") => Err(TYPE),
        0 => Err(BYTES),
        size if size > LARGEST_HOSTED => Err(Refusal::TOO_LARGE),
        _ => Ok(Hosted::new(kind, Content::given(bytes))),
    }
}

/// The HTML whose images name the hosted contents by their new ids. Every reference needs its content and the other way round.
fn with_images(html: &str, hosted: &BTreeMap<String, Hosted>) -> Read<String> {
    const ABSENT: Refusal = Refusal::bad_request("A referenced hosted content is absent.");
    const UNUSED: Refusal = Refusal::bad_request("A hosted content is not referenced.");
    let mut used = BTreeSet::new();
    let mut pieces = html.split("<img");
    let mut written = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find('>').map_or(piece.len(), |end| end + 1);
        let (tag, after) = piece.split_at(end);
        let tag = format!("<img{tag}");
        match reference(&tag) {
            Some((source, name)) => {
                let content = hosted.get(name).ok_or(ABSENT)?;
                used.insert(name.to_owned());
                written.push_str(&image(&tag, source, content));
            }
            None => written.push_str(&tag),
        }
        written.push_str(after);
    }
    if used.len() < hosted.len() {
        return Err(UNUSED);
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
    const NEEDED: Refusal = Refusal::bad_request("An attachment needs id and contentType.");
    const DIFFER: Refusal = Refusal::bad_request("The attachments and the body's markers differ.");
    let mut ids = BTreeSet::new();
    for attachment in attachments {
        attachment["contentType"].as_str().ok_or(NEEDED)?;
        let id = attachment["id"].as_str().filter(|id| !id.is_empty());
        ids.insert(id.ok_or(NEEDED)?);
    }
    let markers: BTreeSet<&str> = parts::markers(html).into_iter().collect();
    (markers == ids).then_some(()).ok_or(DIFFER)
}
