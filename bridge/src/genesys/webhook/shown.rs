//! What a customer sees of an agent's message, in order.

use super::{ContentItem, StructuredPart, Webhook, WebhookAttachment};
use crate::state::question::{Choice, Question};

/// A piece of a message on its way to the customer. `Debug` shows its kind only.
#[derive(Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Words.
    Text(String),
    /// A file.
    File(&'a WebhookAttachment),
}

impl std::fmt::Debug for Piece<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Text(_) => "Text",
            Self::File(_) => "File",
        })
    }
}

/// The text and the content of a message, in order: words that follow one another are one piece, choices are numbered
/// through. Empty when there is nothing to show.
#[must_use]
pub fn pieces(webhook: &Webhook) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut lines: Vec<String> = webhook.text.iter().cloned().collect();
    let mut number = 0;
    for item in &webhook.content {
        match item {
            ContentItem::File(file) if file.url.is_some() => {
                push_text(&mut pieces, &mut lines);
                pieces.push(Piece::File(file));
            }
            // A file without an address has a name at most.
            ContentItem::File(file) => {
                lines.extend(file.filename.clone().or_else(|| file.text.clone()));
            }
            ContentItem::Structured(parts) => {
                for part in parts {
                    match part {
                        // Genesys repeats the text of a question inside its content.
                        StructuredPart::Words(words) if webhook.text.as_ref() == Some(words) => {}
                        StructuredPart::Words(words) => lines.push(words.clone()),
                        StructuredPart::Choice(choice) => {
                            number += 1;
                            lines.push(format!("{number}. {}", choice.text));
                        }
                    }
                }
            }
        }
    }
    push_text(&mut pieces, &mut lines);
    pieces
}

fn push_text(pieces: &mut Vec<Piece<'_>>, lines: &mut Vec<String>) {
    let text = std::mem::take(lines).join("\n");
    if !text.trim().is_empty() {
        pieces.push(Piece::Text(text));
    }
}

/// The question that a message asks: its choices in the order of their numbers. `None` when it offers none.
#[must_use]
pub fn question(webhook: &Webhook) -> Option<Question> {
    let choices: Vec<Choice> = webhook
        .content
        .iter()
        .filter_map(|item| match item {
            ContentItem::Structured(parts) => Some(parts),
            ContentItem::File(_) => None,
        })
        .flatten()
        .filter_map(|part| match part {
            StructuredPart::Choice(choice) => Some(choice.clone()),
            StructuredPart::Words(_) => None,
        })
        .collect();
    (!choices.is_empty()).then(|| Question {
        message: webhook.id.clone(),
        asked: webhook.time,
        choices,
    })
}
