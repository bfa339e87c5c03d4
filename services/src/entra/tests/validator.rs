use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::entra::{TokenValidator, Verdict};
use crate::testing::{Double, PUBLISHER, Reply, Signer, TENANT, client, validation_claims};

const AUDIENCE: &str = "22222222-2222-2222-2222-222222222222";

/// Claims of a genuine v1.0 validation token with `changes` over them; `null` removes a claim.
fn claims(changes: Value) -> Value {
    validation_claims(TENANT, AUDIENCE, changes)
}

fn key_set(signers: &[&Signer]) -> Value {
    json!({"keys": signers.iter().map(|signer| signer.jwk()).collect::<Vec<_>>()})
}

async fn validator(keys: impl IntoIterator<Item = Value>) -> (Double, TokenValidator) {
    let replies = keys.into_iter().map(|keys| Reply::json(200, &keys));
    let double = Double::start(replies).await;
    let validator = TokenValidator::new(client(), &double.base, TENANT, AUDIENCE);
    (double, validator)
}

#[tokio::test]
async fn genuine_tokens_of_both_versions_are_valid() {
    let signer = Signer::new("k1");
    let (double, validator) = validator([key_set(&[&signer])]).await;
    validator.warm_up().await.expect("keys");
    let v1 = signer.sign(&claims(json!({})));
    let v2 = |issuer: String| {
        let changes = json!({"ver": "2.0", "appid": null, "azp": PUBLISHER, "iss": issuer});
        signer.sign(&claims(changes))
    };
    let public = v2(format!("https://login.microsoftonline.com/{TENANT}/v2.0"));
    let own = v2(format!("{}/{TENANT}/v2.0", double.base));
    assert_eq!(validator.verdict(&[v1, public, own]).await, Verdict::Valid);
    assert_eq!(double.only().target, "/common/discovery/v2.0/keys");
}

#[tokio::test]
async fn each_flaw_has_its_reason() {
    const OTHER: &str = "44444444-4444-4444-4444-444444444444";
    let (signer, forger) = (Signer::new("k1"), Signer::other("k1"));
    let (_, validator) = validator([key_set(&[&signer])]).await;
    let good = signer.sign(&claims(json!({})));
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let v1_of_other = format!("https://sts.windows.net/{OTHER}/");
    let evil = format!("https://login.evil.example/{TENANT}/v2.0");
    for (changes, reason) in [
        (json!({"aud": OTHER}), "audience"),
        (json!({"iss": v1_of_other}), "issuer"),
        (json!({"iss": evil}), "issuer"),
        (json!({"tid": OTHER}), "tenant"),
        (json!({"appid": OTHER}), "publisher"),
        (json!({"appid": null}), "publisher"),
        // A claim of the other version proves nothing.
        (json!({"appid": null, "azp": PUBLISHER}), "publisher"),
        (json!({"ver": "2.0"}), "publisher"),
        (json!({"ver": "3.0"}), "version"),
        (json!({"ver": null}), "version"),
        (json!({"exp": now - 3600}), "expired"),
        (json!({"nbf": now + 3600}), "not_yet_valid"),
        (json!({"exp": null}), "missing_claim"),
        (json!({"aud": null}), "missing_claim"),
    ] {
        let bad = signer.sign(&claims(changes.clone()));
        let verdict = validator.verdict(&[good.clone(), bad]).await;
        assert_eq!(verdict, Verdict::Invalid(reason), "{changes}");
    }
    // Which algorithm counts is not the token's to say.
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("k1".to_owned());
    let modulus = signer.jwk()["n"].as_str().expect("a modulus").to_owned();
    let key = EncodingKey::from_secret(modulus.as_bytes());
    let symmetric = encode(&header, &claims(json!({})), &key).expect("a token");
    for (tokens, reason) in [
        (vec![forger.sign(&claims(json!({})))], "signature"),
        (vec![symmetric], "algorithm"),
        (vec![String::new()], "malformed"),
        (vec!["a.b.c".to_owned()], "malformed"),
        (vec!["…".to_owned()], "malformed"),
        (vec![], "number"),
        (vec![good; 101], "number"),
    ] {
        let verdict = validator.verdict(&tokens).await;
        assert_eq!(verdict, Verdict::Invalid(reason), "{tokens:?}");
    }
}

#[tokio::test]
async fn a_key_that_is_limited_to_another_issuer_does_not_count() {
    let signer = Signer::new("k1");
    let mut keys = key_set(&[&signer]);
    keys["keys"][0]["issuer"] = json!("https://login.microsoftonline.com/consumers/v2.0");
    let (_, validator) = validator([keys]).await;
    let token = signer.sign(&claims(json!({})));
    let verdict = validator.verdict(&[token]).await;
    assert_eq!(verdict, Verdict::Invalid("issuer"));
}

#[tokio::test]
async fn each_cloud_has_issuers_of_its_own() {
    let signer = Signer::new("k1");
    let mut keys = key_set(&[&signer]);
    keys["keys"][0]["issuer"] = json!(null);
    let double = Double::start([Reply::json(200, &keys)]).await;
    // China's login, at the double's port.
    let host = "login.partner.microsoftonline.cn";
    let authority = &double.base["http://".len()..];
    let client = reqwest::Client::builder()
        .tls_certs_only([])
        .resolve(host, authority.parse().expect("an address"))
        .build()
        .expect("a client");
    let endpoint = double.base.replace("127.0.0.1", host);
    let validator = TokenValidator::new(client, &endpoint, TENANT, AUDIENCE);
    for (issuer, verdict) in [
        ("https://sts.chinacloudapi.cn", Verdict::Valid),
        ("https://sts.windows.net", Verdict::Invalid("issuer")),
    ] {
        let issuer = format!("{issuer}/{TENANT}/");
        let token = signer.sign(&claims(json!({ "iss": issuer })));
        assert_eq!(validator.verdict(&[token]).await, verdict, "{issuer}");
    }
}

#[tokio::test]
async fn a_new_key_is_read_at_once() {
    let (old, new) = (Signer::new("k1"), Signer::other("k2"));
    let (double, validator) = validator([key_set(&[&old]), key_set(&[&old, &new])]).await;
    validator.warm_up().await.expect("keys");
    let token = new.sign(&claims(json!({})));
    assert_eq!(validator.verdict(&[token]).await, Verdict::Valid);
    assert_eq!(double.seen().len(), 2);
}

#[tokio::test]
async fn unknown_keys_do_not_become_load() {
    let (known, unknown) = (Signer::new("k1"), Signer::other("k9"));
    let (double, validator) = validator([key_set(&[&known]), key_set(&[&known])]).await;
    let token = [unknown.sign(&claims(json!({})))];
    validator.warm_up().await.expect("keys");
    let verdict = validator.verdict(&token).await;
    assert_eq!(verdict, Verdict::Invalid("unknown_key"));
    for _ in 0..5 {
        // Not read again for a minute, so it might be new by now.
        assert_eq!(validator.verdict(&token).await, Verdict::CannotTell);
    }
    assert_eq!(double.seen().len(), 2);
    // What is certainly bad needs no key.
    let bad = known.sign(&claims(json!({"aud": "other"})));
    let verdict = validator.verdict(&[token[0].clone(), bad]).await;
    assert_eq!(verdict, Verdict::Invalid("audience"));
}

#[tokio::test]
async fn without_keys_nobody_can_tell() {
    let (known, unknown) = (Signer::new("k1"), Signer::other("k9"));
    let (double, validator) = validator([]).await;
    let token = [known.sign(&claims(json!({})))];
    validator.warm_up().await.expect_err("no keys");
    assert_eq!(validator.verdict(&token).await, Verdict::CannotTell);
    double.push(Reply::json(200, &key_set(&[&known])));
    assert_eq!(validator.verdict(&token).await, Verdict::Valid);
    // A second reading that fails does not condemn.
    let token = [unknown.sign(&claims(json!({})))];
    assert_eq!(validator.verdict(&token).await, Verdict::CannotTell);
}
