//! The bot's own tokens ("Authenticate requests with the Bot Connector API"; "Register a bot with Azure", identity types).

use std::sync::Arc;

use secrecy::SecretString;

use crate::entra::{ApplicationToken, OwnRegistration};
use crate::error::{Result, Service};
use crate::managed_identity::ManagedIdentity;

/// How the bot proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BotAuthentication {
    /// It is a managed identity itself: nothing to rotate.
    ManagedIdentity,
    /// It is an app registration that trusts the Function App's identity (federated credential).
    Federated,
    /// It is an app registration with a client secret in Key Vault (`bot-client-secret`).
    Secret,
}

/// Where the tokens come from.
#[derive(Debug)]
pub enum BotTokens {
    /// From the managed identity that the bot is.
    Identity {
        /// The identity.
        identity: Arc<ManagedIdentity>,
        /// What they are for.
        scope: String,
    },
    /// From Entra ID.
    Registration(ApplicationToken),
}

impl BotTokens {
    /// Those of a managed identity, for the connector of a cloud.
    pub fn of_identity(identity: Arc<ManagedIdentity>, entra_endpoint: &str) -> Self {
        Self::Identity {
            identity,
            scope: scope(entra_endpoint),
        }
    }

    /// Those of an app registration, for the connector of a cloud.
    pub fn of_registration(registration: OwnRegistration, entra_endpoint: &str) -> Self {
        let scope = scope(entra_endpoint);
        Self::Registration(ApplicationToken::for_scope(Arc::new(registration), scope))
    }

    pub(super) async fn get(&self) -> Result<SecretString> {
        match self {
            Self::Identity { identity, scope } => identity.token(scope).await,
            Self::Registration(token) => token.0.get().await,
        }
        .map_err(|error| error.before_sending())
    }

    /// Calls the connector with a token; where that refuses it, once more with a newer one. A managed identity has none to give before its
    /// token ends.
    pub(super) async fn call<T, F>(&self, send: impl Fn(SecretString) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        match self {
            Self::Identity { .. } => send(self.get().await?).await,
            Self::Registration(token) => token.0.call(Service::Bot, send).await,
        }
    }
}

fn scope(entra_endpoint: &str) -> String {
    format!("{}/.default", super::validator::issuer(entra_endpoint))
}
