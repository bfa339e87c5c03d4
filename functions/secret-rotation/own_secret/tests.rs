//! Replacing the secret of the webhook, in a world in memory, while a warm app takes what Genesys signs.

use std::sync::Arc;
use std::time::Duration;

use bridge::rotation::{RENEWED_AFTER, SETTLED_AFTER};
use futures::future::join_all;
use http::StatusCode;
use secrecy::ExposeSecret;
use serde_json::json;
use services::testing::{Reply, World};

use super::*;
use crate::secret_rotation::tests::{DAY, killed_at_write, noted, tick};
use crate::testing::{agents_message, app_in, webhook};

const SECRET: &str = names::GENESYS_WEBHOOK;

async fn run(app: &App, later: Duration, is_asked: bool) -> Result<(), Failure> {
    // Nothing is repeated here.
    replace(
        app,
        SECRET,
        OffsetDateTime::now_utc() + later,
        is_asked,
        Duration::ZERO,
    )
    .await
}

/// How a webhook that is signed with this secret is answered.
async fn answered(app: &Arc<App>, id: &str, secret: &str) -> StatusCode {
    let message = agents_message(id, OffsetDateTime::now_utc(), json!({}));
    webhook(app, message.to_string(), secret).await
}

/// What Genesys signs with is the current secret, and the only one.
async fn assert_at_rest(world: &World) {
    let current = world.secret(SECRET).expect("one");
    assert_eq!(current, world.webhook_secret());
    assert_ne!(current, World::WEBHOOK_SECRET);
    let vault = app_in(world, &[]);
    let vault = vault.secrets.vault();
    let previous = vault.newest(&names::previous(SECRET)).await;
    assert!(previous.expect("an answer").is_none());
    let next = vault.newest(&names::next(SECRET)).await.expect("an answer");
    assert_eq!(next.expect("the same").value.expose_secret(), current);
    assert_eq!(noted(world, SECRET).claim, None);
}

/// No wait is needed between storing the next secret and telling Genesys: an instance that remembers for hours that there is none
/// reads again before it refuses.
#[tokio::test]
async fn a_warm_instance_refuses_nothing_that_genesys_signs() {
    let world = World::start().await;
    let (warm, app) = (app_in(&world, &[]), app_in(&world, &[]));
    let old = world.webhook_secret();
    assert_eq!(answered(&warm, "m-1", &old).await, StatusCode::OK);
    world.age_secret(SECRET, RENEWED_AFTER);
    run(&app, Duration::ZERO, false).await.expect("a run");
    let new = world.webhook_secret();
    assert_ne!(new, old);
    assert_eq!(world.secret(SECRET).as_ref(), Some(&new));
    assert_eq!(answered(&warm, "m-2", &new).await, StatusCode::OK);
    // What is repeated was signed before.
    assert_eq!(answered(&warm, "m-3", &old).await, StatusCode::OK);
    // Terraform read the vault before it changed.
    app.genesys
        .administrator()
        .await
        .expect("a token")
        .set_webhook_secret("i", &old.as_str().into())
        .await
        .expect("set");
    run(&app, 3 * DAY, false).await.expect("a run");
    assert_at_rest(&world).await;
    let cold = app_in(&world, &[]);
    assert_eq!(answered(&cold, "m-4", &new).await, StatusCode::OK);
    let refused = answered(&cold, "m-5", &old).await;
    assert_eq!(refused, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn whoever_asks_gets_a_new_one_also_when_one_is_over() {
    let world = World::start().await;
    let app = app_in(&world, &[]);
    run(&app, Duration::ZERO, true).await.expect("a run");
    let first = world.secret(SECRET);
    world.age_secret(SECRET, 3 * DAY);
    run(&app, Duration::ZERO, true).await.expect("a run");
    assert_ne!(world.secret(SECRET), first);
    assert_eq!(world.secret(&names::previous(SECRET)), first);
}

#[tokio::test]
async fn what_a_person_stored_is_not_undone() {
    let world = World::start().await;
    let app = app_in(&world, &[]);
    run(&app, Duration::ZERO, true).await.expect("a run");
    let replaced = world.webhook_secret();
    // What the vault dates in whole seconds was a day ago.
    world.age_secret(SECRET, DAY);
    world.age_secret(&names::next(SECRET), DAY);
    world.put_secret(SECRET, "chosen by a person");
    run(&app, Duration::ZERO, false).await.expect("a run");
    assert_eq!(world.secret(SECRET).as_deref(), Some("chosen by a person"));
    assert_eq!(world.webhook_secret(), replaced, "that is the person's too");
}

#[tokio::test]
async fn while_the_vault_is_away_a_new_secret_is_not_refused_for_good() {
    let world = World::start().await;
    let (warm, app) = (app_in(&world, &[]), app_in(&world, &[]));
    let old = world.webhook_secret();
    assert_eq!(answered(&warm, "m-1", &old).await, StatusCode::OK);
    run(&app, Duration::ZERO, true).await.expect("a run");
    let away = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let is_away = Arc::clone(&away);
    world.answer_with("GET", "/secrets/", move |_| {
        let is_away = is_away.load(std::sync::atomic::Ordering::SeqCst);
        is_away.then(|| Reply::new(503, ""))
    });
    let new = world.webhook_secret();
    let again = answered(&warm, "m-2", &new).await;
    assert_eq!(again, StatusCode::SERVICE_UNAVAILABLE);
    away.store(false, std::sync::atomic::Ordering::SeqCst);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(5)).await;
    tokio::time::resume();
    assert_eq!(answered(&warm, "m-2", &new).await, StatusCode::OK);
}

#[tokio::test]
async fn a_run_can_be_killed_at_each_of_its_writes() {
    let cases = (1..=10).flat_map(|n| [(n, false), (n, true)]);
    let cases = cases.map(|(n, takes_effect)| async move {
        let world = World::start().await;
        let warm = app_in(&world, &[]);
        let writes = [
            ("PUT", "/secrets/"),
            ("PUT", "genesys-webhook-secret.json"),
            ("PATCH", "/integrations/open/"),
        ];
        let app = app_in(&world, &[]);
        let work = run(&app, Duration::ZERO, true);
        let was_killed = killed_at_write(&world, writes, n, takes_effect, work).await;
        let app = app_in(&world, &[]);
        for later in [Duration::ZERO, SETTLED_AFTER, 4 * DAY] {
            let signed = answered(&warm, "m-1", &world.webhook_secret()).await;
            assert_eq!(signed, StatusCode::OK, "{n} {takes_effect}");
            let done = run(&app, later, later == SETTLED_AFTER).await;
            done.expect("a run");
        }
        assert_at_rest(&world).await;
        was_killed
    });
    let killed = join_all(cases).await;
    // Note, claim, store, note what is stored, tell, note, keep the one before, switch, note.
    let killed = killed.into_iter().filter(|it| *it).count();
    assert_eq!(
        killed, 18,
        "the writes of a replacement, before and after each"
    );
}

#[tokio::test]
async fn what_genesys_does_not_allow_waits_accepted_until_somebody_may() {
    let world = World::start().await;
    let refusal = Reply::json(403, &json!({ "code": "missing.permissions" }));
    world.answer_once("PATCH", "/integrations/open/", refusal);
    let app = app_in(&world, &[]);
    let failure = run(&app, Duration::ZERO, true).await;
    failure.expect_err("refused");
    assert_eq!(world.webhook_secret(), World::WEBHOOK_SECRET);
    let next = world.secret(&names::next(SECRET)).expect("made");
    assert_eq!(answered(&app, "m-1", &next).await, StatusCode::OK);
    assert_eq!(tick(&app).await, StatusCode::OK);
    assert_eq!(
        world.secret(SECRET),
        Some(next),
        "another run goes on with it"
    );
}
