//! The requests and what may stand in them.

use super::*;
use crate::graph::subscriptions::{APART, Subscription};

#[tokio::test]
async fn what_a_subscription_needs_is_checked() {
    let play = Play::new();
    let url = |text: &str| json!({ "notificationUrl": text });
    let ends = |life| json!({ "expirationDateTime": after(life) });
    let resource = |text: &str| json!({ "resource": text });
    let longest = ends(Duration::minutes(4320));
    let short = with(
        ends(Duration::minutes(59)),
        json!({ "lifecycleNotificationUrl": null }),
    );
    let basic = json!({ "includeResourceData": false, "encryptionCertificate": null,
        "encryptionCertificateId": null });
    for (changes, status, word) in [
        (json!({}), 201, ""),
        (json!({ "changeType": null }), 400, "changeType"),
        (json!({ "changeType": "" }), 400, "changeType"),
        (
            json!({ "changeType": "created,renamed" }),
            400,
            "changeType",
        ),
        (
            json!({ "changeType": "created, updated" }),
            400,
            "changeType",
        ),
        (json!({ "changeType": "Created" }), 400, "changeType"),
        (url("http://bridge.example/notify"), 400, "https"),
        (url("ftp://127.0.0.1/notify"), 400, "https"),
        (url("notify"), 400, "https"),
        (json!({ "notificationUrl": null }), 400, "notificationUrl"),
        (
            json!({ "lifecycleNotificationUrl": "http://bridge.example/" }),
            400,
            "https",
        ),
        (resource("/chats/getAllMessages"), 400, "resource"),
        (
            resource("/users/support/chats/getAllMessages"),
            400,
            "resource",
        ),
        (resource("/me/chats/getAllMessages"), 400, "resource"),
        (
            json!({ "expirationDateTime": "tomorrow" }),
            400,
            "expirationDateTime",
        ),
        (
            json!({ "expirationDateTime": null }),
            400,
            "expirationDateTime",
        ),
        (ends(-Duration::SECOND), 400, "future"),
        (longest, 201, ""),
        (ends(Duration::minutes(4321)), 400, "allowed max"),
        (short, 201, ""),
        (
            json!({ "lifecycleNotificationUrl": null }),
            400,
            "lifecycleNotificationUrl is a required",
        ),
        (json!({ "clientState": "x".repeat(128) }), 201, ""),
        (
            json!({ "clientState": "x".repeat(129) }),
            400,
            "clientState",
        ),
        (json!({ "clientState": null }), 201, ""),
        (json!({ "latestSupportedTlsVersion": "v1_0" }), 400, "Tls"),
        (json!({ "colour": "red" }), 400, "colour"),
        (basic, 201, ""),
    ] {
        let answer = play
            .ask("POST", ALL, with(play.wanted(), changes.clone()))
            .await;
        assert_eq!(answer.status, status, "{changes}: {}", answer.body);
        if status == 201 {
            play.graph.subscriptions.remove(&answer.text("id"));
        } else {
            assert_eq!(answer.body["error"]["code"], "ValidationError");
            let message = answer.body["error"]["message"].as_str();
            assert!(message.is_some_and(|it| it.contains(word)), "{message:?}");
        }
    }
}

#[tokio::test]
async fn a_subscription_is_shown_without_what_is_secret() {
    let play = Play::new();
    let made = play.ask("POST", ALL, play.wanted()).await;
    let id = made.text("id");
    let read = play.ask("GET", &one(&id), Value::Null).await;
    let list = play.ask("GET", ALL, Value::Null).await;
    for shown in [&made.body, &read.body, &list.body["value"][0]] {
        for hidden in ["clientState", "encryptionCertificate"] {
            assert_eq!(shown[hidden], Value::Null);
        }
        for same in [
            "changeType",
            "notificationUrl",
            "resource",
            "expirationDateTime",
        ] {
            assert_eq!(shown[same], play.seen_as(same), "{same}");
        }
        assert_eq!(shown["encryptionCertificateId"], "first");
        assert_eq!(
            (&shown["applicationId"], &shown["id"]),
            (&json!("app"), &json!(id))
        );
    }
    let low = json!({ "changeType": "created", "expirationDateTime": after(Duration::MINUTE) });
    let made = play.ask("POST", ALL, with(play.wanted(), low)).await;
    let raised = made.text("expirationDateTime");
    assert!(raised > after(Duration::minutes(44)) && raised <= after(Duration::minutes(45)));
}

impl Play {
    /// What the one subscription was asked for, as Graph would show it.
    fn seen_as(&self, name: &str) -> Value {
        let made = self.graph.subscriptions.living();
        made.all[0].view()[name].take()
    }
}

#[tokio::test]
async fn lists_come_in_pages_of_the_own_ones() {
    let play = Play::new();
    let other = app_token(&play.graph, "other", json!(["Chat.Read.All"]));
    let mut own = Vec::new();
    for change in [
        "created",
        "updated",
        "deleted",
        "created,updated",
        "created,deleted",
    ] {
        own.push(play.subscribed(json!({ "changeType": change })).await);
        let foreign = with(play.wanted(), json!({ "changeType": change }));
        let made = play.ask_as(&other, "POST", ALL, foreign).await;
        assert_eq!(made.status, 201);
    }
    let (mut listed, mut path) = (Vec::new(), ALL.to_owned());
    while !path.is_empty() {
        let page = play.ask("GET", &path, Value::Null).await;
        let value = page.body["value"].as_array().expect("a list");
        assert!((1..=2).contains(&value.len()), "no empty page");
        listed.extend(
            value
                .iter()
                .map(|it| it["id"].as_str().expect("an id").to_owned()),
        );
        let next = page.text("@odata.nextLink");
        path = next.replace(&play.graph.world.endpoints.graph, "");
        // What is deleted while somebody turns the pages moves none of the others.
        play.graph.subscriptions.remove(&listed[0]);
    }
    assert_eq!(listed, own);
    for query in ["?$top=10", "?$filter=id", "?$skiptoken=x"] {
        let refused = play.ask("GET", &format!("{ALL}{query}"), Value::Null).await;
        assert_eq!(refused.status, 400, "{query}");
    }
}

#[tokio::test]
async fn the_same_combination_exists_once_for_an_owner() {
    let play = Play::new();
    let id = play.subscribed(json!({})).await;
    let upper = play.resource().to_uppercase();
    let bare = play.resource().replacen('/', "", 1);
    let other = app_token(&play.graph, "other", json!(["Chat.Read.All"]));
    for (changes, token, status) in [
        (json!({}), &play.token, 409),
        (
            json!({ "changeType": "deleted,created,updated" }),
            &play.token,
            409,
        ),
        (
            json!({ "changeType": "created,created,updated,deleted" }),
            &play.token,
            409,
        ),
        (json!({ "resource": upper }), &play.token, 409),
        (json!({ "resource": bare }), &play.token, 409),
        (json!({ "changeType": "created,deleted" }), &play.token, 201),
        (json!({}), &other, 201),
    ] {
        let body = with(play.wanted(), changes.clone());
        let answer = play.ask_as(token, "POST", ALL, body).await;
        assert_eq!(answer.status, status, "{changes}");
        let told = answer.body["error"]["message"].as_str().unwrap_or_default();
        let named = format!("Subscription Id {id} already exists for the requested combination");
        assert_eq!(told == named, status == 409, "{told}");
    }
}

#[tokio::test]
async fn ten_subscriptions_watch_a_user_and_no_more() {
    let play = Play::new();
    let other = app_token(&play.graph, "other", json!(["Chat.Read.All"]));
    let kinds = [
        "created",
        "updated",
        "deleted",
        "created,updated",
        "created,deleted",
    ];
    for kind in kinds {
        for token in [&play.token, &other] {
            let body = with(play.wanted(), json!({ "changeType": kind }));
            assert_eq!(play.ask_as(token, "POST", ALL, body).await.status, 201);
        }
    }
    let refused = play.ask("POST", ALL, play.wanted()).await;
    assert_eq!(refused.status, 403);
    assert!(
        refused.body["error"]["message"]
            .as_str()
            .is_some_and(|it| it.contains("limit"))
    );
    let elsewhere = "/users/0f0e0d0c-0000-4000-8000-00000000000b/chats/getAllMessages";
    play.subscribed(json!({ "resource": elsewhere })).await;
    let first = play.seen().await[0]["id"].clone();
    play.graph
        .subscriptions
        .remove(first.as_str().expect("an id"));
    play.subscribed(json!({})).await;
}

#[tokio::test]
async fn an_update_changes_what_may_change() {
    let play = Play::new();
    let id = play.subscribed(json!({})).await;
    let certificate = play.wanted()["encryptionCertificate"].take();
    let url = format!("{}/elsewhere", play.ours.address);
    let ends = |life| json!({ "expirationDateTime": after(life) });
    for (body, status) in [
        (json!({}), 400),
        (
            json!({ "encryptionCertificate": certificate, "encryptionCertificateId": "second" }),
            400,
        ),
        (
            json!({ "notificationUrl": url, "encryptionCertificate": certificate }),
            400,
        ),
        (
            json!({ "notificationUrl": url, "encryptionCertificateId": "second" }),
            400,
        ),
        (json!({ "notificationUrl": url, "clientState": "new" }), 400),
        (
            json!({ "notificationUrl": url, "lifecycleNotificationUrl": url }),
            400,
        ),
        (
            json!({ "notificationUrl": url, "changeType": "created" }),
            400,
        ),
        (json!({ "notificationUrl": "http://bridge.example/" }), 400),
        (ends(Duration::minutes(4321)), 400),
        (ends(-Duration::SECOND), 400),
    ] {
        let answer = play.ask("PATCH", &one(&id), body.clone()).await;
        assert_eq!(answer.status, status, "{body}");
    }
    assert_eq!(
        play.seen().await[0]["certificate"],
        "first",
        "nothing came of it"
    );
    let renewal = json!({ "expirationDateTime": after(Duration::hours(2)), "notificationUrl": url,
        "encryptionCertificate": certificate, "encryptionCertificateId": "second" });
    let answer = play.ask("PATCH", &one(&id), renewal.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    for name in [
        "expirationDateTime",
        "notificationUrl",
        "encryptionCertificateId",
    ] {
        assert_eq!(answer.body[name], renewal[name], "{name}");
    }
    let asked = play.ours.asked();
    assert!(
        asked.last().is_some_and(|it| it.starts_with("/elsewhere?")),
        "{asked:?}"
    );
    let low = play.ask("PATCH", &one(&id), ends(Duration::MINUTE)).await;
    assert!(low.text("expirationDateTime") > after(Duration::minutes(44)));
    let short = json!({ "changeType": "created", "lifecycleNotificationUrl": null,
        "expirationDateTime": after(Duration::hours(1)) });
    let mute = play.subscribed(short).await;
    let longer = play
        .ask("PATCH", &one(&mute), ends(Duration::minutes(61)))
        .await;
    assert_eq!(longer.status, 400);
}

#[tokio::test]
async fn an_update_and_a_reauthorization_keep_their_distance() {
    let play = Play::new();
    let id = play.subscribed(json!({})).await;
    let again = format!("{}/reauthorize", one(&id));
    let renewal = || json!({ "expirationDateTime": after(Duration::hours(2)) });
    let earlier = |change: fn(&mut Subscription)| {
        let changed = play.graph.subscriptions.with_any(&id, change);
        changed.expect("a subscription");
    };
    let update = async || play.ask("PATCH", &one(&id), renewal()).await.status;
    let reauthorize = async || play.ask("POST", &again, Value::Null).await.status;
    assert_eq!(reauthorize().await, 204);
    assert_eq!(reauthorize().await, 204);
    assert_eq!(update().await, 400);
    earlier(|it| it.reauthorized = it.reauthorized.map(|at| at - APART));
    assert_eq!(update().await, 200);
    assert_eq!(update().await, 200);
    assert_eq!(reauthorize().await, 400);
    earlier(|it| it.updated = it.updated.map(|at| at - APART));
    assert_eq!(reauthorize().await, 204);
}

#[tokio::test]
async fn what_is_gone_is_not_found() {
    let play = Play::new();
    let other = app_token(&play.graph, "other", json!(["Chat.Read.All"]));
    let renewal = json!({ "expirationDateTime": after(Duration::hours(2)) });
    let calls = |id: &str| {
        let reauthorize = format!("{}/reauthorize", one(id));
        [
            ("GET", one(id), Value::Null),
            ("PATCH", one(id), renewal.clone()),
            ("POST", reauthorize, Value::Null),
            ("DELETE", one(id), Value::Null),
        ]
    };
    let foreign = play.subscribed(json!({})).await;
    for (method, path, body) in calls(&foreign) {
        assert_eq!(
            play.ask_as(&other, method, &path, body).await.status,
            404,
            "{method}"
        );
    }
    let deleted = play.ask("DELETE", &one(&foreign), Value::Null).await;
    assert_eq!(deleted.status, 204);
    let ended = play.subscribed(json!({})).await;
    let end = format!("/local/graph/subscriptions/{ended}/end");
    let past = json!({ "ends": after(-Duration::SECOND) });
    assert_eq!(play.control("PUT", &end, past).await, 204);
    for id in [&foreign, &ended, "unknown"] {
        for (method, path, body) in calls(id) {
            let answer = play.ask(method, &path, body).await;
            assert_eq!(answer.status, 404, "{method}");
            assert_eq!(answer.body["error"]["code"], "ResourceNotFound");
        }
    }
    let list = play.ask("GET", ALL, Value::Null).await;
    assert_eq!(list.body["value"], json!([]));
    assert!(play.seen().await.is_empty());
}
