//! A customer's conversation with the bot, from the connector's calls to what Genesys has of it, and back.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};
use services::error::Service;
use services::testing::{Seen, World};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{ANNA, agents_message, app_in, deliver, post, webhook};
use crate::app::App;

/// The conversation, and its thread.
pub const CHAT: &str = "a:17I0kl9EkpE1O9PH5TWrzrLNwnWWcfrU";
pub const THREAD: &str = "teams:bot:0f0e0d0c-0000-4000-8000-00000000000a";

/// The customer's tenant.
pub const TENANT: &str = "be9c1b6e-0000-4000-8000-c0ffee000002";

/// One process and its world.
pub struct BotScene {
    pub world: World,
    pub app: Arc<App>,
    /// Messages of the queues that were delivered.
    delivered: std::sync::Mutex<usize>,
}

impl BotScene {
    pub async fn start(changed: &[(&str, &str)]) -> Self {
        let world = World::start().await;
        let app = app_in(&world, &[&[("RETRY_FLOOR_SECONDS", "0")], changed].concat());
        Self {
            world,
            app,
            delivered: std::sync::Mutex::new(0),
        }
    }

    /// An activity of Anna's with these fields over what Teams tells of her.
    pub fn activity(&self, changes: Value) -> Value {
        let at = OffsetDateTime::now_utc().format(&Rfc3339).expect("a time");
        let mut activity = json!({
            "type": "message", "timestamp": at, "channelId": "msteams", "locale": "de-DE",
            "serviceUrl": self.world.bot_service_url(),
            "from": {"id": "29:1XJK", "name": "Anna Adler", "aadObjectId": ANNA},
            "conversation": {"conversationType": "personal", "tenantId": TENANT, "id": CHAT},
            "recipient": {"id": format!("28:{}", World::BOT), "name": "Support"},
            "channelData": {"tenant": {"id": TENANT}},
        });
        for (name, value) in changes.as_object().expect("an object") {
            activity[name] = value.clone();
        }
        activity
    }

    /// The connector's call with an activity, and a token with these changes.
    pub async fn call(&self, activity: &Value, claims: Value) -> StatusCode {
        let token = format!("Bearer {}", self.world.connector_token(&claims));
        let headers = [("authorization", token.as_str())];
        post(
            &self.app,
            crate::inbound_bot::PATH,
            &headers,
            activity.to_string(),
        )
        .await
    }

    /// The connector tells of an activity, and all that follows is done.
    pub async fn told(&self, changes: Value) {
        let status = self.call(&self.activity(changes), json!({})).await;
        assert_eq!(status, StatusCode::OK);
        self.settle().await;
    }

    pub async fn customer_writes(&self, id: &str, text: &str) {
        self.told(json!({"id": id, "text": text})).await;
    }

    /// Genesys tells what the agent writes, and all that follows is done.
    pub async fn agent_writes(&self, id: &str, changes: Value) {
        self.webhook(id, changes).await;
        self.settle().await;
    }

    /// Genesys tells what the agent writes.
    pub async fn webhook(&self, id: &str, changes: Value) {
        let mut message = agents_message(id, OffsetDateTime::now_utc(), changes);
        message["channel"]["to"]["id"] = json!(THREAD);
        let status = webhook(&self.app, message.to_string(), World::WEBHOOK_SECRET).await;
        assert_eq!(status, StatusCode::OK);
    }

    /// Delivers what lies on the queues, and what that puts there, each once and with success.
    pub async fn settle(&self) {
        while let Some(sent) = self.next() {
            let status = deliver(&self.app, &sent, 1).await;
            assert_eq!(status, StatusCode::OK, "{}", sent.queue);
        }
    }

    /// The next message of the queues.
    pub fn next(&self) -> Option<services::testing::Sent> {
        let mut delivered = self.delivered.lock().expect("a lock");
        let sent = self.world.sent().get(*delivered).cloned();
        *delivered += usize::from(sent.is_some());
        sent
    }

    /// What Genesys was told of customers: the last part of the address, and the body.
    pub fn at_genesys(&self) -> Vec<(String, Value)> {
        let seen = self.world.seen(Service::Genesys);
        let told = seen
            .iter()
            .filter(|it| it.target.contains("/inbound/open/"));
        told.map(|it| {
            let kind = it.path().rsplit_once("/open/").expect("a kind").1;
            (kind.to_owned(), it.json())
        })
        .collect()
    }

    /// The texts that Genesys has.
    pub fn texts(&self) -> Vec<String> {
        let told = self.at_genesys().into_iter();
        told.filter(|(kind, _)| kind == "message")
            .map(|(_, body)| body["text"].as_str().unwrap_or("(a file)").to_owned())
            .collect()
    }

    /// The bot's calls with this method.
    pub fn by_bot(&self, method: &str) -> Vec<Seen> {
        let mut seen = self.world.seen(Service::Bot);
        seen.retain(|it| it.method == method && it.target.contains("/v3/conversations/"));
        seen
    }

    /// What the bot posted.
    pub fn posted(&self) -> Vec<Value> {
        self.by_bot("POST").iter().map(Seen::json).collect()
    }

    /// A document in the container `state`.
    pub fn state(&self, side: &str) -> Value {
        let chat: bridge::ids::ChatId = CHAT.parse().expect("an id");
        let name = format!("chats/{}/{side}.json", chat.digest());
        let body = self.world.blob("state", &name).expect("a state");
        serde_json::from_slice(&body).expect("JSON")
    }

    /// What lies in `failed`.
    pub fn failed(&self) -> Vec<Value> {
        let names = self.world.blobs("failed").into_iter();
        names
            .filter_map(|name| self.world.blob("failed", &name))
            .map(|body| serde_json::from_slice(&body).expect("JSON"))
            .collect()
    }

    /// The outcomes of the receipts that Genesys has.
    pub fn receipts(&self) -> Vec<(String, String)> {
        let told = self.at_genesys().into_iter();
        told.filter(|(kind, _)| kind == "receipt")
            .map(|(_, body)| {
                let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
                (text("id"), text("status"))
            })
            .collect()
    }
}
