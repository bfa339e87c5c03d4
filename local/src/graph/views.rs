//! Chats, members and messages as Graph's JSON.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

use super::chats::{Chat, Message, Person};

/// A time as Graph writes it: UTC with milliseconds.
pub fn time(at: OffsetDateTime) -> String {
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    at.format(format).unwrap_or_default()
}

/// `chat`.
pub fn chat(id: &str, chat: &Chat, tenant: &str) -> Value {
    json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#chats/$entity",
        "id": id,
        "topic": null,
        "createdDateTime": chat.messages.first().map(|message| time(message.created)),
        "lastUpdatedDateTime": chat.messages.last().map(|message| time(message.modified)),
        "chatType": chat.kind,
        "webUrl": format!("https://teams.microsoft.com/l/chat/{id}/0"),
        "tenantId": tenant,
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

/// `chatMessage`, the same in a list, alone and inside a rich notification.
pub fn message(chat: &str, message: &Message) -> Value {
    let mentions: Vec<Value> = message
        .mentioned
        .iter()
        .map(|person| {
            json!({
                "id": 0,
                "mentionText": person.name,
                "mentioned": { "application": null, "device": null, "conversation": null, "tag": null, "user": identity(person) },
            })
        })
        .collect();
    json!({
        "id": message.id,
        "replyToId": null,
        "etag": etag(message),
        "messageType": "message",
        "createdDateTime": time(message.created),
        "lastModifiedDateTime": time(message.modified),
        "lastEditedDateTime": null,
        "deletedDateTime": null,
        "subject": null,
        "summary": null,
        "chatId": chat,
        "importance": "normal",
        "locale": "en-us",
        "webUrl": null,
        "channelIdentity": null,
        "policyViolation": null,
        "eventDetail": null,
        "from": { "application": null, "device": null, "user": identity(&message.from) },
        "body": { "contentType": "html", "content": message.html },
        "attachments": [],
        "mentions": mentions,
        "reactions": [],
        "messageHistory": [],
    })
}

fn etag(message: &Message) -> String {
    (message.modified.unix_timestamp_nanos() / 1_000_000).to_string()
}

fn identity(person: &Person) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.teamworkUserIdentity",
        "id": person.user,
        "displayName": person.name,
        "userIdentityType": "aadUser",
        "tenantId": person.tenant,
    })
}
