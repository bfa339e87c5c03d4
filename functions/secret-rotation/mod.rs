//! `secret-rotation`: renews, once a day, what would end one day if nobody did. `handler rotate` does the same by hand.

mod client_secret;
mod genesys;
mod genesys_client;
mod own_secret;
mod refresh_token;
mod status;
mod steps;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use bridge::ids::SupportAccountName;
use bridge::rotation::own_secret::REPEATED_FOR;
use services::entra::ClientAuthentication;
use services::secrets::names;
use time::OffsetDateTime;
use tokio::time::Instant;

pub use self::client_secret::advice;
pub use self::status::Status;
use crate::app::App;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::timer::{self, Turn, alone};

/// Folder, and the name by which Azure knows the function.
pub const NAME: &str = "secret-rotation";

/// Where the host calls it.
pub const PATH: &str = "/secret-rotation";

/// A secret that this function renews.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    /// The client secret of the Graph app, where it has one.
    Client,
    /// The secret of the OAuth client at Genesys, where there are two such clients.
    GenesysClient,
    /// One that we make ourselves, by its name ([`names::MADE`]).
    Own(&'static str),
    /// The refresh token of a Support User.
    RefreshToken(SupportAccountName),
}

/// Renews every secret that is due.
pub async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    let now = app.now();
    timer::run(&app, NAME, request, |deadline| {
        renew_all(&app, now, deadline)
    })
    .await
}

/// Renews one after the other; what becomes of one does not concern the others.
async fn renew_all(app: &App, now: OffsetDateTime, deadline: Instant) -> Result<(), Failure> {
    let mut result = Ok(());
    for secret in Secret::all(&app.settings) {
        let renewed = secret.renew(app, now, false, deadline).await;
        let status = secret.status(app, now, false).await.ok();
        status::tell(&secret, status.as_ref(), &renewed, now);
        let renewed = renewed.or_else(|failure| secret.left_to_operator(failure));
        let renewed = renewed.inspect_err(|failure| secret.tell(failure));
        result = result.and(renewed);
    }
    result
}

impl Secret {
    /// Those of this installation. An agent user has none.
    pub fn all(settings: &Settings) -> Vec<Self> {
        let own = names::MADE.map(Self::Own);
        // What others gave out is there only once all ids are; what we make ourselves is needed before.
        if !settings.is_set_up() {
            return own.into();
        }
        let client = settings.graph_client_authentication == ClientAuthentication::Secret;
        let client = client.then_some(Self::Client).into_iter();
        let has_spare = settings.genesys_spare_client_id.is_some();
        let genesys = has_spare.then_some(Self::GenesysClient).into_iter();
        let accounts = settings.support_accounts.iter();
        let signed_in = accounts.filter(|account| !account.is_agent_user());
        client
            .chain(genesys)
            .chain(own)
            .chain(signed_in.map(|account| Self::RefreshToken(account.name.clone())))
            .collect()
    }

    /// Its name in the vault.
    pub fn name(&self) -> String {
        match self {
            Self::Client => names::GRAPH_CLIENT.to_owned(),
            Self::GenesysClient => names::GENESYS_CLIENT.to_owned(),
            Self::Own(name) => (*name).to_owned(),
            Self::RefreshToken(account) => names::refresh_token(account.as_str()),
        }
    }

    /// Whether it is one of those that are replaced at Genesys.
    pub fn is_of_genesys(&self) -> bool {
        matches!(
            self,
            Self::GenesysClient | Self::Own(names::GENESYS_WEBHOOK)
        )
    }

    /// What Genesys does not allow to our own client is no failure of the run, but an operator's to do: told, and by the alert of what
    /// is overdue told once more.
    fn left_to_operator(&self, failure: Failure) -> Result<(), Failure> {
        match failure {
            Failure::Service(error) if genesys::is_forbidden(&error) => {
                let (secret, advice) = (self.name(), advice(&error));
                tracing::warn!(event = "rotation_not_allowed", secret, "{advice}");
                Ok(())
            }
            failure => Err(failure),
        }
    }

    /// Says why it could not be replaced, whichever step failed. Of a refresh token that is said where it is renewed.
    fn tell(&self, failure: &Failure) {
        if let Failure::Service(error) = failure
            && !matches!(self, Self::RefreshToken(_))
        {
            steps::refused(&self.name(), error);
        }
    }

    /// Renews it as far as it is due, or at once when somebody asks, unless a run is at it anyway.
    ///
    /// # Errors
    /// What kept it from being renewed; another run goes on from there.
    pub async fn renew_alone(&self, app: &App, is_asked: bool) -> Result<Turn<()>, Failure> {
        let now = app.now();
        alone(app, NAME, async |deadline| {
            // Each night a refresh token is renewed whatever its age; by hand only where that is due.
            if !is_asked && matches!(self, Self::RefreshToken(_)) {
                let due = self.status(app, now, is_asked).await?.due;
                if due.is_some_and(|due| now < due) {
                    return Ok(());
                }
            }
            self.renew(app, now, is_asked, deadline).await
        })
        .await
    }

    async fn renew(
        &self,
        app: &App,
        now: OffsetDateTime,
        is_asked: bool,
        deadline: Instant,
    ) -> Result<(), Failure> {
        match self {
            Self::Client => client_secret::replace(app, now, is_asked, deadline).await,
            Self::GenesysClient => genesys_client::replace(app, now, is_asked, deadline).await,
            Self::Own(name) => own_secret::replace(app, name, now, is_asked, REPEATED_FOR).await,
            Self::RefreshToken(account) => refresh_token::renew(app, account).await,
        }
    }
}

#[cfg(test)]
mod tests;
