//! Typing, both ways.

use std::time::Duration;

use end_to_end::app_talk::QUIET;
use end_to_end::{Platform, Talk, view};
use reqwest::Method;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// For [`Platform::shared_with`]: typing of customers is told for a minute after an agent wrote.
const A_MINUTE: &[&str] = &["--set=BOT_GREETING=off", "--set=TYPING_MINUTES=1"];

/// The agent types in the thread, for so many milliseconds.
async fn agent_types(talk: &Talk<'_>, duration: u64) {
    let thread = talk.thread.replace(':', "%3A");
    let path = format!("/local/genesys/threads/{thread}/typing");
    let body = json!({ "duration": duration });
    talk.platform.post(&path, body).await;
}

/// How often Genesys was told that a customer types.
async fn told(platform: &Platform) -> u64 {
    let calls = platform.get("/local/calls").await;
    calls["calls"]["genesys"]["event"]
        .as_u64()
        .unwrap_or_default()
}

/// When the customer of the conversation typed last, as the agent sees it.
async fn typed(talk: &Talk<'_>) -> Value {
    let conversations = talk.platform.conversations().await;
    let mut conversations = conversations.into_iter();
    let found = conversations.find(|it| it["thread"] == talk.thread.as_str());
    found.expect("a conversation")["typed"].take()
}

fn at(write: &Value) -> OffsetDateTime {
    OffsetDateTime::parse(view::text(write, "at"), &Rfc3339).expect("a time")
}

#[tokio::test]
async fn an_agents_typing_is_shown_again_until_it_ends() {
    let platform = Platform::shared_with(QUIET).await;
    let anna = Talk::app_begun(&platform, "Anna").await;
    agent_types(&anna, 9_000).await;
    let shown = anna.until_written("typing", 3).await;
    for pair in shown.windows(2) {
        let apart = at(&pair[1]) - at(&pair[0]);
        // Teams shows it for about three seconds.
        assert!(apart >= Duration::from_secs(2), "{apart}");
        assert!(apart <= Duration::from_millis(3_500), "{apart}");
    }
    // It ends by itself: a further time is only for what is told anew.
    agent_types(&anna, 1_000).await;
    anna.agent_writes("here you are").await;
    anna.sees(&["here you are"]).await;
    platform.until_idle().await;
    let shown = anna.written("typing").await.len();
    assert!((3..=5).contains(&shown), "{shown}");
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn an_agents_message_ends_the_typing() {
    let platform = Platform::shared_with(QUIET).await;
    let anna = Talk::app_begun(&platform, "Anna").await;
    agent_types(&anna, 15_000).await;
    anna.until_written("typing", 1).await;
    anna.agent_writes("done").await;
    anna.sees(&["done"]).await;
    let message = at(&anna.written("message").await[0]);
    // Long enough for two more of them, were it not over: typing of another chat is the clock.
    let ben = Talk::app_begun(&platform, "Ben").await;
    agent_types(&ben, 9_000).await;
    ben.until_written("typing", 3).await;
    let shown = anna.written("typing").await;
    assert!(shown.iter().all(|it| at(it) < message), "{shown:#?}");
}

#[tokio::test]
async fn over_graph_an_agents_typing_is_dropped() {
    let platform = Platform::shared_with(QUIET).await;
    let anna = Talk::begun(&platform, "Anna").await;
    agent_types(&anna, 5_000).await;
    anna.agent_writes("hello back").await;
    anna.sees(&["hello back"]).await;
    platform.until_idle().await;
    let posts = anna.posts().await;
    assert_eq!(posts.len(), 1, "{posts:#?}");
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn a_customers_typing_is_told_only_to_an_agent_who_has_written_and_not_too_often() {
    let platform = Platform::start(A_MINUTE).await;
    let anna = Talk::app(&platform, "Anna").await;
    let types = async || anna.does("type", json!({})).await;
    // Nobody is there yet: an event would open a conversation.
    types().await;
    anna.writes("hello").await;
    anna.agent_sees(&["hello"]).await;
    types().await;
    platform.until_idle().await;
    assert_eq!(told(&platform).await, 0);
    assert_eq!(platform.conversations().await.len(), 1);
    assert_eq!(typed(&anna).await, Value::Null);

    anna.agent_writes("Good morning").await;
    anna.sees(&["Good morning"]).await;
    // As fast as they come; what was told a moment ago is not told again.
    let first = platform
        .until("the agent to see typing", async || {
            types().await;
            let typed = typed(&anna).await;
            (!typed.is_null()).then_some(typed)
        })
        .await;
    let second = platform
        .until("the agent to see typing again", async || {
            types().await;
            let typed = typed(&anna).await;
            (typed != first).then_some(typed)
        })
        .await;
    let time = |typed: &Value| {
        let text = typed.as_str().expect("a time");
        OffsetDateTime::parse(text, &Rfc3339).expect("a time")
    };
    let apart = time(&second) - time(&first);
    assert!(apart >= Duration::from_millis(4_500), "{apart}");
    assert_eq!(told(&platform).await, 2);
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn typing_that_genesys_does_not_take_is_dropped_and_messages_are_not() {
    let platform = Platform::start(A_MINUTE).await;
    let off = json!({ "inbound": false, "outbound": true });
    let path = "/local/genesys/typing";
    platform.call(Method::PUT, path, Some(&off)).await;
    let anna = Talk::app_begun(&platform, "Anna").await;
    anna.agent_writes("Good morning").await;
    anna.sees(&["Good morning"]).await;
    platform
        .until("a call to Genesys", async || {
            anna.does("type", json!({})).await;
            (told(&platform).await > 0).then_some(())
        })
        .await;
    anna.writes("and a question").await;
    anna.agent_sees(&["hello", "and a question"]).await;
    platform.until_idle().await;
    assert_eq!(typed(&anna).await, Value::Null);
    platform.assert_nothing_failed().await;
}

/// Everybody writes a few messages each way; the times in milliseconds from the queue to the other side, the shortest first.
async fn traffic(talks: &[Talk<'_>], part: &str) -> Vec<f64> {
    let platform = talks[0].platform;
    platform.call(Method::DELETE, "/local/journeys", None).await;
    for round in 0..3 {
        for talk in talks {
            talk.writes(&format!("{part} in {round}")).await;
            talk.agent_writes(&format!("{part} out {round}")).await;
        }
    }
    let of_part = |text: &String| text.starts_with(part);
    let wanted = |way: &str| {
        (0..3)
            .map(|it| format!("{part} {way} {it}"))
            .collect::<Vec<_>>()
    };
    let (inbound, outbound) = (wanted("in"), wanted("out"));
    for talk in talks {
        platform
            .until("all messages, in order", async || {
                let told = talk.inbound().await;
                let told = view::texts(&told).into_iter().map(str::to_owned);
                let told: Vec<String> = told.filter(of_part).collect();
                let mut seen = talk.seen().await;
                seen.retain(of_part);
                (told == inbound && seen == outbound).then_some(())
            })
            .await;
    }
    let journeys = view::list(platform.get("/local/journeys/times").await, "journeys");
    let times = journeys.iter().filter_map(|journey| {
        let (queue, end) = match view::text(journey, "direction") {
            "inbound" => ("queue inbound", "genesys"),
            _ => ("queue outbound", "teams"),
        };
        let first = &journey["first"];
        Some(first[end].as_f64()? - first[queue].as_f64()?)
    });
    let mut times: Vec<f64> = times.collect();
    times.sort_by(f64::total_cmp);
    times
}

#[tokio::test]
async fn a_storm_of_typing_delays_no_message() {
    // Room enough at Genesys, so that nothing waits for its limit.
    let room = [
        "--genesys-rate-limit=6000",
        "--set=GENESYS_CALLS_PER_MINUTE=6000",
    ];
    let platform = Platform::start(&[A_MINUTE, &room].concat()).await;
    let mut talks = Vec::new();
    for number in 0..10 {
        let talk = Talk::app_begun(&platform, &format!("Person{number}")).await;
        talk.agent_writes("Good morning").await;
        talk.sees(&["Good morning"]).await;
        talks.push(talk);
    }
    let calm = traffic(&talks, "calm").await;
    // Some hundred events a second, as fast as they are taken.
    let storm = async {
        loop {
            for talk in &talks {
                tokio::join!(talk.does("type", json!({})), agent_types(talk, 5_000));
            }
        }
    };
    let stormy = tokio::select! {
        times = traffic(&talks, "storm") => times,
        () = storm => unreachable!("it has no end"),
    };
    assert_eq!((calm.len(), stormy.len()), (60, 60));
    // Far more than the storm costs, and less than a message behind one typing indicator would wait.
    for (place, further) in [(30, 500.0), (59, 2_000.0)] {
        let (calm, stormy) = (calm[place], stormy[place]);
        eprintln!("place {place} of 60: calm {calm} ms, stormy {stormy} ms");
        assert!(
            stormy <= calm + further,
            "{calm} ms, in the storm {stormy} ms"
        );
    }
    platform.until_idle().await;
    platform.assert_nothing_failed().await;
}
