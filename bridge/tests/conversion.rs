//! What each incoming payload becomes on the other side.

use bridge::convert::inbound_text;
use bridge::genesys::webhook::{Webhook, text_for_customer};
use bridge::message::ChatMessage;
use bridge::teams_html::{TEAMS_BODY_LIMIT, split_for_teams};

/// What the agent reads of a Teams message.
fn for_the_agent(message: &[u8]) -> String {
    inbound_text(&ChatMessage::parse(message).expect("a chat message"))
}

/// The HTML of each message that an agent's message becomes in the customer's chat.
fn for_the_customer(webhook: &[u8]) -> Vec<String> {
    let webhook = Webhook::parse(webhook).expect("a webhook");
    let text = text_for_customer(&webhook).unwrap_or_default();
    split_for_teams(&text, TEAMS_BODY_LIMIT)
}

macro_rules! to_the_agent {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                let payload = include_bytes!(concat!("../fixtures/", stringify!($name), ".json"));
                insta::assert_snapshot!(stringify!($name), for_the_agent(payload));
            }
        )*
    };
}

macro_rules! to_the_customer {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                let payload = include_bytes!(concat!("../fixtures/", stringify!($name), ".json"));
                insta::assert_json_snapshot!(stringify!($name), for_the_customer(payload));
            }
        )*
    };
}

to_the_agent![
    message_text,
    message_html_mention,
    message_quote_file,
    message_edited,
    message_deleted,
    message_bot,
    message_system,
];

to_the_customer![
    webhook_text,
    webhook_attachment,
    webhook_quick_reply,
    webhook_card,
    webhook_typing,
    webhook_receipt,
];
