use secrecy::ExposeSecret;
use serde_json::{Value, json};
use url::Url;

use crate::entra::{ClientAuthentication, TokenValidator};
use crate::error::{ErrorKind, ServiceError};
use crate::testing::{
    Double, Reply, Signer, TENANT, client, delegated, secret, validation_claims, vault,
};

const APP: &str = "22222222-2222-2222-2222-222222222222";

fn redirect() -> Url {
    "https://app.example/api/sign-in"
        .parse()
        .expect("an address")
}

#[tokio::test]
async fn the_address_asks_for_what_the_bridge_does_and_no_more() {
    let entra = Double::start([]).await;
    let (_, secrets) = vault([]).await;
    let sign_in = delegated(&entra, ClientAuthentication::Federated, secrets).sign_in();
    let address = sign_in.address(
        "https://graph.example/",
        &redirect(),
        &"support.x".into(),
        "challenge",
    );
    let address = address.expect("an address");
    assert_eq!(address.path(), format!("/{TENANT}/oauth2/v2.0/authorize"));
    let scope = "openid profile offline_access https://graph.example/Chat.ReadWrite \
                 https://graph.example/ChatMessage.Send https://graph.example/Files.Read.All \
                 https://graph.example/CrossTenantInformation.ReadBasic.All https://graph.example/User.ReadBasic.All";
    let pairs: Vec<_> = address.query_pairs().into_owned().collect();
    let expected = [
        ("client_id", "client"),
        ("response_type", "code"),
        ("redirect_uri", "https://app.example/api/sign-in"),
        ("response_mode", "query"),
        ("scope", scope),
        ("state", "support.x"),
        ("code_challenge", "challenge"),
        ("code_challenge_method", "S256"),
        ("prompt", "login"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(pairs, expected);
}

async fn redeem(grant: &Value) -> (Double, Result<(String, String), ServiceError>) {
    let entra = Double::start([Reply::json(200, grant)]).await;
    let (_, secrets) = vault([secret("app-secret")]).await;
    let sign_in = delegated(&entra, ClientAuthentication::Secret, secrets).sign_in();
    let redeemed = sign_in
        .redeem(&"c".into(), &"v".into(), &redirect())
        .await
        .map(|it| {
            let [id_token, refresh_token] =
                [it.id_token, it.refresh_token].map(|it| it.expose_secret().to_owned());
            (id_token, refresh_token)
        });
    (entra, redeemed)
}

#[tokio::test]
async fn a_code_is_redeemed_with_its_verifier_and_the_apps_own_proof() {
    let grant =
        json!({"access_token": "a", "expires_in": 9, "id_token": "i", "refresh_token": "r"});
    let (entra, redeemed) = redeem(&grant).await;
    assert_eq!(redeemed.expect("tokens"), ("i".to_owned(), "r".to_owned()));
    let form = [
        ("client_id", "client"),
        ("grant_type", "authorization_code"),
        ("code", "c"),
        ("redirect_uri", "https://app.example/api/sign-in"),
        ("code_verifier", "v"),
        ("client_secret", "app-secret"),
    ];
    let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(entra.only().form(), form);
}

#[tokio::test]
async fn a_grant_without_one_of_the_tokens_is_none() {
    for missing in ["id_token", "refresh_token"] {
        let mut grant =
            json!({"access_token": "a", "expires_in": 9, "id_token": "i", "refresh_token": "r"});
        grant[missing] = Value::Null;
        let (_, redeemed) = redeem(&grant).await;
        assert_eq!(redeemed.expect_err(missing).kind, ErrorKind::Malformed);
    }
}

#[tokio::test]
async fn an_id_token_says_who_signed_in_when_it_is_genuine() {
    let (signer, forger) = (Signer::new("k1"), Signer::other("k1"));
    let keys = |kid: &'static str| Reply::json(200, &json!({"keys": [Signer::new(kid).jwk()]}));
    let entra = Double::start([keys("k1"), keys("k2")]).await;
    let validator = TokenValidator::new(client(), &entra.base, TENANT, APP);
    let claims = |changes: Value| {
        let mut all = validation_claims(TENANT, APP, changes);
        all["ver"] = json!("2.0");
        all["iss"] = json!(format!("https://login.microsoftonline.com/{TENANT}/v2.0"));
        all
    };
    let good = claims(json!({"oid": "o", "name": "Ada", "preferred_username": "ada@x.example"}));
    let read = validator.id_token(&signer.sign(&good).into()).await;
    let read = read.expect("keys").expect("a genuine token");
    let shown = format!("{read:?}");
    assert_eq!((read.tenant.as_str(), read.user.as_str()), (TENANT, "o"));
    assert_eq!(read.name.as_deref(), Some("Ada"));
    assert_eq!(read.sign_in_name.as_deref(), Some("ada@x.example"));
    assert!(!shown.contains("Ada") && !shown.contains("ada@"), "{shown}");
    for bad in [
        forger.sign(&good),
        signer.sign(&claims(json!({"oid": "o", "aud": "another"}))),
        signer.sign(&claims(json!({"oid": "o", "exp": 1}))),
        signer.sign(&claims(json!({}))),
        "no token".to_owned(),
    ] {
        let read = validator.id_token(&bad.into()).await;
        assert!(read.expect("keys").is_none());
    }
    // Signed with a key that is newer than what was read.
    let newer = Signer::new("k2").sign(&good);
    let read = validator.id_token(&newer.into()).await;
    assert!(read.expect("keys").is_some());
}
