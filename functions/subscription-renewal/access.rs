//! With whose right a Support User's subscription is made: the Graph app's own, or the user's. Graph shows and changes each only to
//! whom it belongs.

use bridge::subscriptions::{ChangeTypes, Seen, Wanted};
use services::error::{ErrorKind, Result, Service, ServiceError};
use services::graph::subscriptions::{SubscriptionRecord, Subscriptions};

use crate::app::App;
use crate::failure::Failure;
use crate::settings::{SubscriptionAccess, SupportAccount};

/// One of the two sides on which a subscription can be.
pub(super) struct Side {
    /// The word in the settings and in logs.
    pub(super) access: &'static str,
    /// What it has.
    pub(super) subscriptions: Subscriptions,
    /// The other side serves as well, so that a refusal is no trouble.
    pub(super) is_tried: bool,
}

impl Side {
    /// The Graph app's own side, and the Support User's.
    pub(super) fn of(app: &App, account: &SupportAccount) -> [Self; 2] {
        let own = &app.subscriptions;
        [
            Self {
                access: "application",
                subscriptions: own.clone(),
                is_tried: false,
            },
            Self {
                access: "delegated",
                subscriptions: own.on_behalf_of(&app.graph, account.name.as_str()),
                is_tried: app.settings.subscription_access == SubscriptionAccess::Auto,
            },
        ]
    }

    /// What it has, for comparison with what is wanted.
    pub(super) async fn seen(&self) -> Result<Vec<Seen>> {
        let records = self.subscriptions.list().await?;
        Ok(records.into_iter().map(seen).collect())
    }

    /// Whether Graph does not let this side subscribe, or nobody is signed in. What is wrong with an address is wrong on either side.
    pub(super) fn is_refused(&self, error: &ServiceError) -> bool {
        let refusals = [
            ErrorKind::Forbidden,
            ErrorKind::Rejected,
            ErrorKind::SignInNeeded,
            ErrorKind::Unauthorized,
        ];
        self.is_tried && refusals.contains(&error.kind)
    }
}

/// Notes that the app's own right has to serve. That Graph does not let the Support User at all is remembered for a day; a sign-in
/// can come at any time.
pub(super) fn note_refused(app: &App, account: &SupportAccount, error: &ServiceError) {
    if (error.service, error.kind) == (Service::Graph, ErrorKind::Forbidden) {
        app.not_delegated.insert(account.name.clone(), ());
    }
    let (account, kind, status) = (account.name.as_str(), error.kind.label(), error.status);
    tracing::info!(event = "subscription_not_delegated", account, kind, status);
}

/// Everything that may tell of an account's chats at present.
///
/// # Errors
/// A side that the settings name could not be asked.
pub(super) async fn all(app: &App, account: &SupportAccount) -> Result<Vec<Seen>, Failure> {
    let [application, delegated] = Side::of(app, account);
    Ok(match app.settings.subscription_access {
        SubscriptionAccess::Application => application.seen().await?,
        SubscriptionAccess::Delegated => delegated.seen().await?,
        SubscriptionAccess::Auto => {
            let cannot_have_any = |kind| {
                matches!(
                    kind,
                    ErrorKind::Forbidden | ErrorKind::Unauthorized | ErrorKind::SignInNeeded
                )
            };
            let mut all = Vec::new();
            for side in [application, delegated] {
                match side.seen().await {
                    Ok(seen) => all.extend(seen),
                    Err(error) if cannot_have_any(error.kind) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            all
        }
    })
}

/// Removes what one side has for what the other side has as well. Whether the app sees the user's subscriptions among its own is not
/// documented: those stay.
///
/// # Errors
/// Graph did not do it; a later run looks again.
pub(super) async fn remove(wanted: &Wanted, from: &Side, kept: &Side) -> Result<(), Failure> {
    // Without the right to have any there are none.
    let Ok(superfluous) = from.seen().await else {
        return Ok(());
    };
    let kept = kept.seen().await?;
    let is_kept = |one: &Seen| kept.iter().any(|it| it.id == one.id);
    for one in superfluous.iter().filter(|it| wanted.is_for(&it.resource)) {
        if !is_kept(one) {
            from.subscriptions.delete(&one.id).await?;
        }
    }
    Ok(())
}

fn seen(record: SubscriptionRecord) -> Seen {
    Seen {
        change_types: ChangeTypes::read(&record.change_type),
        id: record.id,
        resource: record.resource,
        address: record.notification_url,
        ends: record.expiration_date_time,
    }
}
