use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::*;
use crate::testing::{Double, Reply, Signer, World, client};

const APP: &str = "22222222-2222-2222-2222-222222222222";
const CHAT: &str = "a:17I0kl/x;messageid=1";

/// The bot at the world's connector, which it may call or not.
async fn bot(is_allowed: bool) -> (World, Bot) {
    let world = World::start().await;
    let origin = world.base().parse().expect("an origin");
    let tokens = BotTokens::of_identity(world.identity(), "https://login.microsoftonline.com");
    let origins = if is_allowed { vec![origin] } else { Vec::new() };
    let bot = Bot::new(world.client(), tokens, origins);
    (world, bot)
}

async fn post(bot: &Bot, service_url: &str) -> Result<Option<String>> {
    let conversation = Conversation {
        service_url,
        id: CHAT,
        correlation: "c-1",
    };
    let activity = json!({ "type": "message", "text": "Hello" });
    bot.post(conversation, &activity, Duration::from_secs(5))
        .await
}

#[tokio::test]
async fn a_post_goes_to_the_conversation_by_its_address() {
    let (world, bot) = bot(true).await;
    let posted = post(&bot, &world.bot_service_url()).await;
    assert!(posted.expect("an answer").is_some());
    let seen = &world.seen(Service::Bot)[0];
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str()),
        (
            "POST",
            "/amer/v3/conversations/a%3A17I0kl%2Fx%3Bmessageid%3D1/activities"
        )
    );
    assert_eq!(seen.json(), json!({ "type": "message", "text": "Hello" }));
}

#[tokio::test]
async fn an_answer_without_an_id_is_one_all_the_same() {
    for answer in [
        Reply::new(202, ""),
        Reply::new(200, "{}"),
        Reply::new(200, "<html>"),
    ] {
        let (world, bot) = bot(true).await;
        world.answer("POST", "/activities", answer);
        let posted = post(&bot, &world.bot_service_url()).await;
        assert_eq!(posted.expect("an answer"), None);
    }
}

#[tokio::test]
async fn the_token_goes_nowhere_else() {
    let (world, bot) = bot(false).await;
    let authority = world.authority();
    for address in [
        world.bot_service_url(),
        "https://evil.trafficmanager.net/amer/".to_owned(),
        "https://smba.trafficmanager.net.evil.example/".to_owned(),
        format!("https://user:word@{authority}/"),
        format!("http://{authority}/"),
        "no address".to_owned(),
    ] {
        assert!(!bot.may_call(&address));
        let error = post(&bot, &address).await.expect_err("no call");
        assert_eq!(
            (error.kind, error.sent),
            (ErrorKind::Configuration, Sent::No)
        );
    }
    assert!(world.seen(Service::Bot).is_empty());
}

#[tokio::test]
async fn refusals_have_their_kind_and_code() {
    let coded = |code: &str| json!({ "error": { "code": code } });
    let older = json!({ "errorCode": 209, "message": "{\"subCode\":\"MessageWritesBlocked\"}" });
    for (status, body, kind, code) in [
        (
            403,
            coded("BotNotInConversationRoster"),
            ErrorKind::Forbidden,
            "BotNotInConversationRoster",
        ),
        (403, older, ErrorKind::Forbidden, "209"),
        (
            404,
            coded("ConversationNotFound"),
            ErrorKind::NotFound,
            "ConversationNotFound",
        ),
        (
            412,
            coded("PreconditionFailed"),
            ErrorKind::Precondition,
            "PreconditionFailed",
        ),
        (
            413,
            coded("MessageSizeTooBig"),
            ErrorKind::TooLarge,
            "MessageSizeTooBig",
        ),
        (429, coded("Throttled"), ErrorKind::Throttled, "Throttled"),
        (
            502,
            coded("ServiceError"),
            ErrorKind::Unavailable,
            "ServiceError",
        ),
    ] {
        let (world, bot) = bot(true).await;
        world.answer("POST", "/activities", Reply::json(status, &body));
        let error = post(&bot, &world.bot_service_url())
            .await
            .expect_err("a refusal");
        assert_eq!((error.kind, error.code.as_deref()), (kind, Some(code)));
    }
}

#[tokio::test]
async fn a_member_is_read_by_either_name_of_the_object_id() {
    for name in ["aadObjectId", "objectId"] {
        let (world, bot) = bot(true).await;
        let member = json!({ name: "0f0e", "userPrincipalName": "anna@c.example" });
        world.answer("GET", "/members/", Reply::json(200, &member));
        let conversation = Conversation {
            service_url: &world.bot_service_url(),
            id: "a:1",
            correlation: "c-1",
        };
        let member = bot.member(conversation, "29:1X").await.expect("a member");
        assert_eq!(member.aad_object_id.as_deref(), Some("0f0e"));
        let target = &world.seen(Service::Bot)[0].target;
        assert_eq!(target, "/amer/v3/conversations/a%3A1/members/29%3A1X");
        assert!(!format!("{member:?}").contains("anna"));
    }
}

/// The claims of a genuine token with `changes` over them; `null` removes a claim.
fn claims(service_url: &str, changes: Value) -> Value {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let mut claims = json!({
        "iss": "https://api.botframework.com", "aud": APP, "nbf": now - 10, "exp": now + 3600,
        "serviceurl": service_url,
    });
    let fields = claims.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("an object") {
        match value {
            Value::Null => drop(fields.remove(name)),
            value => drop(fields.insert(name.clone(), value.clone())),
        }
    }
    claims
}

/// A key that may sign for these channels.
fn key(signer: &Signer, endorsements: &[&str]) -> Value {
    let mut key = signer.jwk();
    key["endorsements"] = json!(endorsements);
    key.as_object_mut().expect("an object").remove("issuer");
    key
}

/// What checks tokens by these sets of keys, of which each is read once.
async fn validator(sets: impl IntoIterator<Item = Value>) -> (Double, ConnectorTokens) {
    let double = Double::start([]).await;
    let metadata = json!({ "jwks_uri": format!("{}/v1/.well-known/keys", double.base) });
    for keys in sets {
        double.push(Reply::json(200, &metadata));
        double.push(Reply::json(200, &json!({ "keys": keys })));
    }
    let entra = "https://login.microsoftonline.com";
    let tokens = ConnectorTokens::new(client(), &double.base, entra, APP);
    (double, tokens)
}

const SERVICE: &str = "https://smba.trafficmanager.net/amer/";

async fn verdict(tokens: &ConnectorTokens, token: &str) -> Verdict {
    tokens.verdict(token, "msteams").await
}

fn is_valid(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Valid(address) if address.is(SERVICE))
}

#[tokio::test]
async fn genuine_tokens_are_valid() {
    let signer = Signer::new("k1");
    let (double, tokens) = validator([json!([key(&signer, &["msteams", "skype"])])]).await;
    tokens.warm_up().await.expect("keys");
    for service_url in [SERVICE, "https://SMBA.trafficmanager.net/amer"] {
        let token = signer.sign(&claims(service_url, json!({})));
        assert!(is_valid(&verdict(&tokens, &token).await));
    }
    let asked: Vec<String> = double.seen().into_iter().map(|it| it.target).collect();
    assert_eq!(
        asked,
        [
            "/v1/.well-known/openidconfiguration",
            "/v1/.well-known/keys"
        ]
    );
}

#[tokio::test]
async fn a_key_without_endorsements_may_sign_for_any_channel() {
    let signers = ["k1", "k2", "k3"].map(Signer::new);
    let mut keys = signers.each_ref().map(|signer| key(signer, &[]));
    keys[1]["endorsements"] = Value::Null;
    keys[2]
        .as_object_mut()
        .expect("an object")
        .remove("endorsements");
    let (_double, tokens) = validator([json!(keys)]).await;
    for signer in signers {
        let token = signer.sign(&claims(SERVICE, json!({})));
        assert!(is_valid(&verdict(&tokens, &token).await));
    }
}

#[tokio::test]
async fn an_activity_of_another_address_is_not_what_the_token_is_for() {
    let signer = Signer::new("k1");
    let (_double, tokens) = validator([json!([key(&signer, &["msteams"])])]).await;
    let token = signer.sign(&claims(SERVICE, json!({})));
    let Verdict::Valid(address) = verdict(&tokens, &token).await else {
        panic!("it is genuine");
    };
    for (other, is) in [
        ("https://smba.trafficmanager.net/amer", true),
        ("HTTPS://smba.trafficmanager.net/Amer/", true),
        ("https://evil.trafficmanager.net/amer/", false),
        ("https://smba.trafficmanager.net/emea/", false),
        ("https://smba.trafficmanager.net/amer//", false),
        ("", false),
    ] {
        assert_eq!(address.is(other), is, "{other}");
    }
}

#[tokio::test]
async fn each_flaw_has_its_reason() {
    let (signer, forger) = (Signer::new("k1"), Signer::other("k1"));
    let elsewhere = Signer::new("k2");
    let keys = json!([key(&signer, &["msteams"]), key(&elsewhere, &["webchat"]),]);
    let (_double, tokens) = validator([keys]).await;
    let now = OffsetDateTime::now_utc().unix_timestamp();
    for (changes, reason) in [
        (
            json!({"aud": "33333333-3333-3333-3333-333333333333"}),
            "audience",
        ),
        (json!({"iss": "https://api.botframework.us"}), "issuer"),
        (json!({"iss": "https://sts.windows.net/t/"}), "issuer"),
        (json!({"serviceurl": null}), "service_url"),
        (json!({"exp": now - 3600}), "expired"),
        (json!({"nbf": now + 3600}), "not_yet_valid"),
        (json!({"exp": null}), "missing_claim"),
        (json!({"aud": null}), "missing_claim"),
    ] {
        let token = signer.sign(&claims(SERVICE, changes.clone()));
        assert_eq!(
            verdict(&tokens, &token).await,
            Verdict::Invalid(reason),
            "{changes}"
        );
    }
    let good = claims(SERVICE, json!({}));
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("k1".to_owned());
    let modulus = signer.jwk()["n"].as_str().expect("a modulus").to_owned();
    let secret = EncodingKey::from_secret(modulus.as_bytes());
    let symmetric = encode(&header, &good, &secret).expect("a token");
    // {"alg":"none","kid":"k1"}
    let unsigned = format!(
        "eyJhbGciOiJub25lIiwia2lkIjoiazEifQ.{}.",
        symmetric.split('.').nth(1).expect("claims")
    );
    for (token, reason) in [
        (forger.sign(&good), "signature"),
        (elsewhere.sign(&good), "endorsement"),
        (symmetric, "algorithm"),
        (unsigned, "malformed"),
        (String::new(), "malformed"),
        ("x".repeat(20_000), "malformed"),
    ] {
        assert_eq!(verdict(&tokens, &token).await, Verdict::Invalid(reason));
    }
}

#[tokio::test]
async fn a_new_key_is_looked_up_and_known_ones_serve_while_none_can_be() {
    let (old, new) = (Signer::new("k1"), Signer::new("k2"));
    let first = json!([key(&old, &["msteams"])]);
    let second = json!([key(&old, &["msteams"]), key(&new, &["msteams"])]);
    let (double, tokens) = validator([first, second]).await;
    let (by_old, by_new) = (
        old.sign(&claims(SERVICE, json!({}))),
        new.sign(&claims(SERVICE, json!({}))),
    );
    assert!(is_valid(&verdict(&tokens, &by_old).await));
    assert!(is_valid(&verdict(&tokens, &by_new).await));
    // From here on the keys cannot be read.
    let unknown = Signer::new("k9").sign(&claims(SERVICE, json!({})));
    assert_eq!(verdict(&tokens, &unknown).await, Verdict::CannotTell);
    assert!(is_valid(&verdict(&tokens, &by_old).await));
    assert_eq!(double.seen().len(), 4);
}

#[tokio::test]
async fn without_keys_nobody_can_tell() {
    let (_double, tokens) = validator([]).await;
    let token = Signer::new("k1").sign(&claims(SERVICE, json!({})));
    assert_eq!(verdict(&tokens, &token).await, Verdict::CannotTell);
}
