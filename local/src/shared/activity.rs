//! What a bot may send: the activities of microsoft/Agents' "protocol-activity", as far as Teams shows them (msteams-docs, "Messages
//! in bot conversations" and "Format your agent messages").

use serde_json::Value;

use super::{adaptive_card, picture};

/// Largest message in bytes, in UTF-16 and without pictures ("Format your agent messages").
const LARGEST: usize = 100 * 1024;

/// What stands in an activity.
#[derive(Debug, PartialEq, Eq)]
pub enum Kind {
    /// One message.
    Message,
    /// Text and attachment, of which Teams makes a message each.
    Split,
    /// A typing indicator.
    Typing,
}

/// Whether a message is above the limit.
pub fn is_too_large(activity: &Value) -> bool {
    let mut rest = activity.clone();
    for attachment in rest["attachments"].as_array_mut().into_iter().flatten() {
        if is_data(&attachment["contentUrl"]) {
            attachment["contentUrl"] = Value::Null;
        }
    }
    rest.to_string().encode_utf16().count() * 2 > LARGEST
}

fn is_data(url: &Value) -> bool {
    url.as_str().is_some_and(|url| url.starts_with("data:"))
}

/// Where an activity shall be shown.
pub struct Place<'a> {
    /// The bot's id in its chats.
    pub bot: &'a str,
    /// The chat's id.
    pub chat: &'a str,
    /// Whether the chat is a group's.
    pub is_group: bool,
}

/// Refuses an activity that is malformed, or is meant for another chat or as another bot's; the error says why.
pub fn check(activity: &Value, place: &Place<'_>) -> Result<Kind, String> {
    let bad = |why: &str| Err(why.to_owned());
    if !activity.is_object() {
        return bad("an activity is an object");
    }
    for (field, wanted) in [
        (&activity["from"]["id"], place.bot),
        (&activity["conversation"]["id"], place.chat),
        (&activity["channelId"], "msteams"),
    ] {
        if !field.is_null() && field != wanted {
            return bad("from, conversation or channelId is another's");
        }
    }
    let has = |name: &str| activity.get(name).is_some_and(|it| !it.is_null());
    match activity["type"].as_str() {
        Some("typing") => {
            let more = [
                "text",
                "attachments",
                "suggestedActions",
                "entities",
                "channelData",
            ];
            match more.into_iter().any(has) {
                true => bad("typing has nothing else, or it begins a stream"),
                false => Ok(Kind::Typing),
            }
        }
        Some("message") => message(activity, place),
        _ => bad("the type is not one that a bot sends"),
    }
}

fn message(activity: &Value, place: &Place<'_>) -> Result<Kind, String> {
    let bad = |why: &str| Err(why.to_owned());
    let text = match &activity["text"] {
        Value::Null => "",
        Value::String(text) => text,
        _ => return bad("text is no text"),
    };
    match &activity["textFormat"] {
        Value::Null => {}
        Value::String(format) if ["plain", "markdown", "xml"].contains(&format.as_str()) => {}
        _ => return bad("textFormat is plain, markdown or xml"),
    }
    let attachments = match &activity["attachments"] {
        Value::Null => &[],
        Value::Array(all) => all.as_slice(),
        _ => return bad("attachments is no list"),
    };
    attachments.iter().try_for_each(attachment)?;
    if text.is_empty() && attachments.is_empty() {
        return bad("a message has text or an attachment");
    }
    match &activity["suggestedActions"] {
        Value::Null => {}
        _ if place.is_group || !attachments.is_empty() => {
            return bad("suggestedActions go with text in one-to-one chats alone");
        }
        suggested => {
            let actions = suggested["actions"].as_array().filter(|it| !it.is_empty());
            let is_whole = |it: &Value| {
                ["type", "title", "value"]
                    .iter()
                    .all(|name| it[name].is_string())
            };
            if !actions.is_some_and(|all| all.iter().all(is_whole)) {
                return bad("each suggested action has type, title and value");
            }
        }
    }
    for entity in activity["entities"].as_array().into_iter().flatten() {
        let stands_in = |part: &str| !part.is_empty() && text.contains(part);
        let fits = match entity["type"].as_str() {
            Some("mention") => stands_in(entity["text"].as_str().unwrap_or_default()),
            Some("quotedReply") => {
                let id = entity["quotedReply"]["messageId"].as_str();
                id.is_some_and(|id| stands_in(&format!("<quoted messageId=\"{id}\"/>")))
            }
            other => other.is_some(),
        };
        if !fits {
            return bad("an entity has no type, or its text does not stand in the message");
        }
    }
    Ok(match text.is_empty() || attachments.is_empty() {
        true => Kind::Message,
        false => Kind::Split,
    })
}

fn attachment(attachment: &Value) -> Result<(), String> {
    match attachment["contentType"].as_str() {
        Some("application/vnd.microsoft.card.adaptive") => {
            adaptive_card::check(&attachment["content"])
        }
        Some(kind @ ("image/png" | "image/jpeg" | "image/gif")) => {
            match attachment["contentUrl"].as_str() {
                Some(url) if url.starts_with("https://") => Ok(()),
                Some(url) => picture::check(kind, url),
                None => Err("a picture has a contentUrl".to_owned()),
            }
        }
        _ => Err("Teams shows no attachment of this contentType".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PLACE: Place<'_> = Place {
        bot: "28:bot",
        chat: "a:1",
        is_group: false,
    };

    #[test]
    fn an_activity_is_whole_and_belongs_where_it_is_sent() {
        let picture = json!([{ "contentType": "image/png", "contentUrl": "https://a.example/" }]);
        let card = json!({ "type": "AdaptiveCard", "version": "1.5", "body": [] });
        let card =
            json!([{ "contentType": "application/vnd.microsoft.card.adaptive", "content": card }]);
        let action = json!({ "type": "imBack", "title": "A", "value": "A" });
        let suggested = json!({ "actions": [action] });
        let quote = json!([{ "type": "quotedReply", "quotedReply": { "messageId": "1" } }]);
        for (expected, activity) in [
            (Some(Kind::Typing), json!({ "type": "typing" })),
            (None, json!({ "type": "typing", "text": "" })),
            (
                None,
                json!({ "type": "typing", "entities": [{ "type": "streaminfo" }] }),
            ),
            (
                Some(Kind::Message),
                json!({ "type": "message", "text": "a", "textFormat": "plain" }),
            ),
            (
                Some(Kind::Message),
                json!({ "type": "message", "text": "a", "from": { "id": "28:bot" },
                "conversation": { "id": "a:1" }, "channelId": "msteams" }),
            ),
            (
                None,
                json!({ "type": "message", "text": "a", "from": { "id": "28:other" } }),
            ),
            (
                None,
                json!({ "type": "message", "text": "a", "conversation": { "id": "a:2" } }),
            ),
            (
                None,
                json!({ "type": "message", "text": "a", "textFormat": "html" }),
            ),
            (None, json!({ "type": "message", "text": 1 })),
            (None, json!({ "type": "message", "text": "" })),
            (None, json!({ "type": "message", "attachments": {} })),
            (None, json!({ "type": "trace", "text": "a" })),
            (None, json!("message")),
            (
                Some(Kind::Message),
                json!({ "type": "message", "attachments": picture }),
            ),
            (
                Some(Kind::Message),
                json!({ "type": "message", "attachments": card }),
            ),
            (
                Some(Kind::Split),
                json!({ "type": "message", "text": "a", "attachments": card }),
            ),
            (
                None,
                json!({ "type": "message", "attachments": [{ "contentType": "text/html", "content": "a" }] }),
            ),
            (
                None,
                json!({ "type": "message", "attachments": [{ "contentType": "image/png", "contentUrl": "data:,a" }] }),
            ),
            (
                Some(Kind::Message),
                json!({ "type": "message", "text": "a", "suggestedActions": suggested }),
            ),
            (
                None,
                json!({ "type": "message", "text": "a", "suggestedActions": {} }),
            ),
            (
                None,
                json!({ "type": "message", "attachments": card, "suggestedActions": suggested }),
            ),
            (
                Some(Kind::Message),
                json!({ "type": "message", "text": "<quoted messageId=\"1\"/> a", "entities": quote }),
            ),
            (
                None,
                json!({ "type": "message", "text": "a", "entities": quote }),
            ),
        ] {
            assert_eq!(check(&activity, &PLACE).ok(), expected, "{activity}");
        }
        let group = Place {
            is_group: true,
            ..PLACE
        };
        let suggesting = json!({ "type": "message", "text": "a", "suggestedActions": suggested });
        assert!(check(&suggesting, &group).is_err());
    }

    #[test]
    fn a_message_is_measured_without_its_pictures() {
        let message = |text: usize, picture: usize| {
            json!({ "type": "message", "text": "ö".repeat(text),
            "attachments": [{ "contentType": "image/png", "contentUrl": format!("data:{}", "a".repeat(picture)) }] })
        };
        assert!(!is_too_large(&message(50_000, 200_000)));
        assert!(is_too_large(&message(51_200, 0)));
    }
}
