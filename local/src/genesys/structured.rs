//! Structured messages: what a customer can press, and what comes back when one does (Platform API, models
//! `ConversationMessageContent` and `OpenInboundStructuredResponseMessage`).

use serde::Deserialize;
use serde_json::Value;

use super::answers::Refusal;
use super::checks::{self, Channel, Checked, Text};
use super::conversations::{Arrival, Button};

/// The types of a response.
const RESPONSES: &str = "Button QuickReply DatePicker";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    channel: Channel,
    originating_message_id: Text,
    button_response: Response,
}

#[derive(Deserialize)]
struct Response {
    #[serde(rename = "type")]
    kind: String,
    text: Text,
    payload: Text,
}

/// What the response to a structured message says, before it is known whether that message offered it.
pub fn response(body: &Value) -> Checked<Arrival> {
    let body: Body = checks::read(body)?;
    let response = body.button_response;
    checks::one_of(&response.kind, RESPONSES)?;
    let button = Button {
        kind: response.kind,
        text: response.text.0.clone(),
        payload: response.payload.0,
        originating: body.originating_message_id.0,
    };
    Ok(Arrival {
        button: Some(button),
        ..body.channel.with_text(response.text.0)?
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

    #[test]
    fn a_choice_is_its_type_text_and_payload_and_a_link_is_none() {
        let card = json!({ "title": "t",
            "defaultAction": { "type": "Postback", "text": "All", "payload": "all" },
            "actions": [
                { "type": "Postback", "text": "Buy", "payload": "buy" },
                { "type": "Link", "text": "Look", "payload": "look", "url": "https://x" },
            ] });
        let times = json!([{ "duration": 1800, "dateTime": "2026-01-02T03:00:00Z" }]);
        let reply =
            json!({ "contentType": "QuickReply", "quickReply": { "text": "Yes", "payload": "y" } });
        let date =
            json!({ "contentType": "DatePicker", "datePicker": { "availableTimes": times } });
        let one = json!({ "contentType": "Card", "card": card });
        let many = json!({ "contentType": "Carousel", "carousel": { "cards": [{}, card] } });
        for (content, kind, text, payload, offered) in [
            (&reply, "QuickReply", "Yes", "y", true),
            (&reply, "QuickReply", "Yes", "n", false),
            (&reply, "Button", "Yes", "y", false),
            (&one, "Button", "Buy", "buy", true),
            (&one, "Button", "All", "all", true),
            (&one, "Button", "Look", "look", false),
            (&many, "Button", "Buy", "buy", true),
            (&many, "QuickReply", "Buy", "buy", false),
            (&date, "DatePicker", "Friday", "2026-01-02T03:00:00Z", true),
            (&date, "DatePicker", "Friday", "2026-01-02T04:00:00Z", false),
        ] {
            let button = Button {
                kind: kind.to_owned(),
                text: text.to_owned(),
                payload: payload.to_owned(),
                originating: "m".to_owned(),
            };
            let checked = check(std::slice::from_ref(content), &button);
            assert_eq!(checked.is_ok(), offered, "{kind} {text} {payload}");
        }
    }
}
