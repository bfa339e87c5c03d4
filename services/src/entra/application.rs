//! The own token of an app registration ("Microsoft identity platform and the OAuth 2.0 client credentials flow"), for what is granted to
//! the app and not to a Support User.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::app::OwnRegistration;
use crate::address;
use crate::error::{Result, Service};
use crate::graph::own_app::scope_of;
use crate::renewal::{Lease, Renewal};

/// The token, kept until shortly before it ends.
#[derive(Debug)]
pub struct ApplicationToken(pub(crate) Renewal<SecretString>);

impl ApplicationToken {
    /// For the Graph at this endpoint; nothing is called yet.
    pub(super) fn new(app: Arc<OwnRegistration>, graph_endpoint: &str) -> Self {
        Self::for_scope(app, scope_of(&address::base(graph_endpoint)))
    }

    /// For this scope; nothing is called yet.
    pub(crate) fn for_scope(app: Arc<OwnRegistration>, scope: String) -> Self {
        let fetch = move || fetch(Arc::clone(&app), scope.clone());
        Self(Renewal::new(Service::Entra, fetch))
    }
}

async fn fetch(app: Arc<OwnRegistration>, scope: String) -> Result<Lease<SecretString>> {
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", scope.as_str()),
    ];
    let grant = app
        .grant(&form)
        .await
        .map_err(|error| error.before_sending())?;
    let life = Duration::from_secs(grant.expires_in);
    Ok(Lease::of_token(grant.access_token, life))
}
