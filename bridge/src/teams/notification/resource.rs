//! The path of the chat message that a notification is about.

use percent_encoding::percent_decode_str;

use crate::ids::{ChatId, TeamsMessageId};

/// Chat and message of a resource path: `chats('{id}')/messages('{id}')`, `chats/{id}/messages/{id}`, either below
/// `users('{id}')` or `me`, with or without a leading slash; ids may be percent-encoded, and a quote inside a key is doubled
/// (OData Version 4.01, "Canonical URL").
pub(super) fn message_of(resource: &str) -> Option<(ChatId, TeamsMessageId)> {
    let segments = segments(resource)?;
    let position = segments.iter().position(|(name, _)| name == "chats")?;
    let mut rest = segments[position..].iter();
    let chat = keyed(&mut rest, "chats")?;
    let message = keyed(&mut rest, "messages")?;
    if rest.next().is_some() {
        return None;
    }
    Some((chat.parse().ok()?, message.parse().ok()?))
}

/// A path segment and the key in its parentheses.
type Segment = (String, Option<String>);

/// The key of the next segment, in parentheses or as a segment of its own.
fn keyed<'a>(rest: &mut impl Iterator<Item = &'a Segment>, name: &str) -> Option<String> {
    let (found, key) = rest.next()?;
    if found != name {
        return None;
    }
    match key {
        Some(key) => Some(key.clone()),
        None => match rest.next()? {
            (segment, None) => Some(segment.clone()),
            _ => None,
        },
    }
}

/// Splits a path at its slashes, but not inside a quoted key.
fn segments(resource: &str) -> Option<Vec<Segment>> {
    let mut segments = Vec::new();
    let mut rest = resource.trim_start_matches('/');
    while !rest.is_empty() {
        let end = rest.find(['/', '(']).unwrap_or(rest.len());
        let name = decoded(&rest[..end])?;
        rest = &rest[end..];
        let mut key = None;
        if let Some(quoted) = rest.strip_prefix("('") {
            let (text, after) = quoted_key(quoted)?;
            key = Some(decoded(&text)?);
            rest = after.strip_prefix(')')?;
        }
        match rest.strip_prefix('/') {
            Some(next) if !next.is_empty() => rest = next,
            None if rest.is_empty() => {}
            _ => return None,
        }
        segments.push((name, key));
    }
    Some(segments)
}

/// The text up to the closing quote, a doubled quote being one.
fn quoted_key(text: &str) -> Option<(String, &str)> {
    let mut key = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('\'')?;
        key.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('\'') {
            Some(after) => {
                key.push('\'');
                rest = after;
            }
            None => return Some((key, rest)),
        }
    }
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}
