//! Secrets that are nobody's to choose: made here when the app starts for the first time, and anew when one is replaced.

use std::time::Duration;

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use secrecy::SecretString;
use services::secrets::names;
use time::OffsetDateTime;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::app::App;
use crate::failure::Failure;
use crate::timer::{Turn, alone};

/// Name of the lease: only one instance makes them, or what one has read would not be what another has stored.
const LEASE: &str = "own-secrets";

/// Bytes of chance in a secret, written in 43 characters: a `clientState` may have 128 with the account's name before it
/// ("subscription resource type").
const RANDOM_BYTES: usize = 32;

/// Life of a certificate. Nobody checks its end: Graph only encrypts with its key.
const CERTIFICATE_LIFE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Waits between two tries, doubled from one to the next: the right to write may be minutes old.
const SHORTEST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);

/// A secret that is not known to be there.
struct Missing {
    name: &'static str,
    /// Why it could not be made, as it was told last.
    told: Option<String>,
}

/// Makes each of [`names::MADE`] that is missing, and tries until all are there.
pub async fn make_missing(app: &App) {
    make_missing_after(app, SHORTEST_WAIT).await;
}

async fn make_missing_after(app: &App, shortest: Duration) {
    let mut missing = names::MADE.map(|name| Missing { name, told: None }).into();
    let mut wait = shortest;
    loop {
        missing = try_each(app, missing).await;
        if missing.is_empty() {
            return;
        }
        sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Tries to make each of these, whatever becomes of the others; those that are still missing.
async fn try_each(app: &App, missing: Vec<Missing>) -> Vec<Missing> {
    let mut left = Vec::new();
    for mut one in missing {
        match is_there(app, one.name).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(failure) => one.tell(failure.label()),
        }
        left.push(one);
    }
    left
}

impl Missing {
    /// Says why it is missing, once for as long as the reason stays the same.
    fn tell(&mut self, reason: String) {
        if self.told.as_ref() != Some(&reason) {
            let secret = self.name;
            tracing::error!(event = "secret_not_made", secret, reason);
            self.told = Some(reason);
        }
    }
}

/// Whether the secret is there, by now; not while another instance is at it.
async fn is_there(app: &App, name: &'static str) -> Result<bool, Failure> {
    if app.secrets.get(name).await?.is_some() {
        return Ok(true);
    }
    match alone(app, LEASE, |_| make(app, name)).await? {
        Turn::Busy => Ok(false),
        // The memory of its absence ends here.
        Turn::Done(()) => Ok(!app.secrets.reload(name).await?.is_empty()),
    }
}

/// Makes the secret unless the vault has it: another instance may just have made it.
async fn make(app: &App, name: &'static str) -> Result<(), Failure> {
    let vault = app.secrets.vault();
    if vault.get(name).await?.is_none() {
        vault.set(name, &new_value(name).await).await?;
        tracing::info!(event = "secret_made", secret = name);
    }
    Ok(())
}

/// A new value for one of [`names::MADE`].
///
/// # Panics
/// The system has no randomness.
pub(crate) async fn new_value(name: &str) -> SecretString {
    match name {
        names::GRAPH_NOTIFICATION_KEY => {
            // It takes a processor some tenths of a second, which nobody else is to wait for.
            let made = spawn_blocking(notification_key).await;
            let made = made.expect("making a key does not panic");
            made.expect("a key can be made")
        }
        _ => random_secret(),
    }
}

/// A secret of pure chance, in 43 characters that any header takes.
///
/// # Panics
/// The system has no randomness.
#[must_use]
pub fn random_secret() -> SecretString {
    let mut bytes = [0; RANDOM_BYTES];
    rand::fill(&mut bytes).expect("the system has randomness");
    URL_SAFE_NO_PAD.encode(bytes).into()
}

/// A private key (PKCS#8, RSA of 3,072 bits; Graph takes 2,048 to 4,096) and its self-signed certificate, in one PEM text.
fn notification_key() -> Result<SecretString, rcgen::Error> {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072)?;
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "graph-notifications");
    let now = OffsetDateTime::now_utc();
    (params.not_before, params.not_after) = (now, now + CERTIFICATE_LIFE);
    let certificate = params.self_signed(&key)?;
    Ok(format!("{}{}", key.serialize_pem(), certificate.pem()).into())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use bridge::teams::unwrap::NotificationKey;
    use secrecy::ExposeSecret;
    use serde_json::json;
    use services::error::Service;
    use services::testing::{Reply, World};

    use super::*;
    use crate::testing::app_in;

    /// Names that were stored, in their order.
    fn stored(world: &World) -> Vec<String> {
        let puts = world.seen(Service::KeyVault).into_iter();
        let puts = puts.filter(|seen| seen.method == "PUT");
        puts.map(|seen| seen.path().trim_start_matches("/secrets/").to_owned())
            .collect()
    }

    #[tokio::test]
    async fn what_is_missing_is_made_once_and_fits_its_use() {
        let world = World::start().await;
        for name in names::MADE {
            world.put_secret(name, services::key_vault::PLACE);
        }
        world.put_secret(names::GENESYS_WEBHOOK, "chosen by somebody");
        let app = app_in(&world, &[]);
        make_missing(&app).await;
        assert_eq!(
            stored(&world),
            [names::GRAPH_CLIENT_STATE, names::GRAPH_NOTIFICATION_KEY]
        );
        let state = app.secrets.get(names::GRAPH_CLIENT_STATE).await;
        let state = state.expect("an answer").expect("a secret");
        assert_eq!(state.expose_secret().len(), 43);
        let key = app.secrets.get(names::GRAPH_NOTIFICATION_KEY).await;
        let key = key.expect("an answer").expect("a secret");
        NotificationKey::from_pem(&key).expect("Graph would take its certificate");
        // Another instance starts, and a third.
        for _ in 0..2 {
            make_missing(&app_in(&world, &[])).await;
        }
        assert_eq!(stored(&world).len(), 2);
    }

    #[tokio::test]
    async fn two_instances_that_start_at_once_make_one() {
        let world = World::start().await;
        for name in names::MADE {
            world.put_secret(name, services::key_vault::PLACE);
        }
        let (one, two) = (app_in(&world, &[]), app_in(&world, &[]));
        let soon = Duration::from_millis(5);
        tokio::join!(
            make_missing_after(&one, soon),
            make_missing_after(&two, soon)
        );
        let once: BTreeSet<String> = names::MADE.map(str::to_owned).into();
        let stored = stored(&world);
        assert_eq!(stored.len(), once.len(), "{stored:?}");
        assert_eq!(BTreeSet::from_iter(stored), once);
        for name in names::MADE {
            let [one, two] = [&one, &two].map(|app| app.secrets.get(name));
            let (one, two) = tokio::join!(one, two);
            let [one, two] = [one, two].map(|it| it.expect("an answer").expect("a secret"));
            assert_eq!(one.expose_secret(), two.expose_secret());
        }
    }

    #[tokio::test]
    async fn a_right_that_comes_later_is_waited_for_and_holds_up_no_other() {
        let world = World::start().await;
        for name in names::MADE {
            world.put_secret(name, services::key_vault::PLACE);
        }
        let is_allowed = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&is_allowed);
        world.answer_with("PUT", "/secrets/graph-client-state", move |_| {
            let refusal = json!({"error": {"code": "Forbidden"}});
            (!asked.load(Ordering::SeqCst)).then(|| Reply::json(403, &refusal))
        });
        let app = app_in(&world, &[]);
        let all = names::MADE.map(|name| Missing { name, told: None });
        let mut left = try_each(&app, all.into()).await;
        for name in [names::GRAPH_NOTIFICATION_KEY, names::GENESYS_WEBHOOK] {
            assert!(app.secrets.is_loaded(name), "{name}");
        }
        let [one] = &left[..] else {
            panic!("one is left");
        };
        let why = Some("key-vault: forbidden");
        assert_eq!(
            (one.name, one.told.as_deref()),
            (names::GRAPH_CLIENT_STATE, why)
        );
        is_allowed.store(true, Ordering::SeqCst);
        left = try_each(&app, left).await;
        assert!(left.is_empty());
        assert!(app.secrets.is_loaded(names::GRAPH_CLIENT_STATE));
    }
}
