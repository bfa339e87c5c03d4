//! Webhooks as somebody wants Genesys to send them, whatever they hold. What is read here is for the agent's desk only.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::agent::new_id;
use super::control::Created;
use super::conversations::{Outgoing, Place};
use super::state::Genesys;
use crate::shared::correlation;
use crate::shared::time_text;

/// A webhook as it is, as the control interface takes it.
#[derive(Deserialize)]
pub struct Raw {
    webhook: Map<String, Value>,
}

/// `POST /local/genesys/threads/{thread}/raw`: Genesys signs this body and sends it, with the repetitions of an agent's message.
/// `id`, `channel.to` and `channel.time` are added where they are absent; all else stays as it is, a `channel` that is no
/// object included. The same `id` once more is the same message sent once more.
pub async fn write(
    State(genesys): State<Arc<Genesys>>,
    Path(thread): Path<String>,
    Json(Raw { webhook }): Json<Raw>,
) -> Created {
    let id = genesys.agent_sends_raw(&thread, webhook);
    let correlation = correlation::of_genesys_message(&id);
    let told = json!({ "id": id, "correlation": correlation });
    Ok((StatusCode::CREATED, Json(told)))
}

impl Genesys {
    /// Returns the id by which receipts name the message: that of the body, or the channel's `messageId` in its place.
    fn agent_sends_raw(&self, thread: &str, mut webhook: Map<String, Value>) -> String {
        let now = OffsetDateTime::now_utc();
        let id = id_of(&webhook).map_or_else(new_id, str::to_owned);
        webhook.entry("id").or_insert_with(|| json!(id));
        let channel = webhook.entry("channel").or_insert_with(|| json!({}));
        if let Value::Object(channel) = channel {
            let mut add = |name: &str, value| {
                channel.entry(name).or_insert(value);
            };
            add("to", json!({ "id": thread, "idType": "Opaque" }));
            add("time", json!(time_text(now)));
        }
        let outgoing = self.readable(&webhook);
        let body = |_: &_| Value::Object(webhook);
        self.send(thread, &id, &outgoing, now, body);
        id
    }

    /// What the agent's desk can show of it.
    fn readable(&self, webhook: &Map<String, Value>) -> Outgoing {
        let content = webhook.get("content").and_then(Value::as_array);
        let content = content.into_iter().flatten();
        let content: Vec<Value> = content.filter(|it| it.is_object()).cloned().collect();
        let text = webhook.get("text").and_then(Value::as_str);
        let mut files = content.iter().map(|item| &item["attachment"]);
        let file = files.find_map(|file| {
            let own = file["id"]
                .as_str()
                .filter(|id| self.media.get(id).is_some());
            let own = own.map(|id| Place::Media(id.to_owned()));
            own.or_else(|| Some(Place::Address(file["url"].as_str()?.to_owned())))
        });
        Outgoing {
            kind: None,
            text: text.unwrap_or_default().to_owned(),
            content,
            file,
            agent: None,
        }
    }
}

fn id_of(webhook: &Map<String, Value>) -> Option<&str> {
    let own = webhook.get("id").and_then(Value::as_str);
    let channel = webhook.get("channel");
    let channel = channel.and_then(|it| it["messageId"].as_str());
    let mut ids = [own, channel].into_iter().flatten();
    ids.find(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genesys::control;
    use crate::testing::{Answer, OurSide, ask, world};
    use crate::world::Config;

    async fn give(genesys: &Arc<Genesys>, webhook: Value) -> Answer {
        let body = json!({ "webhook": webhook });
        let path = "/local/genesys/threads/teams:support:a/raw";
        ask(control(genesys), "POST", path, "", body).await
    }

    #[tokio::test]
    async fn only_what_is_absent_is_added_and_a_repeated_id_is_one_message() {
        let mut ours = OurSide::start(Vec::new(), |token| ("", token));
        let genesys = Genesys::new(world(Config::default(), &ours.address));
        let given = json!({ "text": 5, "content": [null, { "contentType": 1 }] });
        let id = give(&genesys, given.clone()).await.text("id");
        let sent = ours.next().await;
        let to = json!({ "id": "teams:support:a", "idType": "Opaque" });
        assert_eq!(sent["id"], id.as_str());
        assert_eq!(sent["channel"]["to"], to);
        assert!(sent["channel"]["time"].is_string());
        assert_eq!(
            (&sent["text"], &sent["content"]),
            (&given["text"], &given["content"])
        );
        assert_eq!(sent.as_object().map(Map::len), Some(4), "{sent}");

        let whole = json!({ "id": null, "channel": { "messageId": "m", "to": 1, "time": null } });
        let bare = json!({ "id": "m", "channel": "none" });
        for webhook in [whole, bare] {
            assert_eq!(give(&genesys, webhook.clone()).await.text("id"), "m");
            assert_eq!(ours.next().await, webhook);
        }
        let view = genesys.conversations.lock().view("");
        let shown = view["conversations"][0]["messages"].as_array();
        let shown = shown.expect("messages").iter().map(|it| &it["id"]);
        assert_eq!(shown.collect::<Vec<_>>(), [id.as_str(), "m"]);
        assert_eq!(give(&genesys, json!("no object")).await.status, 422);
    }
}
