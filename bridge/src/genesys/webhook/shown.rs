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
    // Genesys repeats the text of a question or a template inside its content: there it has its place.
    let mut text = webhook.text.as_ref();
    let mut lines = match text {
        Some(text) if !is_in_content(webhook, text) => vec![text.clone()],
        _ => Vec::new(),
    };
    let mut number = 0;
    for item in &webhook.content {
        match item {
            ContentItem::File(file) => push_file(&mut pieces, &mut lines, file),
            ContentItem::Structured(parts) => {
                for part in parts {
                    match part {
                        StructuredPart::Words(words) if webhook.text.as_ref() == Some(words) => {
                            lines.extend(text.take().cloned());
                        }
                        StructuredPart::Words(words) => lines.push(words.clone()),
                        StructuredPart::File(file) => push_file(&mut pieces, &mut lines, file),
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

fn is_in_content(webhook: &Webhook, text: &str) -> bool {
    webhook.content.iter().any(|item| match item {
        ContentItem::Structured(parts) => parts
            .iter()
            .any(|part| matches!(part, StructuredPart::Words(words) if words == text)),
        ContentItem::File(_) => false,
    })
}

/// A file without an address has a name at most.
fn push_file<'a>(
    pieces: &mut Vec<Piece<'a>>,
    lines: &mut Vec<String>,
    file: &'a WebhookAttachment,
) {
    if file.url.is_some() {
        push_text(pieces, lines);
        pieces.push(Piece::File(file));
    } else {
        lines.extend(file.filename.clone().or_else(|| file.text.clone()));
    }
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
            StructuredPart::Words(_) | StructuredPart::File(_) => None,
        })
        .collect();
    (!choices.is_empty()).then(|| Question {
        message: webhook.id.clone(),
        asked: webhook.time,
        choices,
    })
}
