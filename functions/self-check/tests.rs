use std::sync::Arc;

use bridge::ids::Digest;
use bridge::self_check::{Check, Mark, Ticket, Way};
use bridge::state::blobs;
use http::StatusCode;
use secrecy::ExposeSecret;
use services::testing::{Reply, World};
use time::{Duration, OffsetDateTime};

use super::*;
use crate::testing::{app_in, call, start};

async fn asked(app: &Arc<App>, ticket: &str) -> (StatusCode, Vec<Line>) {
    let (status, body) = call(app, PATH, &[(TICKET, ticket)], "").await;
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let lines = serde_json::from_value(body["lines"].clone()).unwrap_or_default();
    (status, lines)
}

fn put(world: &World, digest: &Digest, check: &Check) {
    let body = serde_json::to_vec(check).expect("JSON");
    world.put_blob(STATE, &blobs::check(digest), body);
}

#[tokio::test]
async fn the_app_looks_at_itself_once_for_a_ticket_that_an_operator_left() {
    let (_world, app) = start().await;
    let ticket = leave_ticket(&app.blobs).await.expect("a ticket");
    let other = Ticket::new([7; 32]);
    for foreign in ["", "nonsense", other.text().expose_secret()] {
        assert_eq!(asked(&app, foreign).await, (StatusCode::FORBIDDEN, vec![]));
    }
    let ticket = ticket.text().expose_secret();
    let (status, lines) = asked(&app, ticket).await;
    assert_eq!(status, StatusCode::OK);
    let line = |what: &str| {
        let found = lines.iter().find(|line| line.what == what);
        found.unwrap_or_else(|| panic!("no line {what}: {lines:#?}"))
    };
    let state = line("Blob storage, container state");
    assert_eq!(
        (state.verdict, state.told.as_str()),
        (Verdict::Ok, "readable")
    );
    assert_eq!(line("Genesys Cloud").verdict, Verdict::Ok);
    assert_eq!(asked(&app, ticket).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_old_ticket_opens_nothing_and_a_store_that_refuses_is_said() {
    let (world, app) = start().await;
    let now = OffsetDateTime::now_utc();
    let old = Ticket::new([1; 32]);
    put(
        &world,
        &old.digest(),
        &Check::new(now - Duration::minutes(31)),
    );
    assert_eq!(
        asked(&app, old.text().expose_secret()).await.0,
        StatusCode::FORBIDDEN
    );
    let good = leave_ticket(&app.blobs).await.expect("a ticket");
    world.answer_once("GET", "state/checks", Reply::new(403, ""));
    let good = good.text().expose_secret();
    assert_eq!(asked(&app, good).await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(asked(&app, good).await.0, StatusCode::OK);
}

#[tokio::test]
async fn what_was_found_in_time_is_told_and_that_it_is_not_all() {
    let (world, app) = start().await;
    let limit = std::time::Duration::from_secs(3);
    let late = Reply::new(404, "").late(2 * limit);
    world.answer("GET", "attachments/check", late);
    let (lines, is_whole) = look_for(&app, limit).await;
    assert!(!is_whole);
    let [.., found, last] = lines.as_slice() else {
        panic!("too few: {lines:#?}");
    };
    assert_eq!(found.what, "Blob storage, container state");
    assert_eq!(
        (last.verdict, last.what.as_str()),
        (Verdict::Failed, "not finished")
    );
    let answered = answer(&app, std::time::Duration::ZERO).await;
    assert_eq!(answered.status(), StatusCode::OK);
}

#[tokio::test]
async fn invented_tickets_beyond_a_few_at_a_time_are_not_looked_up() {
    let (_world, app) = start().await;
    let ticket = leave_ticket(&app.blobs).await.expect("a ticket");
    let all = app.tickets.acquire_many(2).await.expect("never closed");
    let ticket = ticket.text().expose_secret();
    let (status, _) = asked(&app, ticket).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    // What is no ticket costs nothing in any case.
    assert_eq!(asked(&app, "nonsense").await.0, StatusCode::FORBIDDEN);
    drop(all);
    assert_eq!(asked(&app, ticket).await.0, StatusCode::OK);
}

#[tokio::test]
async fn what_is_still_to_be_set_up_is_all_that_is_told() {
    let world = World::start().await;
    let nil = "00000000-0000-0000-0000-000000000000";
    let app = app_in(&world, &[("GENESYS_INTEGRATION_ID", nil)]);
    let lines = look(&app).await;
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert_eq!(lines[0].verdict, Verdict::Failed);
    assert!(
        lines[0].what.contains("GENESYS_INTEGRATION_ID"),
        "{lines:#?}"
    );
}

#[tokio::test]
async fn a_marked_message_is_followed_and_nothing_is_made_of_a_foreign_mark() {
    let (world, app) = start().await;
    let mark = leave_mark(&app.blobs).await.expect("a mark");
    let written = OffsetDateTime::now_utc() - Duration::seconds(3);
    let foreign = Mark::new(1).to_string();
    for text in ["hello", foreign.as_str()] {
        note(&app, [text], Way::ToAgent, written, None).await;
    }
    let noted = || async { followed(&app.blobs, &mark).await.expect("readable") };
    assert_eq!(noted().await.and_then(|it| it.to_agent), None);
    let text = format!("please look: {mark}");
    note(&app, ["hello", &text], Way::ToAgent, written, Some(written)).await;
    note(&app, Some(text.as_str()), Way::ToCustomer, written, None).await;
    let check = noted().await.expect("a check");
    let to_agent = check.to_agent.expect("a leg");
    assert_eq!(to_agent.written, written);
    assert!(to_agent.delivered > written && check.to_customer.is_some());
    let foreign = blobs::check(&Mark::new(1).digest());
    assert!(!world.blobs(STATE).contains(&foreign));
    take_mark(&app.blobs, &mark).await.expect("taken");
    assert_eq!(noted().await, None);
}
