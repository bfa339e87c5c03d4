//! The daily run, in a world in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bridge::rotation::Noted;
use bridge::state::blobs;
use http::StatusCode;
use serde_json::json;
use services::error::Service;
use services::testing::{Reply, World};
use tokio::sync::Notify;

use super::*;
use crate::testing::{app_in, post};

const TICK: &str = include_str!("../../bridge/fixtures/host_timer_payload.json");

pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);

pub(super) async fn tick(app: &Arc<App>) -> StatusCode {
    post(app, PATH, &[], TICK).await
}

/// The note about a secret.
pub(super) fn noted(world: &World, secret: &str) -> Noted {
    let blob = world.blob("state", &blobs::rotation(secret));
    serde_json::from_slice(&blob.expect("a note")).expect("readable")
}

/// Work that is killed at its n-th write, before that took effect or after; false when it made fewer.
pub(super) async fn killed_at_write<const N: usize>(
    world: &World,
    writes: [(&'static str, &str); N],
    n: usize,
    takes_effect: bool,
    work: impl Future<Output = Result<(), Failure>>,
) -> bool {
    let killed = Arc::new(Notify::new());
    let count = Arc::new(AtomicUsize::new(0));
    let is_armed = Arc::new(AtomicBool::new(true));
    for (method, place) in writes {
        let (killed, count) = (Arc::clone(&killed), Arc::clone(&count));
        let is_armed = Arc::clone(&is_armed);
        world.answer_with(method, place, move |_| {
            let write = count.fetch_add(1, Ordering::SeqCst) + 1;
            if write != n || !is_armed.load(Ordering::SeqCst) {
                return None;
            }
            killed.notify_one();
            (!takes_effect).then(|| Reply::new(503, ""))
        });
    }
    let was_killed = tokio::select! {
        biased;
        () = killed.notified() => true,
        done = work => {
            done.expect("a run that nobody disturbs");
            false
        }
    };
    is_armed.store(false, Ordering::SeqCst);
    was_killed
}

fn grant(refresh_token: &str) -> Reply {
    let body = json!({"access_token": "a", "expires_in": 3599, "refresh_token": refresh_token});
    Reply::json(200, &body)
}

fn stored(world: &World) -> Vec<(String, serde_json::Value)> {
    let puts = world.seen(Service::KeyVault).into_iter();
    let puts = puts.filter(|seen| seen.method == "PUT");
    puts.map(|seen| {
        let name = seen.path().trim_start_matches("/secrets/").to_owned();
        (name, seen.json()["value"].clone())
    })
    .collect()
}

#[tokio::test]
async fn each_refresh_token_is_renewed_and_one_that_cannot_be_does_not_stop_the_others() {
    let world = World::start().await;
    world.put_secret("graph-refresh-token-one", "old-one");
    world.put_secret("graph-refresh-token-two", "old-two");
    let accounts =
        "one=00000000-0000-4000-8000-000000000001,two=00000000-0000-4000-8000-000000000002";
    let app = app_in(&world, &[("SUPPORT_ACCOUNTS", accounts)]);
    world.answer_with("POST", "/oauth2/v2.0/token", |seen| {
        let form = seen.form();
        let token = form.iter().find(|(name, _)| name == "refresh_token");
        match token.map(|(_, token)| token.as_str()) {
            Some("old-two") => Some(grant("new-two")),
            _ => Some(Reply::json(
                400,
                &json!({"error": "invalid_grant", "error_codes": [50173]}),
            )),
        }
    });
    assert_eq!(tick(&app).await, StatusCode::INTERNAL_SERVER_ERROR);
    let two = ("graph-refresh-token-two".to_owned(), json!("new-two"));
    assert_eq!(stored(&world), [two]);
}

#[tokio::test]
async fn an_agent_user_has_nothing_to_renew() {
    let world = World::start().await;
    let agent = "robot=00000000-0000-4000-8000-000000000001@00000000-0000-4000-8000-000000000002";
    let app = app_in(&world, &[("SUPPORT_ACCOUNTS", agent)]);
    let is_token = |it: &Secret| matches!(it, Secret::RefreshToken(_));
    assert!(!Secret::all(&app.settings).iter().any(is_token));
    assert_eq!(tick(&app).await, StatusCode::OK);
    assert!(world.seen(Service::Entra).is_empty());
    let both = format!("{agent},desk=00000000-0000-4000-8000-000000000003");
    let app = app_in(&world, &[("SUPPORT_ACCOUNTS", &both)]);
    let tokens = Secret::all(&app.settings).into_iter().filter(is_token);
    let names: Vec<String> = tokens.map(|it| it.name()).collect();
    assert_eq!(names, ["graph-refresh-token-desk"]);
}

#[tokio::test]
async fn a_sign_in_while_the_token_is_renewed_is_not_undone() {
    let world = World::start().await;
    let app = app_in(&world, &[]);
    let mut values = ["old", "of-the-sign-in"].into_iter();
    world.answer_with("GET", "/secrets/graph-refresh-token-support", move |_| {
        let value = values.next()?;
        Some(Reply::json(200, &json!({ "value": value })))
    });
    world.answer("POST", "/oauth2/v2.0/token", grant("newer-than-the-old"));
    assert_eq!(tick(&app).await, StatusCode::OK);
    assert_eq!(stored(&world), []);
}

#[tokio::test]
async fn by_hand_a_token_is_renewed_where_it_is_due_or_somebody_asks() {
    let world = World::start().await;
    world.put_secret("graph-refresh-token-support", "old");
    let app = app_in(&world, &[]);
    world.answer("POST", "/oauth2/v2.0/token", grant("new"));
    let [.., secret] = &Secret::all(&app.settings)[..] else {
        panic!("one account");
    };
    for (is_asked, writes) in [(false, 0), (true, 1)] {
        let turn = secret.renew_alone(&app, is_asked).await;
        assert_eq!(turn.expect("no failure"), Turn::Done(()));
        assert_eq!(stored(&world).len(), writes, "it was stored a moment ago");
    }
}

#[tokio::test]
async fn an_account_that_was_signed_out_has_nothing_in_use() {
    let world = World::start().await;
    world.put_secret("graph-refresh-token-support", services::key_vault::PLACE);
    let app = app_in(&world, &[]);
    let all = Secret::all(&app.settings);
    let account = all.last().expect("one");
    let status = account.status(&app, OffsetDateTime::now_utc(), false).await;
    assert_eq!(status.expect_err("nobody").label(), "entra: sign_in_needed");
}
