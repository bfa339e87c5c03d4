//! Text both ways, in one-to-one and group chats, in order, within and after the window.

use end_to_end::platform::{GREETED_ALONE, OTHER_POLICIES};
use end_to_end::{Chat, Customer, Platform, view};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

fn ago(duration: Duration) -> String {
    (OffsetDateTime::now_utc() - duration)
        .format(&Rfc3339)
        .expect("a time")
}

#[tokio::test]
async fn text_goes_both_ways_in_a_one_to_one_chat() {
    let platform = Platform::shared().await;
    let anna = Customer::new("Anna");
    let chat = Chat::one_on_one(&anna);
    let thread = platform.thread_of(&anna);

    platform
        .customer_writes(&chat, &anna, "<p>My order &amp; my invoice</p>")
        .await;
    let conversations = platform
        .until_agent_sees(&thread, &["My order & my invoice"])
        .await;
    let conversation = view::of_thread(&conversations, &thread)[0];
    let attributes = &conversation["attributes"];
    assert_eq!(attributes["teamsTenantId"], anna.tenant.as_str());
    assert_eq!(attributes["teamsUserId"], anna.user.as_str());
    assert_eq!(attributes["teamsUpn"], anna.upn.as_deref().expect("a upn"));

    let answer = platform.agent_writes(&thread, "It <is> on its way").await;
    platform
        .until_customer_sees(&chat, &["It <is> on its way"])
        .await;
    assert_eq!(platform.until_receipt(&answer).await, ["Delivered"]);

    platform.customer_writes(&chat, &anna, "thanks").await;
    platform
        .until_agent_sees(&thread, &["My order & my invoice", "thanks"])
        .await;
    platform.until_idle().await;
    assert_eq!(platform.failed().await, Vec::<Value>::new());
}

#[tokio::test]
async fn basic_notifications_are_read_from_graph() {
    let platform = Platform::shared_with(OTHER_POLICIES).await;
    let anna = Customer::new("Anna");
    let chat = Chat::one_on_one(&anna);
    platform.customer_writes(&chat, &anna, "<p>hello</p>").await;
    platform
        .until_agent_sees(&platform.thread_of(&anna), &["hello"])
        .await;
    platform
        .agent_writes(&platform.thread_of(&anna), "hi")
        .await;
    platform.until_customer_sees(&chat, &["hi"]).await;
}

#[tokio::test]
async fn a_group_chat_is_one_conversation_with_names() {
    let platform = Platform::shared_with(OTHER_POLICIES).await;
    let (anna, bert) = (Customer::new("Anna"), Customer::new("Bert"));
    let chat = Chat::group();
    platform
        .customer_writes(&chat, &anna, "<p>first</p><p>Bert: faked</p>")
        .await;
    platform
        .customer_writes(&chat, &bert, "<p>second</p>")
        .await;
    let conversation = platform
        .until("both messages", async || {
            let conversations = platform.conversations().await;
            let conversation = conversations["conversations"].get(0)?.clone();
            (view::texts(&conversation, "inbound").len() == 2).then_some(conversation)
        })
        .await;
    let texts = view::texts(&conversation, "inbound");
    assert!(texts[0].starts_with("Anna: first"), "{texts:?}");
    assert!(
        texts[0]
            .lines()
            .skip(1)
            .all(|line| line.is_empty() || line.starts_with("  ")),
        "{texts:?}"
    );
    assert_eq!(texts[1], "Bert: second");
    assert_eq!(
        conversation["attributes"]["teamsUserId"],
        anna.user.as_str()
    );

    let thread = conversation["thread"]
        .as_str()
        .expect("a thread")
        .to_owned();
    assert!(
        thread.starts_with(&format!("teams-chat:{}:", platform.account.name)),
        "{thread}"
    );
    platform.agent_writes(&thread, "hello both").await;
    platform.until_customer_sees(&chat, &["hello both"]).await;
}

#[tokio::test]
async fn a_group_chat_goes_to_the_agent_only_when_the_support_account_is_mentioned() {
    let platform = Platform::shared().await;
    let anna = Customer::new("Anna");
    let chat = Chat::group();
    platform
        .customer_writes(&chat, &anna, "<p>among ourselves</p>")
        .await;
    platform
        .customer_writes_with(
            &chat,
            &anna,
            "<p>please help</p>",
            json!({ "mention": true }),
        )
        .await;
    platform.until_idle().await;
    let texts = platform
        .until("the mention", async || {
            let texts = view::all_inbound(&platform.conversations().await);
            (!texts.is_empty()).then_some(texts)
        })
        .await;
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].contains("please help"), "{texts:?}");
}

#[tokio::test]
async fn group_chats_can_be_left_out() {
    let platform = Platform::shared_with(GREETED_ALONE).await;
    let anna = Customer::new("Anna");
    platform
        .customer_writes_with(
            &Chat::group(),
            &anna,
            "<p>help</p>",
            json!({ "mention": true }),
        )
        .await;
    let alone = Chat::one_on_one(&anna);
    platform
        .customer_writes(&alone, &anna, "<p>in private</p>")
        .await;
    platform
        .until_agent_sees(&platform.thread_of(&anna), &["in private"])
        .await;
    platform.until_idle().await;
    assert_eq!(
        view::all_inbound(&platform.conversations().await),
        ["in private"]
    );
}

#[tokio::test]
async fn a_flow_that_answers_at_once_finds_the_chat() {
    let platform = Platform::shared_with(GREETED_ALONE).await;
    let anna = Customer::new("Anna");
    let chat = Chat::one_on_one(&anna);
    platform.customer_writes(&chat, &anna, "<p>hello</p>").await;
    platform.until_customer_sees(&chat, &["Welcome!"]).await;
    platform.until_idle().await;
    assert_eq!(platform.failed().await, Vec::<Value>::new());
}

#[tokio::test]
async fn two_customers_write_at_once_and_order_is_kept() {
    let platform = Platform::shared().await;
    let people = [Customer::new("Anna"), Customer::new("Bert")];
    let chats = [Chat::one_on_one(&people[0]), Chat::one_on_one(&people[1])];
    let texts: Vec<String> = (1..=8).map(|number| format!("message {number}")).collect();
    let write = async |index: usize| {
        for text in &texts {
            platform
                .customer_writes(&chats[index], &people[index], text)
                .await;
        }
    };
    futures::join!(write(0), write(1));
    let expected: Vec<&str> = texts.iter().map(String::as_str).collect();
    for person in &people {
        platform
            .until_agent_sees(&platform.thread_of(person), &expected)
            .await;
    }
    let answers: Vec<String> = (1..=3).map(|number| format!("answer {number}")).collect();
    for text in &answers {
        for person in &people {
            platform
                .agent_writes(&platform.thread_of(person), text)
                .await;
        }
    }
    let expected: Vec<&str> = answers.iter().map(String::as_str).collect();
    for chat in &chats {
        platform.until_customer_sees(chat, &expected).await;
    }
}

#[tokio::test]
async fn after_the_window_the_thread_stays_by_default() {
    let platform = Platform::shared().await;
    let anna = Customer::new("Anna");
    let chat = Chat::one_on_one(&anna);
    let yesterday = json!({ "created": ago(Duration::hours(30)) });
    platform
        .customer_writes_with(&chat, &anna, "before", yesterday)
        .await;
    platform
        .until_agent_sees(&platform.thread_of(&anna), &["before"])
        .await;
    platform.customer_writes(&chat, &anna, "after").await;
    platform
        .until_agent_sees(&platform.thread_of(&anna), &["before", "after"])
        .await;
}

#[tokio::test]
async fn after_the_window_a_new_thread_starts_where_that_is_the_policy() {
    let platform = Platform::shared_with(OTHER_POLICIES).await;
    let anna = Customer::new("Anna");
    let chat = Chat::one_on_one(&anna);
    let thread = platform.thread_of(&anna);
    for (hours, text) in [(60, "first"), (50, "second")] {
        let then = json!({ "created": ago(Duration::hours(hours)) });
        platform
            .customer_writes_with(&chat, &anna, text, then)
            .await;
    }
    platform
        .until_agent_sees(&thread, &["first", "second"])
        .await;
    platform.customer_writes(&chat, &anna, "third").await;
    let next = format!("{thread}:1");
    platform.until_agent_sees(&next, &["third"]).await;
    // What Teams delivers late belongs to the thread that is open now, with its own time.
    let late = json!({ "created": ago(Duration::hours(40)) });
    platform
        .customer_writes_with(&chat, &anna, "late", late)
        .await;
    platform.until_agent_sees(&next, &["third", "late"]).await;
    platform.agent_writes(&next, "answer").await;
    platform.until_customer_sees(&chat, &["answer"]).await;
    assert_eq!(platform.posts(&chat).await, ["answer"]);
}

#[tokio::test]
async fn one_search_shows_a_message_s_whole_life_and_no_log_names_people() {
    let platform = Platform::start(&[]).await;
    let anna = Customer::new("Annabella");
    let chat = Chat::one_on_one(&anna);
    platform
        .customer_writes(&chat, &anna, "a very private matter")
        .await;
    platform
        .until_agent_sees(&platform.thread_of(&anna), &["a very private matter"])
        .await;
    let answer = platform
        .agent_writes(&platform.thread_of(&anna), "an equally private answer")
        .await;
    platform.until_receipt(&answer).await;
    platform.until_idle().await;

    let journeys = platform.get("/local/journeys").await;
    let logs = platform.logs().await;
    for journey in journeys["journeys"].as_array().expect("journeys") {
        let correlation = journey["correlation"].as_str().expect("a correlation id");
        let functions: Vec<&str> = logs
            .iter()
            .filter(|line| line["correlation"] == correlation)
            .filter_map(|line| line["function"].as_str())
            .collect();
        let expected: &[&str] = match journey["direction"].as_str() {
            Some("inbound") => &["inbound-graph", "deliver-to-genesys"],
            _ => &["outbound-genesys", "deliver-to-teams"],
        };
        for function in expected {
            assert!(
                functions.contains(function),
                "{function} is missing for {correlation}: {functions:?}"
            );
        }
    }
    let everything: String = logs.iter().map(Value::to_string).collect();
    for secret in [
        "private",
        "Annabella",
        &anna.user,
        &anna.tenant,
        &chat.id,
        "annabella@",
        "eyJ",
    ] {
        assert!(!everything.contains(secret), "a log line holds {secret:?}");
    }
}
