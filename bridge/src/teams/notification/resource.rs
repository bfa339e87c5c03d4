//! The path of the chat message that a notification is about.

use std::borrow::Cow;

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

/// A path segment and the key in its parentheses, where they lie in the path unless something in them is encoded.
type Segment<'a> = (Cow<'a, str>, Option<Cow<'a, str>>);

/// The key of the next segment, in parentheses or as a segment of its own.
fn keyed<'a>(
    rest: &mut impl Iterator<Item = &'a Segment<'a>>,
    name: &str,
) -> Option<&'a Cow<'a, str>> {
    let (found, key) = rest.next()?;
    if found != name {
        return None;
    }
    match key {
        Some(key) => Some(key),
        None => match rest.next()? {
            (segment, None) => Some(segment),
            _ => None,
        },
    }
}

/// Splits a path at its slashes, but not inside a quoted key.
fn segments(resource: &str) -> Option<Vec<Segment<'_>>> {
    let mut segments = Vec::new();
    let mut rest = resource.trim_start_matches('/');
    while !rest.is_empty() {
        let end = rest.find(['/', '(']).unwrap_or(rest.len());
        let name = decoded(&rest[..end])?;
        rest = &rest[end..];
        let mut key = None;
        if let Some(quoted) = rest.strip_prefix("('") {
            let (text, after) = quoted_key(quoted)?;
            key = Some(match text {
                Cow::Borrowed(text) => decoded(text)?,
                Cow::Owned(text) => Cow::Owned(decoded(&text)?.into_owned()),
            });
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
fn quoted_key(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut key = Cow::Borrowed("");
    let mut rest = text;
    loop {
        let (part, after) = rest.split_once('\'')?;
        key += part;
        match after.strip_prefix('\'') {
            Some(after) => {
                key += "'";
                rest = after;
            }
            None => return Some((key, after)),
        }
    }
}

fn decoded(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().ok()
}
