use secrecy::ExposeSecret;

use super::*;
use crate::testing::{Double, Reply, no_secret, secret, vault};

fn values(accepted: &[SecretString]) -> Vec<&str> {
    accepted.iter().map(ExposeSecret::expose_secret).collect()
}

#[tokio::test]
async fn a_secret_is_read_once_and_counts_beside_its_neighbours() {
    let (double, secrets) = vault([secret("one"), secret("two"), no_secret()]).await;
    assert!(!secrets.is_loaded("name"));
    for found in futures::future::join_all((0..20).map(|_| secrets.get("name"))).await {
        let found = found.expect("an answer").expect("a secret");
        assert_eq!(found.expose_secret(), "one");
    }
    assert_eq!(double.seen().len(), 1);
    assert!(secrets.is_loaded("name"));
    for _ in 0..3 {
        let accepted = secrets.accepted("name").await.expect("secrets");
        assert_eq!(values(&accepted), ["one", "two"]);
    }
    let mut targets: Vec<_> = double.seen().into_iter().map(|seen| seen.target).collect();
    targets.sort();
    let names = ["name-next", "name-previous", "name"];
    let expected = names.map(|name| format!("/secrets/{name}?api-version=7.4"));
    assert_eq!(targets, expected, "an absent neighbour is remembered");
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

/// A vault whose secret `name` is `old`, without neighbours, and all of it in memory.
async fn known() -> (Double, Arc<Secrets>) {
    let (double, secrets) = vault([secret("old")]).await;
    secrets.get("name").await.expect("an answer");
    double.push(no_secret());
    double.push(no_secret());
    secrets.accepted("name").await.expect("secrets");
    (double, secrets)
}

/// Asks about a text that was presented at this time.
async fn ask(secrets: &Secrets, text: &str, presented: Instant) -> Accepts<()> {
    let fits = |secret: &SecretString| (secret.expose_secret() == text).then_some(());
    secrets.accepts("name", presented, fits).await
}

#[tokio::test]
async fn what_fits_nothing_is_refused_after_one_reading() {
    let (double, secrets) = known().await;
    for _ in 0..3 {
        assert_eq!(ask(&secrets, "old", Instant::now()).await, Accepts::Yes(()));
    }
    assert_eq!(double.seen().len(), 3, "what fits costs no reading");
    // Whichever of the three names is asked first.
    (0..3).for_each(|_| double.push(secret("old")));
    let presented = Instant::now();
    for _ in 0..5 {
        // Several things in one request.
        assert_eq!(ask(&secrets, "forged", presented).await, Accepts::No);
    }
    assert_eq!(double.seen().len(), 6);
    // It may be new since: whoever comes later waits for a reading of its own, which one serves all.
    (0..3).for_each(|_| double.push(secret("old")));
    let later = (0..5).map(|_| ask(&secrets, "forged", Instant::now()));
    let verdicts = futures::future::join_all(later).await;
    assert_eq!(verdicts, [Accepts::No; 5]);
    assert_eq!(double.seen().len(), 9);
}

#[tokio::test]
async fn a_secret_that_is_new_since_the_last_reading_is_never_refused() {
    let (double, secrets) = known().await;
    (0..3).for_each(|_| double.push(secret("old")));
    assert_eq!(ask(&secrets, "forged", Instant::now()).await, Accepts::No);
    // The vault has it now, but was read a moment ago.
    (0..3).for_each(|_| double.push(secret("new")));
    let verdict = ask(&secrets, "new", Instant::now()).await;
    assert_eq!(verdict, Accepts::Yes(()));
    let asked = double.seen().len();
    assert_eq!(asked, 9, "once more, when the interval is over");
}

#[tokio::test]
async fn a_vault_that_is_away_makes_no_verdict() {
    let (double, secrets) = known().await;
    let verdict = ask(&secrets, "new", Instant::now()).await;
    assert_eq!(verdict, Accepts::CannotTell, "the script is over");
    let verdict = ask(&secrets, "old", Instant::now()).await;
    assert_eq!(verdict, Accepts::Yes(()), "the old one is kept");
    let asked = double.seen().len();
    let verdict = ask(&secrets, "new", Instant::now()).await;
    assert_eq!(verdict, Accepts::CannotTell);
    assert_eq!(double.seen().len(), asked, "not at once again");
}

#[tokio::test]
async fn one_secret_that_fits_is_enough() {
    let (double, secrets) = vault([secret("old")]).await;
    secrets.get("name").await.expect("an answer");
    // Its neighbours cannot be had.
    let verdict = ask(&secrets, "old", Instant::now()).await;
    assert_eq!(verdict, Accepts::Yes(()));
    let asked = double.seen().len();
    let verdict = ask(&secrets, "other", Instant::now()).await;
    assert_eq!(verdict, Accepts::CannotTell);
    assert_eq!(double.seen().len(), asked + 2, "no second reading");
}

#[tokio::test]
async fn without_a_secret_nothing_is_refused() {
    let (_, secrets) = vault((0..6).map(|_| no_secret())).await;
    let verdict = ask(&secrets, "anything", Instant::now()).await;
    assert_eq!(verdict, Accepts::CannotTell);
}
