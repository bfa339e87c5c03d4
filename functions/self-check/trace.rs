//! Follows a marked message: when it was written, when the bridge was told of it, when the other side had it.

use bridge::self_check::{Check, Leg, Mark, Way};
use bridge::state::blobs;
use time::OffsetDateTime;

use crate::app::App;
use crate::failure::Failure;
use crate::store::document::Document;

/// Notes that a message was just delivered, where one of its texts has a mark that somebody left. A message waits for nothing of
/// this and never fails by it.
pub(crate) async fn note(
    app: &App,
    texts: impl IntoIterator<Item = &str>,
    way: Way,
    written: OffsetDateTime,
    accepted: Option<OffsetDateTime>,
) {
    let Some(mark) = texts.into_iter().find_map(Mark::in_text) else {
        return;
    };
    let delivered = OffsetDateTime::now_utc();
    let leg = Leg {
        written,
        accepted: accepted.unwrap_or(delivered),
        delivered,
    };
    if let Err(failure) = store(app, &mark, way, leg).await {
        let reason = failure.label();
        tracing::warn!(event = "check_not_noted", reason);
    }
}

async fn store(app: &App, mark: &Mark, way: Way, leg: Leg) -> Result<(), Failure> {
    let name = blobs::check(&mark.digest());
    let mut document = Document::<Option<Check>>::load(&app.blobs, name, || None).await?;
    let check = document.value.as_mut();
    match check.is_some_and(|check| check.note(way, leg)) {
        true => document.save(&app.blobs).await,
        false => Ok(()),
    }
}
