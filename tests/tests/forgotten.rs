//! `handler forget`, as an operator runs it on a customer's request.

use end_to_end::files::{PDF, file, generated};
use end_to_end::platform::IMPATIENT;
use end_to_end::{Customer, Platform, Talk, view};
use serde_json::{Value, json};

/// How a command ended, and all that it printed.
async fn run(platform: &Platform, arguments: &[&str]) -> (i64, String) {
    let order = json!({ "arguments": arguments });
    let ended = platform.post("/local/handler/commands", order).await;
    let printed = [view::text(&ended, "stdout"), view::text(&ended, "stderr")].concat();
    (ended["code"].as_i64().expect("a code"), printed)
}

/// The blobs in which one of these words stands.
async fn holding(platform: &Platform, words: &[&str]) -> Vec<String> {
    let blobs = view::list(platform.get("/local/blobs").await, "blobs");
    let holds = |blob: &Value| {
        let text = blob.to_string().to_lowercase();
        words.iter().any(|word| text.contains(&word.to_lowercase()))
    };
    let held = blobs.iter().filter(|blob| holds(blob));
    held.map(|blob| view::text(blob, "name").to_owned())
        .collect()
}

/// A chat with words and a file of either side, an answer that failed, and a message that did.
async fn well_known<'a>(platform: &'a Platform, name: &str) -> Talk<'a> {
    let talk = Talk::begun(platform, name).await;
    let offer = file("hidden offer.pdf", "application/pdf", PDF);
    talk.writes_with("hidden words of a customer", json!({ "files": [offer] }))
        .await;
    talk.until_inbound(3).await;
    let plan = generated("hidden plan.bin", 100_000);
    talk.agent_sends(json!({ "text": "hidden answer", "attachment": plan }))
        .await;
    talk.until_posts(2).await;
    let refused = json!({ "service": "graph", "method": "POST", "path": talk.chat, "status": 403 });
    platform.faults(json!([refused])).await;
    talk.agent_writes("hidden answer that failed").await;
    platform.until_failed(1).await;
    let refused = json!({ "service": "genesys", "path": "/inbound/open/message", "status": 400 });
    platform.faults(json!([refused])).await;
    talk.writes("hidden words that failed").await;
    platform.until_failed(2).await;
    platform.until_idle().await;
    platform.faults(json!([])).await;
    talk
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_stored_tells_of_a_forgotten_customer_and_all_others_go_on() {
    let platform = Platform::start(IMPATIENT).await;
    let bert = Talk::begun(&platform, "Bert").await;
    let anna = well_known(&platform, "Anna").await;
    platform.until_idle().await;
    let digest = view::digest("chat", &anna.chat);
    let words: [&str; 7] = [
        &anna.customer.user,
        &anna.customer.tenant,
        &anna.customer.upn,
        &anna.chat,
        &anna.customer.name,
        "hidden",
        "%PDF",
    ];
    let before = holding(&platform, &words).await;
    // Both states, the thread, a failed message of each side, a file of each side.
    assert!(before.len() >= 6, "{before:?}");
    let (user, tenant) = (anna.customer.user.as_str(), anna.customer.tenant.as_str());
    let order = ["forget", "--tenant", tenant, "--user", user];

    // Only told, with and without being asked for.
    let (code, dry) = run(&platform, &[&order[..], &["--dry-run"]].concat()).await;
    assert_eq!(code, 0, "{dry}");
    for line in [
        "would erase      2  failed messages",
        "would erase      2  files",
        "would erase      1  states of a chat on the way to Genesys",
        "would erase      1  threads",
    ] {
        assert!(dry.contains(line), "{dry}");
    }
    let (code, asked) = run(&platform, &order).await;
    assert_eq!(code, 1, "{asked}");
    assert!(asked.contains("say --yes"), "{asked}");
    let other = [
        "forget",
        "--tenant",
        &bert.customer.tenant,
        "--user",
        user,
        "--yes",
    ];
    let (code, refused) = run(&platform, &other).await;
    assert_eq!(code, 1, "{refused}");
    assert!(refused.contains("in another tenant only"), "{refused}");
    assert_eq!(holding(&platform, &words).await, before);

    let forget = [&order[..], &["--yes"]].concat();
    let (code, printed) = run(&platform, &forget).await;
    assert_eq!(code, 0, "{printed}");
    assert!(
        printed.contains("nothing of this person is left"),
        "{printed}"
    );
    assert!(printed.contains("What remains elsewhere"), "{printed}");
    assert!(
        !printed.contains("hidden") && !printed.contains("Anna"),
        "{printed}"
    );
    assert_eq!(holding(&platform, &words).await, [""; 0]);
    // Only that it was erased, and when.
    let marked = holding(&platform, &[&digest]).await;
    assert_eq!(marked, [format!("erased/{digest}.json")]);
    let (code, again) = run(&platform, &forget).await;
    assert_eq!(code, 0, "{again}");
    assert!(!again.contains("erased       "), "{again}");

    // What was read before stays unread, whoever looks.
    let swept = platform.post("/local/timers/catch-up", json!({})).await;
    assert_eq!(swept["outcome"], "200");
    platform.until_idle().await;
    assert_eq!(holding(&platform, &words).await, [""; 0]);

    // Bert noticed nothing, and Anna is a new customer.
    bert.writes("still here").await;
    bert.agent_sees(&["hello", "still here"]).await;
    bert.agent_writes("so are we").await;
    bert.sees(&["so are we"]).await;
    let known = anna.inbound().await.len();
    anna.writes("me again").await;
    let told = anna.until_inbound(known + 1).await;
    assert_eq!(told[known]["text"], "me again");
    let posts = anna.posts().await.len();
    anna.agent_writes("welcome").await;
    anna.until_posts(posts + 1).await;
    platform.until_idle().await;
    platform.assert_nothing_failed().await;
    assert!(!holding(&platform, &[user]).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_account_in_entra_is_named_as_graph_does_and_bad_ids_are_told_in_a_sentence() {
    let platform = Platform::start(IMPATIENT).await;
    let (cora, account) = (Customer::personal("Cora"), platform.account.clone());
    let talk = Talk::at(&platform, cora, account);
    talk.writes("hello").await;
    talk.agent_sees(&["hello"]).await;
    platform.until_idle().await;
    let user = talk.customer.user.as_str();
    assert!(!holding(&platform, &[user]).await.is_empty());
    let tenant = talk.customer.tenant.as_str();
    for (order, told) in [
        (&["--tenant", "ours", "--user", user][..], "--tenant: "),
        (&["--tenant", tenant, "--user", user], "--guest takes"),
        (&["--guest", tenant], "put it behind --user"),
    ] {
        let (code, printed) = run(&platform, &[&["forget"], order].concat()).await;
        assert_eq!((code, printed.trim().lines().count()), (1, 1), "{printed}");
        assert!(printed.contains(told), "{printed}");
    }
    let (code, printed) = run(&platform, &["forget", "--guest", user, "--yes"]).await;
    assert_eq!(code, 0, "{printed}");
    assert_eq!(holding(&platform, &[user, &talk.chat]).await, [""; 0]);
    talk.writes("again").await;
    talk.agent_sees(&["hello", "again"]).await;
}
