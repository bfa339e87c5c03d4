//! `sign-in`: a Support User signs in in the browser, and the refresh token goes to the vault. Guarded by a one-time link, which
//! `handler sign-in` makes.
//!
//! A link is opened: note that an answer is awaited, go to Entra ID. Entra ID's answer comes back: note that it is taken, redeem its
//! code, see who signed in, store the token, say so. Each note is written before what follows from it, in the version that was read,
//! so nothing happens twice, whichever instance a request meets.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use bridge::sign_in::page::Page;
use bridge::sign_in::person::Person;
use bridge::sign_in::record::{Refused, SignInRecord};
use bridge::sign_in::request::{Asked, Outcome};
use bridge::sign_in::ticket::Ticket;
use bridge::sign_in::{challenge, verifier};
use bridge::state::blobs;
use http::{HeaderMap, StatusCode, Uri, header};
use secrecy::{ExposeSecret, SecretString};
use services::blob::Blobs;
use services::error::{ErrorKind, Sent, Service, ServiceError};
use time::OffsetDateTime;
use tokio::time::timeout;
use tracing::Instrument;
use url::Url;

use crate::app::App;
use crate::failure::Failure;
use crate::queue::delivery::invocation_id;
use crate::settings::SupportAccount;
use crate::store::document::Document;

/// Name of the function.
pub const NAME: &str = "sign-in";

/// Path at which the host calls it.
pub const PATH: &str = "/api/sign-in";

/// Longest time for an answer: Entra ID, the vault and Blob one after the other, each with its own limit.
const DEADLINE: Duration = Duration::from_secs(60);

/// What a request is answered with.
enum Answer {
    /// On to Entra ID.
    Go(Url),
    Show(Page),
}

/// A step that leads to a page instead of the next step.
type Step<T> = Result<T, Page>;

/// Opens a link, or takes Entra ID's answer.
pub async fn handle(State(app): State<Arc<App>>, address: Uri, headers: HeaderMap) -> Response {
    let span = tracing::info_span!(
        "invocation",
        function = NAME,
        invocation = invocation_id(&headers)
    );
    let query = address.query().unwrap_or_default().as_bytes();
    let query: Vec<(String, String)> = url::form_urlencoded::parse(query).into_owned().collect();
    async {
        let answer = timeout(DEADLINE, Box::pin(answer(&app, Asked::of(&query)))).await;
        respond(answer.unwrap_or(Err(Page::Unavailable)))
    }
    .instrument(span)
    .await
}

async fn answer(app: &App, asked: Asked) -> Step<Answer> {
    if let Some(setting) = app.settings.unset.first() {
        let setting = setting.name;
        tracing::error!(event = "setting_placeholder", setting);
        return Err(Page::NotSetUp);
    }
    match asked {
        Asked::Nothing => Err(Page::Nothing),
        Asked::Malformed => Err(Page::Malformed),
        Asked::Open(link) => open(app, &link).await.map(Answer::Go),
        Asked::Answer(state, outcome) => take(app, &state, outcome).await.map(Answer::Show),
    }
}

/// A link is opened: where to go.
async fn open(app: &App, link: &Ticket) -> Step<Url> {
    let refused = Page::LinkRefused;
    configured(app, link).ok_or(refused(Refused::Foreign))?;
    let redirect = redirect(app)?;
    let (state, verifier) = (
        Ticket::new(link.account().clone(), random()?),
        verifier(random()?),
    );
    change(app, link, refused, |record, now| {
        record.begin(link, &state, verifier.expose_secret(), now)
    })
    .await?;
    let account = link.account().as_str();
    tracing::info!(event = "sign_in_begun", account);
    let (graph, challenge) = (&app.settings.graph_endpoint, challenge(&verifier));
    let address = app
        .sign_in
        .address(graph, &redirect, state.text(), &challenge);
    address.map_err(unavailable)
}

/// Entra ID's answer: what came of it.
async fn take(app: &App, state: &Ticket, outcome: Outcome) -> Step<Page> {
    let refused = Page::AnswerRefused;
    let account = configured(app, state).ok_or(refused(Refused::Foreign))?;
    let redirect = redirect(app)?;
    let verifier = change(app, state, refused, |record, now| record.take(state, now)).await?;
    let name = || account.name.clone();
    let code = match outcome {
        Outcome::Code(code) => code,
        Outcome::Cancelled => return Err(Page::Cancelled(name())),
        Outcome::Error(error) => return Err(Page::NotLetIn(name(), error)),
    };
    let redeemed = app.sign_in.redeem(&code, &verifier.into(), &redirect).await;
    let tokens = redeemed.map_err(|error| {
        failed(&error);
        Page::NotRedeemed(name(), error.code)
    })?;
    let person = person(app, &tokens.id_token).await?;
    let person = person.ok_or_else(|| Page::NotRedeemed(name(), None))?;
    if !person.is(&app.settings.tenant, &account.user) {
        return Err(Page::WrongPerson(name(), person));
    }
    let stored = app
        .sign_in
        .store(account.name.as_str(), &tokens.refresh_token);
    stored.await.map_err(|error| {
        failed(&error);
        Page::NotStored(name(), error.kind == ErrorKind::Forbidden)
    })?;
    let account = name();
    tracing::info!(event = "signed_in", account = account.as_str());
    Ok(Page::SignedIn {
        account,
        person,
        at: OffsetDateTime::now_utc(),
    })
}

/// The account that a ticket names, if there is one that signs in.
fn configured<'a>(app: &'a App, ticket: &Ticket) -> Option<&'a SupportAccount> {
    let account = app.settings.support_account(ticket.account());
    account.filter(|account| !account.is_agent_user())
}

/// The address of this function, as the app registration knows it.
fn redirect(app: &App) -> Step<Url> {
    let address = app.settings.own_address().map_err(|_| Page::NotSetUp)?;
    Url::parse(&format!("{address}{PATH}")).map_err(|_| Page::NotSetUp)
}

/// Changes where an account's sign-in stands, as `step` says, and keeps it before anything follows from it.
async fn change<T>(
    app: &App,
    ticket: &Ticket,
    refused: fn(Refused) -> Page,
    step: impl FnOnce(&mut SignInRecord, OffsetDateTime) -> Result<T, Refused>,
) -> Step<T> {
    let name = blobs::sign_in(ticket.account());
    let loaded = Document::<Option<SignInRecord>>::load(&app.blobs, name, || None).await;
    let mut document = loaded.map_err(not_kept)?;
    let record = document.value.as_mut();
    let record = record.ok_or(refused(Refused::Foreign))?;
    let changed = step(record, OffsetDateTime::now_utc()).map_err(refused)?;
    match document.save(&app.blobs).await {
        Ok(()) => Ok(changed),
        // The same ticket came to another instance at the same time, which goes on with it.
        Err(Failure::Service(error)) if error.kind == ErrorKind::Precondition => {
            Err(refused(Refused::Used))
        }
        Err(failure) => Err(not_kept(failure)),
    }
}

/// Who signed in; nobody when the token is not genuine.
async fn person(app: &App, id_token: &SecretString) -> Step<Option<Box<Person>>> {
    let token = app.validator.id_token(id_token).await;
    Ok(token.map_err(unavailable)?.and_then(|token| {
        Some(Box::new(Person {
            tenant: token.tenant.parse().ok()?,
            user: token.user.parse().ok()?,
            name: token.name,
            sign_in_name: token.sign_in_name,
        }))
    }))
}

fn random() -> Step<[u8; 32]> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| Page::Unavailable)?;
    Ok(bytes)
}

fn not_kept(failure: Failure) -> Page {
    match failure {
        Failure::Service(error) => unavailable(error),
        _ => Page::Unavailable,
    }
}

fn unavailable(error: ServiceError) -> Page {
    failed(&error);
    Page::Unavailable
}

fn failed(error: &ServiceError) {
    let (service, kind) = (error.service.label(), error.kind.label());
    let code = error.code.as_deref();
    tracing::warn!(event = "sign_in_failed", service, kind, code);
}

/// The answer, for no cache and no other site.
fn respond(answer: Step<Answer>) -> Response {
    let private = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    let page = match answer {
        Ok(Answer::Go(to)) => {
            let to = [(header::LOCATION, to.to_string())];
            return (StatusCode::FOUND, private, to).into_response();
        }
        Ok(Answer::Show(page)) => page,
        Err(page) => {
            let (reason, status) = (page.label(), page.status());
            tracing::warn!(event = "sign_in_refused", reason, status);
            page
        }
    };
    let status = StatusCode::from_u16(page.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let policy = [(header::CONTENT_SECURITY_POLICY, Page::policy())];
    (status, private, policy, Html(page.html())).into_response()
}

/// Makes a one-time link to the function at `address` (scheme and host) for an account, in the place of an older one.
///
/// # Errors
/// Blob refused or could not be reached; `Precondition` when somebody else makes a link for the account at this moment.
pub async fn offer(
    blobs: &Blobs,
    account: &SupportAccount,
    address: &str,
) -> Result<SecretString, ServiceError> {
    let unusable = |kind| ServiceError::new(Service::Blob, kind, Sent::No);
    let random = random().map_err(|_| unusable(ErrorKind::Unavailable))?;
    let link = Ticket::new(account.name.clone(), random);
    let kept = async {
        let name = blobs::sign_in(&account.name);
        let mut document = Document::load(blobs, name, || None).await?;
        let before = document.value.take();
        let now = OffsetDateTime::now_utc();
        document.value = Some(SignInRecord::offer(before, &link, now));
        document.save(blobs).await
    };
    match kept.await {
        Ok(()) => Ok(format!("{address}{PATH}?link={}", link.text().expose_secret()).into()),
        Err(Failure::Service(error)) => Err(error),
        Err(_) => Err(unusable(ErrorKind::Malformed)),
    }
}

#[cfg(test)]
mod tests;
