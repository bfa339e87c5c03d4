//! Questions, cards and lists of Genesys as Adaptive Cards (Microsoft Learn, "Cards reference"; adaptivecards.io, schema 1.5).
//!
//! Words are runs of a rich text block, which shows them as they are: a text block would take signs in them for Markdown.

use serde_json::{Value, json};

use super::press::{LIST, Press};
use crate::genesys::webhook::{Part, Piece, Webhook, pieces, question};
use crate::ids::GenesysMessageId;
use crate::state::question::{Choice, Question};
use crate::text::{one_line, text_lines};

/// Most buttons of one row; Teams hides further ones.
const MOST_BUTTONS: usize = 6;

/// Longest title of a button that is certain to be shown whole.
const LONGEST_BUTTON: usize = 80;

/// Largest card, in bytes of JSON; a larger message goes as text.
const LARGEST_CARD: usize = 24 * 1024;

/// Most characters of what a notification says.
const LONGEST_SUMMARY: usize = 120;

/// A part of an agent's message, as the bot shows it. `Debug` shows its kind only.
pub enum Shown<'a> {
    /// Words, or a file.
    Piece(Piece<'a>),
    /// A card.
    Card(Card),
}

debug_names!(Shown<'_>: Piece, Card);

/// An Adaptive Card. `Debug` shows nothing of it.
pub struct Card {
    /// The card.
    pub card: Value,
    /// What a notification of it says.
    pub summary: String,
    /// The question that its buttons answer.
    pub question: Option<Question>,
}

debug_shows!(Card: question);

/// What the bot shows of a message, in order: plain words and files as they are, whatever has buttons, links or pictures as a card.
#[must_use]
pub fn shown(webhook: &Webhook) -> Vec<Shown<'_>> {
    match card_of(webhook) {
        Some(card) => {
            let files = pieces(webhook).into_iter();
            let files = files.filter(|piece| matches!(piece, Piece::File(_)));
            let files = files.map(Shown::Piece);
            // Pictures and documents of a template come before what is said of them.
            files.chain([Shown::Card(card)]).collect()
        }
        None => pieces(webhook).into_iter().map(Shown::Piece).collect(),
    }
}

fn card_of(webhook: &Webhook) -> Option<Card> {
    let content = &webhook.content;
    let is_structured = |part: &Part| {
        matches!(
            part,
            Part::Choice(..) | Part::Link { .. } | Part::Picture(_)
        )
    };
    if !content.iter().any(is_structured) {
        return None;
    }
    let mut builder = Builder::new(&webhook.id);
    let text = webhook.text.as_deref();
    let repeats = |part: &Part| matches!(part, Part::Words(words) if Some(&**words) == text);
    let repeated_at = content.iter().position(repeats);
    if let (Some(text), None) = (text, repeated_at) {
        builder.words(text);
    }
    builder.begins = true;
    for (index, part) in content.iter().enumerate() {
        match part {
            Part::Words(_) if repeats(part) && repeated_at != Some(index) => {}
            Part::Words(words) => builder.words(words),
            Part::Link { text, url } => builder.link(text.as_deref(), url),
            Part::Picture(url) => builder.picture(url),
            Part::Choice(choice, note) => builder.choice(choice, note.as_deref()),
            Part::Unshown(kind) => {
                let kind = one_line(kind, LONGEST_SUMMARY);
                builder.words(&format!(
                    "[{kind}] This part of the message cannot be shown in Teams."
                ));
            }
            Part::File(file) if file.url.is_some() => {}
            Part::File(file) => {
                let name = file.filename.as_deref().or(file.text.as_deref());
                builder.words(name.unwrap_or_default());
            }
        }
    }
    let summary = one_line(&builder.said, LONGEST_SUMMARY);
    let (card, left) = builder.finish();
    if card.to_string().len() > LARGEST_CARD {
        return None;
    }
    let question = question(webhook).map(|question| Question {
        card: Some(left.to_string()),
        ..question
    });
    Some(Card {
        card,
        summary,
        question,
    })
}

/// What is left of a question's card once it has this answer; nothing where it showed no such card.
#[must_use]
pub fn answered(question: &Question, answer: &str) -> Option<Value> {
    let mut card: Value = serde_json::from_str(question.card.as_deref()?).ok()?;
    let body = card["body"].as_array_mut()?;
    body.push(line(
        &format!("✓ {}", one_line(answer, LONGEST_BUTTON)),
        true,
    ));
    Some(card)
}

/// A file behind a button, with what is said of it.
#[must_use]
pub fn file(name: &str, details: &str, address: &str) -> Value {
    let mut body = vec![line(&format!("📎 {name}"), true)];
    if !details.is_empty() {
        body.push(line(details, false));
    }
    body.push(json!({
        "type": "ActionSet",
        "actions": [{ "type": "Action.OpenUrl", "title": "Open", "url": address }],
    }));
    card(body)
}

/// A few words with a button that ends the conversation.
#[must_use]
pub fn with_end_button(words: &str, title: &str) -> Value {
    let mut body: Vec<Value> = text_lines(words).map(|text| line(text, false)).collect();
    body.push(json!({
        "type": "ActionSet",
        "actions": [{ "type": "Action.Submit", "title": title, "data": Press::of_end() }],
    }));
    card(body)
}

fn card(body: Vec<Value>) -> Value {
    json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.5",
        "body": body,
    })
}

fn line(text: &str, is_heading: bool) -> Value {
    let mut run = json!({ "type": "TextRun", "text": text });
    if is_heading {
        run["weight"] = json!("Bolder");
    }
    json!({ "type": "RichTextBlock", "inlines": [run] })
}

/// A card in the making: what stands above a row of buttons, the row, what stands above the next one, and so on.
struct Builder<'a> {
    message: &'a GenesysMessageId,
    /// All that the customer reads but the buttons.
    said: String,
    body: Vec<Value>,
    /// The same without what can be pressed.
    left: Vec<Value>,
    buttons: Vec<Value>,
    list: Vec<Value>,
    /// Choices so far, which number them through.
    choices: usize,
    /// Whether what comes next is the first of its part.
    begins: bool,
}

impl<'a> Builder<'a> {
    fn new(message: &'a GenesysMessageId) -> Self {
        Self {
            message,
            said: String::new(),
            body: Vec::new(),
            left: Vec::new(),
            buttons: Vec::new(),
            list: Vec::new(),
            choices: 0,
            begins: false,
        }
    }

    fn push(&mut self, element: Value) {
        self.flush();
        self.body.push(element.clone());
        self.left.push(element);
        self.begins = false;
    }

    fn words(&mut self, words: &str) {
        self.flush();
        let is_heading = self.begins && words.chars().count() <= LONGEST_BUTTON;
        for text in text_lines(words).filter(|text| !text.trim().is_empty()) {
            self.said += &format!("{text} ");
            self.push(line(text, is_heading));
        }
    }

    fn picture(&mut self, url: &str) {
        self.push(json!({ "type": "Image", "url": url, "size": "Large" }));
    }

    fn link(&mut self, text: Option<&str>, url: &str) {
        // Only an address of a page opens; what else an agent may write there is words.
        if !url.starts_with("https://") && !url.starts_with("http://") {
            let text = text.map_or_else(|| url.to_owned(), |text| format!("{text}: {url}"));
            return self.words(&text);
        }
        let title = one_line(text.unwrap_or(url), LONGEST_BUTTON);
        let button = json!({ "type": "Action.OpenUrl", "title": title, "url": url });
        self.buttons.push(button);
    }

    fn choice(&mut self, choice: &Choice, note: Option<&str>) {
        let title = match note {
            Some(note) => format!("{} ({note})", choice.text),
            None => choice.text.clone(),
        };
        if title.chars().count() > LONGEST_BUTTON {
            // What is too long for a button stands above its row.
            let whole = line(&title, false);
            self.body.push(whole.clone());
            self.left.push(whole);
            self.said += &format!("{title} ");
        }
        let title = one_line(&title, LONGEST_BUTTON);
        let data = Press::of_choice(self.message, self.choices, choice);
        let value = Press::of_entry(self.choices, choice);
        self.list.push(json!({ "title": title, "value": value }));
        let button = json!({ "type": "Action.Submit", "title": title, "data": data });
        self.buttons.push(button);
        self.choices += 1;
    }

    /// Ends a row of buttons: many choices become a list with one button.
    fn flush(&mut self) {
        let (mut buttons, list) = (
            std::mem::take(&mut self.buttons),
            std::mem::take(&mut self.list),
        );
        if buttons.is_empty() {
            return;
        }
        self.begins = true;
        let links = |button: &Value| button["type"] == "Action.OpenUrl";
        let opens: Vec<Value> = buttons.iter().filter(|it| links(it)).cloned().collect();
        if buttons.len() > MOST_BUTTONS && !list.is_empty() {
            self.body.push(json!({
                "type": "Input.ChoiceSet",
                "id": format!("{LIST}{}", self.choices),
                "style": "expanded",
                "choices": list,
            }));
            buttons.retain(links);
            let data = Press::of_list(self.message);
            buttons.insert(
                0,
                json!({ "type": "Action.Submit", "title": "OK", "data": data }),
            );
        }
        for row in buttons.chunks(MOST_BUTTONS) {
            self.body
                .push(json!({ "type": "ActionSet", "actions": row }));
        }
        // A page can still be opened when the question is answered.
        for row in opens.chunks(MOST_BUTTONS) {
            self.left
                .push(json!({ "type": "ActionSet", "actions": row }));
        }
    }

    fn finish(mut self) -> (Value, Value) {
        self.flush();
        (card(self.body), card(self.left))
    }
}
