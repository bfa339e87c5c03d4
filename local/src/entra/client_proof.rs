//! How the Graph app proves itself: by a token of the managed identity (federated credential) or by its client secret.
//!
//! Source: "Configure an application to trust a managed identity"; the numbers are those of "Microsoft Entra
//! authentication and authorization error codes".

use std::collections::HashMap;

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::refusal::Refusal;
use super::{EXCHANGE_AUDIENCE, Entra};

/// Form of a client assertion (RFC 7523, section 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl Entra {
    /// Checks the proof in a token request.
    ///
    /// # Errors
    /// 401 `invalid_client`, or 400 when the assertion is of an unknown type.
    pub(super) fn check_client(&self, form: &HashMap<String, String>) -> Result<(), Refusal> {
        let mode = self.world.config.graph_client_authentication.as_str();
        if let Some(assertion) = form.get("client_assertion") {
            if form.get("client_assertion_type").map(String::as_str) != Some(ASSERTION_TYPE) {
                return Err(Refusal::request(
                    50033,
                    "The value of 'client_assertion_type' is missing or not supported.",
                ));
            }
            return self.check_assertion(assertion, mode == "federated");
        }
        let Some(secret) = form.get("client_secret") else {
            return Err(Refusal::client(
                7_000_218,
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
            ));
        };
        let right =
            verify_slices_are_equal(secret.as_bytes(), self.graph_client_secret.as_bytes()).is_ok();
        if mode == "secret" && right {
            Ok(())
        } else {
            Err(Refusal::client(
                7_000_215,
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.",
            ))
        }
    }

    /// The one federated credential trusts this tenant's managed identity, where the app has such a credential at all.
    fn check_assertion(&self, assertion: &str, trusted: bool) -> Result<(), Refusal> {
        let claims = self.verify(assertion, &[EXCHANGE_AUDIENCE]).map_err(|_| {
            Refusal::client(
                700_027,
                "The client assertion failed validation: its signature, its life or its audience is wrong.",
            )
        })?;
        let matches = claims["iss"] == self.issuer_v2()
            && claims["sub"] == self.managed_identity_principal()
            && claims["oid"] == self.managed_identity_principal();
        if trusted && matches {
            Ok(())
        } else {
            Err(Refusal::client(
                700_213,
                "No matching federated identity record found for presented assertion subject.",
            ))
        }
    }
}
