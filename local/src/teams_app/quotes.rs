//! Quoted replies in the two forms in which Teams tells them, and the HTML of plain text.

use serde_json::{Value, json};

use crate::bot::{Bot, Message};

/// Characters of a quoted message that are shown with the answer.
const PREVIEW: usize = 60;

impl Bot {
    pub(super) fn name_and_id(&self, message: &Message) -> (String, String) {
        match &message.from {
            Some(person) => (person.name.clone(), self.id_of(person)),
            None => ("Bot".to_owned(), self.own_id()),
        }
    }

    pub(super) fn quoted_entity(&self, quoted: &Message) -> Value {
        let (name, sender) = self.name_and_id(quoted);
        json!({ "type": "quotedReply", "quotedReply": {
            "messageId": quoted.id, "senderId": sender, "senderName": name, "preview": preview(quoted),
            "time": quoted.id, "isReplyDeleted": quoted.deleted.is_some(), "validatedMessageReference": true,
        } })
    }

    pub(super) fn quotation(&self, quoted: &Message) -> String {
        let (id, (name, sender)) = (&quoted.id, self.name_and_id(quoted));
        let (name, preview) = (escaped(&name), escaped(&preview(quoted)));
        format!(
            "<blockquote itemscope itemtype=\"http://schema.skype.com/Reply\" itemid=\"{id}\">\
            <strong itemprop=\"mri\" itemid=\"{sender}\">{name}</strong><span itemprop=\"time\" itemid=\"{id}\"></span>\
            <p itemprop=\"preview\">{preview}</p></blockquote>"
        )
    }
}

pub fn preview(message: &Message) -> String {
    let text = message.activity["text"].as_str().unwrap_or_default();
    text.chars().take(PREVIEW).collect()
}

/// A paragraph for each line.
pub fn html_of(text: &str) -> String {
    let lines = text.lines();
    lines.map(|it| format!("<p>{}</p>", escaped(it))).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
