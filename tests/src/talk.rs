//! A customer's chat with a Support User, and the agent's thread that belongs to it: what most tests are about.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Account, Platform, app_talk, view, with};

/// A person at one of our customers.
#[derive(Debug, Clone)]
pub struct Customer {
    /// Entra object id, or what Graph calls people of another kind.
    pub user: String,
    /// What kind of user, in Graph's word.
    pub user_type: &'static str,
    /// Display name.
    pub name: String,
    /// Entra tenant of the person's company.
    pub tenant: String,
    /// Sign-in name.
    pub upn: String,
}

impl Customer {
    /// A new person of a new company.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            user: Uuid::new_v4().to_string(),
            user_type: "aadUser",
            name: name.to_owned(),
            tenant: Uuid::new_v4().to_string(),
            upn: format!("{}@customer.example", name.to_lowercase()),
        }
    }

    /// A new person with a personal Microsoft account.
    #[must_use]
    pub fn personal(name: &str) -> Self {
        Self {
            user: Uuid::new_v4().simple().to_string()[..16].to_owned(),
            user_type: "personalMicrosoftAccountUser",
            ..Self::new(name)
        }
    }

    /// The thread of the one-to-one chat with this Support User.
    pub(crate) fn thread(&self, account: &Account) -> String {
        match self.user_type {
            "aadUser" => format!("teams:{}:{}", account.name, self.user),
            _ => {
                let digest = view::digest("user", &self.user);
                format!("teams-guest:{}:{digest}", account.name)
            }
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({ "user": self.user, "user_type": self.user_type, "name": self.name,
            "tenant": self.tenant, "upn": self.upn })
    }
}

/// What one customer and the agent say to each other.
#[derive(Debug, Clone)]
pub struct Talk<'a> {
    /// Where it takes place.
    pub platform: &'a Platform,
    /// Who writes.
    pub customer: Customer,
    /// The Support User in the chat.
    pub account: Account,
    /// The chat's id as Teams writes it.
    pub chat: String,
    /// The thread as Genesys sees it.
    pub thread: String,
    pub(crate) chat_type: &'static str,
}

impl<'a> Talk<'a> {
    /// Of a new customer and the test's Support User; nobody has written yet.
    #[must_use]
    pub fn new(platform: &'a Platform, name: &str) -> Self {
        Self::at(platform, Customer::new(name), platform.account.clone())
    }

    /// The same, with a first message, "hello", that the agent has seen.
    pub async fn begun(platform: &'a Platform, name: &str) -> Self {
        let talk = Self::new(platform, name);
        talk.writes("hello").await;
        talk.agent_sees(&["hello"]).await;
        talk
    }

    /// Of this customer and one of several Support Users.
    #[must_use]
    pub fn at(platform: &'a Platform, customer: Customer, account: Account) -> Self {
        let chat = format!("19:{}_{}@unq.gbl.spaces", customer.user, Uuid::new_v4());
        Self {
            thread: customer.thread(&account),
            chat_type: "oneOnOne",
            platform,
            customer,
            account,
            chat,
        }
        .expected()
    }

    /// In a group chat with the test's Support User.
    #[must_use]
    pub fn group(platform: &'a Platform, name: &str) -> Self {
        let chat = format!("19:{}@thread.v2", Uuid::new_v4().simple());
        let account = platform.account.clone();
        Self {
            thread: format!(
                "teams-chat:{}:{}",
                account.name,
                view::digest("chat", &chat)
            ),
            chat_type: "group",
            platform,
            customer: Customer::new(name),
            account,
            chat,
        }
        .expected()
    }

    /// Another person in the same chat.
    #[must_use]
    pub fn joined_by(&self, name: &str) -> Self {
        Self {
            customer: Customer::new(name),
            ..self.clone()
        }
    }

    pub(crate) fn expected(self) -> Self {
        self.platform.expects(&self);
        self
    }

    /// The customer writes; returns the message's id.
    pub async fn writes(&self, html: &str) -> String {
        if self.is_app() {
            return self.says(&view::plain(html), json!({})).await;
        }
        self.writes_with(html, json!({})).await
    }

    /// The customer writes, with further fields of the control interface; returns the message's id.
    pub async fn writes_with(&self, html: &str, more: Value) -> String {
        let body = json!({ "from": self.customer.to_json(), "html": html,
            "chat_type": self.chat_type, "support_account": self.account.name });
        let answer = self.platform.post(&self.path(""), with(body, more)).await;
        answer["message"].as_str().expect("a message id").to_owned()
    }

    /// Graph shows this message as it is and tells of it, with further fields of the control interface; returns its id.
    pub async fn gives(&self, message: Value, more: Value) -> String {
        let body = json!({ "message": message, "from": self.customer.to_json(),
            "chat_type": self.chat_type, "support_account": self.account.name });
        let path = self.chat_path("/raw");
        let answer = self.platform.post(&path, with(body, more)).await;
        answer["message"].as_str().expect("a message id").to_owned()
    }

    /// The customer edits a message, with these fields of the control interface.
    pub async fn edits(&self, message: &str, body: Value) {
        let path = self.path(&format!("/{message}"));
        self.platform.call(Method::PATCH, &path, Some(&body)).await;
    }

    /// The customer reacts to a message.
    pub async fn reacts(&self, message: &str, reaction: &str) {
        let path = self.path(&format!("/{message}/reactions"));
        let body = json!({ "from": self.customer.to_json(), "reaction": reaction });
        self.platform.post(&path, body).await;
    }

    /// The customer deletes a message.
    pub async fn deletes(&self, message: &str) {
        let path = self.path(&format!("/{message}"));
        self.platform.call(Method::DELETE, &path, None).await;
    }

    /// The agent writes; returns the Genesys message id.
    pub async fn agent_writes(&self, text: &str) -> String {
        self.agent_sends(json!({ "text": text })).await
    }

    /// The agent sends a message with anything that the control interface takes; returns the Genesys message id.
    pub async fn agent_sends(&self, message: Value) -> String {
        let thread = self.thread.replace(':', "%3A");
        let path = format!("/local/genesys/threads/{thread}/messages");
        let answer = self.platform.post(&path, message).await;
        answer["id"].as_str().expect("an id").to_owned()
    }

    /// The agent asks a question with these answers; returns its id once it was delivered.
    pub async fn agent_asks(&self, answers: &[&str]) -> String {
        let replies = answers.iter().map(|text| {
            let reply = json!({ "text": text, "payload": format!("payload of {text}"), "action": "Message" });
            json!({ "contentType": "QuickReply", "quickReply": reply })
        });
        let replies: Value = replies.collect();
        let question = json!({ "text": "What is it about?", "structured": replies });
        let question = self.agent_sends(question).await;
        assert_eq!(self.platform.until_receipt(&question).await, ["Delivered"]);
        question
    }

    /// Genesys sends this webhook as it is; returns the Genesys message id.
    pub async fn genesys_sends(&self, webhook: Value) -> String {
        let thread = self.thread.replace(':', "%3A");
        let path = format!("/local/genesys/threads/{thread}/raw");
        let answer = self
            .platform
            .post(&path, json!({ "webhook": webhook }))
            .await;
        answer["id"].as_str().expect("an id").to_owned()
    }

    /// The messages of the chat as Teams shows them.
    pub async fn shown(&self) -> Vec<Value> {
        let path = match self.is_app() {
            true => self.app_path(),
            false => self.path(""),
        };
        view::list(self.platform.get(&path).await, "messages")
    }

    /// What the Support User, or the bot, has posted.
    pub async fn posts(&self) -> Vec<Value> {
        let mut posts = self.shown().await;
        posts.retain(|message| match self.is_app() {
            true => message["from"].is_null(),
            false => message["from"]["user"] == self.account.user.as_str(),
        });
        posts
    }

    /// Waits until the Support User has posted so often; returns the posts.
    pub async fn until_posts(&self, count: usize) -> Vec<Value> {
        self.platform
            .until(&format!("{count} posts in the chat"), async || {
                let posts = self.posts().await;
                (posts.len() >= count).then_some(posts)
            })
            .await
    }

    /// The texts of the posts: HTML without its tags, cards as their lines.
    pub async fn seen(&self) -> Vec<String> {
        let posts = self.posts().await;
        let texts = posts.iter().map(|post| match self.is_app() {
            true => app_talk::said(post),
            false => view::plain(view::text(post, "html")),
        });
        texts.collect()
    }

    /// Waits until the texts of the posts are these.
    pub async fn sees(&self, texts: &[&str]) {
        let what = format!("the customer to see {texts:?}");
        let seen = async || (self.seen().await == texts).then_some(());
        self.platform.until(&what, seen).await;
    }

    /// What the agent has of the customer.
    pub async fn inbound(&self) -> Vec<Value> {
        let mut messages = self.platform.inbound().await;
        messages.retain(|message| message["thread"] == self.thread.as_str());
        messages
    }

    /// Waits until the agent has this many messages; returns them.
    pub async fn until_inbound(&self, count: usize) -> Vec<Value> {
        self.platform
            .until(&format!("{count} messages at the agent"), async || {
                let messages = self.inbound().await;
                (messages.len() >= count).then_some(messages)
            })
            .await
    }

    /// Waits until the texts that the agent has are these.
    pub async fn agent_sees(&self, texts: &[&str]) {
        let what = format!("the agent to see {texts:?}");
        let seen = async || (view::texts(&self.inbound().await) == texts).then_some(());
        self.platform.until(&what, seen).await;
    }

    /// A notification of a message, as Graph would send it now.
    pub async fn notification(&self, message: &str, change: &str) -> Value {
        let wanted = json!({ "chat": self.chat, "message": message, "change_type": change });
        let path = "/local/graph/notifications/compose";
        self.platform.post(path, wanted).await["body"].take()
    }

    fn path(&self, below: &str) -> String {
        self.chat_path(&format!("/messages{below}"))
    }

    fn chat_path(&self, below: &str) -> String {
        let chat = self.chat.replace(':', "%3A").replace('@', "%40");
        format!("/local/teams/chats/{chat}{below}")
    }
}
