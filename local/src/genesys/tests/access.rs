//! Who may ask, how often, and with which secret.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_token_is_for_a_client_with_its_secret_and_for_a_day() {
    let genesys = organisation();
    let (config, secret) = (&genesys.world.config, genesys.client_secret());
    let client = &config.genesys_client_ids[0];
    let password = "grant_type=password";
    for (client, secret, form, status, error) in [
        ("other", secret.as_str(), GRANT, 400, "invalid_client"),
        (client, "wrong", GRANT, 401, "invalid_client"),
        (client, &secret, password, 400, "unsupported_grant_type"),
        (client, &secret, "", 400, "invalid_request"),
    ] {
        let answer = log_in(&genesys, client, secret, form).await;
        assert_eq!(
            (answer.status, answer.text("error")),
            (status, error.to_owned())
        );
    }
    let granted = log_in(&genesys, client, &secret, GRANT).await;
    assert_eq!(granted.body["expires_in"], 86_400);
    let token = granted.text("access_token");
    let me =
        async |token: &str| api(&genesys, "GET", "/api/v2/tokens/me", token, Value::Null).await;
    assert_refused(&me("").await, 401, "authentication.required");
    assert_refused(&me("x").await, 401, "bad.credentials");
    assert_eq!(me(&token).await.body["OAuthClient"]["id"], client.as_str());
    tokio::time::advance(Duration::from_secs(86_400)).await;
    assert_refused(&me(&token).await, 401, "bad.credentials");
}

#[tokio::test(start_paused = true)]
async fn the_301st_request_of_a_minute_is_refused() {
    let genesys = organisation();
    let token = token(&genesys).await;
    let me = async || api(&genesys, "GET", "/api/v2/tokens/me", &token, Value::Null).await;
    for number in 0..300 {
        if number == 100 {
            tokio::time::advance(Duration::from_secs(20)).await;
        }
        assert_eq!(me().await.status, 200);
    }
    let refused = me().await;
    assert_refused(&refused, 429, "too.many.requests.retry.after");
    assert_eq!(refused.headers["retry-after"], "40");
    tokio::time::advance(Duration::from_secs(40)).await;
    // What was refused counts as well.
    for _ in 0..99 {
        assert_eq!(me().await.status, 200);
    }
    assert_eq!(me().await.headers["retry-after"], "20");
    let view = control(&genesys, "GET", "clients", Value::Null).await;
    let counted = view.body["requests"].as_array().expect("a list");
    let bridge = counted.iter().find(|it| it["name"] == "bridge");
    let bridge = bridge.expect("the bridge's");
    assert_eq!(
        (&bridge["passed"], &bridge["refused"]),
        (&json!(399), &json!(2))
    );
}

#[tokio::test(start_paused = true)]
async fn secrets_are_for_whoever_may_and_a_new_one_ends_the_one_before() {
    let genesys = organisation();
    let config = &genesys.world.config;
    let spare = config.genesys_spare_client_id.clone().expect("one");
    let renew = |id: &str| format!("/api/v2/oauth/clients/{id}/secret");
    let integration = format!(
        "/api/v2/conversations/messaging/integrations/open/{}",
        config.genesys_integration_id
    );
    let ours = token(&genesys).await;
    let secret = "a secret that is long enough";
    let update =
        json!({"name": "Teams", "outboundNotificationWebhookSignatureSecretToken": secret});
    let refused = api(&genesys, "POST", &renew(&spare), &ours, Value::Null).await;
    assert_refused(&refused, 403, "missing.permissions");
    let refused = api(&genesys, "PATCH", &integration, &ours, update.clone()).await;
    assert_refused(&refused, 403, "missing.permissions");

    genesys.login.let_bridge_rotate(true);
    genesys.login.set_propagation(Duration::from_secs(3));
    let made = api(&genesys, "POST", &renew(&spare), &ours, Value::Null).await;
    let made = made.text("secret");
    assert_eq!(log_in(&genesys, &spare, &made, GRANT).await.status, 401);
    tokio::time::advance(Duration::from_secs(3)).await;
    let theirs = log_in(&genesys, &spare, &made, GRANT).await;
    let theirs = theirs.text("access_token");
    let me = api(&genesys, "GET", "/api/v2/tokens/me", &theirs, Value::Null).await;
    assert_eq!(me.body["OAuthClient"]["id"], json!(spare));
    let again = api(&genesys, "POST", &renew(&spare), &ours, Value::Null).await;
    assert_eq!(again.status, 200);
    assert_eq!(log_in(&genesys, &spare, &made, GRANT).await.status, 401);
    let me = api(&genesys, "GET", "/api/v2/tokens/me", &theirs, Value::Null).await;
    assert_eq!(me.status, 401);

    let administrator = genesys.login.named("administrator", |it| it.id.clone());
    let administrator = administrator.expect("one");
    for (id, status, code) in [
        (administrator.as_str(), 403, "missing.permissions"),
        ("none", 404, "not.found"),
    ] {
        let refused = api(&genesys, "POST", &renew(id), &ours, Value::Null).await;
        assert_refused(&refused, status, code);
    }

    let nameless = json!({"outboundNotificationWebhookSignatureSecretToken": secret});
    let refused = api(&genesys, "PATCH", &integration, &ours, nameless).await;
    assert_refused(&refused, 400, "bad.request");
    let updated = api(&genesys, "PATCH", &integration, &ours, update).await;
    assert_eq!(
        (updated.status, genesys.webhook_secret().as_str()),
        (200, secret)
    );
    assert!(
        updated.body.get("webhookHeaders").is_none(),
        "what is left out is unset"
    );
}
