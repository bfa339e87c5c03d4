//! What subscriptions are told, and what not.

use std::collections::BTreeMap;

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey};

use super::*;
use crate::graph::changes::ChangeType::{self, Created, Deleted, Updated};

const CHAT: &str = "19:anna_support@unq.gbl.spaces";

impl Play {
    /// Anna writes, and nobody is told; the message's id.
    async fn written(&self) -> String {
        let path = "/local/teams/chats/19%3Aanna_support%40unq.gbl.spaces/messages";
        let anna = json!({ "user": "0f0e0d0c-0000-4000-8000-00000000000a", "name": "Anna",
            "tenant": "be9c1b6e-0000-4000-8000-c0ffee000002", "upn": "anna@customer.example" });
        let message = json!({ "from": anna, "html": "<p>hello</p>", "notify": false });
        let written = ask(control(&self.graph), "POST", path, "", message).await;
        written.text("message")
    }

    /// Whether anybody is told of a change of this message.
    fn tells(&self, message: &str, change: ChangeType) -> bool {
        self.graph.notify(CHAT, message, change, None).is_some()
    }

    async fn set_state(&self, id: &str, state: Value) {
        let path = format!("/local/graph/subscriptions/{id}/state");
        assert_eq!(self.control("PUT", &path, state).await, 204);
    }

    async fn reauthorize(&self, id: &str) {
        let path = format!("{}/reauthorize", one(id));
        assert_eq!(self.ask("POST", &path, Value::Null).await.status, 204);
    }

    /// The next notification's only item.
    async fn told(&mut self) -> Value {
        self.ours.next().await["value"][0].take()
    }
}

/// Opens the content of a notification as its recipient does.
fn opened(item: &Value, certificate: &CertifiedKey<KeyPair>) -> Option<Value> {
    let sealed = &item["encryptedContent"];
    let bytes = |name: &str| {
        STANDARD
            .decode(sealed[name].as_str().expect("text"))
            .expect("base64")
    };
    let private = PrivateDecryptingKey::from_pkcs8(certificate.signing_key.serialized_der());
    let private = OaepPrivateDecryptingKey::new(private.expect("a key")).expect("a key");
    let mut room = vec![0; private.min_output_size()];
    let wrapped = bytes("dataKey");
    let key = private.decrypt(&OAEP_SHA1_MGF1SHA1, &wrapped, &mut room, None);
    let key: &[u8] = key.ok()?;
    let start: [u8; 16] = key[..16].try_into().expect("16 bytes");
    let cipher = UnboundCipherKey::new(&AES_256, key).expect("a key");
    let cipher = PaddedBlockDecryptingKey::cbc_pkcs7(cipher).expect("a cipher");
    let mut data = bytes("data");
    let start = DecryptionContext::Iv128(FixedLength::from(start));
    let text = cipher.decrypt(&mut data, start).expect("the content");
    Some(serde_json::from_slice(text).expect("JSON"))
}

#[tokio::test]
async fn each_subscription_is_told_of_what_it_asked_for_in_its_own_way() {
    let mut play = Play::new();
    let second = rsa_certificate("second").expect("a certificate");
    let old = play.subscribed(json!({})).await;
    let new = json!({ "changeType": "created,updated", "clientState": "support.new",
        "encryptionCertificate": STANDARD.encode(second.cert.der()), "encryptionCertificateId": "second" });
    let new = play.subscribed(new).await;
    let bare =
        json!({ "changeType": "created", "clientState": null, "includeResourceData": false });
    let bare = play.subscribed(bare).await;
    let message = play.written().await;
    for (change, ids) in [
        (Created, vec![&old, &new, &bare]),
        (Updated, vec![&old, &new]),
        (Deleted, vec![&old]),
    ] {
        assert!(play.tells(&message, change));
        let mut told = BTreeMap::new();
        for _ in &ids {
            let item = play.told().await;
            assert_eq!(item["changeType"], json!(change));
            told.insert(
                item["subscriptionId"].as_str().expect("an id").to_owned(),
                item,
            );
        }
        assert!(told.len() == ids.len() && ids.iter().all(|id| told.contains_key(*id)));
        let states = [
            (&old, json!("support.secret")),
            (&new, json!("support.new")),
            (&bare, Value::Null),
        ];
        for (id, state) in states {
            assert!(told.get(id).is_none_or(|item| item["clientState"] == state));
        }
        let keys = [(&old, "first", &*CERTIFICATE), (&new, "second", &second)];
        for (id, name, own) in keys {
            let Some(item) = told.get(id) else { continue };
            assert_eq!(item["encryptedContent"]["encryptionCertificateId"], name);
            assert_eq!(opened(item, own).expect("for us")["id"], message);
            let other = if name == "first" {
                &second
            } else {
                &*CERTIFICATE
            };
            assert!(opened(item, other).is_none());
        }
        assert!(
            told.get(&bare)
                .is_none_or(|item| item.get("encryptedContent").is_none())
        );
    }
}

#[tokio::test]
async fn a_new_certificate_is_the_next_notifications() {
    let mut play = Play::new();
    let id = play.subscribed(json!({})).await;
    let message = play.written().await;
    let second = rsa_certificate("second").expect("a certificate");
    let rotation = json!({ "expirationDateTime": after(Duration::hours(2)),
        "encryptionCertificate": STANDARD.encode(second.cert.der()), "encryptionCertificateId": "second" });
    assert_eq!(play.ask("PATCH", &one(&id), rotation).await.status, 200);
    assert!(play.tells(&message, Created));
    assert_eq!(
        opened(&play.told().await, &second).expect("for us")["id"],
        message
    );
}

#[tokio::test]
async fn what_is_silent_removed_ended_or_anothers_is_told_nothing() {
    let play = Play::new();
    let message = play.written().await;
    let elsewhere = "/users/0f0e0d0c-0000-4000-8000-00000000000b/chats/getAllMessages";
    play.subscribed(json!({ "resource": elsewhere })).await;
    assert!(!play.tells(&message, Created), "of a chat of others");
    let id = play.subscribed(json!({})).await;
    assert!(play.tells(&message, Created));
    play.set_state(&id, json!({ "state": "silent" })).await;
    assert!(!play.tells(&message, Created));
    let list = play.ask("GET", ALL, Value::Null).await;
    assert_eq!(
        list.body["value"].as_array().map(Vec::len),
        Some(2),
        "it is listed"
    );
    play.reauthorize(&id).await;
    assert!(!play.tells(&message, Created), "and stays silent");
    play.set_state(&id, json!({ "state": "active" })).await;
    assert!(play.tells(&message, Created));
    let path = format!("/local/graph/subscriptions/{id}");
    assert_eq!(play.control("DELETE", &path, Value::Null).await, 204);
    assert_eq!(play.control("DELETE", &path, Value::Null).await, 404);
    assert!(!play.tells(&message, Created));
    let id = play.subscribed(json!({})).await;
    let end = format!("/local/graph/subscriptions/{id}/end");
    let past = json!({ "ends": after(-Duration::SECOND) });
    assert_eq!(play.control("PUT", &end, past).await, 204);
    assert!(!play.tells(&message, Created));
}

#[tokio::test]
async fn a_pause_holds_notifications_until_the_access_is_renewed() {
    let mut play = Play::new();
    let id = play.subscribed(json!({})).await;
    let message = play.written().await;
    let url = json!({ "notificationUrl": play.wanted()["notificationUrl"] });
    let renewal = json!({ "expirationDateTime": after(Duration::hours(2)) });
    for reauthorizes in [false, true] {
        play.set_state(&id, json!({ "state": "paused" })).await;
        assert!(!play.tells(&message, Created));
        assert!(!play.tells(&message, Updated));
        // Another address is no renewal.
        let answer = play.ask("PATCH", &one(&id), url.clone()).await;
        assert_eq!(answer.status, 200);
        let seen = &play.seen().await[0];
        assert_eq!(
            (&seen["state"], &seen["waiting"]),
            (&json!("paused"), &json!(2))
        );
        if reauthorizes {
            let later = |it: &mut super::super::Subscription| it.updated = None;
            play.graph.subscriptions.with_any(&id, later);
            play.reauthorize(&id).await;
        } else {
            let answer = play.ask("PATCH", &one(&id), renewal.clone()).await;
            assert_eq!(answer.status, 200);
        }
        for change in ["created", "updated"] {
            assert_eq!(play.told().await["changeType"], change);
        }
        assert_eq!(play.seen().await[0]["waiting"], 0);
    }
}

#[tokio::test]
async fn what_is_held_for_four_hours_is_lost_and_a_pause_may_lose_all() {
    let play = Play::new();
    let id = play.subscribed(json!({})).await;
    let message = play.written().await;
    let released = |after: Duration| {
        play.graph.subscriptions.with_any(&id, |it| it.resume());
        let now = OffsetDateTime::now_utc() + after;
        play.graph.subscriptions.released(&id, now).len()
    };
    for (after, left) in [(Duration::minutes(239), 1), (Duration::minutes(241), 0)] {
        play.set_state(&id, json!({ "state": "paused" })).await;
        assert!(!play.tells(&message, Created));
        assert_eq!(released(after), left);
    }
    play.set_state(&id, json!({ "state": "paused", "loses": true }))
        .await;
    assert!(!play.tells(&message, Created));
    assert_eq!(released(Duration::ZERO), 0);
}

#[tokio::test]
async fn lifecycle_notifications_go_to_their_own_address() {
    let mut play = Play::new();
    let id = play.subscribed(json!({})).await;
    let path = format!("/local/graph/subscriptions/{id}/lifecycle");
    for event in ["reauthorizationRequired", "missed", "subscriptionRemoved"] {
        let ends = play.seen().await[0]["ends"].clone();
        assert_eq!(
            play.control("POST", &path, json!({ "event": event })).await,
            202
        );
        let expected = json!({
            "subscriptionId": id,
            "subscriptionExpirationDateTime": ends,
            "tenantId": play.graph.world.config.tenant,
            "clientState": "support.secret",
            "lifecycleEvent": event,
        });
        assert_eq!(play.told().await, expected);
    }
    assert!(play.seen().await.is_empty(), "removed");
    assert_eq!(
        play.control("POST", &path, json!({ "event": "missed" }))
            .await,
        404
    );
    let short = json!({ "lifecycleNotificationUrl": null, "expirationDateTime": after(Duration::hours(1)) });
    let mute = play.subscribed(short).await;
    let path = format!("/local/graph/subscriptions/{mute}/lifecycle");
    assert_eq!(
        play.control("POST", &path, json!({ "event": "subscriptionRemoved" }))
            .await,
        409
    );
    assert_eq!(
        play.control("POST", &path, json!({ "event": "renamed" }))
            .await,
        422
    );
    assert_eq!(play.seen().await.len(), 1);
}
