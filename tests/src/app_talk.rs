//! A customer's chat with the Teams app, which is the bot's: the words of a [`Talk`] that mean something else there, and those that
//! only exist there.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Account, Customer, Platform, Talk, view, with};

/// The bot among the support accounts, as `local.settings.json` names it.
const BOT: &str = "bot";

/// What the bot says where the app is installed, unless `BOT_GREETING` says otherwise.
pub const GREETING: &str = "Hello! Write here, and our support team answers in this chat.";

/// For [`Platform::shared_with`]: the bot does not greet, so that all it posts is what a test is about, and reactions are told.
pub const QUIET: &[&str] = &[
    "--set=BOT_GREETING=off",
    "--set=REACTIONS=on",
    "--set=RETRY_FLOOR_SECONDS=0",
    "--set=UNKNOWN_THREAD_SECONDS=1",
    "--set=GRAPH_POST_TIMEOUT_SECONDS=2",
];

impl<'a> Talk<'a> {
    /// Of a new customer and the app, which is installed; nobody has written yet.
    pub async fn app(platform: &'a Platform, name: &str) -> Self {
        let talk = Self::app_of(platform, Customer::new(name));
        talk.installs().await;
        talk
    }

    /// The same, with a first message, "hello", that the agent has seen.
    pub async fn app_begun(platform: &'a Platform, name: &str) -> Self {
        let talk = Self::app(platform, name).await;
        talk.writes("hello").await;
        talk.agent_sees(&["hello"]).await;
        talk
    }

    /// Of this customer, who has not installed the app yet.
    #[must_use]
    pub fn app_of(platform: &'a Platform, customer: Customer) -> Self {
        let account = Account {
            name: BOT.to_owned(),
            user: String::new(),
        };
        Self {
            thread: customer.thread(&account),
            chat_type: "app",
            platform,
            customer,
            account,
            chat: format!("a:{}", Uuid::new_v4()),
        }
        .expected()
    }

    /// The same group chat as the app sees it, with the same customer.
    #[must_use]
    pub fn through_app(&self) -> Self {
        let digest = view::digest("chat", &self.chat);
        let account = Account {
            name: BOT.to_owned(),
            user: String::new(),
        };
        Self {
            thread: format!("teams-chat:{BOT}:{digest}"),
            chat_type: "app",
            account,
            ..self.clone()
        }
        .expected()
    }

    pub(crate) fn is_app(&self) -> bool {
        self.chat_type == "app"
    }

    /// The customer installs the app in the chat.
    pub async fn installs(&self) {
        self.does("install", json!({})).await;
    }

    /// The customer does something, named as the control interface names it; the answer.
    pub async fn does(&self, deed: &str, more: Value) -> Value {
        let body = json!({ "do": deed, "from": self.customer.to_json() });
        self.platform.post(&self.app_path(), with(body, more)).await
    }

    /// The customer writes, with further fields of the control interface; returns the message's id.
    pub async fn says(&self, text: &str, more: Value) -> String {
        let answer = self.does("say", with(json!({ "text": text }), more)).await;
        view::text(&answer, "message").to_owned()
    }

    /// The customer presses the button with this title, with these inputs.
    pub async fn presses(&self, card: &Value, button: &str, inputs: Value) {
        let message = view::text(card, "id");
        let press = json!({ "message": message, "button": button, "inputs": inputs });
        self.does("press", press).await;
    }

    /// Delivers an activity as it is; the status that the bridge answered with.
    pub async fn delivers(&self, activity: Value, signing: &str) -> u64 {
        let raw = json!({ "activity": activity, "signing": signing });
        let path = format!("{}/raw", self.app_path());
        let answer = self.platform.post(&path, raw).await;
        answer["status"].as_u64().expect("a status")
    }

    /// Every write of the bot, those of this kind: `message` or `typing`.
    pub async fn written(&self, kind: &str) -> Vec<Value> {
        let mut posted = view::list(self.platform.get(&self.app_path()).await, "posted");
        posted.retain(|write| write["activity"]["type"] == kind);
        posted
    }

    /// Waits until there are so many of them; returns them.
    pub async fn until_written(&self, kind: &str, count: usize) -> Vec<Value> {
        let what = format!("{count} activities of the kind {kind}");
        self.platform
            .until(&what, async || {
                let written = self.written(kind).await;
                (written.len() >= count).then_some(written)
            })
            .await
    }

    /// Waits until the newest post of the bot is a card; returns the post.
    pub async fn until_card(&self) -> Value {
        self.platform
            .until("a card", async || {
                let last = self.posts().await.pop()?;
                card_of(&last).is_some().then_some(last)
            })
            .await
    }

    pub(crate) fn app_path(&self) -> String {
        let chat = self.chat.replace(':', "%3A").replace('@', "%40");
        format!("/local/bot/chats/{chat}")
    }
}

/// The Adaptive Card of a post.
#[must_use]
pub fn card_of(post: &Value) -> Option<&Value> {
    let attachment = &post["activity"]["attachments"][0];
    let is_card = attachment["contentType"] == "application/vnd.microsoft.card.adaptive";
    is_card.then(|| &attachment["content"])
}

/// The titles of a card's buttons, by what they do.
#[must_use]
pub fn buttons(post: &Value, action: &str) -> Vec<String> {
    let all = found(card_of(post).unwrap_or(&Value::Null), "type", action);
    let titles = all.iter().map(|it| view::text(it, "title").to_owned());
    titles.collect()
}

/// What a post of the bot's says: its text, or the lines of its card.
#[must_use]
pub fn said(post: &Value) -> String {
    if let Some(text) = post["activity"]["text"].as_str() {
        return text.to_owned();
    }
    let lines = found(
        card_of(post).unwrap_or(&Value::Null),
        "type",
        "RichTextBlock",
    );
    let lines = lines.iter().map(|line| {
        let runs = line["inlines"].as_array().into_iter().flatten();
        runs.map(|run| view::text(run, "text")).collect::<String>()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The objects anywhere in a value in which a member has this text, in order.
fn found<'v>(value: &'v Value, member: &str, wanted: &str) -> Vec<&'v Value> {
    let own = (value[member] == wanted).then_some(value);
    let below: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(members) => members.values().collect(),
        _ => Vec::new(),
    };
    let below = below.into_iter().flat_map(|it| found(it, member, wanted));
    own.into_iter().chain(below).collect()
}
