//! Questions with choices, and their answers.

use end_to_end::{Chat, Customer, Platform, Scene, view};
use serde_json::{Value, json};

fn quick_replies(texts: &[&str]) -> Value {
    texts
        .iter()
        .map(|text| {
            json!({ "contentType": "QuickReply", "quickReply": {
                "text": text, "payload": format!("payload of {text}"), "action": "Message" } })
        })
        .collect()
}

/// A conversation in which the agent has asked; the question's id.
async fn asked(structured: Value, shown: &[&str]) -> (Scene, String) {
    let scene = Scene::begun(Platform::shared().await).await;
    let question = json!({ "text": "What is it about?", "structured": structured });
    let question = scene.agent_sends(question).await;
    scene.platform.until_customer_sees(&scene.chat, shown).await;
    assert_eq!(scene.platform.until_receipt(&question).await, ["Delivered"]);
    (scene, question)
}

async fn answers(scene: &Scene, text: &str) {
    scene.writes(&format!("<p>{text}</p>"), json!({})).await;
}

#[tokio::test]
async fn a_number_answers_a_quick_reply_question() {
    let structured = quick_replies(&["My order", "My invoice"]);
    let (scene, question) = asked(structured, &["What is it about?My orderMy invoice"]).await;
    let view = scene.platform.chat(&scene.chat).await;
    let html = view::messages(&view).last().expect("the question")["html"].to_string();
    assert!(
        html.contains("<ol>") && html.contains("<li>My invoice"),
        "{html}"
    );

    answers(&scene, "2").await;
    let messages = scene.inbound(2).await;
    let button = &messages[1]["button"];
    assert_eq!(button["type"], "QuickReply");
    assert_eq!(button["text"], "My invoice");
    assert_eq!(button["payload"], "payload of My invoice");
    assert_eq!(button["originating"], question.as_str());
    // It is answered: the next number is only a number.
    answers(&scene, "1").await;
    let messages = scene.inbound(3).await;
    assert_eq!(
        (&messages[2]["text"], &messages[2]["button"]),
        (&json!("1"), &Value::Null)
    );
}

#[tokio::test]
async fn the_words_of_a_card_s_button_answer_it() {
    let card = json!([{ "contentType": "Card", "card": { "title": "Premium", "description": "All included",
        "actions": [{ "type": "Postback", "text": "Order it", "payload": "order-premium" },
                    { "type": "Link", "text": "Read more", "url": "https://example.com/plan" }] } }]);
    let (scene, question) = asked(
        card,
        &["What is it about?PremiumAll included1. Order itRead more: https://example.com/plan"],
    )
    .await;
    answers(&scene, "hm, what does it cost?").await;
    answers(&scene, "order IT").await;
    let messages = scene.inbound(3).await;
    assert_eq!(messages[1]["text"], "hm, what does it cost?");
    let button = &messages[2]["button"];
    assert_eq!(
        (&button["type"], &button["payload"]),
        (&json!("Button"), &json!("order-premium"))
    );
    assert_eq!(button["originating"], question.as_str());
}

#[tokio::test]
async fn a_number_after_the_agent_said_more_is_text() {
    let structured = quick_replies(&["Yes", "No"]);
    let (scene, _) = asked(structured, &["What is it about?YesNo"]).await;
    let more = scene
        .platform
        .agent_writes(&scene.thread, "How many chairs?")
        .await;
    assert_eq!(scene.platform.until_receipt(&more).await, ["Delivered"]);
    answers(&scene, "2").await;
    let messages = scene.inbound(2).await;
    assert_eq!(
        (&messages[1]["text"], &messages[1]["button"]),
        (&json!("2"), &Value::Null)
    );
}

#[tokio::test]
async fn a_choice_that_genesys_refuses_goes_as_text() {
    let structured = quick_replies(&["Yes", "No"]);
    let (scene, _) = asked(structured, &["What is it about?YesNo"]).await;
    scene
        .platform
        .faults(json!([{ "service": "genesys", "path": "structured/response", "body": scene.thread, "status": 404 }]))
        .await;
    answers(&scene, "2").await;
    let messages = scene.inbound(2).await;
    assert_eq!(messages[1]["text"], "2");
    assert_eq!(scene.platform.failed().await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_answer_in_a_group_needs_the_mention_and_no_more() {
    let platform = Platform::shared().await;
    let anna = Customer::new("Anna");
    let chat = Chat::group();
    let mention = json!({ "mention": true });
    platform
        .customer_writes_with(&chat, &anna, "<p>help</p>", mention.clone())
        .await;
    let thread = platform
        .until("the conversation", async || {
            let conversations = platform.conversations().await;
            conversations["conversations"][0]["thread"]
                .as_str()
                .map(str::to_owned)
        })
        .await;
    let question = json!({ "text": "Sure?", "structured": quick_replies(&["Yes", "No"]) });
    let question = platform.agent_sends(&thread, question).await;
    assert_eq!(platform.until_receipt(&question).await, ["Delivered"]);
    platform
        .customer_writes_with(&chat, &anna, "<p>2</p>", mention)
        .await;
    let messages = platform.until_inbound(&thread, 2).await;
    assert_eq!(messages[1]["button"]["text"], "No");
}
