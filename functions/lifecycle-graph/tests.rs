use std::time::Duration;

use bridge::subscriptions::LIFE;
use http::StatusCode;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use services::error::Service;
use services::secrets::names;
use services::testing::World;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::*;
use crate::own_secrets::new_value;
use crate::subscription_renewal::tests::Subscriptions;
use crate::testing::{app_in, deliver, post};

/// Graph tells that this is the matter, and it is worked on.
async fn tell(world: &World, app: &Arc<App>, event: &str) {
    let item = json!({
        "lifecycleEvent": event, "subscriptionId": "10493aa0-4d29-4df5-bc0c-ef742cc6cd7f",
        "clientState": format!("support.{}", World::CLIENT_STATE),
    });
    let body = json!({ "value": [item] }).to_string();
    assert_eq!(post(app, PATH, &[], body).await, StatusCode::ACCEPTED);
    let sent = world.sent();
    let told = sent.last().expect("an envelope");
    assert_eq!(deliver(app, told, 1).await, StatusCode::OK, "{event}");
}

/// Whether a gap is noted, which is forgotten then.
fn gap(world: &World) -> bool {
    const STATE: &str = "catch-up/support.json";
    let state = world.blob("state", STATE).expect("a state");
    let mut state: Value = serde_json::from_slice(&state).expect("JSON");
    let gap = state.as_object_mut().expect("an object").remove("gap");
    world.put_blob("state", STATE, state.to_string());
    gap.is_some()
}

#[tokio::test]
async fn each_event_has_its_remedy() {
    let world = World::start().await;
    let key = new_value(names::GRAPH_NOTIFICATION_KEY).await;
    world.put_secret(names::GRAPH_NOTIFICATION_KEY, key.expose_secret());
    let made = Subscriptions::of(&world);
    let app = app_in(&world, &[("WEBSITE_HOSTNAME", "app.example")]);
    let account = "support".parse().expect("a name");
    crate::catch_up::note_coverage(&app, &account, true)
        .await
        .expect("begun");

    tell(&world, &app, "subscriptionRemoved").await;
    assert_eq!(made.all().len(), 1);
    assert!(gap(&world));

    let patched = || {
        let seen = world.seen(Service::Graph);
        seen.iter().filter(|seen| seen.method == "PATCH").count()
    };
    // Renewed a moment ago, and a while ago.
    for (age, renewals) in [(5, 0), (20, 1)] {
        let ends = OffsetDateTime::now_utc() + LIFE - Duration::from_secs(age * 60);
        made.end(&ends.format(&Rfc3339).expect("a time"));
        tell(&world, &app, "reauthorizationRequired").await;
        assert_eq!(patched(), renewals, "{age} minutes");
        assert!(!gap(&world));
    }

    let calls = world.seen(Service::Graph).len();
    tell(&world, &app, "missed").await;
    assert!(gap(&world));
    assert_eq!(world.seen(Service::Graph).len(), calls);
}
