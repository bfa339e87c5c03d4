//! `handler status`, as an operator runs it.

use end_to_end::platform::IMPATIENT;
use end_to_end::{Platform, Talk, view};
use serde_json::{Value, json};

/// The screen, and the code with which the command ended.
async fn screen(platform: &Platform) -> (i64, Value) {
    let order = json!({ "arguments": ["status", "--json"] });
    let ended = platform.post("/local/handler/commands", order).await;
    let screen = serde_json::from_str(view::text(&ended, "stdout"));
    let screen = screen.unwrap_or_else(|error| panic!("{error}: {ended}"));
    (ended["code"].as_i64().expect("a code"), screen)
}

/// How something is, and what is said of it.
fn line<'a>(screen: &'a Value, part: &str, subject: &str) -> (&'a str, &'a str) {
    let lines = screen["lines"].as_array().expect("lines");
    let found = lines
        .iter()
        .find(|it| it["part"] == part && it["subject"] == subject);
    let found = found.unwrap_or_else(|| panic!("no {part} {subject}: {screen:#}"));
    (view::text(found, "state"), view::text(found, "told"))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_screen_tells_what_is_well_and_what_needs_a_person() {
    let platform = Platform::start(IMPATIENT).await;
    let talk = Talk::begun(&platform, "Anna").await;
    for timer in ["subscription-renewal", "catch-up", "spool-forwarding"] {
        let fired = platform
            .post(&format!("/local/timers/{timer}"), json!({}))
            .await;
        assert_eq!(fired["outcome"], "200", "{timer}");
    }
    platform.until_idle().await;
    let (code, well) = screen(&platform).await;
    assert_eq!((code, &well["well"]), (0, &json!(true)), "{well:#}");
    let (state, told) = line(&well, "subscription", "support");
    assert_eq!(state, "well");
    assert!(told.starts_with("application access, ends "), "{told}");
    assert_eq!(line(&well, "queue", "inbound"), ("well", "empty"));
    assert_eq!(line(&well, "failed", "failed"), ("well", "none"));
    let (_, told) = line(&well, "messages", "last handled");
    assert!(told.starts_with("to Genesys ") && !told.starts_with("to Genesys none"));

    let refuses = json!({ "service": "graph", "method": "POST", "path": talk.chat, "status": 403 });
    platform.faults(json!([refuses])).await;
    talk.agent_writes("secret words").await;
    platform.until_failed(1).await;
    platform.until_idle().await;
    platform
        .faults(json!([{ "service": "key-vault", "status": 403 }]))
        .await;
    let (code, ill) = screen(&platform).await;
    assert_eq!((code, &ill["well"]), (1, &json!(false)));
    let (state, told) = line(&ill, "failed", "failed");
    assert_eq!(state, "needs-person");
    assert!(told.starts_with("1 outbound "), "{told}");
    assert_eq!(ill["lines"][0]["part"], "failed");
    let (state, told) = line(&ill, "sign-in", "support");
    assert_eq!(state, "unreadable");
    assert!(told.contains("Key Vault Secrets User"), "{told}");
    assert_eq!(line(&ill, "queue", "outbound"), ("well", "empty"));
    assert!(!ill.to_string().contains("words"));

    let order = json!({ "arguments": ["status"] });
    let ended = platform.post("/local/handler/commands", order).await;
    let text = view::text(&ended, "stdout");
    assert!(text.starts_with("ACT    failed "), "{text}");
    assert!(text.contains("1 need a person"), "{text}");
}
