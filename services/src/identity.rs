//! Tokens of the Function App's own identity.

use secrecy::SecretString;

use crate::error::ServiceError;

/// The user-assigned managed identity.
#[derive(Debug)]
pub struct ManagedIdentity {}

impl ManagedIdentity {
    /// The identity with this client id; nothing is called yet.
    ///
    /// # Errors
    /// The platform's token endpoint is not usable.
    pub fn new(client: reqwest::Client, client_id: &str) -> Result<Self, ServiceError> {
        let _ = (client, client_id);
        unimplemented!()
    }

    /// A token for the scope.
    ///
    /// # Errors
    /// The token endpoint refused or could not be reached.
    pub async fn token(&self, scope: &str) -> Result<SecretString, ServiceError> {
        let _ = scope;
        unimplemented!()
    }
}
