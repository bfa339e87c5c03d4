//! Chats, members and messages as Graph's JSON.

use serde_json::{Value, json};

use super::chats::{Chat, Message, Person, Reaction};
use super::parts::Parts;
use crate::shared::time_text;

pub fn chat(chat: &Chat) -> Value {
    json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#chats/$entity",
        "id": chat.id,
        "topic": null,
        "createdDateTime": chat.messages.first().map(|message| time_text(message.created)),
        "lastUpdatedDateTime": chat.messages.last().map(|message| time_text(message.modified)),
        "chatType": chat.kind,
        "webUrl": format!("https://teams.microsoft.com/l/chat/{}/0", chat.id),
        "tenantId": chat.tenant,
        "onlineMeetingInfo": null,
    })
}

/// `aadUserConversationMember`; the address is null where Graph does not know it.
pub fn member(person: &Person) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.aadUserConversationMember",
        "id": format!("MCMjM{}", person.user.replace('-', "")),
        "roles": ["owner"],
        "displayName": person.name,
        "visibleHistoryStartDateTime": "0001-01-01T00:00:00Z",
        "userId": person.user,
        "email": person.upn,
        "tenantId": person.tenant,
    })
}

/// `chatMessage`, the same in a list, alone and inside a rich notification. A deleted message is empty; one that was given as a
/// whole is what was given.
pub fn message(chat: &Chat, message: &Message) -> Value {
    if let Some(raw) = &message.raw {
        return Value::Object(raw.clone());
    }
    let living = message.deleted.is_none();
    let mentioned = message.mentioned.iter().filter(|_| living);
    let mentions: Vec<Value> = mentioned
        .map(|person| {
            json!({
                "id": 0,
                "mentionText": person.name,
                "mentioned": { "application": null, "device": null, "conversation": null, "tag": null, "user": identity(person) },
            })
        })
        .collect();
    let parts = if living {
        &message.parts
    } else {
        &Parts::default()
    };
    let reactions = message.reactions.iter().filter(|_| living);
    let reactions: Vec<Value> = reactions.map(reaction).collect();
    json!({
        "id": message.id,
        "replyToId": null,
        "etag": (message.modified.unix_timestamp_nanos() / 1_000_000).to_string(),
        "messageType": "message",
        "createdDateTime": time_text(message.created),
        "lastModifiedDateTime": time_text(message.modified),
        "lastEditedDateTime": message.edited.map(time_text),
        "deletedDateTime": message.deleted.map(time_text),
        "subject": null,
        "summary": null,
        "chatId": chat.id,
        "importance": "normal",
        "locale": "en-us",
        "webUrl": null,
        "channelIdentity": null,
        "policyViolation": null,
        "eventDetail": null,
        "from": sender(&message.from),
        "body": { "contentType": "html", "content": parts.html },
        "attachments": parts.attachments,
        "mentions": mentions,
        "reactions": reactions,
        "messageHistory": [],
    })
}

/// What a rich notification of a deletion holds. Microsoft documents nothing about it, so there is neither author nor text.
pub fn deleted_message(chat: &Chat, deleted: &Message) -> Value {
    let mut view = message(chat, deleted);
    if deleted.raw.is_some() {
        return view;
    }
    view["from"] = Value::Null;
    view["body"]["content"] = json!("");
    for list in ["attachments", "mentions", "reactions"] {
        view[list] = json!([]);
    }
    view
}

/// `chatMessageReaction`; the name of whoever reacted is not told.
fn reaction(reaction: &Reaction) -> Value {
    json!({
        "reactionType": reaction.kind,
        "displayName": null,
        "reactionContentUrl": null,
        "createdDateTime": time_text(reaction.at),
        "user": {
            "application": null,
            "device": null,
            "user": {
                "@odata.type": "#microsoft.graph.teamworkUserIdentity",
                "id": reaction.from.user,
                "displayName": null,
                "userIdentityType": "aadUser",
            },
        },
    })
}

/// `chatMessageFromIdentitySet` of somebody who wrote.
pub fn sender(person: &Person) -> Value {
    json!({ "application": null, "device": null, "user": identity(person) })
}

/// `teamworkUserIdentity` of somebody who wrote.
pub fn identity(person: &Person) -> Value {
    let mut identity = json!({
        "@odata.type": "#microsoft.graph.teamworkUserIdentity",
        "id": person.user,
        "displayName": person.name,
        "userIdentityType": "aadUser",
        "tenantId": person.tenant,
    });
    if let Some(name) = &person.user_principal_name {
        identity["userPrincipalName"] = json!(name);
    }
    identity
}
