//! Time that passes for what the rotations of secrets go by. The clocks of the processes go on as before.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::Control;
use crate::shared::refused::Refused;

/// Container and folder of the notes about rotations.
const NOTES: (&str, &str) = ("state", "rotation/");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Passed {
    hours: u32,
}

/// Makes the vault's versions, the client secrets at Entra ID and the notes about rotations so much older.
pub(super) async fn pass(
    State(control): State<Arc<Control>>,
    Json(Passed { hours }): Json<Passed>,
) -> Result<StatusCode, Refused> {
    let passed = Duration::hours(hours.into());
    control.simulators.key_vault.age(passed);
    control.simulators.entra.passwords.age(passed);
    let (container, folder) = NOTES;
    for name in control.blobs.names(container, folder).await? {
        let mut note = control.blobs.read(container, &name).await?;
        age(&mut note, passed);
        control.blobs.write(container, &name, &note).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Sets back every time in it.
fn age(note: &mut Value, passed: Duration) {
    match note {
        Value::String(text) => {
            let at = OffsetDateTime::parse(text, &Rfc3339).ok();
            if let Some(aged) = at.and_then(|at| (at - passed).format(&Rfc3339).ok()) {
                *text = aged;
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|one| age(one, passed)),
        Value::Object(all) => all.values_mut().for_each(|one| age(one, passed)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_set_back_and_nothing_else() {
        let note = |at: &str| json!({ "current": { "key": "a", "since": at, "ends": null }, "retired": ["b"], "n": 1 });
        let mut aged = note("2026-12-03T03:17:00Z");
        age(&mut aged, Duration::hours(49));
        assert_eq!(aged, note("2026-12-01T02:17:00Z"));
    }
}
