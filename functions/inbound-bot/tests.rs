//! The connector's calls: who is let in, and what becomes of what they tell, with all outside services in memory.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use services::testing::{Reply, World};

use crate::testing::bot::{BotScene, CHAT, TENANT, THREAD};
use crate::testing::{app_in, call, post};

fn text(text: &str) -> Value {
    json!({"id": "1485983408511", "text": text})
}

#[tokio::test]
async fn a_customers_message_comes_to_the_agent() {
    let scene = BotScene::start(&[]).await;
    scene.customer_writes("1485983408511", "Hello").await;
    let told = scene.at_genesys();
    let (kind, body) = &told[0];
    assert_eq!((kind.as_str(), told.len()), ("message", 1));
    assert_eq!(body["text"], "Hello");
    assert_eq!(body["channel"]["from"]["id"], THREAD);
    assert_eq!(body["channel"]["messageId"], "1485983408511");
    let attributes = &body["channel"]["metadata"]["customAttributes"];
    assert_eq!(attributes["teamsTenantId"], TENANT);
    assert_eq!(
        scene.state("inbound")["reference"]["service_url"],
        scene.world.bot_service_url()
    );
}

#[tokio::test]
async fn a_call_that_is_not_the_connectors_is_refused() {
    let scene = BotScene::start(&[]).await;
    let activity = scene.activity(text("forged"));
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    for (claims, status) in [
        (json!({"aud": "33333333-3333-3333-3333-333333333333"}), 403),
        (json!({"iss": "https://sts.windows.net/x/"}), 403),
        (
            json!({"serviceurl": "https://evil.trafficmanager.net/amer/"}),
            403,
        ),
        (json!({"serviceurl": null}), 403),
        (json!({"exp": now - 3_600}), 403),
        (json!({"nbf": now + 3_600}), 403),
    ] {
        let answered = scene.call(&activity, claims.clone()).await;
        assert_eq!(answered.as_u16(), status, "{claims}");
    }
    let body = activity.to_string();
    for header in [
        None,
        Some("Bearer "),
        Some("Basic eDp5"),
        Some("Bearer x.y.z"),
    ] {
        let headers: Vec<_> = header.iter().map(|it| ("authorization", *it)).collect();
        let status = post(&scene.app, super::PATH, &headers, body.clone()).await;
        assert!(matches!(status.as_u16(), 401 | 403), "{header:?} {status}");
    }
    assert!(scene.world.sent().is_empty());
}

#[tokio::test]
async fn an_address_that_is_not_the_connectors_gets_no_token_whoever_names_it() {
    let scene = BotScene::start(&[]).await;
    let address = "https://evil.trafficmanager.net/amer/";
    let mut activity = scene.activity(text("hello"));
    activity["serviceUrl"] = json!(address);
    // Even with a genuine token for it.
    let status = scene.call(&activity, json!({"serviceurl": address})).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(scene.world.sent().is_empty());
}

#[tokio::test]
async fn while_the_keys_cannot_be_read_the_connector_is_to_come_again() {
    let scene = BotScene::start(&[]).await;
    scene
        .world
        .answer("GET", "/.well-known/", Reply::new(503, ""));
    let activity = scene.activity(text("hello"));
    let status = scene.call(&activity, json!({})).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn what_is_no_activity_is_refused_once_its_sender_is_known() {
    let scene = BotScene::start(&[]).await;
    for body in [
        json!([]),
        json!({"type": "message"}),
        scene.activity(json!({"channelId": "webchat"})),
    ] {
        assert_eq!(
            scene.call(&body, json!({})).await,
            StatusCode::BAD_REQUEST,
            "{body}"
        );
    }
    let nobody = post(&scene.app, super::PATH, &[], "no JSON").await;
    assert_eq!(nobody, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_the_queue_does_not_take_is_to_come_again() {
    let scene = BotScene::start(&[]).await;
    scene
        .world
        .answer_once("POST", "/messages", Reply::new(503, ""));
    let activity = scene.activity(text("hello"));
    assert_eq!(
        scene.call(&activity, json!({})).await,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(scene.call(&activity, json!({})).await, StatusCode::OK);
    scene.settle().await;
    assert_eq!(scene.texts(), ["hello"]);
}

#[tokio::test]
async fn a_repetition_with_another_time_is_told_once() {
    let scene = BotScene::start(&[]).await;
    for seconds in [0, 15, 30] {
        let at = time::OffsetDateTime::now_utc() + Duration::from_secs(seconds);
        let at = at
            .format(&time::format_description::well_known::Rfc3339)
            .expect("a time");
        scene
            .told(json!({"id": "1485983408511", "text": "hello", "timestamp": at}))
            .await;
    }
    assert_eq!(scene.texts(), ["hello"]);
    // Service Bus would have known them by their id.
    let ids: Vec<_> = scene
        .world
        .sent()
        .into_iter()
        .map(|sent| sent.message_id)
        .collect();
    assert!(ids.iter().all(|id| *id == ids[0] && id.is_some()));
}

#[tokio::test]
async fn edits_deletions_and_what_is_back_are_told() {
    let scene = BotScene::start(&[]).await;
    scene.customer_writes("1485983408511", "helo").await;
    let edit = |text: &str, kind: &str| {
        json!({"type": "messageUpdate", "id": "1485983408511", "text": text,
        "channelData": {"eventType": kind, "tenant": {"id": TENANT}}})
    };
    scene.told(edit("hello", "editMessage")).await;
    // The same once more, at another time.
    scene.told(edit("hello", "editMessage")).await;
    let deletion = json!({"type": "messageDelete", "id": "1485983408511", "channelData": {"eventType": "softDeleteMessage"}});
    scene.told(deletion.clone()).await;
    scene.told(deletion).await;
    scene.told(edit("hello", "undeleteMessage")).await;
    let texts = scene.texts();
    assert_eq!(texts.len(), 4, "{texts:?}");
    assert!(
        texts[1].contains("hello") && texts[1].contains("edited"),
        "{texts:?}"
    );
    assert!(texts[2].contains("deleted"), "{texts:?}");
    assert!(texts[3].contains("hello"), "{texts:?}");
}

#[tokio::test]
async fn a_reaction_is_told_where_the_settings_ask_for_it() {
    let scene = BotScene::start(&[("REACTIONS", "on")]).await;
    scene.customer_writes("1485983408511", "hello").await;
    scene.agent_writes("g-1", json!({"text": "welcome"})).await;
    let posted = scene.state("outbound")["posts"]["g-1"]["teams"][0].clone();
    let reaction = json!({"type": "messageReaction", "id": "f:1", "replyToId": posted, "reactionsAdded": [{"type": "like"}]});
    scene.told(reaction.clone()).await;
    scene.told(reaction).await;
    let texts = scene.texts();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(
        texts[1].contains("👍") || texts[1].contains("like"),
        "{texts:?}"
    );
}

#[tokio::test]
async fn what_is_of_no_interest_is_thanked_for() {
    let scene = BotScene::start(&[]).await;
    for changes in [
        json!({"type": "event", "name": "application/vnd.microsoft.readReceipt", "value": {"lastReadMessageId": "1"}}),
        json!({"type": "conversationUpdate", "membersAdded": [{"id": "29:other"}]}),
        json!({"type": "installationUpdate", "action": "remove"}),
        json!({"type": "somethingNew"}),
        json!({"type": "message", "text": ""}),
    ] {
        let status = scene
            .call(&scene.activity(changes.clone()), json!({}))
            .await;
        assert_eq!(status, StatusCode::OK, "{changes}");
    }
    let invoke = scene.activity(json!({"type": "invoke", "name": "fileConsent/invoke"}));
    assert_eq!(
        scene.call(&invoke, json!({})).await,
        StatusCode::NOT_IMPLEMENTED
    );
    assert!(scene.world.sent().is_empty());
}

#[tokio::test]
async fn an_installation_is_greeted_once_and_makes_the_conversation_known() {
    let scene = BotScene::start(&[]).await;
    let bot = format!("28:{}", World::BOT);
    scene
        .told(json!({"type": "installationUpdate", "id": "f:1", "action": "add"}))
        .await;
    scene
        .told(json!({"type": "conversationUpdate", "id": "f:2", "membersAdded": [{"id": bot}]}))
        .await;
    let posted = scene.posted();
    assert_eq!(posted.len(), 1, "{posted:?}");
    let card = posted[0].to_string();
    assert!(
        card.contains("Schreiben Sie hier") && card.contains("Unterhaltung beenden"),
        "{card}"
    );
    assert!(scene.at_genesys().is_empty());
    assert_eq!(scene.state("inbound")["kind"], "oneOnOne");
    let off = BotScene::start(&[("BOT_GREETING", "off")]).await;
    off.told(json!({"type": "installationUpdate", "id": "f:1", "action": "add"}))
        .await;
    assert!(off.posted().is_empty());
}

#[tokio::test]
async fn neither_an_upgrade_nor_a_group_that_nobody_serves_is_greeted() {
    let conversation = json!({"conversationType": "groupChat", "isGroup": true, "tenantId": TENANT, "id": "19:253b@thread.v2"});
    for (groups, action, times) in [
        ("off", "add", 0),
        ("mention", "add", 1),
        ("mention", "add-upgrade", 0),
    ] {
        let scene = BotScene::start(&[("GROUP_CHATS", groups)]).await;
        let added = json!({"type": "installationUpdate", "id": "f:1", "action": action, "conversation": conversation});
        scene.told(added).await;
        assert_eq!(scene.posted().len(), times, "{groups} {action}");
    }
}

#[tokio::test]
async fn other_tenants_are_told_so_and_nothing_else_of_theirs_is_taken() {
    let listed = "be9c1b6e-0000-4000-8000-c0ffee000003";
    let scene = BotScene::start(&[("CUSTOMER_TENANTS", listed)]).await;
    scene
        .told(json!({"type": "installationUpdate", "id": "f:1", "action": "add"}))
        .await;
    scene.told(json!({"type": "typing"})).await;
    assert!(scene.world.sent().is_empty());
    for id in ["1", "2"] {
        scene.customer_writes(id, "let me in").await;
    }
    assert!(scene.at_genesys().is_empty());
    assert_eq!(scene.posted().len(), 1, "once a day");
}

#[tokio::test]
async fn a_group_needs_a_mention_and_names_its_people() {
    let scene = BotScene::start(&[]).await;
    let group = json!({"conversationType": "groupChat", "isGroup": true, "tenantId": TENANT, "id": "19:253b@thread.v2"});
    scene
        .told(json!({"id": "1", "text": "just us", "conversation": group}))
        .await;
    assert!(scene.texts().is_empty());
    let mention = json!({"type": "mention", "text": "<at>Support</at>", "mentioned": {"id": format!("28:{}", World::BOT), "name": "Support"}});
    scene.told(json!({"id": "2", "text": "<at>Support</at> help", "conversation": group, "entities": [mention]})).await;
    assert_eq!(scene.texts(), ["Anna Adler: Support help"]);
}

#[tokio::test]
async fn a_picture_that_the_connector_refuses_keeps_no_message_back() {
    for status in [403, 404, 410] {
        let scene = BotScene::start(&[]).await;
        scene
            .world
            .answer("GET", "/v3/attachments/", Reply::new(status, ""));
        let address = format!(
            "{}v3/attachments/0-a/views/original",
            scene.world.bot_service_url()
        );
        let picture = json!([{"contentType": "image/*", "contentUrl": address}]);
        scene
            .told(json!({"id": "1", "text": "see", "attachments": picture}))
            .await;
        let texts = scene.texts();
        assert_eq!(texts.len(), 2, "{status} {texts:?}");
        assert!(texts[1].starts_with("[image]"), "{texts:?}");
    }
}

#[tokio::test]
async fn a_members_look_up_keeps_no_message_back() {
    for status in [400, 403, 429, 503] {
        let scene = BotScene::start(&[("CUSTOMER_LOOKUP_SECONDS", "1")]).await;
        let refusal = Reply::json(status, &json!({"error": {"code": "BadArgument"}}));
        scene.world.answer("GET", "/members/", refusal);
        scene.customer_writes("1", "hello").await;
        assert_eq!(scene.texts(), ["hello"], "{status}");
    }
}

#[tokio::test]
async fn in_a_group_the_host_is_not_everybodys_tenant() {
    let scene = BotScene::start(&[
        ("CUSTOMER_TENANTS", "be9c1b6e-0000-4000-8000-c0ffee000009"),
        ("GROUP_CHATS", "all"),
    ])
    .await;
    let home = scene.app.settings.tenant.as_str().to_owned();
    let group = json!({"conversationType": "groupChat", "isGroup": true, "tenantId": home, "id": "19:253b@thread.v2"});
    let member = json!({"id": "29:1XJK", "aadObjectId": crate::testing::ANNA, "tenantId": TENANT});
    scene
        .world
        .answer("GET", "/members/", Reply::json(200, &member));
    scene
        .told(json!({"id": "1", "text": "let me in", "conversation": group}))
        .await;
    assert!(
        scene.texts().is_empty(),
        "a guest of the group is of another tenant"
    );
}

#[tokio::test]
async fn without_a_bot_there_is_nobody_to_talk_to() {
    let world = World::start().await;
    let app = app_in(&world, &[("BOT_APP_ID", "")]);
    let (status, _) = call(&app, super::PATH, &[], "{}").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_look_at_the_endpoint_is_answered() {
    use tower::ServiceExt;
    let world = World::start().await;
    let app = app_in(&world, &[]);
    let request = axum::extract::Request::head(super::PATH);
    let request = request.body(axum::body::Body::empty()).expect("a request");
    let response = crate::router(app)
        .oneshot(request)
        .await
        .expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_senders_address_comes_from_the_conversations_member() {
    let scene = BotScene::start(&[]).await;
    let member = json!({"id": "29:1XJK", "aadObjectId": crate::testing::ANNA, "userPrincipalName": "anna@customer.example", "tenantId": TENANT});
    scene
        .world
        .answer("GET", "/members/", Reply::json(200, &member));
    scene.customer_writes("1", "hello").await;
    let (_, body) = &scene.at_genesys()[0];
    let attributes = &body["channel"]["metadata"]["customAttributes"];
    assert_eq!(attributes["teamsUpn"], "anna@customer.example");
    let asked = scene.by_bot("GET");
    assert!(
        asked[0].target.ends_with("/members/29%3A1XJK"),
        "{}",
        asked[0].target
    );
    assert!(
        asked[0]
            .target
            .contains("/conversations/a%3A17I0kl9EkpE1O9PH5TWrzrLNwnWWcfrU/"),
        "{CHAT}"
    );
}
