//! Replacing the client secret, in a world in memory: killed at each of its writes, two at once, too late, and refused.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{join, join_all};
use serde_json::json;
use services::testing::{Password, Reply, World};

use super::*;
use crate::secret_rotation::steps::PROPAGATION;
use crate::secret_rotation::tests::{DAY, killed_at_write, noted};
use crate::testing::app_in;

/// A world whose app has one secret, which a person made, and which ends in so many days.
async fn world(days: i64) -> World {
    let world = World::start().await;
    let now = OffsetDateTime::now_utc();
    world.put_password(Password {
        key: "by-hand".to_owned(),
        name: "by hand".to_owned(),
        secret: "abc-by-hand".to_owned(),
        starts: now - 100 * DAY,
        ends: now + time::Duration::days(days),
        unknown_to: 0,
    });
    world.put_secret(names::GRAPH_CLIENT, "abc-by-hand");
    world
}

fn app(world: &World) -> Arc<App> {
    app_in(world, &[("GRAPH_CLIENT_AUTHENTICATION", "secret")])
}

async fn run(app: &App, later: Duration) -> Result<(), Failure> {
    let now = OffsetDateTime::now_utc() + later;
    replace(app, now, false, Instant::now() + PROPAGATION).await
}

/// What readers get is a secret of the app.
fn assert_works(world: &World) {
    let current = world.secret(names::GRAPH_CLIENT);
    let all = world.passwords();
    let found = all.iter().any(|one| Some(&one.secret) == current.as_ref());
    assert!(found, "{current:?} is none of {all:?}");
}

fn keys(world: &World) -> Vec<String> {
    world.passwords().into_iter().map(|one| one.key).collect()
}

/// After some days only the current one is left, and it is one that we added.
async fn assert_comes_to_rest(world: &World) {
    let app = app(world);
    for days in [0, 3, 6] {
        run(&app, days * DAY)
            .await
            .expect("a run that nobody disturbs");
        assert_works(world);
    }
    let all = world.passwords();
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0].name, DISPLAY_NAME);
    assert_eq!(
        world.secret(names::GRAPH_CLIENT).as_ref(),
        Some(&all[0].secret)
    );
    let noted = noted(world, names::GRAPH_CLIENT);
    assert_eq!(noted.current.expect("noted").key, all[0].key);
}

#[tokio::test]
async fn a_secret_that_ends_soon_is_replaced_and_the_one_before_stays_for_two_days() {
    let world = world(10).await;
    let app = app(&world);
    run(&app, Duration::ZERO).await.expect("replaced");
    assert_eq!(keys(&world).len(), 2);
    let added = world.passwords().pop().expect("a new one");
    assert_eq!(world.secret(names::GRAPH_CLIENT), Some(added.secret));
    run(&app, DAY).await.expect("a run");
    assert_eq!(keys(&world), ["by-hand".to_owned(), added.key.clone()]);
    run(&app, 3 * DAY).await.expect("a run");
    assert_eq!(keys(&world), [added.key]);
    assert_comes_to_rest(&world).await;
}

#[tokio::test]
async fn one_that_has_ended_already_is_replaced_all_the_same() {
    let world = world(-1).await;
    run(&app(&world), Duration::ZERO).await.expect("replaced");
    let current = world.secret(names::GRAPH_CLIENT);
    assert_ne!(current.as_deref(), Some("abc-by-hand"));
    assert_comes_to_rest(&world).await;
}

#[tokio::test]
async fn one_that_does_not_end_soon_is_left_alone_until_somebody_asks() {
    let world = world(80).await;
    let app = app(&world);
    run(&app, Duration::ZERO).await.expect("a run");
    assert_eq!(keys(&world), ["by-hand"]);
    let (noted, next) = look_only(&app, OffsetDateTime::now_utc(), true)
        .await
        .expect("a look");
    assert!(matches!(next, Step::Do(Action::Add(_))), "{next:?}");
    assert_eq!(
        noted.current.expect("by its first characters").key,
        "by-hand"
    );
    assert_eq!(keys(&world), ["by-hand"], "a look changes nothing");
    let deadline = Instant::now() + PROPAGATION;
    let asked = replace(&app, OffsetDateTime::now_utc(), true, deadline).await;
    asked.expect("replaced");
    assert_eq!(
        keys(&world).len(),
        2,
        "once, not until the steps are used up"
    );
    assert_comes_to_rest(&world).await;
}

/// A run that is killed at its n-th write, before it took effect or after; false when it made fewer.
async fn killed_at(world: &World, n: usize, takes_effect: bool) -> bool {
    let writes = [
        ("PUT", "/secrets/"),
        ("PUT", "graph-client-secret.json"),
        ("POST", "applications("),
    ];
    let app = app(world);
    let work = run(&app, Duration::ZERO);
    killed_at_write(world, writes, n, takes_effect, work).await
}

#[tokio::test]
async fn a_run_can_be_killed_at_each_of_its_writes() {
    let cases = (1..=12).flat_map(|n| [(n, false), (n, true)]);
    let cases = cases.map(|(n, takes_effect)| async move {
        let world = world(10).await;
        let was_killed = killed_at(&world, n, takes_effect).await;
        assert_works(&world);
        assert_comes_to_rest(&world).await;
        was_killed
    });
    let killed = join_all(cases).await;
    let killed = killed.into_iter().filter(|it| *it).count();
    // Note, add, store, note that it is taken, switch, note.
    assert_eq!(
        killed, 12,
        "the writes of a replacement, before and after each"
    );
}

#[tokio::test]
async fn two_runs_at_once_do_each_other_no_harm() {
    let world = world(10).await;
    let (one, two) = (app(&world), app(&world));
    let runs = join(run(&one, Duration::ZERO), run(&two, Duration::ZERO)).await;
    runs.0.expect("a run");
    runs.1.expect("a run");
    assert_works(&world);
    assert_comes_to_rest(&world).await;
}

#[tokio::test]
async fn a_policy_that_forbids_secrets_is_noted_and_told_in_words() {
    let world = world(10).await;
    let code = "CredentialTypeNotAllowedAsPerAppPolicy";
    let refusal = json!({"error": {"code": code, "message": "…"}});
    world.answer("POST", "/addPassword", Reply::json(400, &refusal));
    let failure = run(&app(&world), Duration::ZERO).await;
    let Err(Failure::Service(error)) = failure else {
        panic!("it is refused: {failure:?}");
    };
    assert!(advice(&error).contains("app management policies"));
    let noted = noted(&world, names::GRAPH_CLIENT);
    assert_eq!(noted.refusal.expect("noted").code, code);
    assert_eq!(keys(&world), ["by-hand"]);
    assert_works(&world);
}

#[tokio::test]
async fn a_secret_that_the_vault_does_not_take_is_removed_at_once() {
    let world = world(10).await;
    let refusal = json!({"error": {"code": "Forbidden"}});
    world.answer(
        "PUT",
        "/secrets/graph-client-secret-next",
        Reply::json(403, &refusal),
    );
    run(&app(&world), Duration::ZERO)
        .await
        .expect_err("refused");
    assert_eq!(keys(&world), ["by-hand"]);
    assert_works(&world);
}
