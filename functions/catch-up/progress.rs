//! How far the catching up of an account is. The timer, the renewal of subscriptions and the reading of chats all write it, so
//! each change is made to the newest version.

use bridge::catch_up::Progress;
use bridge::ids::SupportAccountName;
use bridge::state::blobs;
use services::error::ErrorKind;
use time::OffsetDateTime;

use crate::app::App;
use crate::failure::Failure;
use crate::store::document::{Document, peek};

/// What is known; nothing before the account's first subscription.
pub(super) async fn known(
    app: &App,
    account: &SupportAccountName,
) -> Result<Option<Progress>, Failure> {
    peek(&app.blobs, &blobs::catch_up(account)).await
}

/// Notes that the bridge listens for an account, and whether subscriptions tell of every change, unless that is known.
///
/// # Errors
/// Blob could not be read or written.
pub(crate) async fn note_coverage(
    app: &App,
    account: &SupportAccountName,
    is_covered: bool,
) -> Result<(), Failure> {
    let known = known(app, account).await?;
    if known.is_some_and(|progress| progress.is_noted(is_covered)) {
        return Ok(());
    }
    change(app, account, |progress| {
        progress.note_coverage(is_covered, OffsetDateTime::now_utc());
    })
    .await
    .map(drop)
}

/// Notes that changes of an account's chats may have gone untold, where the bridge had begun to listen for it. Tells whether that
/// was news: while no subscription tells of them it is none.
///
/// # Errors
/// As [`note_coverage`].
pub(crate) async fn note_gap(app: &App, account: &SupportAccountName) -> Result<bool, Failure> {
    let noted = change(app, account, |progress| {
        progress.note_gap(OffsetDateTime::now_utc())
    });
    Ok(noted.await?.unwrap_or_default())
}

/// Makes a change to the newest version of what is known; where nothing is, listening begins now, and there is nothing to change.
pub(super) async fn change<R>(
    app: &App,
    account: &SupportAccountName,
    make: impl Fn(&mut Progress) -> R,
) -> Result<Option<R>, Failure> {
    loop {
        let name = blobs::catch_up(account);
        let mut document = Document::load(&app.blobs, name, || None).await?;
        let made = document.value.as_mut().map(&make);
        if made.is_none() {
            document.value = Some(Progress::new(OffsetDateTime::now_utc()));
        }
        match document.save(&app.blobs).await {
            Err(Failure::Service(error)) if error.kind == ErrorKind::Precondition => {}
            result => return result.map(|()| made),
        }
    }
}
