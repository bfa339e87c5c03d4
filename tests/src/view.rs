//! Reading the platform's answers: small look-ups in its JSON.

use serde_json::Value;

/// All texts of a conversation that came from (`inbound`) or went to (`outbound`) the customer, in order.
#[must_use]
pub fn texts(conversation: &Value, direction: &str) -> Vec<String> {
    messages(conversation)
        .filter(|message| message["direction"] == direction)
        .filter_map(|message| message["text"].as_str().map(str::to_owned))
        .collect()
}

/// The messages of a conversation or chat.
pub fn messages(holder: &Value) -> impl Iterator<Item = &Value> {
    holder["messages"].as_array().into_iter().flatten()
}

/// The conversations of one thread.
#[must_use]
pub fn of_thread<'a>(conversations: &'a Value, thread: &str) -> Vec<&'a Value> {
    conversations["conversations"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|conversation| conversation["thread"] == thread)
        .collect()
}

/// Every inbound text of all conversations, in the order of each conversation.
#[must_use]
pub fn all_inbound(conversations: &Value) -> Vec<String> {
    conversations["conversations"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|conversation| texts(conversation, "inbound"))
        .collect()
}

/// Final receipts of an outbound message: status and reason.
#[must_use]
pub fn receipts(conversations: &Value, message: &str) -> Vec<String> {
    conversations["conversations"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(messages)
        .filter(|candidate| candidate["id"] == message)
        .flat_map(|message| message["receipts"].as_array().cloned().unwrap_or_default())
        .map(|receipt| {
            let status = receipt["status"].as_str().unwrap_or_default().to_owned();
            match receipt["reason"].as_str() {
                Some(reason) => format!("{status}:{reason}"),
                None => status,
            }
        })
        .collect()
}

/// Texts of a chat's messages by the support user's side: HTML without its tags.
#[must_use]
pub fn chat_texts(chat: &Value, user: &str) -> Vec<String> {
    messages(chat)
        .filter(|message| message["from"]["user"] == user)
        .filter_map(|message| message["html"].as_str().map(plain))
        .collect()
}

/// Text of simple HTML.
#[must_use]
pub fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut inside_tag = false;
    for character in html.chars() {
        match character {
            '<' => inside_tag = true,
            '>' => inside_tag = false,
            other if !inside_tag => text.push(other),
            _ => {}
        }
    }
    text.replace("&nbsp;", " ")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
        .trim()
        .to_owned()
}

/// What Genesys got when it fetched a message's attachment: size, SHA-256 and media type.
#[must_use]
pub fn fetched(message: &Value) -> (u64, String, String) {
    let fetched = &message["attachment"]["fetched"];
    (
        fetched["size"].as_u64().unwrap_or_default(),
        fetched["sha256"].as_str().unwrap_or_default().to_owned(),
        fetched["content_type"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    )
}
