//! The page for people, and what becomes of its codes.

use std::time::Duration;

use url::Url;

use super::*;

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REDIRECT: &str = "http://127.0.0.1:9/api/sign-in";

type Pairs<'a> = Vec<(&'a str, String)>;

/// A whole request; what comes later under the same name counts.
fn query<'a>(entra: &Entra, changes: &[(&'a str, &str)]) -> Pairs<'a> {
    let whole = [
        ("client_id", entra.world.config.graph_client_id.as_str()),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        (
            "scope",
            "openid profile offline_access https://graph.example/Chat.ReadWrite",
        ),
        ("state", "s&1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let all = whole.into_iter().chain(changes.iter().copied());
    all.map(|(name, value)| (name, value.to_owned())).collect()
}

fn encoded(pairs: &Pairs<'_>) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(pairs).finish()
}

fn path(entra: &Entra) -> String {
    format!("/{}/oauth2/v2.0/authorize", entra.world.config.tenant)
}

async fn open(entra: &Arc<Entra>, changes: &[(&str, &str)]) -> Answer {
    let path = format!("{}?{}", path(entra), encoded(&query(entra, changes)));
    let request = request("GET", &path, "", &Value::Null);
    testing::send(router(entra), request).await
}

/// Where the browser is sent after the page was answered by this button.
async fn press(entra: &Arc<Entra>, button: (&'static str, &str)) -> Url {
    let form = encoded(&query(entra, &[button]));
    let answer = post(entra, &path(entra), form).await;
    assert_eq!(answer.status, 302);
    let to = answer.headers["location"].to_str().expect("text");
    to.parse().expect("an address")
}

fn parameter(to: &Url, name: &str) -> String {
    let mut pairs = to.query_pairs();
    let found = pairs.find(|(key, _)| key == name);
    found
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

async fn code(entra: &Arc<Entra>) -> String {
    let user = entra.world.config.support_accounts[0].user.clone();
    let to = press(entra, ("user", &user)).await;
    assert!(to.as_str().starts_with(REDIRECT), "{to}");
    assert_eq!(parameter(&to, "state"), "s&1");
    parameter(&to, "code")
}

async fn redeem_code(entra: &Arc<Entra>, code: &str, changes: &[(&str, &str)]) -> Answer {
    let whole = [
        ("grant_type", "authorization_code"),
        ("client_id", &entra.world.config.graph_client_id),
        ("client_secret", &entra.graph_client_secret()),
        ("redirect_uri", REDIRECT),
        ("code", code),
        ("code_verifier", VERIFIER),
    ];
    let all = whole.iter().chain(changes);
    let all = all.map(|(name, value)| (*name, (*value).to_owned()));
    let tokens = format!("/{}/oauth2/v2.0/token", entra.world.config.tenant);
    post(entra, &tokens, encoded(&all.collect())).await
}

#[tokio::test]
async fn a_code_gives_the_tokens_that_were_asked_for_once() {
    let entra = entra("secret");
    let page = open(&entra, &[]).await;
    let text = String::from_utf8_lossy(&page.bytes).into_owned();
    assert_eq!(page.status, 200);
    assert!(text.contains("name=\"state\" value=\"s&amp;1\""), "{text}");
    let code = code(&entra).await;
    let answer = redeem_code(&entra, &code, &[]).await;
    let app = entra.world.config.graph_client_id.clone();
    let claims = entra.verify(&answer.text("id_token"), &[&app]);
    let claims = claims.expect("an id token for the app");
    assert_eq!(claims["oid"], entra.world.config.support_accounts[0].user);
    assert_eq!(claims["tid"], entra.world.config.tenant);
    let secret = entra.graph_client_secret();
    let proof = [("client_secret", secret.as_str())];
    let renewed = redeem(&entra, &answer.text("refresh_token"), &proof).await;
    assert_eq!(renewed.status, 200);
    for granted in [&answer, &renewed] {
        let token = granted.text("access_token");
        let claims = entra.verify(&token, &["https://graph.microsoft.com"]);
        assert_eq!(
            claims.expect("a token for Graph")["scp"],
            "Chat.ReadWrite",
            "no more than the sign-in asked for"
        );
    }
    let again = redeem_code(&entra, &code, &[]).await;
    assert_refused(&again, 400, "invalid_grant", 54005);
}

#[tokio::test]
async fn a_code_is_bound_to_redirect_verifier_and_app_and_used_up_by_a_mistake() {
    let entra = entra("secret");
    let other = VERIFIER.replace('d', "e");
    for (change, status, error, number) in [
        (
            ("code_verifier", other.as_str()),
            400,
            "invalid_grant",
            501_481,
        ),
        (("code_verifier", ""), 400, "invalid_grant", 501_481),
        (
            ("redirect_uri", "http://127.0.0.1:9/other"),
            401,
            "invalid_client",
            500_112,
        ),
    ] {
        let code = code(&entra).await;
        let answer = redeem_code(&entra, &code, &[change]).await;
        assert_refused(&answer, status, error, number);
        let again = redeem_code(&entra, &code, &[]).await;
        assert_refused(&again, 400, "invalid_grant", 54005);
    }
    // Whoever does not prove to be the app learns nothing and uses nothing up.
    let code = code(&entra).await;
    let stranger = redeem_code(&entra, &code, &[("client_secret", "wrong")]).await;
    assert_refused(&stranger, 401, "invalid_client", 7_000_215);
    assert_eq!(redeem_code(&entra, &code, &[]).await.status, 200);
    let unknown = redeem_code(&entra, "unknown", &[]).await;
    assert_refused(&unknown, 400, "invalid_grant", 70000);
}

#[tokio::test(start_paused = true)]
async fn a_code_lives_ten_minutes() {
    let entra = entra("secret");
    for (seconds, status) in [(600, 200), (601, 400)] {
        let code = code(&entra).await;
        tokio::time::advance(Duration::from_secs(seconds)).await;
        let answer = redeem_code(&entra, &code, &[]).await;
        assert_eq!(answer.status, status, "after {seconds} s");
    }
}

#[tokio::test]
async fn entra_id_sends_nobody_where_the_app_is_not_registered() {
    let entra = entra("secret");
    for (change, number) in [
        (("redirect_uri", "http://127.0.0.1:9/api/sign-in/"), "50011"),
        (
            ("redirect_uri", "https://evil.example/api/sign-in"),
            "50011",
        ),
        (("client_id", "another"), "700016"),
    ] {
        let answer = open(&entra, &[change]).await;
        let text = String::from_utf8_lossy(&answer.bytes).into_owned();
        assert_eq!(answer.status, 400, "{change:?}");
        assert!(text.contains(&format!("AADSTS{number}: ")), "{text}");
    }
    for (change, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
        (("scope", ""), "invalid_request"),
    ] {
        let answer = open(&entra, &[change]).await;
        let to = answer.headers["location"].to_str().expect("text");
        let to: Url = to.parse().expect("an address");
        assert_eq!(parameter(&to, "error"), error, "{change:?}");
    }
    let cancelled = press(&entra, ("cancel", "yes")).await;
    assert_eq!(parameter(&cancelled, "error"), "access_denied");
}

#[tokio::test]
async fn revoked_sessions_count_no_more_and_new_ones_do() {
    let entra = entra("secret");
    let secret = entra.graph_client_secret();
    let proof = [("client_secret", secret.as_str())];
    let before = entra.refresh_token_for("support");
    let user = entra.world.config.support_accounts[0].user.clone();
    assert_eq!(entra.revoke(&user), 1);
    let refused = redeem(&entra, &before, &proof).await;
    assert_refused(&refused, 400, "invalid_grant", 50173);
    let after = entra.refresh_token_for("support");
    assert_eq!(redeem(&entra, &after, &proof).await.status, 200);
}
