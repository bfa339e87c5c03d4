//! Structured messages: what a customer can press, and what comes back when one does (Platform API, models
//! `ConversationMessageContent` and `OpenInboundStructuredResponseMessage`).

use serde_json::Value;

use super::answers::Refusal;
use super::checks::{self, Checked};
use super::conversations::{Arrival, Button};

/// The types of a response.
const RESPONSES: [&str; 3] = ["Button", "QuickReply", "DatePicker"];

/// What the response to a structured message says, before it is known whether that message offered it.
pub fn response(body: &Value) -> Checked<Arrival> {
    let body = checks::object(body, "the body")?;
    let channel = checks::channel(body)?;
    let originating = checks::required_text(body, "originatingMessageId", "originatingMessageId")?;
    let response = checks::required_object(body, "buttonResponse", "buttonResponse")?;
    let kind = checks::one_of(response, "type", "buttonResponse.type", &RESPONSES)?;
    let text = checks::required_text(response, "text", "buttonResponse.text")?;
    let payload = checks::required_text(response, "payload", "buttonResponse.payload")?;
    let button = Button {
        kind,
        text: text.clone(),
        payload,
        originating,
    };
    Ok(Arrival {
        button: Some(button),
        ..channel.with_text(text)
    })
}

/// Refuses a response that none of these contents offers.
pub fn check(contents: &[Value], button: &Button) -> Checked<()> {
    if contents.iter().any(|content| offers(content, button)) {
        Ok(())
    } else {
        Err(Refusal::bad_request(
            "buttonResponse is none of the choices of the message",
        ))
    }
}

fn offers(content: &Value, button: &Button) -> bool {
    let is = |choice: &Value| {
        let text = choice["text"].as_str().unwrap_or_default();
        let payload = choice["payload"].as_str().unwrap_or(text);
        button.text == text && button.payload == payload
    };
    match (button.kind.as_str(), content["contentType"].as_str()) {
        ("QuickReply", Some("QuickReply")) => is(&content["quickReply"]),
        ("Button", Some("Card")) => postbacks(&content["card"]).any(is),
        ("Button", Some("Carousel")) => list(&content["carousel"]["cards"])
            .flat_map(postbacks)
            .any(is),
        ("DatePicker", Some("DatePicker")) => list(&content["datePicker"]["availableTimes"])
            .any(|time| time["dateTime"] == button.payload.as_str()),
        _ => false,
    }
}

/// The buttons of a card that send something back; links only open a page.
fn postbacks(card: &Value) -> impl Iterator<Item = &Value> {
    list(&card["actions"])
        .chain(card.get("defaultAction"))
        .filter(|action| action["type"] == "Postback")
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn offered(content: &Value, kind: &str, text: &str, payload: &str) -> bool {
        let button = Button {
            kind: kind.to_owned(),
            text: text.to_owned(),
            payload: payload.to_owned(),
            originating: "m".to_owned(),
        };
        check(std::slice::from_ref(content), &button).is_ok()
    }

    #[test]
    fn a_choice_is_its_type_text_and_payload() {
        let reply =
            json!({ "contentType": "QuickReply", "quickReply": { "text": "Yes", "payload": "y" } });
        assert!(offered(&reply, "QuickReply", "Yes", "y"));
        assert!(!offered(&reply, "QuickReply", "Yes", "n"));
        assert!(!offered(&reply, "QuickReply", "No", "y"));
        assert!(!offered(&reply, "Button", "Yes", "y"));
    }

    #[test]
    fn the_buttons_of_cards_are_choices_and_links_are_not() {
        let card = json!({ "title": "t",
            "defaultAction": { "type": "Postback", "text": "All", "payload": "all" },
            "actions": [
                { "type": "Postback", "text": "Buy", "payload": "buy" },
                { "type": "Link", "text": "Look", "payload": "look", "url": "https://x" },
            ] });
        for content in [
            json!({ "contentType": "Card", "card": card }),
            json!({ "contentType": "Carousel", "carousel": { "cards": [{}, card] } }),
        ] {
            assert!(offered(&content, "Button", "Buy", "buy"));
            assert!(offered(&content, "Button", "All", "all"));
            assert!(!offered(&content, "Button", "Look", "look"));
            assert!(!offered(&content, "QuickReply", "Buy", "buy"));
        }
    }

    #[test]
    fn a_date_is_chosen_by_its_time() {
        let times = json!([{ "duration": 1800, "dateTime": "2026-01-02T03:00:00Z" }]);
        let content =
            json!({ "contentType": "DatePicker", "datePicker": { "availableTimes": times } });
        assert!(offered(
            &content,
            "DatePicker",
            "Friday",
            "2026-01-02T03:00:00Z"
        ));
        assert!(!offered(
            &content,
            "DatePicker",
            "Friday",
            "2026-01-02T04:00:00Z"
        ));
    }
}
