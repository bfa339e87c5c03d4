//! Microsoft Entra Agent ID: a blueprint acts as its agent identities, and each of these as its one agent user ("Agent's user
//! account impersonation protocol", "Request agent's user account tokens for autonomous agents").
//!
//! With which numbers Entra ID refuses these calls is not documented; here it says the nearest that is.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::state::{EXCHANGE_AUDIENCE, Entra, SCOPES, TOKEN_LIFE};
use super::token_endpoint::{Form, GRAPH_AUDIENCE, required, typed_assertion};
use crate::world::SupportAccount;

const UNPROVEN: &str = "The body must contain 'client_assertion' or 'client_secret'.";
const STRANGER: &str = "No matching federated identity record found for the assertion.";

impl Entra {
    /// Whether a client is the blueprint.
    pub(super) fn is_blueprint(&self, client: &str) -> bool {
        client.eq_ignore_ascii_case(&self.world.config.agent_blueprint)
    }

    /// The account whose agent identity a client is.
    pub(super) fn agent(&self, client: &str) -> Option<&SupportAccount> {
        let is_client = |identity: &String| identity.eq_ignore_ascii_case(client);
        let mut accounts = self.world.config.support_accounts.iter();
        accounts.find(|account| account.agent_identity.as_ref().is_some_and(is_client))
    }

    /// The first call: the blueprint, which the managed identity vouches for, gets what stands for one of its agent identities.
    pub(super) fn impersonate_agent(&self, form: &Form) -> Result<Response, Refusal> {
        const NOT_A_CHILD: &str = "The agent identity was not found under the blueprint.";
        let assertion = typed_assertion(form)?.ok_or(Refusal::client(7_000_218, UNPROVEN))?;
        self.check_assertion(assertion, true)?;
        exchange_only(form)?;
        let identity = required(form, "fmi_path")?;
        let known = self.agent(identity).is_some();
        if !known {
            let error = "unauthorized_client";
            return Err(Refusal::bad_request(error, 700_016, NOT_A_CHILD));
        }
        let blueprint = &self.world.config.agent_blueprint;
        let subject = self.agent_subject(identity);
        Ok(exchange_token(self.issue(
            json!({ "aud": EXCHANGE_AUDIENCE, "azp": blueprint, "sub": subject }),
        )))
    }

    /// The second call: the agent identity gets what lets it act as its user.
    pub(super) fn exchange_agent(&self, form: &Form) -> Result<Response, Refusal> {
        let identity = required(form, "client_id")?;
        self.check_agent(form, identity)?;
        exchange_only(form)?;
        let claims = json!({
            "aud": EXCHANGE_AUDIENCE, "azp": identity, "oid": identity, "sub": identity,
        });
        Ok(exchange_token(self.issue(claims)))
    }

    /// The third call: the agent identity gets the token of its user.
    pub(super) fn agent_user_token(&self, form: &Form) -> Result<Response, Refusal> {
        const UNKNOWN: &str = "The application was not found in the directory.";
        const INVALID: &str = "Assertion failed signature validation.";
        const NOT_ITS_USER: &str = "The user account does not belong to the agent identity.";
        const CONSENT: &str = "The user or administrator has not consented to use the application.";
        const SCOPE: &str = "The scope is not valid.";
        let identity = required(form, "client_id")?;
        let unknown = || Refusal::bad_request("unauthorized_client", 700_016, UNKNOWN);
        let account = self.agent(identity).ok_or_else(unknown)?;
        self.check_agent(form, identity)?;
        let exchange = required(form, "user_federated_identity_credential")?;
        let claims = self.verify(exchange, &[EXCHANGE_AUDIENCE]);
        let is_own = |claims: &Value| {
            claims["azp"] == identity.as_str() && claims["sub"] == identity.as_str()
        };
        if !claims.is_ok_and(|claims| is_own(&claims)) {
            return Err(Refusal::bad_request("invalid_grant", 50013, INVALID));
        }
        let user = required(form, "user_id")?;
        if !user.eq_ignore_ascii_case(&account.user) {
            return Err(Refusal::bad_request("invalid_grant", 50034, NOT_ITS_USER));
        }
        if *required(form, "scope")? != format!("{GRAPH_AUDIENCE}/.default") {
            return Err(Refusal::bad_request("invalid_scope", 1_002_012, SCOPE));
        }
        if self.without_consent.lock().contains(&account.user) {
            return Err(Refusal::bad_request("invalid_grant", 65001, CONSENT));
        }
        Ok(self.granted(&account.user, SCOPES, identity, json!({})))
    }

    /// Gives or withdraws the consent to an agent identity's permissions for its user.
    pub(super) fn consent(&self, user: &str, given: bool) {
        let mut without = self.without_consent.lock();
        match given {
            true => without.remove(user),
            false => without.insert(user.to_owned()),
        };
    }

    /// What the first call gives must stand for this very agent identity.
    fn check_agent(&self, form: &Form, identity: &str) -> Result<(), Refusal> {
        const INVALID: &str = "The client assertion failed validation.";
        let assertion = typed_assertion(form)?.ok_or(Refusal::client(7_000_218, UNPROVEN))?;
        let claims = self.verify(assertion, &[EXCHANGE_AUDIENCE]);
        let claims = claims.map_err(|_| Refusal::client(700_027, INVALID))?;
        let fits = claims["azp"] == self.world.config.agent_blueprint.as_str()
            && claims["sub"] == self.agent_subject(identity);
        fits.then_some(()).ok_or(Refusal::client(700_213, STRANGER))
    }

    fn agent_subject(&self, identity: &str) -> String {
        let config = &self.world.config;
        let (tenant, blueprint) = (&config.tenant, &config.agent_blueprint);
        format!(
            "/eid1/c/pub/t/{tenant}/a/{blueprint}/{}",
            identity.to_ascii_lowercase()
        )
    }
}

/// Neither a blueprint nor an agent identity has permissions of its own here.
fn exchange_only(form: &Form) -> Result<(), Refusal> {
    const APP_ONLY: &str = "The agentic application is not permitted to request app-only tokens.";
    if *required(form, "scope")? == format!("{EXCHANGE_AUDIENCE}/.default") {
        return Ok(());
    }
    let error = "unauthorized_client";
    Err(Refusal::bad_request(error, 82001, APP_ONLY))
}

fn exchange_token(token: String) -> Response {
    let life = TOKEN_LIFE - 1;
    let body = json!({ "token_type": "Bearer", "expires_in": life, "access_token": token });
    Json(body).into_response()
}
