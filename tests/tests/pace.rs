//! The limits of several Genesys clients and several instances.

use end_to_end::{Platform, Talk, view};
use futures::future::join_all;

/// Requests that the simulated Genesys takes from each client in a minute, and what the bridge is told of it.
const ARGUMENTS: &[&str] = &[
    "--set=GENESYS_CLIENT_ID=00000000-0000-0000-0000-000000000006,00000000-0000-0000-0000-000000000008",
    "--set=GENESYS_CALLS_PER_MINUTE=120",
    "--genesys-rate-limit=120",
    "--instances=2",
];

const CHATS: usize = 10;
const MESSAGES: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn two_clients_share_the_load_and_neither_is_used_above_its_limit() {
    let platform = Platform::start(ARGUMENTS).await;
    let names: Vec<String> = (0..CHATS).map(|number| format!("Anna {number}")).collect();
    let talks: Vec<Talk<'_>> = names
        .iter()
        .map(|name| Talk::new(&platform, name))
        .collect();
    let texts: Vec<String> = (0..MESSAGES)
        .map(|number| format!("message {number}"))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    // All at once, each chat's in its order: more than the clients take without waiting.
    join_all(talks.iter().map(|talk| async {
        for text in &texts {
            talk.writes(text).await;
        }
    }))
    .await;
    for talk in &talks {
        talk.agent_sees(&texts).await;
    }
    platform.until_idle().await;
    platform.assert_nothing_failed().await;
    let clients = platform.get("/local/genesys/clients").await;
    let mut used = Vec::new();
    for client in view::list(clients, "requests") {
        assert_eq!(client["refused"], 0, "{client}");
        if ["bridge", "bridge 2"].contains(&view::text(&client, "name")) {
            used.push(client["passed"].as_u64().expect("a number"));
        }
    }
    let all = (CHATS * MESSAGES) as u64;
    assert!(
        used.len() == 2 && used.iter().sum::<u64>() >= all,
        "{used:?}"
    );
    // Whichever chats belong to which: who can go at once takes what the other cannot.
    assert!(used.iter().all(|count| *count >= all / 4), "{used:?}");
}
