//! What an administrator does with what the bridge has from the start: the integration, and the clients' secrets ("Get an Open
//! messaging integration", "Update an Open messaging integration", "Regenerate Client Secret").

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::access::Caller;
use super::answers::Refusal;
use super::control::SHORT_SECRET;
use super::state::Genesys;

type Shared = State<Arc<Genesys>>;
type Answer = Result<Json<Value>, Refusal>;

/// What `OpenIntegrationUpdateRequest` holds besides the secret.
const SETTINGS: [&str; 5] = [
    "name",
    "supportedContent",
    "messagingSetting",
    "outboundNotificationWebhookUrl",
    "webhookHeaders",
];

/// The integration as an administrator has set it up.
pub fn integration(functions: &str) -> Map<String, Value> {
    let settings = json!({
        "name": "Graph-to-Open",
        "supportedContent": { "id": "supported-content" },
        "messagingSetting": { "id": "messaging-setting" },
        "outboundNotificationWebhookUrl": format!("{functions}/api/genesys/webhook"),
        "webhookHeaders": { "x-gateway-key": "local" },
    });
    settings.as_object().cloned().unwrap_or_default()
}

impl Genesys {
    fn integration_view(&self) -> Value {
        let mut view = Value::Object(self.integration.lock().clone());
        view["id"] = json!(self.world.config.genesys_integration_id);
        view["status"] = json!("Active");
        view["createStatus"] = json!("Completed");
        view
    }
}

/// Permission messaging:integration:view.
pub fn show_integration(genesys: &Genesys, caller: &Caller) -> Answer {
    caller.needs(genesys, "messaging:integration:view")?;
    Ok(Json(genesys.integration_view()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    #[serde(rename = "name")]
    _name: String,
    outbound_notification_webhook_signature_secret_token: Option<String>,
}

/// Permission messaging:integration:edit. What is left out is unset: whether Genesys keeps it is not documented, and this is the
/// stricter guess. The secret signs from the next call on.
pub fn update_integration(genesys: &Genesys, caller: &Caller, body: &Value) -> Answer {
    caller.needs(genesys, "messaging:integration:edit")?;
    let update = Update::deserialize(body);
    let update = update.map_err(|problem| Refusal::bad_request(problem.to_string()))?;
    if let Some(secret) = update.outbound_notification_webhook_signature_secret_token {
        if secret.chars().count() <= SHORT_SECRET {
            return Err(Refusal::bad_request("the secret is too short"));
        }
        *genesys.webhooks.secret.lock() = secret;
    }
    let given = SETTINGS.iter().filter_map(|name| {
        let value = body.get(*name).filter(|value| !value.is_null())?;
        Some(((*name).to_owned(), value.clone()))
    });
    *genesys.integration.lock() = given.collect();
    Ok(Json(genesys.integration_view()))
}

fn no_client() -> Refusal {
    Refusal::not_found("There is no such OAuth client.")
}

/// Permission oauth:client:edit, and every right of the client. The answer shows the secret this once.
pub async fn renew_secret(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answer {
    caller.needs(&genesys, "oauth:client:edit")?;
    let name = genesys.login.client(&id, |client| client.name.clone());
    let name = name.ok_or_else(no_client)?;
    let held = genesys.rights_of(&caller.0);
    if !genesys.rights_of(&id).is_subset(&held) {
        return Err(Refusal::forbidden("the roles of the client"));
    }
    let secret = genesys.login.renew(&id).ok_or_else(no_client)?;
    Ok(Json(json!({ "id": id, "name": name, "secret": secret })))
}
