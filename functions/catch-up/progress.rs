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

/// Notes that the bridge listens for an account, unless that is known.
///
/// # Errors
/// Blob could not be read or written.
pub(crate) async fn begin(app: &App, account: &SupportAccountName) -> Result<(), Failure> {
    match known(app, account).await? {
        Some(_) => Ok(()),
        None => change(app, account, |_| {}).await,
    }
}

/// Notes that changes of an account's chats may have gone untold, where the bridge had begun to listen for it.
///
/// # Errors
/// As [`begin`].
pub(crate) async fn note_gap(app: &App, account: &SupportAccountName) -> Result<(), Failure> {
    change(app, account, |progress| {
        progress.note_gap(OffsetDateTime::now_utc())
    })
    .await
}

/// Makes a change to the newest version of what is known; where nothing is, listening begins now.
pub(super) async fn change(
    app: &App,
    account: &SupportAccountName,
    make: impl Fn(&mut Progress),
) -> Result<(), Failure> {
    loop {
        let name = blobs::catch_up(account);
        let mut document = Document::load(&app.blobs, name, || None).await?;
        match &mut document.value {
            Some(progress) => make(progress),
            absent => *absent = Some(Progress::new(OffsetDateTime::now_utc())),
        }
        match document.save(&app.blobs).await {
            Err(Failure::Service(error)) if error.kind == ErrorKind::Precondition => {}
            result => return result,
        }
    }
}
