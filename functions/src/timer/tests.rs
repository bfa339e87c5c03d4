use std::time::Duration;

use bridge::state::blobs;
use bridge::state::timer::TimerState;
use serde_json::{Value, json};
use services::error::{ErrorKind, Sent, Service, ServiceError};
use services::testing::{Reply, World};
use time::OffsetDateTime;

use super::*;
use crate::testing::start;

const TICK: &str = include_str!("../../../bridge/fixtures/host_timer_payload.json");

fn request(body: &str) -> Request {
    let request = Request::post("/timer").body(Body::from(body.to_owned()));
    request.expect("a request")
}

async fn run_once<F>(app: &App, work: impl FnOnce(Instant) -> F) -> StatusCode
where
    F: Future<Output = Result<(), Failure>>,
{
    let response = run(app, "timer", request(TICK), work).await;
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
    let body: Value = serde_json::from_slice(&body.expect("a body")).expect("always JSON");
    assert!(body.is_object(), "an answer without one would hang");
    status
}

fn state(world: &World) -> TimerState {
    let blob = world.blob("state", &blobs::timer("timer"));
    serde_json::from_slice(&blob.expect("a state")).expect("readable")
}

fn put_lease(world: &World, until: OffsetDateTime) {
    let mut state = TimerState::default();
    let life = Duration::from_secs(60);
    state.take("another", until - life, life).expect("free");
    let state = serde_json::to_vec(&state).expect("JSON");
    world.put_blob("state", &blobs::timer("timer"), state);
}

#[tokio::test]
async fn a_run_is_noted_with_its_end_and_gives_its_lease_back() {
    let (world, app) = start().await;
    let status = run_once(&app, |deadline| async move {
        assert!(deadline > Instant::now());
        Ok(())
    });
    assert_eq!(status.await, StatusCode::OK);
    let noted = state(&world);
    assert!(noted.last_success.is_some() && noted.last_failure.is_none());
    assert_eq!(noted.lease, None);
    let away = ServiceError::new(Service::KeyVault, ErrorKind::Unavailable, Sent::No);
    let status = run_once(&app, |_| async { Err(away.into()) }).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    let failed = state(&world);
    let reason = failed.last_failure.map(|it| it.reason);
    assert_eq!(reason.as_deref(), Some("key-vault: unavailable"));
    assert_eq!(failed.last_success, noted.last_success);
}

#[tokio::test]
async fn a_panic_is_a_failure_like_any_other() {
    let (world, app) = start().await;
    let status = run_once(&app, |_| async { panic!("on purpose") }).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    let noted = state(&world);
    assert_eq!(noted.last_failure.expect("noted").reason, "panicked");
    assert_eq!(noted.lease, None);
}

#[tokio::test]
async fn work_that_does_not_end_is_ended_before_the_host_gives_up() {
    let (world, app) = start().await;
    let status = run_once(&app, |_| async {
        tokio::time::pause();
        tokio::time::advance(alone::LIMIT).await;
        tokio::time::resume();
        std::future::pending().await
    });
    assert_eq!(status.await, StatusCode::INTERNAL_SERVER_ERROR);
    let reason = state(&world).last_failure.expect("noted").reason;
    assert_eq!(reason, "out of time");
    assert!(alone::LIMIT < Duration::from_secs(600));
}

#[tokio::test]
async fn two_never_work_at_once() {
    let (world, app) = start().await;
    let inner = || async {
        // While the first one works.
        let status = run_once(&app, |_| async { panic!("nobody else is to work") });
        assert_eq!(status.await, StatusCode::OK);
        Ok(())
    };
    assert_eq!(run_once(&app, |_| inner()).await, StatusCode::OK);
    assert_eq!(state(&world).last_failure, None);
}

#[tokio::test]
async fn a_dead_holders_lease_runs_out() {
    let (world, app) = start().await;
    let now = OffsetDateTime::now_utc();
    put_lease(&world, now + Duration::from_secs(60));
    let status = run_once(&app, |_| async { panic!("it is held") }).await;
    assert_eq!(status, StatusCode::OK);
    assert!(state(&world).is_held_by("another"));
    put_lease(&world, now - Duration::from_secs(1));
    assert_eq!(run_once(&app, |_| async { Ok(()) }).await, StatusCode::OK);
    assert!(state(&world).last_success.is_some());
}

/// Lets the time until a renewal pass, once the run waits for it.
async fn until_renewal() {
    tokio::task::yield_now().await;
    tokio::time::pause();
    tokio::time::advance(alone::RENEWAL).await;
    tokio::time::resume();
}

#[tokio::test]
async fn the_lease_is_short_and_renewed_while_the_work_goes_on() {
    let (world, app) = start().await;
    let (renewed, mut renewals) = tokio::sync::mpsc::unbounded_channel();
    let status = run_once(&app, |_| async {
        let until = state(&world).lease.expect("held").until;
        let left = Duration::try_from(until - OffsetDateTime::now_utc());
        assert!(left.expect("not over") <= alone::LEASE);
        world.answer_with("PUT", "timer.json", move |seen| {
            let state: TimerState = serde_json::from_slice(&seen.body).expect("readable");
            renewed.send(state.lease).expect("somebody listens");
            None
        });
        until_renewal().await;
        let renewal = tokio::time::timeout(alone::LEASE, renewals.recv()).await;
        let lease = renewal.expect("in time").expect("a write").expect("held");
        assert!(lease.until > until);
        Ok(())
    });
    assert_eq!(status.await, StatusCode::OK);
    assert_eq!(state(&world).lease, None);
}

#[tokio::test]
async fn whose_lease_somebody_else_has_stops_and_leaves_it() {
    let (world, app) = start().await;
    let status = run_once(&app, |_| async {
        put_lease(&world, OffsetDateTime::now_utc() + Duration::from_secs(60));
        until_renewal().await;
        std::future::pending().await
    });
    assert_eq!(status.await, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(state(&world).is_held_by("another"));
}

#[tokio::test]
async fn an_end_that_blob_does_not_take_at_once_is_noted_a_little_later() {
    let (world, app) = start().await;
    let status = run_once(&app, |_| async {
        let mut refusals = 2;
        world.answer_with("PUT", "timer.json", move |_| {
            let refuses = refusals > 0;
            refusals -= i32::from(refuses);
            refuses.then(|| Reply::new(403, ""))
        });
        Ok(())
    });
    assert_eq!(status.await, StatusCode::OK);
    assert_eq!(state(&world).lease, None);
    assert!(state(&world).last_success.is_some());
}

#[tokio::test]
async fn whose_lease_was_written_though_its_answer_was_lost_works() {
    let (world, app) = start().await;
    let mut is_first = true;
    let written = std::sync::Arc::new(std::sync::Mutex::new(None));
    let seen_at_first = std::sync::Arc::clone(&written);
    world.answer_with("PUT", "timer.json", move |seen| {
        if std::mem::take(&mut is_first) {
            *seen_at_first.lock().expect("a lock") = Some(seen.body.clone());
            let code = "BlobAlreadyExists";
            let error = format!("<Error><Code>{code}</Code></Error>");
            return Some(Reply::new(409, error).header("x-ms-error-code", code));
        }
        None
    });
    let body = std::sync::Arc::clone(&written);
    world.answer_with("GET", "timer.json", move |_| {
        let body = body.lock().expect("a lock").take()?;
        Some(Reply::new(200, body.to_vec()).header("etag", "\"0x1\""))
    });
    let worked = run_once(&app, |_| async { Ok(()) }).await;
    assert_eq!(worked, StatusCode::OK);
    assert!(written.lock().expect("a lock").is_none(), "it was found");
    let seen = world.seen(Service::Blob);
    let methods: Vec<_> = seen.iter().map(|seen| seen.method.as_str()).collect();
    assert_eq!(methods[..3], ["GET", "PUT", "GET"]);
    assert_eq!(methods[3], "PUT", "the note of the end");
}

#[tokio::test]
async fn a_payload_that_is_not_the_host_s_starts_no_work() {
    let (world, app) = start().await;
    for body in ["", "{}", &json!({ "Data": { "other": {} } }).to_string()] {
        let work = |_| async { panic!("no work") };
        let response = run(&app, "timer", request(body), work).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
    assert!(world.blobs("state").is_empty());
}
