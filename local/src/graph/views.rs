//! Chats, members and messages as Graph's JSON.

use serde_json::{Value, json};

use super::chats::{Chat, Message, Person, Reaction, UserType};
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

/// The `chatMessageInfo` of a chat's newest message.
pub fn preview(chat: &Chat, newest: &Message) -> Value {
    let shown = match newest.deleted {
        Some(_) => deleted_message(chat, newest),
        None => message(chat, newest),
    };
    json!({
        "id": newest.id,
        "createdDateTime": time_text(newest.created),
        "isDeleted": newest.deleted.is_some(),
        "messageType": shown["messageType"],
        "eventDetail": shown["eventDetail"],
        "body": shown["body"],
        "from": shown["from"],
    })
}

/// A `conversationMember` of the type that goes with the person's. The address is null where Graph does not know it.
pub fn member(person: &Person) -> Value {
    let (kind, id) = match person.user_type {
        UserType::AadUser => ("aadUserConversationMember", "userId"),
        UserType::PersonalMicrosoftAccountUser => {
            ("microsoftAccountUserConversationMember", "userId")
        }
        UserType::AnonymousGuest => ("anonymousGuestConversationMember", "anonymousGuestId"),
        UserType::SkypeUser => ("skypeUserConversationMember", "skypeId"),
        UserType::AzureCommunicationServicesUser => (
            "azureCommunicationServicesUserConversationMember",
            "azureCommunicationServicesId",
        ),
        // No type of its own is documented: nothing but the membership is told.
        UserType::PhoneUser | UserType::EmailUser => ("conversationMember", ""),
    };
    let mut member = json!({
        "@odata.type": format!("#microsoft.graph.{kind}"),
        "id": format!("MCMjM{}", person.user.replace('-', "")),
        "roles": ["owner"],
        "displayName": person.name,
        "visibleHistoryStartDateTime": "0001-01-01T00:00:00Z",
    });
    if !id.is_empty() {
        member[id] = json!(person.user);
    }
    if person.user_type == UserType::AadUser {
        member["email"] = json!(person.upn);
        member["tenantId"] = json!(person.tenant);
    }
    member
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
                "userIdentityType": reaction.from.user_type,
            },
        },
    })
}

/// `chatMessageFromIdentitySet` of somebody who wrote.
pub fn sender(person: &Person) -> Value {
    json!({ "application": null, "device": null, "user": identity(person) })
}

/// `teamworkUserIdentity` of somebody who wrote. Whoever is in no directory has no tenant.
pub fn identity(person: &Person) -> Value {
    let tenant = Some(&person.tenant).filter(|_| person.user_type == UserType::AadUser);
    let mut identity = json!({
        "@odata.type": "#microsoft.graph.teamworkUserIdentity",
        "id": person.user,
        "displayName": person.name,
        "userIdentityType": person.user_type,
        "tenantId": tenant,
    });
    if let Some(name) = &person.user_principal_name {
        identity["userPrincipalName"] = json!(name);
    }
    identity
}
