//! One customer, one chat, one conversation: what most tests of messages need.

use serde_json::{Value, json};

use crate::{Chat, Customer, Platform};

/// A platform with a customer, Anna, in a one-to-one chat.
#[derive(Debug)]
pub struct Scene {
    /// The platform.
    pub platform: Platform,
    /// The customer.
    pub anna: Customer,
    /// Her chat with the Support User.
    pub chat: Chat,
    /// The thread as Genesys sees it.
    pub thread: String,
}

impl Scene {
    /// On this platform; nobody has written yet.
    #[must_use]
    pub fn new(platform: Platform) -> Self {
        let anna = Customer::new("Anna");
        let chat = Chat::one_on_one(&anna);
        platform.expects(&chat, &anna);
        Self {
            chat,
            thread: platform.thread_of(&anna),
            platform,
            anna,
        }
    }

    /// The same, with a first message that the agent has seen.
    pub async fn begun(platform: Platform) -> Self {
        let scene = Self::new(platform);
        scene.writes("<p>hello</p>", json!({})).await;
        scene.inbound(1).await;
        scene
    }

    /// Anna writes, with further fields of the control interface; returns the message's id.
    pub async fn writes(&self, html: &str, more: Value) -> String {
        self.platform
            .customer_writes_with(&self.chat, &self.anna, html, more)
            .await
    }

    /// Waits until the agent has this many messages of Anna's; returns them.
    pub async fn inbound(&self, count: usize) -> Vec<Value> {
        self.platform.until_inbound(&self.thread, count).await
    }

    /// The agent sends a message; returns its id.
    pub async fn agent_sends(&self, message: Value) -> String {
        self.platform.agent_sends(&self.thread, message).await
    }

    /// Waits until the chat has this many posts of the Support User's; returns them.
    pub async fn posts(&self, count: usize) -> Vec<Value> {
        self.platform.until_posts(&self.chat, count).await
    }
}
