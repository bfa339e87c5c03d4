use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::entra::Entra;
use crate::testing::{Answer, ask, request, send, world};
use crate::world::Config;

const GROUP: &str =
    "/subscriptions/00000000-0000-4000-8000-0000000000b1/resourceGroups/rg-local/providers";
const DEPLOYMENT: &str = "Microsoft.Resources/deployments/graph-to-open?api-version=2025-04-01";
const SETTINGS: &str = "Microsoft.Web/sites/func-local/config/appsettings?api-version=2025-03-01";

struct Case {
    manager: Arc<ResourceManager>,
    token: String,
    identity: String,
}

impl Case {
    fn new() -> Self {
        let world = world(Config::default(), "http://127.0.0.1:9");
        let entra = Entra::new(Arc::clone(&world));
        let manager = ResourceManager::new(world, Arc::clone(&entra));
        let settings = BTreeMap::from([("A".to_owned(), "1".to_owned())]);
        manager.deploy(&settings, ["told"].into_iter());
        let login = entra.operator_login("management.azure.com");
        let token = login["accessToken"].as_str().expect("a token").to_owned();
        let identity = entra
            .managed_identity_token("https://management.azure.com")
            .0;
        Self {
            manager,
            token,
            identity,
        }
    }

    async fn ask(&self, method: &str, rest: &str, body: Value) -> Answer {
        let path = format!("{GROUP}/{rest}");
        ask(router(&self.manager), method, &path, &self.token, body).await
    }

    async fn list(&self) -> Answer {
        self.post(&SETTINGS.replace('?', "/list?")).await
    }

    async fn post(&self, rest: &str) -> Answer {
        let path = format!("{GROUP}/{rest}");
        let mut request = request("POST", &path, &self.token, &Value::Null);
        let headers = request.headers_mut();
        headers.insert("content-length", http::HeaderValue::from_static("0"));
        send(router(&self.manager), request).await
    }

    async fn control(&self, what: &str, body: Value) {
        let path = format!("/local/resource-manager/{what}");
        let answer = ask(control(&self.manager), "PUT", &path, "", body).await;
        assert_eq!(answer.status, 204);
    }
}

#[tokio::test]
async fn settings_are_replaced_as_a_whole_and_outputs_are_there_after_a_success() {
    let case = Case::new();
    let deployment = case.ask("GET", DEPLOYMENT, Value::Null).await;
    let properties = &deployment.body["properties"];
    assert_eq!(
        properties["outputs"]["functionAppName"]["value"],
        "func-local"
    );
    let given = json!({ "type": "String", "value": "local" });
    assert_eq!(properties["parameters"]["environmentName"], given);
    assert_eq!(case.list().await.body["properties"], json!({ "A": "1" }));
    let written = case
        .ask("PUT", SETTINGS, json!({ "properties": { "B": "2" } }))
        .await;
    assert_eq!(written.status, 200);
    assert_eq!(case.list().await.body["properties"], json!({ "B": "2" }));
    for wrong in [
        json!({}),
        json!({ "properties": { "B": 2 } }),
        json!({ "properties": { "B-C": "2" } }),
    ] {
        assert_eq!(case.ask("PUT", SETTINGS, wrong).await.status, 400);
    }
    case.control("deployment", json!({ "state": "Running" }))
        .await;
    let running = case.ask("GET", DEPLOYMENT, Value::Null).await;
    assert_eq!(running.body["properties"].get("outputs"), None);
}

#[tokio::test]
async fn a_functions_key_is_shown_to_whoever_may_see_it() {
    let case = Case::new();
    let key = |name: &str| {
        format!("Microsoft.Web/sites/func-local/functions/{name}/listkeys?api-version=2025-03-01")
    };
    let shown = case.post(&key("told")).await;
    let shown = shown.body["default"].as_str().map(str::len);
    assert!(shown.is_some_and(|length| length > 30), "{shown:?}");
    assert_eq!(case.post(&key("other")).await.status, 404);
    let without_length = case.ask("POST", &key("told"), Value::Null).await;
    assert_eq!(without_length.status, 411);
    case.control("rights", json!({ "list_keys": false })).await;
    assert_eq!(case.post(&key("told")).await.status, 403);
}

#[tokio::test]
async fn whoever_has_no_right_and_whatever_is_not_there_is_refused_with_its_code() {
    let mut case = Case::new();
    case.control("rights", json!({ "read": false, "write_settings": false }))
        .await;
    let denied = (403, "AuthorizationFailed");
    for (method, rest, expected) in [
        ("GET", DEPLOYMENT, denied),
        ("PUT", SETTINGS, denied),
        (
            "GET",
            "Microsoft.Resources/deployments/x",
            (400, "MissingApiVersionParameter"),
        ),
        (
            "GET",
            "Microsoft.Resources/deployments/x?api-version=2035-01-01",
            (400, "InvalidApiVersionParameter"),
        ),
    ] {
        let answer = case.ask(method, rest, json!({ "properties": {} })).await;
        let code = answer.body["error"]["code"].as_str().unwrap_or_default();
        assert_eq!((answer.status, code), expected, "{method} {rest}");
    }
    assert_eq!(case.list().await.status, 200, "that right is still there");
    case.control("rights", json!({})).await;
    for (path, expected) in [
        (GROUP.replace("b1", "b2"), "SubscriptionNotFound"),
        (
            GROUP.replace("rg-local", "rg-other"),
            "ResourceGroupNotFound",
        ),
        (GROUP.to_owned(), "DeploymentNotFound"),
    ] {
        let path = format!("{path}/{}", DEPLOYMENT.replace("graph-to-open", "other"));
        let answer = ask(
            router(&case.manager),
            "GET",
            &path,
            &case.token,
            Value::Null,
        )
        .await;
        assert_eq!(
            (answer.status, &answer.body["error"]["code"]),
            (404, &json!(expected))
        );
    }
    case.control("deployment", json!({ "state": null })).await;
    let missing = case.list().await;
    assert_eq!(
        (missing.status, &missing.body["error"]["code"]),
        (404, &json!("ResourceNotFound"))
    );
    // The app's own identity has no right here.
    case.token.clone_from(&case.identity);
    assert_eq!(case.ask("GET", DEPLOYMENT, Value::Null).await.status, 403);
    case.token = case
        .manager
        .entra
        .managed_identity_token("https://vault.azure.net")
        .0;
    assert_eq!(case.ask("GET", DEPLOYMENT, Value::Null).await.status, 401);
    case.token.clear();
    assert_eq!(case.ask("GET", DEPLOYMENT, Value::Null).await.status, 401);
}
