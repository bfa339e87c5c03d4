//! Customers and chats of a test.

use serde_json::{Value, json};
use uuid::Uuid;

/// A person at one of our customers.
#[derive(Debug, Clone)]
pub struct Customer {
    /// Entra object id.
    pub user: String,
    /// Display name.
    pub name: String,
    /// Entra tenant of the person's company.
    pub tenant: String,
    /// Sign-in name, where the chat's members show it.
    pub upn: Option<String>,
}

impl Customer {
    /// A new person of a new company.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            user: Uuid::new_v4().to_string(),
            name: name.to_owned(),
            tenant: Uuid::new_v4().to_string(),
            upn: Some(format!("{}@customer.example", name.to_lowercase())),
        }
    }

    /// The person as the control interface wants it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({ "user": self.user, "name": self.name, "tenant": self.tenant, "upn": self.upn })
    }
}

/// A Teams chat.
#[derive(Debug, Clone)]
pub struct Chat {
    /// Chat id as Teams writes it.
    pub id: String,
    /// `oneOnOne` or `group`.
    pub kind: &'static str,
}

impl Chat {
    /// A chat of one customer and the Support User.
    #[must_use]
    pub fn one_on_one(customer: &Customer) -> Self {
        Self {
            id: format!("19:{}_{}@unq.gbl.spaces", customer.user, Uuid::new_v4()),
            kind: "oneOnOne",
        }
    }

    /// A group chat.
    #[must_use]
    pub fn group() -> Self {
        Self {
            id: format!("19:{}@thread.v2", Uuid::new_v4().simple()),
            kind: "group",
        }
    }

    /// The id as one segment of a path.
    #[must_use]
    pub fn segment(&self) -> String {
        self.id.replace(':', "%3A").replace('@', "%40")
    }
}
