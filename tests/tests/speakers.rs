//! Who speaks: agents by name and a virtual agent by its own, at both doors.

use end_to_end::{Platform, Talk};
use serde_json::{Value, json};

const NAMES: &[&str] = &[
    "--set=BOT_GREETING=off",
    "--set=RETRY_FLOOR_SECONDS=0",
    "--set=AGENT_NAME=first",
    "--set=VIRTUAL_AGENT_NAME=Robot",
];

/// Both doors, after a first message.
async fn doors(platform: &Platform) -> [Talk<'_>; 2] {
    [
        Talk::begun(platform, "Anna").await,
        Talk::app_begun(platform, "Ben").await,
    ]
}

#[tokio::test]
async fn a_name_that_the_webhook_tells_stands_before_a_message_when_it_changes() {
    let platform = Platform::shared_with(NAMES).await;
    for talk in doors(&platform).await {
        let says = async |from: Value, entity: &str, text: &str| {
            let webhook = json!({ "type": "Text", "text": text, "originatingEntity": entity,
                "channel": { "from": from } });
            talk.genesys_sends(webhook).await;
        };
        let ada = json!({ "firstName": "Ada", "lastName": "King", "nickname": "Desk" });
        let ben = json!({ "firstName": "Ben", "lastName": "Noel", "nickname": "Desk" });
        let nobody = json!({ "nickname": "Teams integration" });
        let mut seen = Vec::new();
        for (from, entity, text, shown) in [
            (&nobody, "Bot", "Welcome", "Robot:Welcome"),
            (&ada, "Human", "Good morning", "Ada:Good morning"),
            (&ada, "Human", "One moment", "One moment"),
            (&ben, "Human", "I go on", "Ben:I go on"),
            (&nobody, "Bot", "Goodbye", "Robot:Goodbye"),
        ] {
            says(from.clone(), entity, text).await;
            seen.push(shown.to_owned());
            platform
                .until(shown, async || {
                    let now = talk.seen().await.into_iter();
                    let now: Vec<String> = now.map(|it| it.replace('\n', "")).collect();
                    (now == seen).then_some(())
                })
                .await;
        }
    }
    platform.until_idle().await;
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn a_name_that_the_webhook_does_not_tell_is_asked_of_the_conversation() {
    let platform = Platform::shared_with(NAMES).await;
    for talk in doors(&platform).await {
        let answer = json!({ "text": "Good morning", "agent": "Ada King" });
        talk.agent_sends(answer).await;
        let more = json!({ "text": "One moment", "agent": "Ada King" });
        talk.agent_sends(more).await;
        platform
            .until("the agent's name", async || {
                let now = talk.seen().await.into_iter();
                let now: Vec<String> = now.map(|it| it.replace('\n', "")).collect();
                (now == ["Ada:Good morning", "One moment"]).then_some(())
            })
            .await;
    }
    platform.until_idle().await;
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn a_name_that_nobody_tells_holds_no_message_back() {
    let platform = Platform::start(NAMES).await;
    for talk in doors(&platform).await {
        // The bridge's role may not look at the conversation.
        let away = json!({ "service": "genesys", "method": "GET", "path": "/conversations/messages/", "status": 403 });
        platform.faults(json!([away])).await;
        let sent = talk.agent_writes("Good morning").await;
        talk.sees(&["Good morning"]).await;
        assert_eq!(platform.until_receipt(&sent).await, ["Delivered"]);
    }
    platform.assert_nothing_failed().await;
}
