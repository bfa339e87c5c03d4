//! Buttons and inputs of a card.

use serde_json::Value;

use super::{Fields, Walk, address_in, each, is_hidden, plain, text_of};

impl Walk {
    /// A button of a list of buttons, which may have no type.
    pub(super) fn buttons(&mut self, button: &Value) {
        match button {
            Value::Object(fields) => self.button(fields),
            other => self.part(other),
        }
    }

    /// What is written on a button, and where it leads; what it sends to its maker is nobody else's business.
    pub(super) fn button(&mut self, fields: &Fields) {
        if is_hidden(fields) {
            return;
        }
        let title = ["title", "name"]
            .iter()
            .find_map(|name| text_of(fields, name))
            .or_else(|| text_of(fields, "text"));
        let address = address_in(fields);
        match (title, address) {
            (Some(title), Some(address)) if title != address => {
                self.words(title);
                match self.lines.last_mut() {
                    Some(line) => line.push_str(&format!(" ({address})")),
                    None => self.lines.push(address.into_owned()),
                }
            }
            (Some(title), _) => self.words(title),
            (None, Some(address)) => self.lines.push(address.into_owned()),
            (None, None) => {}
        }
        // A card that opens below the button, the inputs of a connector's action card, the menu of a split button.
        for name in ["card", "content", "inputs"] {
            self.part(fields.get(name).unwrap_or(&Value::Null));
        }
        for name in ["actions", "menuActions"] {
            each(fields.get(name).unwrap_or(&Value::Null), |button| {
                self.buttons(button);
            });
        }
    }

    /// What stands beside and in an input: its label, its value or else what it asks for, its choices with their ticks.
    pub(super) fn input(&mut self, fields: &Fields) {
        let label = text_of(fields, "label");
        let value = fields.get("value").and_then(plain);
        if text_of(fields, "type") == Some("Input.Toggle") {
            let on = text_of(fields, "valueOn").unwrap_or("true");
            self.words(label.unwrap_or_default());
            let is_on = value.as_deref() == Some(on);
            self.ticked(text_of(fields, "title").unwrap_or_default(), is_on);
            return;
        }
        if let Some(choices) = fields.get("choices").filter(|choices| choices.is_array()) {
            self.words(label.unwrap_or_default());
            let value = value.unwrap_or_default();
            let chosen: Vec<&str> = value.split(',').map(str::trim).collect();
            each(choices, |choice| self.choice(choice, Some(&chosen)));
            return;
        }
        let placeholder = text_of(fields, "placeholder").map(|text| format!("({text})"));
        match (label, value.or(placeholder)) {
            (Some(label), Some(value)) if value.starts_with('(') => {
                self.words(&format!("{label} {value}"));
            }
            (Some(label), Some(value)) => self.pair(label, &value),
            (None, Some(text)) => self.words(&text),
            (label, None) => self.words(label.unwrap_or_default()),
        }
    }

    /// A choice, with a tick where it is known which are chosen.
    pub(super) fn choice(&mut self, choice: &Value, chosen: Option<&[&str]>) {
        let Value::Object(fields) = choice else {
            return self.part(choice);
        };
        let title = ["title", "display", "text", "name"]
            .iter()
            .find_map(|name| text_of(fields, name))
            .unwrap_or_default();
        match chosen {
            Some(chosen) => {
                let value = text_of(fields, "value").unwrap_or_default();
                self.ticked(title, chosen.contains(&value));
            }
            None => self.words(&format!("- {title}")),
        }
    }

    fn ticked(&mut self, title: &str, is_on: bool) {
        if !title.is_empty() {
            let tick = if is_on { 'x' } else { ' ' };
            self.words(&format!("- [{tick}] {title}"));
        }
    }
}
