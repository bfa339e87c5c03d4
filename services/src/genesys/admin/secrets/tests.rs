use super::*;
use crate::error::ErrorKind;
use crate::genesys::admin::tests::administrator;
use crate::testing::Reply;

#[tokio::test]
async fn a_client_gets_a_new_secret_which_is_not_shown() {
    let answer = json!({"id": "c-1", "name": "bridge", "secret": "new-hush"});
    let (api, admin) = administrator(&[answer]).await;
    let secret = admin.renew_client_secret("c-1").await.expect("made");
    assert_eq!(secret.expose_secret(), "new-hush");
    assert!(!format!("{secret:?}").contains("new-hush"));
    let seen = api.only();
    assert_eq!(
        (&*seen.method, &*seen.target),
        ("POST", "/api/v2/oauth/clients/c-1/secret")
    );
    assert_eq!(seen.header("authorization"), "Bearer t1");
}

#[tokio::test]
async fn a_webhook_gets_another_secret_and_keeps_all_else() {
    let shown = json!({
        "id": "i-1",
        "name": "Teams",
        "supportedContent": {"id": "s-1", "name": "Teams", "selfUri": "/api/v2/s"},
        "messagingSetting": {"id": "m-1", "selfUri": "/api/v2/m"},
        "outboundNotificationWebhookUrl": "https://bridge.example/api/genesys/webhook",
        "outboundNotificationWebhookSignatureSecretToken": null,
        "webhookHeaders": {"x-functions-key": "k"},
        "status": "Active",
        "createStatus": "Completed",
    });
    let (api, admin) = administrator(&[shown, json!({})]).await;
    let set = admin.set_webhook_secret("i-1", &"new-hush".into()).await;
    set.expect("set");
    let seen = &api.seen()[1];
    let target = "/api/v2/conversations/messaging/integrations/open/i-1";
    assert_eq!((&*seen.method, &*seen.target), ("PATCH", target));
    assert_eq!(seen.header("content-type"), "application/json");
    let wanted = json!({
        "name": "Teams",
        "supportedContent": {"id": "s-1"},
        "messagingSetting": {"id": "m-1"},
        "outboundNotificationWebhookUrl": "https://bridge.example/api/genesys/webhook",
        "outboundNotificationWebhookSignatureSecretToken": "new-hush",
        "webhookHeaders": {"x-functions-key": "k"},
    });
    assert_eq!(seen.json(), wanted);
}

#[tokio::test]
async fn who_may_not_see_the_integration_is_told_from_one_that_is_not_there() {
    let (api, admin) = administrator(&[json!({"id": "i-1"})]).await;
    assert!(admin.sees_integration("i-1").await.expect("an answer"));
    api.push(Reply::json(403, &json!({"code": "missing.permissions"})));
    assert!(!admin.sees_integration("i-1").await.expect("an answer"));
    api.push(Reply::json(404, &json!({"code": "not.found"})));
    let error = admin.sees_integration("i-1").await.expect_err("none");
    assert_eq!(error.kind, ErrorKind::NotFound);
}
