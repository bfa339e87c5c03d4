use std::sync::Mutex;

use bridge::catch_up::Progress;
use http::StatusCode;
use serde_json::{Value, json};
use services::testing::{Reply, Seen as Request, World};

use super::*;
use crate::own_secrets::new_value;
use crate::testing::{app_in, post};

const TICK: &str = include_str!("../../bridge/fixtures/host_timer_payload.json");
const HOST: (&str, &str) = ("WEBSITE_HOSTNAME", "app.example");

async fn tick(app: &Arc<App>) -> StatusCode {
    post(app, PATH, &[], TICK).await
}

/// Graph's subscriptions, as far as they are asked for here.
#[derive(Clone, Default)]
pub(crate) struct Subscriptions(Arc<Mutex<Vec<Value>>>);

impl Subscriptions {
    pub(crate) fn of(world: &World) -> Self {
        let made = Self::default();
        for method in ["GET", "POST", "PATCH", "DELETE"] {
            let made = made.clone();
            let answer = move |seen: &Request| Some(made.answer(seen));
            world.answer_with(method, "/v1.0/subscriptions", answer);
        }
        made
    }

    fn answer(&self, seen: &Request) -> Reply {
        let mut all = self.0.lock().expect("a lock");
        let id = seen
            .path()
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        match seen.method.as_str() {
            "GET" => {
                let shown = all.iter().cloned().map(|mut one| {
                    one["clientState"] = Value::Null;
                    one["encryptionCertificateId"] = Value::Null;
                    one
                });
                Reply::json(200, &json!({ "value": shown.collect::<Vec<_>>() }))
            }
            "POST" => {
                let mut one = seen.json();
                let kinds = &one["changeType"];
                assert!(!all.iter().any(|it| it["changeType"] == *kinds), "409");
                one["id"] = json!(uuid::Uuid::new_v4());
                all.push(one.clone());
                Reply::json(201, &one)
            }
            "PATCH" => {
                let one = all.iter_mut().find(|it| it["id"] == id).expect("there");
                for (name, value) in seen.json().as_object().expect("an object") {
                    one[name] = value.clone();
                }
                Reply::json(200, one)
            }
            _ => {
                all.retain(|it| it["id"] != id);
                Reply::new(204, "")
            }
        }
    }

    pub(crate) fn all(&self) -> Vec<Value> {
        self.0.lock().expect("a lock").clone()
    }

    /// Gives all of them this end.
    pub(crate) fn end(&self, ends: &str) {
        for one in self.0.lock().expect("a lock").iter_mut() {
            one["expirationDateTime"] = json!(ends);
        }
    }
}

#[tokio::test]
async fn a_support_user_gets_a_subscription_that_is_replaced_when_the_secret_is() {
    let world = World::start().await;
    let made = Subscriptions::of(&world);
    let app = app_in(&world, &[HOST]);
    assert_eq!(
        tick(&app).await,
        StatusCode::INTERNAL_SERVER_ERROR,
        "no key yet"
    );
    let key = new_value(names::GRAPH_NOTIFICATION_KEY).await;
    world.put_secret(names::GRAPH_NOTIFICATION_KEY, key.expose_secret());
    assert_eq!(tick(&app).await, StatusCode::OK);
    let first = made.all();
    assert_eq!(first.len(), 1);
    let state = format!("support.{}", World::CLIENT_STATE);
    assert_eq!(first[0]["clientState"], state);
    let user = app.settings.support_accounts[0].user.as_str();
    assert_eq!(first[0]["resource"], resource(user));
    let address = "https://app.example/api/graph/lifecycle";
    assert_eq!(first[0]["lifecycleNotificationUrl"], address);
    let certificate = NotificationKey::from_pem(&key).expect("a key");
    assert_eq!(first[0]["encryptionCertificate"], certificate.certificate());
    assert_eq!(
        first[0]["encryptionCertificateId"],
        certificate.certificate_id()
    );
    let account = &app.settings.support_accounts[0].name;
    let name = blobs::subscription(account);
    let noted = crate::store::document::peek(&app.blobs, &name).await;
    let standing: Option<Standing> = noted.expect("readable").flatten();
    let standing = standing.expect("a note");
    assert_eq!(standing.access, "application");
    assert!(standing.ends > OffsetDateTime::now_utc() + LIFE - Duration::from_secs(60));
    // Nothing is due.
    assert_eq!(tick(&app).await, StatusCode::OK);
    assert_eq!(made.all(), first);
    assert!(are_settled(&app).await.expect("an answer"));

    world.put_secret(names::GRAPH_CLIENT_STATE, "another");
    assert!(!are_settled(&app).await.expect("an answer"));
    assert_eq!(tick(&app).await, StatusCode::OK);
    let replaced = made.all();
    assert_eq!(replaced.len(), 1);
    assert_eq!(replaced[0]["clientState"], "support.another");
    assert!(are_settled(&app).await.expect("an answer"));
}

#[tokio::test]
async fn that_no_subscription_can_be_made_is_one_gap_and_not_one_in_each_run() {
    let world = World::start().await;
    let key = new_value(names::GRAPH_NOTIFICATION_KEY).await;
    world.put_secret(names::GRAPH_NOTIFICATION_KEY, key.expose_secret());
    let made = Subscriptions::of(&world);
    let is_refused = Arc::new(Mutex::new(false));
    let refused = Arc::clone(&is_refused);
    world.answer_with("POST", "/v1.0/subscriptions", move |_| {
        let refusal = json!({"error": {"code": "Forbidden", "message": "…"}});
        let is_refused = *refused.lock().expect("a lock");
        is_refused.then(|| Reply::json(403, &refusal))
    });
    let app = app_in(&world, &[HOST]);
    let progress = || -> Progress {
        let blob = blobs::catch_up(&app.settings.support_accounts[0].name);
        let blob = world.blob("state", &blob).expect("a note");
        serde_json::from_slice(&blob).expect("readable")
    };
    assert_eq!(tick(&app).await, StatusCode::OK);
    assert_eq!((progress().gap, progress().uncovered), (None, None));
    *is_refused.lock().expect("a lock") = true;
    made.end("2026-01-01T00:00:00Z");
    assert_eq!(tick(&app).await, StatusCode::INTERNAL_SERVER_ERROR);
    let noted = progress();
    assert!(noted.gap.is_none() && noted.uncovered.is_some());
    assert_eq!(tick(&app).await, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(progress(), noted);
    *is_refused.lock().expect("a lock") = false;
    made.0.lock().expect("a lock").clear();
    assert_eq!(tick(&app).await, StatusCode::OK);
    let closed = progress();
    assert!(closed.gap.is_some() && closed.uncovered.is_none());
    assert_eq!(tick(&app).await, StatusCode::OK);
    assert_eq!(progress(), closed);
}

#[tokio::test]
async fn a_missing_host_name_is_no_fault_of_the_vault() {
    let (world, app) = crate::testing::start().await;
    assert_eq!(tick(&app).await, StatusCode::INTERNAL_SERVER_ERROR);
    let failure = are_settled(&app).await.expect_err("no address");
    assert_eq!(failure.label(), "platform: configuration");
    let Failure::Service(error) = failure else {
        panic!("a setting: {failure:?}");
    };
    let advice = crate::secret_rotation::advice(&error);
    assert!(advice.contains("WEBSITE_HOSTNAME"), "{advice}");
    assert!(world.seen(Service::Graph).is_empty());
}

#[tokio::test]
async fn what_keeps_one_from_it_does_not_concern_the_others() {
    let world = World::start().await;
    let key = new_value(names::GRAPH_NOTIFICATION_KEY).await;
    world.put_secret(names::GRAPH_NOTIFICATION_KEY, key.expose_secret());
    let made = Subscriptions::of(&world);
    let one = "00000000-0000-4000-8000-000000000001";
    world.answer_with("POST", "/v1.0/subscriptions", move |seen| {
        let refusal = json!({"error": {"code": "Forbidden", "message": "…"}});
        let is_meant = seen.json()["resource"] == resource(one);
        is_meant.then(|| Reply::json(403, &refusal))
    });
    let accounts =
        "one=00000000-0000-4000-8000-000000000001,two=00000000-0000-4000-8000-000000000002";
    let app = app_in(&world, &[HOST, ("SUPPORT_ACCOUNTS", accounts)]);
    assert_eq!(tick(&app).await, StatusCode::INTERNAL_SERVER_ERROR);
    let all = made.all();
    assert_eq!(all.len(), 1);
    assert!(
        all[0]["clientState"]
            .as_str()
            .is_some_and(|it| it.starts_with("two."))
    );
}
