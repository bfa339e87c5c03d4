//! The activities that Teams delivers (msteams-docs, "Messages in bot conversations" and "Conversation events").

use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};
use uuid::Uuid;

use crate::bot::{Bot, Chat};
use crate::graph::Person;
use crate::shared::time_text;

impl Bot {
    /// An activity of this kind with what all of them have, and with more.
    pub(super) fn activity(&self, chat: &Chat, from: &Person, kind: &str, more: Value) -> Value {
        let now = OffsetDateTime::now_utc();
        // Where the simulated customers live.
        let local = UtcOffset::from_hms(1, 0, 0).map(|offset| now.to_offset(offset));
        let local = local.ok().and_then(|it| it.format(&Rfc3339).ok());
        let mut activity = json!({
            "type": kind,
            "id": format!("f:{}", Uuid::new_v4()),
            "timestamp": time_text(now),
            "localTimestamp": local,
            "serviceUrl": self.service_url(),
            "channelId": "msteams",
            "locale": "en-US",
            "from": self.account(from),
            "conversation": { "conversationType": chat.kind(), "tenantId": chat.tenant, "id": chat.id },
            "recipient": { "id": self.own_id(), "name": "Bot" },
            "entities": [{ "type": "clientInfo", "locale": "en-US", "country": "US", "platform": "Windows",
                "timezone": "Europe/Berlin" }],
            "channelData": { "tenant": { "id": chat.tenant } },
        });
        if chat.is_group {
            activity["conversation"]["isGroup"] = json!(true);
        }
        for (name, value) in more.as_object().into_iter().flatten() {
            match (&mut activity[name], value) {
                (Value::Object(all), Value::Object(more)) => all.extend(more.clone()),
                (Value::Array(all), Value::Array(more)) => all.extend(more.clone()),
                (field, value) => *field = value.clone(),
            }
        }
        activity
    }

    /// The app was installed (`add`) or taken away (`remove`), which Teams tells twice.
    pub(super) fn installation(&self, chat: &Chat, by: &Person, action: &str) -> Vec<Value> {
        let update = json!({ "action": action, "channelData": {
            "settings": { "selectedChannel": { "id": chat.id } }, "source": { "name": "message" } } });
        let members = json!([{ "id": self.own_id() }]);
        let is_there = action == "add";
        let field = if is_there {
            "membersAdded"
        } else {
            "membersRemoved"
        };
        vec![
            self.activity(chat, by, "installationUpdate", update),
            self.activity(chat, by, "conversationUpdate", json!({ field: members })),
        ]
    }
}
