use secrecy::ExposeSecret;

use super::*;
use crate::error::ErrorKind;
use crate::testing::{Reply, no_secret, secret, vault};

fn values(pair: &Pair) -> Vec<String> {
    pair.present()
        .iter()
        .map(|value| value.expose_secret().to_owned())
        .collect()
}

#[tokio::test]
async fn a_secret_is_read_once() {
    let (double, secrets) = vault([secret("one")]).await;
    assert!(!secrets.is_loaded("name"));
    let all = futures::future::join_all((0..20).map(|_| secrets.get("name"))).await;
    assert!(all.iter().all(|value| {
        let value = value
            .as_ref()
            .expect("an answer")
            .as_ref()
            .expect("a secret");
        value.expose_secret() == "one"
    }));
    assert_eq!(double.seen().len(), 1);
    assert!(secrets.is_loaded("name"));
}

#[tokio::test]
async fn a_pair_is_the_secret_and_its_neighbour() {
    let (double, secrets) = vault([secret("x"), secret("y")]).await;
    let pair = secrets.pair("name").await.expect("a pair");
    assert_eq!(values(&pair).len(), 2);
    let mut targets: Vec<_> = double.seen().into_iter().map(|seen| seen.target).collect();
    targets.sort();
    assert_eq!(
        targets,
        [
            "/secrets/name-previous?api-version=7.4",
            "/secrets/name?api-version=7.4"
        ]
    );
}

#[tokio::test]
async fn an_absent_neighbour_is_remembered() {
    let (double, secrets) = vault([]).await;
    double.push(secret("one"));
    assert!(secrets.get("name").await.expect("an answer").is_some());
    double.push(no_secret());
    for _ in 0..3 {
        assert_eq!(
            values(&secrets.pair("name").await.expect("a pair")),
            ["one"]
        );
    }
    assert_eq!(double.seen().len(), 2);
    assert!(!secrets.is_loaded("name-previous"));
}

#[tokio::test]
async fn a_vault_that_is_away_is_asked_again() {
    let (double, secrets) = vault([Reply::new(503, "")]).await;
    let error = secrets.get("name").await.expect_err("away");
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(!secrets.is_loaded("name"));
    double.push(secret("one"));
    assert!(secrets.get("name").await.expect("an answer").is_some());
}

#[tokio::test]
async fn a_reload_reads_again_once() {
    let (double, secrets) = vault([secret("old")]).await;
    secrets.get("name").await.expect("an answer");
    // One answer for each of the two names, whichever is asked first.
    double.push(secret("new"));
    double.push(secret("new"));
    assert_eq!(
        values(&secrets.reload("name").await.expect("a pair")),
        ["new", "new"]
    );
    for _ in 0..5 {
        assert_eq!(
            values(&secrets.reload("name").await.expect("a pair")),
            ["new", "new"]
        );
    }
    assert_eq!(double.seen().len(), 3);
    assert_eq!(
        values(&secrets.pair("name").await.expect("a pair")),
        ["new", "new"]
    );
}

#[tokio::test]
async fn a_reload_that_fails_is_no_answer_but_keeps_the_old_value() {
    let (double, secrets) = vault([secret("old")]).await;
    secrets.get("name").await.expect("an answer");
    secrets
        .reload("name")
        .await
        .expect_err("the script is over");
    secrets.reload("name").await.expect_err("still unknown");
    assert!(double.seen().len() <= 3);
    let value = secrets
        .get("name")
        .await
        .expect("an answer")
        .expect("a secret");
    assert_eq!(value.expose_secret(), "old");
}

#[test]
fn secrets_do_not_show() {
    let pair = Pair {
        current: Some(SecretString::from("hush")),
        previous: None,
    };
    assert!(!format!("{pair:?}").contains("hush"));
}
