//! What both secrets of Genesys share: who changes them there, and what becomes of a run's claim when Genesys refuses.

use bridge::rotation::{Noted, Refusal};
use services::error::{ErrorKind, Sent, Service, ServiceError};
use services::genesys::admin::GenesysAdmin;
use time::OffsetDateTime;

use super::steps::save;
use crate::app::App;
use crate::failure::Failure;
use crate::store::document::Document;

/// Whoever may change something at Genesys: an administrator where one runs this by hand, else our own client, which may where its
/// role allows it.
pub(super) async fn administrator(app: &App) -> Result<GenesysAdmin, ServiceError> {
    match &app.genesys_operator {
        Some(operator) => Ok(operator.clone()),
        None => app.genesys.administrator().await,
    }
}

/// Whether Genesys does not allow it to whoever runs this.
pub(super) fn is_forbidden(error: &ServiceError) -> bool {
    (error.service, error.kind) == (Service::Genesys, ErrorKind::Forbidden)
}

/// Notes why a step failed. What certainly was not done needs no claim any more.
pub(super) async fn gave_up(
    app: &App,
    note: &mut Document<Noted>,
    now: OffsetDateTime,
    error: ServiceError,
) -> Failure {
    let code = error.code.clone();
    note.value.refusal = Some(Refusal {
        at: now,
        code: code.unwrap_or_else(|| error.kind.label().to_owned()),
    });
    if error.sent == Sent::No {
        note.value.claim = None;
    }
    match save(app, note).await {
        Err(failure) => failure,
        Ok(()) => error.into(),
    }
}
