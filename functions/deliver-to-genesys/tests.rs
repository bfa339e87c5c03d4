//! The route as the Functions host calls it, in process, with all outside services in memory.

mod catch_up;
mod delay;
mod files;
mod forgotten;
mod held;
mod identity;
mod scene;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bridge::ids::Digest;
use bridge::notices::NoticeKind;
use bridge::teams::notification::ChangeType;
use http::StatusCode;
use serde_json::json;
use services::error::Service;
use services::secrets::names;
use services::testing::{Reply, World};
use time::{Duration, OffsetDateTime};

use self::scene::{SUPPORT, Scene, time_text};
use crate::testing::{ANNA, ANNAS_CHAT, agents_message, deliver, webhook};

#[tokio::test]
async fn a_known_customers_text_costs_two_reads_two_writes_and_one_call() {
    let scene = Scene::start(&[]).await;
    scene.customer_writes("1", "hello").await;
    let before = scene.calls_since([0; 5]);
    scene.customer_writes("2", "again").await;
    assert_eq!(scene.texts(), ["hello", "again"]);
    assert_eq!(scene.calls_since(before), [2, 2, 1, 0, 0]);
}

#[tokio::test]
async fn a_client_that_genesys_refuses_leaves_its_chats_to_the_others() {
    const CLIENTS: [&str; 2] = [
        "00000000-0000-0000-0000-000000000006",
        "00000000-0000-0000-0000-000000000008",
    ];
    const BOTH: &str = "00000000-0000-0000-0000-000000000006,00000000-0000-0000-0000-000000000008";
    // The chat belongs to one of the two, whichever that is.
    for refused in CLIENTS {
        let scene = Scene::start(&[("GENESYS_CLIENT_ID", BOTH)]).await;
        for (client, name) in [
            (CLIENTS[0], names::GENESYS_CLIENT.to_owned()),
            (CLIENTS[1], names::further_genesys_client(CLIENTS[1])),
        ] {
            let known = if client == refused {
                "another"
            } else {
                "known"
            };
            scene.world.put_secret(&name, "known");
            scene.world.put_genesys_client(client, known);
        }
        scene.customer_writes("1", "hello").await;
        scene.customer_writes("2", "again").await;
        assert_eq!(scene.texts(), ["hello", "again"]);
    }
}

#[tokio::test]
async fn a_deletion_is_told_of_a_message_whose_post_nobody_saw_answered() {
    let scene = Scene::start(&[("ATTEMPT_DEADLINE_SECONDS", "5")]).await;
    scene.customer_writes("1", "hello").await;
    for (id, status, told) in [("2", 504, true), ("3", 429, false)] {
        let fails = Arc::new(AtomicBool::new(true));
        let failing = Arc::clone(&fails);
        scene.world.answer_with("POST", "/open/message", move |_| {
            let fails = failing.load(Ordering::Relaxed);
            fails.then(|| Reply::new(status, ""))
        });
        let waited = scene.waited(id, time::Duration::ZERO.unsigned_abs(), None, "en-us");
        assert_eq!(waited.await, StatusCode::INTERNAL_SERVER_ERROR);
        fails.store(false, Ordering::Relaxed);
        scene.deliver(ChangeType::Deleted, id, None).await;
        let texts = scene.texts();
        let last = texts.last().expect("a text");
        assert_eq!(last.starts_with("[deleted]"), told, "{status}: {texts:?}");
    }
}

#[tokio::test]
async fn our_own_echo_costs_no_call() {
    let scene = Scene::start(&[]).await;
    scene.customer_writes("1", "hello").await;
    let post = scene.agent_writes("How can I help?").await;
    let before = scene.calls_since([0; 5]);
    let echo = scene.message(&post, SUPPORT, "<p>How can I help?</p>");
    scene.created(&echo).await;
    assert_eq!(scene.calls_since(before), [0; 5]);
    assert_eq!(scene.texts(), ["hello"]);
    // Another process knows it from the chat's state.
    let other = scene.another_process();
    other.created(&echo).await;
    assert_eq!(scene.texts(), ["hello"]);
}

#[tokio::test]
async fn an_echo_is_known_when_the_posts_answer_was_lost() {
    let scene = Scene::start(&[("GRAPH_POST_TIMEOUT_SECONDS", "1")]).await;
    scene.customer_writes("1", "hello").await;
    scene
        .world
        .answer_once("POST", "/v1.0/chats/", Reply::new(504, ""));
    scene
        .agent_sends(json!({ "text": "How can I help?" }))
        .await;
    let echo = scene.message("77", SUPPORT, "<div>How can I help?</div>");
    scene.another_process().created(&echo).await;
    assert_eq!(scene.texts(), ["hello"]);
}

#[tokio::test]
async fn an_item_of_a_list_is_answered_by_its_words() {
    let scene = Scene::start(&[]).await;
    scene.customer_writes("1", "hello").await;
    let items = json!([{ "id": "p1", "title": "Basic" }, { "id": "p2", "title": "Premium" }]);
    let list = json!({ "sections": [{ "title": "Plans", "items": items }] });
    let webhook = json!({
        "type": "Structured",
        "content": [{ "contentType": "ListPicker", "listPicker": list }],
    });
    assert_eq!(scene.agent_sends(webhook).await, StatusCode::OK);
    scene.customer_writes("2", "2").await;
    assert_eq!(scene.texts(), ["hello", "Premium"]);
}

#[tokio::test]
async fn a_choice_that_genesys_refuses_goes_as_its_words() {
    let scene = Scene::start(&[]).await;
    scene.customer_writes("1", "hello").await;
    let reply = |text: &str| json!({ "contentType": "QuickReply", "quickReply": { "text": text, "payload": "x" } });
    let webhook = json!({ "type": "Structured", "content": [reply("Red"), reply("Green")] });
    assert_eq!(scene.agent_sends(webhook).await, StatusCode::OK);
    let refused = Reply::json(
        400,
        &json!({ "message": "no such question", "code": "bad.request" }),
    );
    scene.world.answer("POST", "/structured/response", refused);
    scene.customer_writes("2", "2").await;
    assert_eq!(scene.texts().last().map(String::as_str), Some("Green"));
}

#[tokio::test]
async fn what_somebody_writes_by_hand_as_the_support_user_is_shown() {
    let scene = Scene::start(&[]).await;
    let mut by_hand = scene.message("1", SUPPORT, "I call you");
    by_hand["from"]["user"]["displayName"] = json!("Sam");
    scene.created(&by_hand).await;
    assert_eq!(scene.texts(), Vec::<String>::new(), "no conversation yet");
    scene.customer_writes("2", "hello").await;
    scene.agent_writes("One moment").await;
    by_hand["id"] = json!("3");
    scene.created(&by_hand).await;
    scene.created(&by_hand).await;
    assert_eq!(scene.texts(), ["hello", "[Sam] I call you"]);
}

#[tokio::test]
async fn a_lapsed_sign_in_does_not_stop_the_way_in() {
    let scene = Scene::start(&[]).await;
    let lapsed = Reply::json(
        400,
        &json!({"error": "invalid_grant", "error_codes": [70008]}),
    );
    scene.world.answer("POST", "/oauth2/v2.0/token", lapsed);
    scene.customer_writes("1", "hello").await;
    assert_eq!(scene.texts(), ["hello"]);
    let told = scene.told();
    let thread = format!("teams:support:{ANNA}");
    assert_eq!(told[0]["channel"]["from"]["id"], json!(thread));
    // A picture stays where it is, and its message arrives all the same.
    scene.created(&scene.with_picture("2", "look")).await;
    assert_eq!(scene.texts().len(), 3);
    assert!(
        scene.texts()[2].contains("signed out"),
        "{:?}",
        scene.texts()
    );
    assert_eq!(scene.world.seen(Service::Graph).len(), 0);
    assert!(scene.world.blobs("failed").is_empty());
}

#[tokio::test]
async fn the_known_customer_serves_when_graph_does_not_answer() {
    let scene = Scene::start(&[("THREAD_WINDOW_HOURS", "1")]).await;
    let two_hours_ago = OffsetDateTime::now_utc() - Duration::hours(2);
    let mut first = scene.message("1", ANNA, "hello");
    first["createdDateTime"] = json!(time_text(two_hours_ago));
    first["from"]["user"]["userPrincipalName"] = json!("anna@customer.example");
    scene.created(&first).await;
    scene.world.answer("GET", "/members", Reply::new(503, ""));
    scene.customer_writes("2", "again").await;
    assert_eq!(scene.texts(), ["hello", "again"]);
    for told in scene.told() {
        let attributes = &told["channel"]["metadata"]["customAttributes"];
        assert_eq!(attributes["teamsUpn"], json!("anna@customer.example"));
    }
}

#[tokio::test]
async fn a_tenant_that_may_not_write_is_counted_and_told_once() {
    const OTHER: &str = "be9c1b6e-0000-4000-8000-c0ffee000003";
    let scene = Scene::start(&[("CUSTOMER_TENANTS", OTHER)]).await;
    scene.customer_writes("1", "hello").await;
    scene.another_process().customer_writes("2", "hello?").await;
    assert!(scene.told().is_empty() && scene.world.blobs("failed").is_empty());
    let turned_away = &scene.app.counters.turned_away;
    assert_eq!(turned_away.load(Ordering::Relaxed), 1);
    let sent = scene.world.sent();
    let notices: Vec<_> = sent.iter().filter(|it| it.queue == "outbound").collect();
    assert_eq!(notices.len(), 1);
    let posted = deliver(&scene.app, notices[0], 1).await;
    assert_eq!(posted, StatusCode::OK);
    let seen = scene.world.seen(Service::Graph);
    let posts: Vec<_> = seen.iter().filter(|it| it.method == "POST").collect();
    let text = scene.app.settings.notice(NoticeKind::TurnedAway, None);
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].json()["body"]["content"], json!(text));
}

#[tokio::test]
async fn nobody_is_turned_away_while_their_tenant_cannot_be_asked() {
    let scene = Scene::start(&[("CUSTOMER_TENANTS", scene::TENANT)]).await;
    let members = json!({"value": [{"userId": ANNA, "tenantId": scene::TENANT}]});
    let refused = Reply::new(503, "");
    scene.world.answer_once("GET", "/members", refused);
    let members = Reply::json(200, &members);
    scene.world.answer("GET", "/members", members);
    let mut untold = scene.message("1", ANNA, "hello");
    untold["from"]["user"]["tenantId"] = json!(null);
    scene.created(&untold).await;
    assert_eq!(scene.texts(), ["hello"]);
    let counters = &scene.app.counters;
    assert_eq!(counters.turned_away.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_skype_user_in_a_group_is_told_only_when_it_means_us() {
    let scene = Scene::start(&[]).await;
    let group = Reply::json(200, &json!({"id": ANNAS_CHAT, "chatType": "group"}));
    scene.world.answer("GET", "/v1.0/chats/", group);
    let members = Reply::json(200, &json!({ "value": [] }));
    scene.world.answer("GET", "/members", members);
    let mut message = scene.message("1", "8:live:somebody", "hello");
    scene.created(&message).await;
    assert!(scene.told().is_empty());
    let mentioned = json!({"user": {"id": SUPPORT}});
    message["mentions"] = json!([{"id": 0, "mentionText": "Support", "mentioned": mentioned}]);
    message["id"] = json!("2");
    scene.created(&message).await;
    assert_eq!(scene.texts(), ["Anna: hello"]);
    assert!(scene.world.blobs("failed").is_empty());
}

#[tokio::test]
async fn a_custom_reaction_is_told_by_its_name() {
    let scene = Scene::start(&[("REACTIONS", "on")]).await;
    scene.customer_writes("1", "hello").await;
    let mut reacted = scene.message("1", ANNA, "hello");
    reacted["reactions"] = json!([{
        "reactionType": "custom", "displayName": "party parrot", "user": {"user": {"id": ANNA}},
    }]);
    scene.updated(&reacted).await;
    let texts = scene.texts();
    assert!(
        texts[1].starts_with("[reaction] party parrot to the message of "),
        "{texts:?}"
    );
}

#[tokio::test]
async fn what_a_notification_does_not_enclose_is_read_from_graph() {
    let scene = Scene::start(&[]).await;
    let message = scene.message("1", ANNA, "hello");
    let answer = Reply::json(200, &message);
    scene.world.answer("GET", "/messages/1", answer);
    scene.deliver(ChangeType::Created, "1", None).await;
    assert_eq!(scene.texts(), ["hello"]);
}

#[tokio::test]
async fn a_customer_by_telephone_is_known_by_a_digest_and_gets_the_answer() {
    let scene = Scene::start(&[]).await;
    let phone = "+4930000000";
    let members = json!({ "value": [{ "userId": SUPPORT, "displayName": "Support" }] });
    scene
        .world
        .answer("GET", "/members", Reply::json(200, &members));
    let mut message = scene.message("1", phone, "My order did not arrive");
    let user = json!({ "id": phone, "displayName": null, "userIdentityType": "phoneUser" });
    message["from"]["user"] = user;
    scene.created(&message).await;
    let thread = format!("teams-guest:support:{}", Digest::of("user", phone));
    let told = scene.told();
    let (channel, from) = (&told[0]["channel"], &told[0]["channel"]["from"]);
    assert_eq!(told[0]["text"], "My order did not arrive");
    assert_eq!(from["id"], thread.as_str());
    assert_eq!(from["nickname"], "Phone user");
    let attributes = &channel["metadata"]["customAttributes"];
    assert_eq!(attributes["teamsUserType"], "phoneUser");
    assert_eq!(attributes["teamsUserId"], phone);
    // The agent's answer finds the chat by the thread alone.
    let now = OffsetDateTime::now_utc();
    let channel = json!({ "time": time_text(now), "to": { "id": thread } });
    let answer = agents_message("g-1", now, json!({ "channel": channel }));
    let taken = webhook(&scene.app, answer.to_string(), World::WEBHOOK_SECRET).await;
    assert_eq!(taken, StatusCode::OK);
    let sent = scene.world.sent();
    let sent = sent.iter().rfind(|sent| sent.queue == "outbound");
    let sent = sent.expect("an envelope");
    let posted = deliver(&scene.another_process().app, sent, 1).await;
    assert_eq!(posted, StatusCode::OK);
    let seen = scene.world.seen(Service::Graph);
    let posts: Vec<_> = seen.iter().filter(|seen| seen.method == "POST").collect();
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].json()["body"]["content"], "hello");
}
