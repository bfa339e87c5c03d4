//! Replacing the secret of the OAuth client, in a world in memory: killed at each of its writes, two at once, and not allowed.

use std::sync::Arc;
use std::time::Duration;

use bridge::rotation::{RENEWED_AFTER, SETTLED_AFTER};
use futures::future::{join, join_all};
use serde_json::json;
use services::testing::{Reply, World};

use super::*;
use crate::secret_rotation::client_secret::advice;
use crate::secret_rotation::steps::PROPAGATION;
use crate::secret_rotation::tests::{DAY, killed_at_write, noted, tick};
use crate::testing::app_in;

const A: &str = "00000000-0000-0000-0000-000000000006";
const B: &str = "00000000-0000-0000-0000-000000000007";

/// A world with two clients, the first of which a person gave to the app.
async fn world() -> World {
    let world = World::start().await;
    world.put_genesys_client(A, "genesys-client");
    world.put_genesys_client(B, "never-shown");
    world
}

async fn run(app: &App, later: Duration, is_asked: bool) -> Result<(), Failure> {
    let now = OffsetDateTime::now_utc() + later;
    replace(app, now, is_asked, Instant::now() + PROPAGATION).await
}

/// What readers get is the secret of the client that they take it for.
async fn assert_works(world: &World) -> String {
    let app = app_in(world, &[]);
    let current = app.secrets.vault().newest(SECRET).await;
    let current = current.expect("an answer").expect("one");
    let client = current.key.unwrap_or_else(|| A.to_owned());
    let secret = world.genesys_client(&client).expect("a client");
    assert_eq!(current.value.expose_secret(), secret, "of {client}");
    client
}

#[tokio::test]
async fn the_idle_client_takes_over_and_two_days_later_nobody_has_the_others_secret() {
    let world = world().await;
    let app = app_in(&world, &[]);
    run(&app, Duration::ZERO, false).await.expect("a run");
    assert_eq!(assert_works(&world).await, A, "nothing is due");
    world.age_secret(SECRET, RENEWED_AFTER);
    run(&app, Duration::ZERO, false).await.expect("a run");
    assert_eq!(assert_works(&world).await, B);
    // Somebody may still have the old one, and asking does not change that.
    run(&app, DAY, true).await.expect("a run");
    assert_eq!(assert_works(&world).await, B);
    assert_eq!(world.genesys_client(A).as_deref(), Some("genesys-client"));
    run(&app, 3 * DAY, false).await.expect("a run");
    assert_ne!(world.genesys_client(A).as_deref(), Some("genesys-client"));
    assert_eq!(assert_works(&world).await, B);
    let noted = noted(&world, SECRET);
    assert!(
        noted.retired.is_empty() && noted.claim.is_none(),
        "{noted:?}"
    );
    world.age_secret(SECRET, 3 * DAY);
    run(&app, Duration::ZERO, true).await.expect("a run");
    assert_eq!(assert_works(&world).await, A);
    // A message goes out with the client that is current by then.
    let posted = app.genesys.post_message("{}", "c-1").await;
    posted.expect("posted");
}

#[tokio::test]
async fn a_look_changes_nothing_and_tells_what_would_be_done() {
    let world = world().await;
    let app = app_in(&world, &[]);
    let now = OffsetDateTime::now_utc();
    let (_, _, next) = look_only(&app, now, true).await.expect("a look");
    let client = B.to_owned();
    assert_eq!(next, Step::Do(Action::Renew(client)));
    assert_eq!(world.genesys_client(B).as_deref(), Some("never-shown"));
    assert!(world.blobs("state").is_empty());
}

/// The writes of a replacement.
async fn killed_at(world: &World, n: usize, takes_effect: bool) -> bool {
    let writes = [
        ("PUT", "/secrets/"),
        ("PUT", "genesys-client-secret.json"),
        ("POST", "/oauth/clients/"),
    ];
    let app = app_in(world, &[]);
    let work = run(&app, Duration::ZERO, true);
    killed_at_write(world, writes, n, takes_effect, work).await
}

#[tokio::test]
async fn a_run_can_be_killed_at_each_of_its_writes() {
    let cases = (1..=8).flat_map(|n| [(n, false), (n, true)]);
    let cases = cases.map(|(n, takes_effect)| async move {
        let world = world().await;
        let was_killed = killed_at(&world, n, takes_effect).await;
        assert_works(&world).await;
        let app = app_in(&world, &[]);
        // Whatever was begun is gone on with at once, unless it may still be under way.
        run(&app, Duration::ZERO, true).await.expect("a run");
        assert_works(&world).await;
        for later in [SETTLED_AFTER, 4 * DAY, 8 * DAY] {
            run(&app, later, later == SETTLED_AFTER)
                .await
                .expect("a run");
            assert_works(&world).await;
        }
        assert_eq!(assert_works(&world).await, B, "{n} {takes_effect}");
        assert_ne!(world.genesys_client(A).as_deref(), Some("genesys-client"));
        let noted = noted(&world, SECRET);
        assert!(
            noted.retired.is_empty() && noted.claim.is_none(),
            "{noted:?}"
        );
        was_killed
    });
    let killed = join_all(cases).await;
    let killed = killed.into_iter().filter(|it| *it).count();
    // Note, claim, renew, store, note what is stored, note that it is taken, switch, note.
    assert_eq!(
        killed, 16,
        "the writes of a replacement, before and after each"
    );
}

#[tokio::test]
async fn two_runs_at_once_do_each_other_no_harm() {
    let world = world().await;
    let (one, two) = (app_in(&world, &[]), app_in(&world, &[]));
    let asked = |app: Arc<App>| async move { run(&app, Duration::ZERO, true).await };
    let runs = join(asked(one), asked(two)).await;
    runs.0.expect("a run");
    runs.1.expect("a run");
    assert_eq!(assert_works(&world).await, B);
}

#[tokio::test]
async fn what_genesys_does_not_allow_is_no_failure_of_the_timer_and_no_claim_is_left() {
    let world = world().await;
    let refusal = json!({ "code": "missing.permissions" });
    world.answer("POST", "/oauth/clients/", Reply::json(403, &refusal));
    let app = app_in(&world, &[]);
    let failure = run(&app, Duration::ZERO, true).await;
    let Err(Failure::Service(error)) = &failure else {
        panic!("it is refused: {failure:?}");
    };
    assert!(advice(error).contains("handler rotate genesys"));
    let noted = noted(&world, SECRET);
    assert_eq!(noted.claim, None);
    assert_eq!(noted.refusal.expect("noted").code, "missing.permissions");
    let secret = crate::secret_rotation::Secret::GenesysClient;
    let left = secret.left_to_operator(failure.expect_err("refused"));
    left.expect("an operator's to do");
    assert_eq!(tick(&app).await, http::StatusCode::OK);
    assert_works(&world).await;
}

#[tokio::test]
async fn an_administrator_may_where_our_own_client_may_not() {
    let world = world().await;
    world.put_genesys_client("admin", "hush");
    let mut app = app_in(&world, &[]);
    let credentials = AdminCredentials::new("admin".to_owned(), "hush".to_owned());
    let operator = app.genesys.sign_in_as(&credentials).await;
    let operator = operator.expect("an administrator");
    Arc::get_mut(&mut app).expect("ours alone").genesys_operator = Some(operator);
    run(&app, Duration::ZERO, true).await.expect("a run");
    assert_eq!(assert_works(&world).await, B);
}

#[tokio::test]
async fn a_client_without_the_role_does_not_take_over() {
    let world = world().await;
    // The first look is that of the next client, the second of the current one.
    let refusal = Reply::json(403, &json!({ "code": "missing.permissions" }));
    world.answer_once("GET", "/integrations/open/", refusal);
    let app = app_in(&world, &[]);
    let failure = run(&app, Duration::ZERO, true).await;
    let Err(Failure::Service(error)) = failure else {
        panic!("it is refused");
    };
    assert_eq!(error.code.as_deref(), Some(ROLE_MISSING));
    assert!(advice(&error).contains("the role of the other one"));
    assert_eq!(assert_works(&world).await, A);
}
