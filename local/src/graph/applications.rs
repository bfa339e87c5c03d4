//! The app registration of the Graph app: its client secrets, for whoever owns it ("Get application", "application: addPassword",
//! "application: removePassword").

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::answers::Refusal;
use super::state::Graph;
use crate::entra::{Password, Passwords};

/// The least right, of an app that owns the registration.
const OWNED: &str = "Application.ReadWrite.OwnedBy";

type Shared = State<Arc<Graph>>;

/// Routes below `/v1.0`.
pub(super) fn router() -> Router<Arc<Graph>> {
    const APPLICATION: &str = "/v1.0/{application}";
    Router::new()
        .route(APPLICATION, get(read))
        .route(&format!("{APPLICATION}/addPassword"), post(add))
        .route(&format!("{APPLICATION}/removePassword"), post(remove))
}

async fn read(
    State(graph): Shared,
    Path(application): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let is_operator = graph.claims(&headers)?["oid"] == graph.entra.operator();
    if is_operator {
        let is_principal = application.starts_with("servicePrincipals");
        return match is_principal {
            true => graph.shown_principal(&application, &headers, &query),
            false => graph.shown_application(&application, &headers, &query),
        }
        .map(Json);
    }
    let app = graph.check_owner(&application, &headers)?;
    let passwords = graph.with_passwords(&app, Passwords::list);
    let passwords: Vec<Value> = passwords.iter().map(view).collect();
    Ok(Json(json!({ "passwordCredentials": passwords })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Addition {
    #[serde(default)]
    password_credential: Wanted,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wanted {
    display_name: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    end_date_time: Option<OffsetDateTime>,
}

async fn add(
    State(graph): Shared,
    Path(application): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    const MALFORMED: Refusal = Refusal::bad_request("The request body is no password credential.");
    const PAST: Refusal = Refusal::bad_request("Credential end date must be in the future.");
    let app = graph.check_secrets_of(&application, &headers)?;
    graph.check_policy()?;
    let addition: Addition = serde_json::from_slice(&body).map_err(|_| MALFORMED)?;
    let wanted = addition.password_credential;
    let added = graph.with_passwords(&app, |passwords| {
        passwords.add(wanted.display_name, wanted.end_date_time)
    });
    let added = added.ok_or(PAST)?;
    let mut shown = view(&added);
    shown["secretText"] = json!(added.secret);
    Ok(Json(shown))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Removal {
    key_id: String,
}

async fn remove(
    State(graph): Shared,
    Path(application): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    const MALFORMED: Refusal = Refusal::bad_request("The request body names no key id.");
    let app = graph.check_secrets_of(&application, &headers)?;
    let removal: Removal = serde_json::from_slice(&body).map_err(|_| MALFORMED)?;
    match graph.with_passwords(&app, |passwords| passwords.remove(&removal.key_id)) {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Refusal::NO_RESOURCE),
    }
}

/// The text of a secret is shown when it is made, and never again.
pub(super) fn view(password: &Password) -> Value {
    let time = |at: OffsetDateTime| at.format(&Rfc3339).unwrap_or_default();
    let hint: String = password.secret.chars().take(3).collect();
    json!({
        "customKeyIdentifier": null,
        "displayName": password.name,
        "endDateTime": time(password.ends),
        "hint": hint,
        "keyId": password.key,
        "secretText": null,
        "startDateTime": time(password.starts),
    })
}

impl Graph {
    /// Lets the managed identity through, where it owns the app: the templates make it an owner, and give it the right, only
    /// where there is a client secret to renew.
    fn check_owner(&self, application: &str, headers: &HeaderMap) -> Result<String, Refusal> {
        let claims = self.claims(headers)?;
        let roles = claims["roles"].as_array().into_iter().flatten();
        let mut roles = roles.filter_map(Value::as_str);
        let is_owner = claims["oid"] == self.entra.managed_identity_principal();
        if !is_owner || !roles.any(|role| role == OWNED) {
            return Err(Refusal::DENIED);
        }
        let ours = &self.world.config.graph_client_id;
        let is_ours = application.eq_ignore_ascii_case(&format!("applications(appId='{ours}')"));
        is_ours.then(|| ours.clone()).ok_or(Refusal::NO_RESOURCE)
    }

    /// The application id of a registration whose client secrets the caller may change: as its owner, or as whoever is logged in.
    fn check_secrets_of(&self, application: &str, headers: &HeaderMap) -> Result<String, Refusal> {
        match self.claims(headers)?["oid"] == self.entra.operator() {
            true => self.check_secrets(application, headers),
            false => self.check_owner(application, headers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::router;
    use super::*;
    use crate::entra::Entra;
    use crate::testing::{Answer, ask, world};
    use crate::world::Config;

    async fn graph(authentication: &str) -> (Arc<Graph>, String) {
        let config = Config {
            graph_client_authentication: authentication.to_owned(),
            ..Config::default()
        };
        let world = world(config, "http://127.0.0.1:9");
        let entra = Entra::new(Arc::clone(&world));
        let graph = Graph::new(Arc::clone(&world), Arc::clone(&entra));
        let token = entra.managed_identity_token("https://graph.microsoft.com");
        (graph, token.0)
    }

    async fn call(graph: &Arc<Graph>, token: &str, rest: &str, body: Value) -> Answer {
        let client = &graph.world.config.graph_client_id;
        let path = format!("/v1.0/applications(appId='{client}'){rest}");
        let method = if body.is_null() { "GET" } else { "POST" };
        ask(router(graph), method, &path, token, body).await
    }

    #[tokio::test]
    async fn an_owner_adds_lists_and_removes_secrets_and_sees_a_text_once() {
        let (graph, token) = graph("secret").await;
        let ends = "2099-01-01T00:00:00Z";
        let wanted = json!({ "passwordCredential": { "displayName": "new", "endDateTime": ends } });
        let added = call(&graph, &token, "/addPassword", wanted).await;
        assert_eq!(
            (added.status, added.text("displayName").as_str()),
            (200, "new")
        );
        assert!(added.text("secretText").starts_with(&added.text("hint")));
        let listed = call(&graph, &token, "?$select=passwordCredentials", Value::Null).await;
        let all = listed.body["passwordCredentials"]
            .as_array()
            .expect("a list");
        assert_eq!((all.len(), &all[1]["endDateTime"]), (2, &json!(ends)));
        assert_eq!(all[1]["secretText"], Value::Null);
        let removal = json!({ "keyId": added.text("keyId") });
        for status in [204, 404] {
            let removed = call(&graph, &token, "/removePassword", removal.clone()).await;
            assert_eq!(removed.status, status);
        }
        let past = json!({ "passwordCredential": { "endDateTime": "2020-01-01T00:00:00Z" } });
        assert_eq!(call(&graph, &token, "/addPassword", past).await.status, 400);
        let path = "/v1.0/applications(appId='another')";
        let other = ask(router(&graph), "GET", path, &token, Value::Null).await;
        assert_eq!(other.status, 404);
    }

    #[tokio::test]
    async fn whoever_does_not_own_the_app_is_refused() {
        let (graph, token) = graph("federated").await;
        let refused = call(&graph, &token, "", Value::Null).await;
        assert_eq!(refused.status, 403);
        assert_eq!(refused.body["error"]["code"], "Authorization_RequestDenied");
        assert_eq!(call(&graph, "", "", Value::Null).await.status, 401);
    }
}
