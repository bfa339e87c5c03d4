//! How a chat with the app begins, and what the control interface shows of it.

use serde_json::{Value, json};

use crate::bot::{Chat, Message};
use crate::graph::Person;
use crate::shared::time_text;

impl Chat {
    /// The app is not installed in it yet. The ids of group chats are told from others by their start.
    pub fn new(id: &str, by: &Person) -> Self {
        Self {
            id: id.to_owned(),
            is_group: id.starts_with("19:"),
            tenant: by.tenant.clone(),
            is_installed: false,
            is_blocked: false,
            is_busy: false,
            members: vec![by.clone()],
            messages: Vec::new(),
            posted: Vec::new(),
        }
    }

    pub fn join(&mut self, person: &Person) {
        if !self.members.iter().any(|it| it.user == person.user) {
            self.members.push(person.clone());
        }
    }

    /// What the control interface shows of it.
    pub fn view(&self) -> Value {
        let (kind, tenant) = (self.kind(), &self.tenant);
        json!({ "chat": self.id, "type": kind, "tenant": tenant, "members": self.members,
            "installed": self.is_installed, "blocked": self.is_blocked })
    }
}

impl Message {
    /// What is shown now.
    pub fn view(&self) -> Value {
        let living = self.deleted.is_none();
        json!({
            "id": self.id,
            "from": self.from,
            "activity": living.then_some(&self.activity),
            "created": time_text(self.created),
            "edited": self.edited.map(time_text),
            "deleted": self.deleted.map(time_text),
            "reactions": if living { self.reactions.as_slice() } else { &[] },
        })
    }
}
