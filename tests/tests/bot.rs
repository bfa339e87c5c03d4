//! Conversations through the bot: words both ways, answers to messages, changes, the greeting, and who may write.

use end_to_end::app_talk::{GREETING, QUIET};
use end_to_end::{Customer, Platform, Talk, view};
use serde_json::{Value, json};

#[tokio::test]
async fn words_go_both_ways_in_order_and_the_agent_knows_who_writes() {
    let platform = Platform::start(&["--subscribe=false"]).await;
    let anna = Talk::app(&platform, "Annabella").await;
    anna.sees(&[GREETING]).await;
    let texts = ["My <private> order & my invoice", "two", "three"];
    for text in texts {
        anna.says(text, json!({})).await;
    }
    anna.agent_sees(&texts).await;
    let conversations = platform.conversations().await;
    assert_eq!(conversations.len(), 1);
    let (customer, attributes) = (&anna.customer, &conversations[0]["attributes"]);
    for (name, value) in [
        ("teamsUserId", customer.user.as_str()),
        ("teamsTenantId", &customer.tenant),
        ("teamsUpn", &customer.upn),
        ("teamsUserType", "aadUser"),
        ("teamsSupportAccount", "bot"),
        ("teamsDoor", "bot"),
    ] {
        assert_eq!(attributes[name], value, "{attributes}");
    }
    let answers = ["It <is> *privately* on its way", "2", "3"];
    let mut last = String::new();
    for text in answers {
        last = anna.agent_writes(text).await;
    }
    anna.sees(&[&[GREETING][..], &answers].concat()).await;
    assert_eq!(platform.until_receipt(&last).await, ["Delivered"]);
    platform.until_idle().await;
    anna.agent_sees(&texts).await;
    platform.assert_nothing_failed().await;

    let logs = platform.logs_of_journeys("inbound-bot").await;
    let everything: String = logs.iter().map(Value::to_string).collect();
    let user = customer.user.as_str();
    for secret in ["rivate", "Annabella", "annabella@", "eyJ", user, &anna.chat] {
        assert!(!everything.contains(secret), "a log line holds {secret:?}");
    }
    // Nothing of all that went over Graph.
    let posts = &platform.get("/local/calls").await["calls"]["graph"]["post"];
    assert_eq!(posts, &Value::Null);
}

#[tokio::test]
async fn an_answer_to_a_message_shows_which_in_either_form() {
    let platform = Platform::shared_with(QUIET).await;
    let anna = Talk::app_begun(&platform, "Anna").await;
    anna.agent_writes("Which order do you mean?").await;
    anna.sees(&["Which order do you mean?"]).await;
    let asked = view::text(&anna.posts().await[0], "id").to_owned();
    let quoting =
        |as_entity: bool| json!({ "quote": { "message": asked, "as_entity": as_entity } });
    for (count, as_entity) in [(2, true), (3, false), (4, true), (5, false)] {
        let text = format!("The one of day {count}");
        anna.says(&text, quoting(as_entity)).await;
        let messages = anna.until_inbound(count).await;
        let told = view::text(&messages[count - 1], "text");
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.last(), Some(&text.as_str()), "{told}");
        let quotation = lines[..lines.len() - 1].join("\n");
        assert!(quotation.contains("Which order do you mean?"), "{told}");
        assert_eq!(told.matches("Which order").count(), 1, "{told}");
        assert!(!told.contains("<quoted"), "{told}");
    }
}

#[tokio::test]
async fn edits_deletions_restorations_and_reactions_are_told() {
    let platform = Platform::shared_with(QUIET).await;
    let anna = Talk::app_begun(&platform, "Anna").await;
    let mut told = vec!["hello", "Where is it?"];
    let message = anna.says("Where is it?", json!({})).await;
    let change = async |deed: &str, more: Value| {
        let message = json!({ "message": message });
        anna.does(deed, end_to_end::with(message, more)).await;
    };
    anna.agent_sees(&told).await;
    change("edit", json!({ "text": "Where is my parcel?" })).await;
    told.push("[edited] Where is my parcel?");
    anna.agent_sees(&told).await;
    // The same text again is no news.
    change("edit", json!({ "text": "Where is my parcel?" })).await;
    change("delete", json!({})).await;
    let deleted = anna.until_inbound(4).await;
    let deletion = view::text(&deleted[3], "text").to_owned();
    assert!(deletion.to_lowercase().contains("deleted"), "{deletion}");
    change("restore", json!({})).await;
    let restored = anna.until_inbound(5).await;
    let text = view::text(&restored[4], "text");
    assert!(text.ends_with("Where is my parcel?"), "{text}");
    // What was brought back can go once more.
    change("delete", json!({})).await;
    assert_eq!(anna.until_inbound(6).await[5]["text"], deletion);

    anna.agent_writes("On its way").await;
    anna.sees(&["On its way"]).await;
    let post = view::text(&anna.posts().await[0], "id").to_owned();
    let react = |reaction: &str| json!({ "message": post, "reaction": reaction });
    anna.does("react", react("like")).await;
    let reacted = anna.until_inbound(7).await;
    let text = view::text(&reacted[6], "text");
    assert!(text.starts_with("[reaction] 👍"), "{text}");
    anna.does("unreact", react("like")).await;
    anna.does("read", json!({ "message": post })).await;
    anna.says("thanks", json!({})).await;
    let all = anna.until_inbound(8).await;
    assert_eq!(all[7]["text"], "thanks");
    platform.until_idle().await;
    assert_eq!(anna.inbound().await.len(), 8);
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn an_installation_is_greeted_once_and_opens_no_conversation() {
    let platform = Platform::start(&["--set=RETRY_FLOOR_SECONDS=0"]).await;
    let anna = Talk::app(&platform, "Anna").await;
    anna.sees(&[GREETING]).await;
    platform.until_idle().await;
    anna.says("hello", json!({})).await;
    anna.agent_sees(&["hello"]).await;
    platform.until_idle().await;
    anna.sees(&[GREETING]).await;
    // The agent is told nothing of it, and no conversation is opened by it.
    let ben = Talk::app(&platform, "Ben").await;
    ben.sees(&[GREETING]).await;
    platform.until_idle().await;
    assert_eq!(platform.conversations().await.len(), 1);
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn one_person_at_both_doors_has_two_threads_and_one_identity() {
    let platform = Platform::shared_with(QUIET).await;
    let person = Customer::new("Anna");
    let chat = Talk::at(&platform, person.clone(), platform.account.clone());
    let app = Talk::app_of(&platform, person);
    app.installs().await;
    chat.writes("in the chat").await;
    app.writes("in the app").await;
    chat.agent_sees(&["in the chat"]).await;
    app.agent_sees(&["in the app"]).await;
    assert_ne!(chat.thread, app.thread);
    let conversations = platform.conversations().await;
    let of = |talk: &Talk<'_>| {
        let mut all = conversations.iter();
        let found = all.find(|it| it["thread"] == talk.thread.as_str());
        found.expect("a conversation")["attributes"].clone()
    };
    let (one, other) = (of(&chat), of(&app));
    for name in ["teamsUserId", "teamsTenantId", "teamsUpn", "teamsUserType"] {
        assert!(one[name].is_string(), "{name}: {one}");
        assert_eq!(one[name], other[name], "{name}");
    }
    app.agent_writes("to the app").await;
    chat.agent_writes("to the chat").await;
    app.sees(&["to the app"]).await;
    chat.sees(&["to the chat"]).await;
}

#[tokio::test]
async fn a_group_that_both_doors_see_is_one_conversation_and_told_once() {
    let platform = Platform::shared_with(QUIET).await;
    for first_is_app in [false, true] {
        let chat = Talk::group(&platform, "Anna");
        let app = chat.through_app();
        app.installs().await;
        let mention = json!({ "mention": true });
        // Whoever is asked first has the group; the other door tells what it hears to the same agent.
        let (first, second) = match first_is_app {
            true => (&app, &chat),
            false => (&chat, &app),
        };
        let write = async |talk: &Talk<'_>, text: &str| match talk.account.name.as_str() {
            "bot" => talk.says(text, mention.clone()).await,
            _ => talk.writes_with(text, mention.clone()).await,
        };
        write(first, "dear first").await;
        first.until_inbound(1).await;
        let message = write(second, "dear second").await;
        first.until_inbound(2).await;
        // What one door has told the other hears as well.
        match first_is_app {
            true => {
                let activity = json!({ "id": message, "text": "<at>Bot</at> dear second",
                    "from": { "id": "29:1", "aadObjectId": app.customer.user, "name": "Anna" },
                    "entities": [{ "type": "mention", "text": "<at>Bot</at>",
                        "mentioned": { "id": "28:00000000-0000-0000-0000-000000000008" } }] });
                assert_eq!(app.delivers(activity, "good").await, 200);
            }
            false => {
                let message = json!({ "id": message, "createdDateTime": "2026-01-02T03:04:05.678Z",
                    "from": { "user": { "id": app.customer.user, "displayName": "Anna" } },
                    "body": { "contentType": "html", "content": "<at id=\"0\">Desk</at> dear second" },
                    "mentions": [{ "id": 0, "mentionText": "Desk",
                        "mentioned": { "user": { "id": platform.account.user } } }] });
                chat.gives(message, json!({})).await;
            }
        }
        write(first, "the last").await;
        let all = first.until_inbound(3).await;
        let texts = view::texts(&all);
        for (text, words) in texts.iter().zip(["dear first", "dear second", "the last"]) {
            assert!(text.contains(words), "{texts:?}");
        }
        platform.until_idle().await;
        assert_eq!(first.inbound().await.len(), 3);
        assert!(second.inbound().await.is_empty());
        first.agent_writes("To all of you").await;
        first.sees(&["To all of you"]).await;
    }
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn who_may_not_write_is_told_so_once_and_nothing_else_happens() {
    let served = Customer::new("Anna");
    let listed = format!("--set=CUSTOMER_TENANTS={}", served.tenant);
    let platform = Platform::start(&[&listed, "--set=TENANT_NOTICE=Sorry & goodbye"]).await;
    let stranger = Talk::app(&platform, "Mallory").await;
    stranger.says("let me in", json!({})).await;
    stranger.sees(&["Sorry & goodbye"]).await;
    let last = stranger.says("please", json!({})).await;
    stranger.does("type", json!({})).await;
    let change = json!({ "message": last, "text": "please!" });
    stranger.does("edit", change).await;
    stranger.does("delete", json!({ "message": last })).await;
    let anna = Talk::app_of(&platform, served);
    anna.installs().await;
    anna.says("hello", json!({})).await;
    anna.agent_sees(&["hello"]).await;
    platform
        .until_logged("event", "customer_turned_away", 2)
        .await;
    platform.until_idle().await;
    stranger.sees(&["Sorry & goodbye"]).await;
    anna.sees(&[GREETING]).await;
    assert!(stranger.inbound().await.is_empty());
    assert_eq!(platform.conversations().await.len(), 1);
    platform.assert_nothing_failed().await;
}
