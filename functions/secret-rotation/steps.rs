//! What the replacements of all secrets share: the note, trying until it works, and what is told.

use std::time::Duration;

use bridge::rotation::{Noted, Step, Told};
use bridge::state::blobs;
use services::error::{ErrorKind, ServiceError};
use tokio::time::Instant;

use super::client_secret::advice;
use crate::app::App;
use crate::failure::Failure;
use crate::store::document::Document;

/// Steps after which a run ends, whatever is left: six are usual, and each beyond them is another run's doing.
pub(super) const MOST_STEPS: usize = 40;

/// Time that a new secret has to be taken in one run; usual are 4 to 18 seconds at Entra ID.
pub(super) const PROPAGATION: Duration = Duration::from_secs(5 * 60);

/// Time between two tries of a new secret.
const BETWEEN_TRIES: Duration = Duration::from_secs(2);

/// Tries in a row that must be taken: a token endpoint is many machines, which do not all learn of it at once.
const TAKEN_IN_A_ROW: u32 = 3;

/// The note about a secret.
pub(super) async fn load(app: &App, secret: &str) -> Result<Document<Noted>, Failure> {
    Document::load(&app.blobs, blobs::rotation(secret), Noted::default).await
}

/// Writes the note; when another run wrote first, all is looked at again, and nothing is lost.
pub(super) async fn save(app: &App, note: &mut Document<Noted>) -> Result<(), Failure> {
    match note.save(&app.blobs).await {
        Err(Failure::Service(error)) if error.kind == ErrorKind::Precondition => Ok(()),
        result => result,
    }
}

/// Tries the secret until it is taken several times in a row, for as long as there is time; tells when it is not.
pub(super) async fn until_taken<F>(
    app: &App,
    secret: &str,
    key: &str,
    deadline: Instant,
    probe: impl Fn() -> F,
) -> Result<bool, Failure>
where
    F: Future<Output = Result<bool, ServiceError>>,
{
    let until = deadline.min(Instant::now() + PROPAGATION);
    let mut in_a_row = 0;
    loop {
        in_a_row = match probe().await? {
            true => in_a_row + 1,
            false => 0,
        };
        if in_a_row == TAKEN_IN_A_ROW {
            return Ok(true);
        }
        if Instant::now() + BETWEEN_TRIES >= until {
            tracing::warn!(event = "secret_not_taken_yet", secret, key);
            return Ok(false);
        }
        app.settings.clock.sleep(BETWEEN_TRIES).await;
    }
}

/// One line for a step that changes something.
pub(super) fn tell<A: Told>(secret: &str, step: &Step<A>) {
    let (step, key) = match step {
        Step::Note(noted) => ("note", noted.current.as_ref().map(|it| it.key.as_str())),
        Step::Do(action) => action.told(),
        Step::Rest => return,
    };
    tracing::info!(event = "rotation_step", secret, step, key);
}

/// Says why a secret could not be replaced.
pub(super) fn refused(secret: &str, error: &ServiceError) {
    let (service, kind, code) = (
        error.service.label(),
        error.kind.label(),
        error.code.as_deref(),
    );
    let advice = advice(error);
    tracing::error!(
        event = "rotation_refused",
        secret,
        service,
        kind,
        status = error.status,
        code,
        "{advice}"
    );
}
