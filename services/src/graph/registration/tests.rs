use serde_json::Value;

use super::*;
use crate::testing::{Double, Reply, client, identity};

async fn directory(replies: impl IntoIterator<Item = Reply>) -> (Double, Registrations) {
    let double = Double::start(replies).await;
    let directory = Registrations::new(client(), &double.base, identity());
    (double, directory)
}

fn missing() -> Reply {
    Reply::json(404, &json!({"error": {"code": "Request_ResourceNotFound"}}))
}

#[tokio::test]
async fn a_registration_is_found_made_and_changed() {
    // As "Get application" shows one.
    let shown = json!({
        "id": "o-1", "appId": "a-1", "displayName": "ours", "signInAudience": "AzureADMyOrg", "isFallbackPublicClient": null,
        "uniqueName": "ours-1", "spa": { "redirectUris": ["https://page"] }, "publicClient": null,
        "passwordCredentials": [{ "keyId": "k-1", "displayName": null, "hint": "a~b" }], "keyCredentials": [],
        "web": { "homePageUrl": null, "redirectUris": ["https://app/api/sign-in"],
            "implicitGrantSettings": { "enableIdTokenIssuance": false, "enableAccessTokenIssuance": true } },
        "requiredResourceAccess": [{ "resourceAppId": MICROSOFT_GRAPH, "resourceAccess": [{ "id": "p-1", "type": "Scope" }] }],
    });
    let replies = [
        Reply::json(200, &shown),
        missing(),
        Reply::json(201, &shown),
        Reply::new(204, ""),
        Reply::new(204, ""),
    ];
    let (double, directory) = directory(replies).await;
    let found = directory.application(Named::AppId("a-1")).await;
    let found = found.expect("an answer").expect("one");
    assert_eq!((found.id.as_str(), found.app_id.as_str()), ("o-1", "a-1"));
    assert!(
        found
            .web
            .implicit_grant_settings
            .enable_access_token_issuance
    );
    assert_eq!(
        found.required_resource_access[0].resource_access,
        [scope("p-1")]
    );
    let none = directory.application(Named::UniqueName("ours-1")).await;
    assert_eq!(none.expect("an answer"), None);
    let made = directory.upsert_application("ours-1", &found).await;
    assert!(made.expect("made"), "it was not there");
    let there = directory.upsert_application("ours-1", &found).await;
    assert!(!there.expect("changed"), "it was");
    directory
        .update_application("o-1", &found)
        .await
        .expect("changed");
    let seen = double.seen();
    assert!(
        seen[0]
            .target
            .starts_with("/v1.0/applications(appId='a-1')?$select=id,appId,")
    );
    assert!(
        seen[1]
            .target
            .starts_with("/v1.0/applications(uniqueName='ours-1')?")
    );
    assert_eq!(seen[2].target, "/v1.0/applications(uniqueName='ours-1')");
    assert_eq!(seen[2].header("prefer"), "create-if-missing");
    let sent = seen[2].json();
    for name in [
        "id",
        "appId",
        "uniqueName",
        "spa",
        "publicClient",
        "passwordCredentials",
        "keyCredentials",
    ] {
        assert_eq!(sent.get(name), None, "{name} is not ours to give");
    }
    assert_eq!(found.password_credentials[0].key_id, "k-1");
    assert_eq!(found.spa.map_or(0, |it| it.redirect_uris.len()), 1);
    assert_eq!(sent["web"]["redirectUris"], shown["web"]["redirectUris"]);
    assert_eq!(seen[4].target, "/v1.0/applications/o-1");
    for seen in seen {
        let token = "Bearer https://graph.microsoft.com/.default#1";
        assert_eq!(seen.header("authorization"), token);
    }
}

#[tokio::test]
async fn a_list_is_read_to_its_end_and_no_token_leaves_for_elsewhere() {
    let grant = |id: &str| json!({ "id": id, "clientId": "s", "consentType": "Principal", "principalId": "u", "resourceId": "g", "scope": "A B" });
    let (double, directory) = directory([]).await;
    let page = |entries: Value, next: Option<String>| {
        let mut page = json!({ "value": entries });
        if let Some(next) = next {
            page["@odata.nextLink"] = json!(next);
        }
        Reply::json(200, &page)
    };
    let next = format!(
        "{}/v1.0/servicePrincipals/s/oauth2PermissionGrants?$skiptoken=2",
        double.base
    );
    for reply in [
        page(json!([grant("1")]), Some(next)),
        page(json!([grant("2")]), None),
        page(
            json!([]),
            Some("https://elsewhere.example/v1.0/x".to_owned()),
        ),
    ] {
        double.push(reply);
    }
    let all = directory.grants("s").await.expect("all");
    let ids: Vec<&str> = all.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["1", "2"]);
    let error = directory.grants("s").await.expect_err("another place");
    assert_eq!(error.kind, ErrorKind::Malformed);
    assert_eq!(double.seen().len(), 3);
}

#[test]
fn refusals_that_pass_are_told_from_those_that_stay() {
    let refusal = |status: u16, code: &str| {
        let body = json!({"error": {"code": code, "message": "…"}}).to_string();
        exchange::refusal_of(US, status, |_| None, body.as_bytes())
    };
    for (status, code, not_yet, already) in [
        (404, "Request_ResourceNotFound", true, false),
        (400, "Request_BadRequest", true, false),
        (409, "Request_MultipleObjectsWithSameKeyValue", false, true),
        (400, "InvalidUpdate", false, true),
        (409, "Directory_ConcurrencyViolation", false, false),
        (400, "CredentialTypeNotAllowedAsPerAppPolicy", false, false),
        (403, "Authorization_RequestDenied", false, false),
    ] {
        let error = refusal(status, code);
        let told = (is_not_yet_known(&error), is_already_there(&error));
        assert_eq!(told, (not_yet, already), "{code}");
    }
}
