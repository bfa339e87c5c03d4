//! What Genesys refuses to whoever sets an organisation up, where the real provider does not come by.

use super::*;
use crate::genesys::Helper;

const OPEN: &str = "/api/v2/conversations/messaging/integrations/open";

/// The token of a person who may do this, and everything when nothing is said.
fn person(genesys: &Genesys, who: Value) -> String {
    let mut who = who;
    who["person"] = json!(true);
    let helper: Helper = serde_json::from_value(who).expect("a helper");
    let added = genesys.add_helper(&helper).expect("added");
    added["token"].as_str().expect("a token").to_owned()
}

fn open(name: &str, secret: &str, url: &str) -> Value {
    json!({
        "name": name,
        "outboundNotificationWebhookUrl": url,
        "outboundNotificationWebhookSignatureSecretToken": secret,
    })
}

#[tokio::test(start_paused = true)]
async fn each_call_takes_its_permission_and_notes_it() {
    let genesys = organisation();
    for (method, path, right) in [
        ("POST", "/authorization/roles", "authorization:role:add"),
        ("GET", "/authorization/roles/x", "authorization:role:view"),
        (
            "PATCH",
            "/conversations/messaging/settings/x",
            "messaging:setting:edit",
        ),
        ("DELETE", "/routing/queues/x", "routing:queue:delete"),
        ("POST", "/flows/jobs", "architect:job:create"),
        (
            "PUT",
            "/processAutomation/triggers/x",
            "processautomation:trigger:edit",
        ),
        (
            "POST",
            "/integrations/credentials",
            "integrations:integration:add",
        ),
        (
            "DELETE",
            "/integrations/actions/x",
            "integrations:action:delete",
        ),
        ("PUT", "/oauth/clients/x", "oauth:client:edit"),
        (
            "PUT",
            "/routing/message/recipients/x",
            "routing:message:manage",
        ),
        (
            "PUT",
            "/conversations/messaging/threadingtimeline",
            "conversation:threadingTimeline:edit",
        ),
    ] {
        let token = person(&genesys, json!({ "without": [right] }));
        let path = format!("/api/v2{path}");
        let refused = api(&genesys, method, &path, &token, json!({})).await;
        assert_refused(&refused, 403, "missing.permissions");
        assert!(refused.text("message").contains(right), "{}", refused.body);
        let able: Helper =
            serde_json::from_value(json!({ "person": true, "rights": [right] })).expect("one");
        let able = genesys.add_helper(&able).expect("added");
        let (id, token) = (
            able["id"].as_str().expect("an id"),
            able["token"].as_str().expect("one"),
        );
        let answer = api(&genesys, method, &path, token, json!({})).await;
        assert_ne!(answer.status, 403, "{path}: {}", answer.body);
        assert_eq!(Vec::from_iter(genesys.permissions_taken(id)), [right]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_integration_is_called_by_https_alone_and_has_a_long_secret() {
    let genesys = organisation();
    let token = person(&genesys, json!({}));
    let (long, url) = ("0123456789abcdef", "https://func.example/api");
    for (secret, url) in [
        ("0123456789abcde", url),
        (long, "http://func.example/api"),
        (long, "https://func.example:8443/api"),
    ] {
        let body = open("Teams", secret, url);
        assert_refused(
            &api(&genesys, "POST", OPEN, &token, body).await,
            400,
            "bad.request",
        );
    }
    let made = api(&genesys, "POST", OPEN, &token, open("Teams", long, url)).await;
    assert_eq!(made.status, 200);
    assert!(
        !made.body.to_string().contains(long),
        "the secret is not shown"
    );
    assert_eq!(
        made.body["recipient"],
        Value::Null,
        "it is still being made"
    );
    let again = open("teams", long, url);
    assert_refused(
        &api(&genesys, "POST", OPEN, &token, again).await,
        409,
        "general.conflict",
    );
    tokio::time::advance(Duration::from_secs(1)).await;
    let path = format!("{OPEN}/{}", made.text("id"));
    let shown = api(&genesys, "GET", &path, &token, Value::Null).await;
    assert_eq!(shown.body["createStatus"], "Completed");
    assert_eq!(shown.body["recipient"]["id"], made.body["id"]);
    // A change that leaves the secret out keeps it.
    let change = json!({ "name": "Teams", "outboundNotificationWebhookUrl": url });
    assert_eq!(
        api(&genesys, "PATCH", &path, &token, change).await.status,
        200
    );
}

#[tokio::test(start_paused = true)]
async fn nobody_hands_on_a_role_that_they_do_not_hold() {
    let genesys = organisation();
    let token = person(&genesys, json!({}));
    let ask = async |method: &str, path: &str, body: Value| {
        api(&genesys, method, &format!("/api/v2{path}"), &token, body).await
    };
    let unknown = json!({ "name": "R", "permissionPolicies": [{ "domain": "a", "entityName": "b", "actionSet": ["c"] }] });
    assert_refused(
        &ask("POST", "/authorization/roles", unknown).await,
        400,
        "bad.request",
    );
    let policies =
        json!([{ "domain": "conversation", "entityName": "message", "actionSet": ["receive"] }]);
    let role = json!({ "name": "R", "permissionPolicies": policies });
    let role = ask("POST", "/authorization/roles", role).await.text("id");
    let division = ask("GET", "/authorization/divisions/home", Value::Null)
        .await
        .text("id");
    let client = |state: &str| {
        json!({
            "name": "C", "authorizedGrantType": "CLIENT-CREDENTIALS", "state": state,
            "roleDivisions": [{ "roleId": role, "divisionId": division }],
        })
    };
    assert_refused(
        &ask("POST", "/oauth/clients", client("active")).await,
        403,
        "not.authorized",
    );
    let me = ask("GET", "/users/me", Value::Null).await.text("id");
    let roles = ask("GET", &format!("/users/{me}/roles"), Value::Null).await;
    let held = roles.body["roles"][0]["id"].clone();
    let path = format!("/users/{me}/roles");
    assert_eq!(ask("PUT", &path, json!([held, role])).await.status, 200);
    let made = ask("POST", "/oauth/clients", client("active")).await;
    let (id, secret) = (made.text("id"), made.text("secret"));
    let granted = log_in(&genesys, &id, &secret, GRANT).await;
    let used = api(
        &genesys,
        "GET",
        "/api/v2/users/me",
        &granted.text("access_token"),
        Value::Null,
    )
    .await;
    assert_refused(&used, 400, "bad.request");
    // It is held, and may still sign in.
    let place = format!("/authorization/roles/{role}");
    assert_refused(
        &ask("DELETE", &place, Value::Null).await,
        409,
        "general.conflict",
    );
    let place = format!("/oauth/clients/{id}");
    assert_refused(
        &ask("DELETE", &place, Value::Null).await,
        409,
        "general.conflict",
    );
    assert_eq!(ask("PUT", &place, client("inactive")).await.status, 200);
    assert_eq!(log_in(&genesys, &id, &secret, GRANT).await.status, 401);
    assert_eq!(ask("DELETE", &place, Value::Null).await.status, 204);
}

#[tokio::test(start_paused = true)]
async fn a_flow_is_published_only_with_what_it_calls() {
    let genesys = organisation();
    let token = person(&genesys, json!({}));
    let flow = "inboundShortMessage:\n  name: \"F\"\n  division: \"Home\"\n  x:\n    targetQueue:\n      lit:\n        name: \"Q\"\n";
    let publish = async |file: &str| {
        let job = api(&genesys, "POST", "/api/v2/flows/jobs", &token, json!({})).await;
        let place = format!("/uploads/{}", job.text("id"));
        let mut put = request("PUT", &place, "", &Value::Null);
        *put.body_mut() = file.to_owned().into();
        assert_eq!(
            testing::send(router(&genesys), put).await.status,
            403,
            "without the header"
        );
        let mut put = request("PUT", &place, "", &Value::Null);
        let value = header::HeaderValue::from_static("AES256");
        put.headers_mut()
            .insert("x-amz-server-side-encryption", value);
        *put.body_mut() = file.to_owned().into();
        assert_eq!(testing::send(router(&genesys), put).await.status, 200);
        let place = format!("/api/v2/flows/jobs/{}", job.text("id"));
        api(&genesys, "GET", &place, &token, Value::Null).await.body
    };
    assert_eq!(
        publish(flow).await["status"],
        "Failure",
        "there is no queue"
    );
    let queue = json!({ "name": "Q" });
    let queue = api(&genesys, "POST", "/api/v2/routing/queues", &token, queue).await;
    assert_eq!(queue.status, 200);
    for wrong in [
        flow.replace("inboundShortMessage", "inboundCall"),
        flow.replace("Home", "Elsewhere"),
        flow.replace("\"F\"", "\"{{flow_name}}\""),
        format!("{flow}  y:\n    \"Category\":\n      dataAction:\n        \"Action\":\n"),
    ] {
        assert_eq!(publish(&wrong).await["status"], "Failure", "{wrong}");
    }
    let made = publish(flow).await;
    assert_eq!(made["status"], "Success", "{made}");
    assert_eq!(
        publish(flow).await["flow"],
        made["flow"],
        "the same name is the same flow"
    );
}
