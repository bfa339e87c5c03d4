use serde_json::json;

use super::super::router;
use super::*;
use crate::testing::{Answer, ask, request, send, world};
use crate::world::Config;

struct Case {
    graph: Arc<Graph>,
    token: String,
}

impl Case {
    fn new() -> Self {
        let world = world(Config::default(), "http://127.0.0.1:9");
        let entra = Entra::new(Arc::clone(&world));
        let graph = Graph::new(world, Arc::clone(&entra));
        let login = entra.operator_login("graph.microsoft.com");
        let token = login["accessToken"].as_str().expect("a token").to_owned();
        Self { graph, token }
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        let path = format!("/v1.0/{path}");
        ask(router(&self.graph), method, &path, &self.token, body).await
    }

    async fn make(&self, name: &str, body: Value) -> Answer {
        let path = format!("/v1.0/applications(uniqueName='{name}')");
        let mut request = request("PATCH", &path, &self.token, &body);
        let headers = request.headers_mut();
        headers.insert(
            "prefer",
            http::HeaderValue::from_static("create-if-missing"),
        );
        send(router(&self.graph), request).await
    }

    fn hold(&self, roles: &[&str]) {
        let roles = roles.iter().map(|it| (*it).to_owned());
        *self.graph.entra.operator_roles.lock() = roles.collect();
    }
}

fn code(answer: &Answer) -> (u16, String) {
    let code = answer.body["error"]["code"].as_str().unwrap_or_default();
    (answer.status, code.to_owned())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn what_is_new_is_unknown_for_a_while_and_a_second_one_is_refused() {
    let case = Case::new();
    case.graph.registrations.state.lock().lag = 1;
    let body =
        json!({ "displayName": "new", "web": { "redirectUris": ["https://app/api/sign-in"] } });
    let made = case.make("new-1", body.clone()).await;
    assert_eq!(made.status, 201);
    let named = "applications(uniqueName='new-1')?$select=id,appId";
    assert_eq!(
        code(&case.ask("GET", named, Value::Null).await),
        refused(404, "Request_ResourceNotFound")
    );
    let found = case.ask("GET", named, Value::Null).await;
    assert_eq!(found.body["id"], made.body["id"]);
    assert_eq!(found.body.get("web"), None, "not selected");
    assert_eq!(case.make("new-1", body).await.status, 204, "the same one");
    let app = json!({ "appId": made.body["appId"] });
    let principal = case.ask("POST", "servicePrincipals", app.clone()).await;
    assert_eq!(principal.status, 201);
    let taken = refused(409, "Request_MultipleObjectsWithSameKeyValue");
    assert_eq!(
        code(&case.ask("POST", "servicePrincipals", app).await),
        taken
    );
    let unknown = json!({ "appId": "nobody" });
    let missing = case.ask("POST", "servicePrincipals", unknown).await;
    assert_eq!(code(&missing), refused(400, "Request_BadRequest"));
    let role = json!({
        "principalId": principal.body["id"], "resourceId": graph_principal(), "appRoleId": id_of("role", "Chat.Read.All"),
    });
    let path = format!("servicePrincipals/{}/appRoleAssignedTo", graph_principal());
    let answers = [
        refused(400, "Request_BadRequest"),
        (201, String::new()),
        refused(400, "InvalidUpdate"),
    ];
    for expected in answers {
        assert_eq!(code(&case.ask("POST", &path, role.clone()).await), expected);
    }
    let user = &case.graph.world.config.support_accounts[0].user;
    let grant = |user: &str, scope: &str| {
        json!({
            "clientId": principal.body["id"], "consentType": "Principal", "principalId": user, "resourceId": graph_principal(),
            "scope": scope,
        })
    };
    for (user, scope, expected) in [
        (user.as_str(), "openid Chat.ReadWrite", (201, String::new())),
        (user, "openid", taken),
        ("nobody", "openid", refused(400, "Request_BadRequest")),
        (user, "Everything.All", refused(400, "Request_BadRequest")),
    ] {
        let answer = case
            .ask("POST", "oauth2PermissionGrants", grant(user, scope))
            .await;
        assert_eq!(code(&answer), expected, "{user} {scope}");
    }
}

#[tokio::test]
async fn each_change_needs_its_role_and_a_token_of_the_person() {
    let case = Case::new();
    let app = id_of("application", &case.graph.world.config.graph_client_id);
    let denied = refused(403, "Authorization_RequestDenied");
    let role = format!("servicePrincipals/{}/appRoleAssignedTo", graph_principal());
    let grant = format!("oauth2PermissionGrants/{}", id_of("grant", "x"));
    let set = format!("applications/{app}");
    // Who may, and who may not, whatever becomes of it then.
    for (roles, method, path, may) in [
        (
            &["Application Administrator"][..],
            "PATCH",
            set.as_str(),
            true,
        ),
        (&["Privileged Role Administrator"], "PATCH", &set, false),
        (&["Application Administrator"], "POST", &role, false),
        (&["Cloud Application Administrator"], "POST", &role, false),
        (&["Privileged Role Administrator"], "POST", &role, true),
        (&["Application Administrator"], "DELETE", &grant, true),
        (&["Application Developer"], "DELETE", &grant, false),
        (&[], "DELETE", &grant, false),
    ] {
        case.hold(roles);
        let answer = case.ask(method, path, json!({})).await;
        assert_eq!(code(&answer) != denied, may, "{roles:?} {method} {path}");
    }
    case.hold(&[]);
    let body = json!({ "displayName": "new" });
    assert_eq!(code(&case.make("new", body.clone()).await), denied);
    case.hold(&["Application Developer"]);
    let made = case.make("new", body).await;
    let own = format!("applications/{}", made.text("id"));
    let named = json!({ "displayName": "ours" });
    assert_eq!(
        case.ask("PATCH", &own, named).await.status,
        204,
        "its owner"
    );
    let identity = case
        .graph
        .entra
        .managed_identity_token("https://graph.microsoft.com");
    let stranger = Case {
        token: identity.0,
        graph: Arc::clone(&case.graph),
    };
    assert_eq!(stranger.ask("PATCH", &own, json!({})).await.status, 403);
}

#[tokio::test]
async fn credentials_are_told_apart_by_name_and_by_what_they_trust() {
    let case = Case::new();
    let app = id_of("application", &case.graph.world.config.graph_client_id);
    let path = format!("applications/{app}/federatedIdentityCredentials");
    let credential = |name: &str, subject: &str| json!({ "name": name, "issuer": "https://i", "subject": subject, "audiences": ["api://AzureADTokenExchange"] });
    for (body, expected) in [
        (credential("other", "s"), (201, String::new())),
        (
            credential("other", "t"),
            refused(409, "Request_MultipleObjectsWithSameKeyValue"),
        ),
        (
            credential("third", "s"),
            refused(400, "InvalidFederatedIdentityCredentialValue"),
        ),
        (credential("third", ""), refused(400, "Request_BadRequest")),
        (credential("a b", "t"), refused(400, "Request_BadRequest")),
    ] {
        assert_eq!(code(&case.ask("POST", &path, body).await), expected);
    }
    case.graph.registrations.state.lock().no_passwords = true;
    let client = &case.graph.world.config.graph_client_id;
    let path = format!("applications(appId='{client}')/addPassword");
    let forbidden = case.ask("POST", &path, json!({})).await;
    assert_eq!(
        code(&forbidden),
        refused(400, "CredentialTypeNotAllowedAsPerAppPolicy")
    );
}

#[tokio::test]
async fn a_registration_shows_what_it_holds_and_keeps_its_name_when_it_is_deleted() {
    let case = Case::new();
    case.hold(&["Application Developer"]);
    let made = case.make("held", json!({ "displayName": "held" })).await;
    let (id, app_id) = (made.text("id"), made.text("appId"));
    let owner = json!({ "value": [{ "id": case.graph.entra.operator() }] });
    let principal = json!({ "appId": app_id });
    let principal = case.ask("POST", "servicePrincipals", principal).await;
    for path in [
        format!("applications/{id}/owners?$select=id"),
        format!(
            "servicePrincipals/{}/owners?$select=id",
            principal.text("id")
        ),
    ] {
        assert_eq!(
            case.ask("GET", &path, Value::Null).await.body,
            owner,
            "{path}"
        );
    }
    let named = format!("applications(appId='{app_id}')");
    let added = case
        .ask("POST", &format!("{named}/addPassword"), json!({}))
        .await;
    let shown = case.ask("GET", &named, Value::Null).await.body;
    let keys = &shown["passwordCredentials"];
    assert_eq!(keys[0]["keyId"], added.body["keyId"]);
    assert_eq!(keys[0]["secretText"], Value::Null);
    let empty = json!({ "redirectUris": [] });
    assert_eq!(
        [
            &shown["spa"],
            &shown["publicClient"],
            &shown["keyCredentials"]
        ],
        [&empty, &empty, &json!([])]
    );
    let removal = json!({ "keyId": added.body["keyId"] });
    let path = format!("applications/{id}/removePassword");
    for status in [204, 404] {
        let removed = case.ask("POST", &path, removal.clone()).await;
        assert_eq!(removed.status, status);
    }
    let gone = case
        .ask("DELETE", &format!("applications/{id}"), Value::Null)
        .await;
    assert_eq!(gone.status, 204);
    let all =
        "directory/deletedItems/microsoft.graph.application?$select=id,uniqueName,displayName";
    let listed = case.ask("GET", all, Value::Null).await.body;
    assert_eq!(
        listed["value"],
        json!([{ "id": id, "uniqueName": "held", "displayName": "held" }])
    );
    let taken = case.make("held", json!({ "displayName": "held" })).await;
    assert_eq!(
        code(&taken),
        refused(409, "Request_MultipleObjectsWithSameKeyValue")
    );
}
