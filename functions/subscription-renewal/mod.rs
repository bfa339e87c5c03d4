//! `subscription-renewal`: makes, renews and mends Graph's subscriptions to the Support Users' chats, every few minutes. Which of
//! that is to be done is decided by [`bridge::subscriptions`].

mod access;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use bridge::ids::Digest;
use bridge::state::blobs;
use bridge::subscriptions::{
    LIFE, Mark, RENEWED_AFTER, RENEWED_WHEN_ASKED, Seen, Standing, Step, Wanted, end, is_covered,
    is_settled, next_step, resource,
};
use bridge::teams::unwrap::NotificationKey;
use secrecy::{ExposeSecret, SecretString};
use services::error::{ErrorKind, Sent, Service, ServiceError};
use services::graph::subscriptions::{Changeable, NewSubscription};
use services::secrets::names;
use time::OffsetDateTime;

use self::access::Side;
use crate::app::App;
use crate::catch_up;
use crate::failure::Failure;
use crate::inbound_graph;
use crate::lifecycle_graph;
use crate::settings::{SubscriptionAccess, SupportAccount};
use crate::store::document::Document;
use crate::timer::{self, Turn};

/// Folder, and the name by which Azure knows the function.
pub const NAME: &str = "subscription-renewal";

/// Where the host calls it.
pub const PATH: &str = "/subscription-renewal";

/// Steps for one Support User in one run; six replace a subscription.
const MOST_STEPS: usize = 12;

/// Renews every subscription that is due.
pub async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    timer::run(&app, NAME, request, |_| async {
        // Until the deployment is complete there is no app to subscribe.
        match app.settings.is_set_up() {
            false => Ok(()),
            true => renew_all(&app, RENEWED_AFTER).await,
        }
    })
    .await
}

/// What all subscriptions share.
struct Shared {
    /// One time for a whole run, so that each subscription is renewed once in it at most.
    now: OffsetDateTime,
    address: String,
    lifecycle_address: String,
    renewed_after: Duration,
    client_state: SecretString,
    key: NotificationKey,
}

/// Brings the subscription of each Support User to what is wanted; what becomes of one does not concern the others.
///
/// # Errors
/// The first that kept one from it; the next run goes on from there.
async fn renew_all(app: &App, renewed_after: Duration) -> Result<(), Failure> {
    let shared = shared(app, renewed_after).await?;
    let mut result = Ok(());
    for account in &app.settings.support_accounts {
        result = result.and(renew(app, &shared, account).await);
    }
    result
}

/// The same between the timer's runs, unless one is under way.
///
/// # Errors
/// As [`renew_all`].
pub(crate) async fn renew_now(app: &App) -> Result<Turn<()>, Failure> {
    timer::alone(app, NAME, |_| renew_all(app, RENEWED_AFTER)).await
}

/// The same, for Graph asks for it: what was not renewed a moment ago is renewed whatever its age.
///
/// # Errors
/// As [`renew_all`].
pub(crate) async fn renew_as_asked(app: &App) -> Result<Turn<()>, Failure> {
    timer::alone(app, NAME, |_| renew_all(app, RENEWED_WHEN_ASKED)).await
}

/// Whether no subscription has another secret or certificate than the vault holds now.
///
/// # Errors
/// What they are known by could not be read.
pub(crate) async fn are_settled(app: &App) -> Result<bool, Failure> {
    let shared = shared(app, RENEWED_AFTER).await?;
    for account in &app.settings.support_accounts {
        let all = access::all(app, account).await?;
        if !is_settled(&shared.wanted(account), &all, shared.now) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Read from the vault itself: what is in memory may be an hour old.
async fn shared(app: &App, renewed_after: Duration) -> Result<Shared, Failure> {
    let lacking = |service, what: &str| {
        let error = ServiceError::new(service, ErrorKind::Configuration, Sent::No);
        Failure::from(error.with_code(what))
    };
    let missing = |secret| lacking(Service::KeyVault, secret);
    let host = app.settings.own_address();
    let host = host.map_err(|error| lacking(Service::Platform, error.name))?;
    let vault = app.secrets.vault();
    let client_state = vault.get(names::GRAPH_CLIENT_STATE).await?;
    let pem = vault.get(names::GRAPH_NOTIFICATION_KEY).await?;
    let pem = pem.ok_or_else(|| missing(names::GRAPH_NOTIFICATION_KEY))?;
    Ok(Shared {
        now: app.now(),
        address: format!("{host}{}", inbound_graph::PATH),
        lifecycle_address: format!("{host}{}", lifecycle_graph::PATH),
        renewed_after,
        client_state: client_state.ok_or_else(|| missing(names::GRAPH_CLIENT_STATE))?,
        key: NotificationKey::from_pem(&pem).map_err(|error| {
            tracing::error!(event = "notification_key_unusable", %error);
            missing(names::GRAPH_NOTIFICATION_KEY)
        })?,
    })
}

/// Brings one Support User's subscription to what is wanted, with the right that the settings name.
async fn renew(app: &App, shared: &Shared, account: &SupportAccount) -> Result<(), Failure> {
    let wanted = shared.wanted(account);
    let [application, delegated] = Side::of(app, account);
    match app.settings.subscription_access {
        SubscriptionAccess::Application => bring(app, shared, account, &application, &[]).await,
        SubscriptionAccess::Delegated => bring(app, shared, account, &delegated, &[]).await,
        SubscriptionAccess::Auto if app.not_delegated.contains(&account.name) => {
            bring(app, shared, account, &application, &[]).await
        }
        SubscriptionAccess::Auto => {
            // Without the app's own permission it has none.
            let others = application.seen().await.unwrap_or_default();
            match bring(app, shared, account, &delegated, &others).await {
                Ok(()) => access::remove(&wanted, &application, &delegated).await,
                Err(Failure::Service(error)) if delegated.is_refused(&error) => {
                    access::note_refused(app, account, &error);
                    bring(app, shared, account, &application, &[]).await
                }
                failed => failed,
            }
        }
    }
}

/// Makes steps on one side until there is nothing more to do. `others` are what the other side has.
async fn bring(
    app: &App,
    shared: &Shared,
    account: &SupportAccount,
    side: &Side,
    others: &[Seen],
) -> Result<(), Failure> {
    let wanted = shared.wanted(account);
    let (name, access) = (account.name.as_str(), side.access);
    let failed = |step, subscription, error: ServiceError| match side.is_refused(&error) {
        true => error.into(),
        false => not_renewed(name, access, step, subscription, error),
    };
    for _ in 0..MOST_STEPS {
        let listed = side.seen().await;
        let all = listed.map_err(|error| failed("list", None, error))?;
        let step = next_step(&wanted, &all, shared.now);
        let is_covered = is_covered(&wanted, &[all.as_slice(), others].concat(), shared.now);
        // Before there is one again, so that a run that ends here does not leave the gap unread.
        catch_up::note_coverage(app, &account.name, is_covered).await?;
        if !is_covered {
            note_standing(app, account, access, None).await?;
        }
        if step == Step::Rest {
            return note_standing(app, account, access, end(&wanted, &all)).await;
        }
        let done = take(side, shared, account, &step).await;
        let (word, subscription) = told(&step);
        match done {
            Ok(()) => {
                tracing::info!(
                    event = "subscription_step",
                    account = name,
                    access,
                    step = word,
                    subscription
                );
            }
            // It ended, or somebody removed it, since it was listed.
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(word, subscription, error)),
        }
    }
    Err(Failure::OutOfTime)
}

/// Notes the subscription for `handler status`: whoever runs that may read our blobs, and not ask Graph.
async fn note_standing(
    app: &App,
    account: &SupportAccount,
    access: &str,
    ends: Option<OffsetDateTime>,
) -> Result<(), Failure> {
    let standing = ends.map(|ends| Standing {
        access: access.to_owned(),
        ends,
    });
    let name = blobs::subscription(&account.name);
    let mut document = Document::load(&app.blobs, name, || None).await?;
    if document.value == standing {
        return Ok(());
    }
    document.value = standing;
    document.save(&app.blobs).await
}

/// Says what kept a Support User from a subscription.
fn not_renewed(
    account: &str,
    access: &str,
    step: &str,
    subscription: Option<String>,
    error: ServiceError,
) -> Failure {
    let (service, kind) = (error.service.label(), error.kind.label());
    let (status, code) = (error.status, error.code.as_deref());
    let advice = advice(&error);
    tracing::error!(
        event = "subscription_not_renewed",
        account,
        access,
        step,
        subscription,
        service,
        kind,
        status,
        code,
        "{advice}"
    );
    error.into()
}

async fn take(
    side: &Side,
    shared: &Shared,
    account: &SupportAccount,
    step: &Step,
) -> Result<(), ServiceError> {
    let wanted = shared.wanted(account);
    let ends = shared.now + LIFE;
    let changeable = || Changeable {
        notification_url: wanted.full_address(),
        expiration_date_time: ends,
        encryption_certificate: shared.key.certificate().to_owned(),
        encryption_certificate_id: shared.key.certificate_id().to_owned(),
    };
    match step {
        Step::Create(kinds) => {
            let new = NewSubscription {
                resource: wanted.resource.clone(),
                change_type: kinds.to_string(),
                lifecycle_notification_url: shared.lifecycle_address.clone(),
                client_state: shared.client_state_of(account),
                changeable: changeable(),
            };
            side.subscriptions.create(&new).await
        }
        Step::Renew(id) => side.subscriptions.renew(id, ends).await,
        Step::Mend(id) => side.subscriptions.change(id, &changeable()).await,
        Step::Delete(id) => side.subscriptions.delete(id).await,
        Step::Rest => Ok(()),
    }
}

impl Shared {
    fn wanted(&self, account: &SupportAccount) -> Wanted {
        let state = self.client_state.expose_secret();
        Wanted {
            resource: resource(account.user.as_str()),
            address: self.address.clone(),
            mark: Mark::of(state, self.key.certificate_id()),
            renewed_after: self.renewed_after,
        }
    }

    /// The account's name stands before the secret, so that a notification names it.
    fn client_state_of(&self, account: &SupportAccount) -> SecretString {
        let (name, state) = (account.name.as_str(), self.client_state.expose_secret());
        format!("{name}.{state}").into()
    }
}

/// The step in a word, and the digest of the subscription that it is about.
fn told(step: &Step) -> (&'static str, Option<String>) {
    let digest = |id: &str| Some(Digest::of("subscription", id).to_string());
    match step {
        Step::Create(_) => ("create", None),
        Step::Renew(id) => ("renew", digest(id)),
        Step::Mend(id) => ("mend", digest(id)),
        Step::Delete(id) => ("delete", digest(id)),
        Step::Rest => ("rest", None),
    }
}

/// What a person can do about a subscription that cannot be made or renewed.
fn advice(error: &ServiceError) -> &'static str {
    match (error.service, error.kind) {
        (Service::Graph, ErrorKind::Forbidden | ErrorKind::Unauthorized) => {
            "the Graph app needs the application permission Chat.Read.All, with consent, and a place within the quotas of subscriptions"
        }
        (Service::Graph, ErrorKind::Rejected) => {
            "Graph must reach this app's address from the internet within 10 seconds: handler check --deployed tells whether it does"
        }
        (Service::Graph, ErrorKind::Conflict) => {
            "Graph has another subscription in this one's place: remove it, or let it end"
        }
        (Service::Entra, _) => {
            "the Graph app cannot prove itself to Entra ID: handler check tells why"
        }
        _ => "the next run tries it again",
    }
}

#[cfg(test)]
pub(crate) mod tests;
