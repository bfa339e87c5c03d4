use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use bridge::sign_in::challenge;
use http::HeaderMap;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use services::error::Service;
use services::testing::{Reply, World};
use tower::ServiceExt;
use url::Url;

use super::{PATH, offer};
use crate::app::App;
use crate::testing::app_in;

const HOST: (&str, &str) = ("WEBSITE_HOSTNAME", "app.example");
const SUPPORT: &str = "00000000-0000-0000-0000-000000000004";
const TOKEN: &str = "graph-refresh-token-support";

struct Scene {
    world: World,
    app: Arc<App>,
}

/// What a browser gets.
struct Got {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Got {
    fn location(&self) -> Url {
        assert_eq!(self.status, 302, "{}", self.text);
        let location = self.headers["location"].to_str().expect("text");
        location.parse().expect("an address")
    }
}

fn parameter(address: &Url, name: &str) -> String {
    let mut pairs = address.query_pairs();
    let found = pairs.find(|(key, _)| key == name);
    found.expect("the parameter").1.into_owned()
}

impl Scene {
    /// Whoever signs in is this user of our tenant.
    async fn start(claims: Value) -> Self {
        let world = World::start().await;
        let app = app_in(&world, &[HOST]);
        let tenant = app.settings.tenant.as_str();
        let mut all = json!({
            "oid": SUPPORT, "name": "Support <b>", "preferred_username": "support@contoso.example",
        });
        for (name, value) in claims.as_object().expect("an object") {
            all[name] = value.clone();
        }
        let id_token = world.validation_token(tenant, &app.settings.graph_client_id, all);
        let grant = json!({
            "access_token": "a", "expires_in": 3599, "refresh_token": "fresh", "id_token": id_token,
        });
        world.answer("POST", "/oauth2/v2.0/token", Reply::json(200, &grant));
        Self { world, app }
    }

    async fn get(&self, address: &str) -> Got {
        let address: Url = address.parse().expect("an address");
        let target = format!("{}?{}", address.path(), address.query().unwrap_or_default());
        let request = Request::get(target).body(Body::empty()).expect("a request");
        let answer = crate::router(Arc::clone(&self.app)).oneshot(request).await;
        let answer = answer.expect("an answer");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await;
        let text = String::from_utf8(body.expect("a body").into()).expect("text");
        Got {
            status,
            headers,
            text,
        }
    }

    async fn link(&self) -> String {
        let account = &self.app.settings.support_accounts[0];
        let link = offer(&self.app.blobs, account, "https://app.example").await;
        link.expect("a link").expose_secret().to_owned()
    }

    /// Opens a fresh link: where it leads.
    async fn begin(&self) -> Url {
        self.get(&self.link().await).await.location()
    }

    /// Entra ID sends the browser back.
    async fn answer(&self, begun: &Url, outcome: &str) -> Got {
        let state = parameter(begun, "state");
        let address = format!("https://app.example{PATH}?{outcome}&state={state}");
        self.get(&address).await
    }

    fn stored(&self) -> usize {
        let seen = self.world.seen(Service::KeyVault);
        let puts = seen.iter().filter(|it| it.method == "PUT");
        puts.filter(|it| it.target.contains(TOKEN)).count()
    }

    fn redeemed(&self) -> usize {
        self.world.seen(Service::Entra).len()
    }
}

#[track_caller]
fn assert_refused(got: &Got, status: u16, says: &str) {
    assert_eq!(got.status, status, "{}", got.text);
    assert!(got.text.contains(says), "{}", got.text);
}

#[tokio::test]
async fn a_link_leads_to_entra_id_and_back_to_a_stored_token() {
    let scene = Scene::start(json!({})).await;
    let begun = scene.begin().await;
    let own = format!(
        "{}/{}/oauth2/v2.0/authorize",
        scene.world.base(),
        scene.app.settings.tenant.as_str()
    );
    assert!(begun.as_str().starts_with(&own), "{begun}");
    let redirect = format!("https://app.example{PATH}");
    for (name, value) in [
        ("response_type", "code"),
        ("redirect_uri", redirect.as_str()),
        ("code_challenge_method", "S256"),
        ("prompt", "login"),
    ] {
        assert_eq!(parameter(&begun, name), value);
    }
    let got = scene.answer(&begun, "code=c-1").await;
    assert_refused(
        &got,
        200,
        "Support &lt;b&gt; (support@contoso.example) is signed in",
    );
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("content-type", "text/html; charset=utf-8"),
    ] {
        assert_eq!(got.headers[name], value, "{name}");
    }
    let policy = got.headers["content-security-policy"].to_str();
    assert!(policy.expect("text").starts_with("default-src 'none';"));
    let entra = scene.world.seen(Service::Entra);
    let form = entra[0].form();
    let field = |name: &str| {
        let found = form.iter().find(|(key, _)| key == name);
        found.expect("the field").1.clone()
    };
    assert_eq!(field("grant_type"), "authorization_code");
    assert_eq!(field("code"), "c-1");
    assert_eq!(field("redirect_uri"), redirect);
    let proven = challenge(&field("code_verifier").into());
    assert_eq!(proven, parameter(&begun, "code_challenge"));
    assert!(!field("client_assertion").is_empty());
    let stored = scene.app.secrets.vault().get(TOKEN).await;
    let stored = stored.expect("a vault").expect("a secret");
    assert_eq!(stored.expose_secret(), "fresh");
}

#[tokio::test]
async fn what_comes_twice_or_from_elsewhere_is_refused_and_redeems_nothing() {
    let scene = Scene::start(json!({})).await;
    let link = scene.link().await;
    let begun = scene.get(&link).await.location();
    assert_refused(&scene.get(&link).await, 410, "This link was opened before");
    scene.answer(&begun, "code=c").await;
    let again = scene.answer(&begun, "code=c").await;
    assert_refused(&again, 410, "This answer came a second time");
    let random = "A".repeat(43);
    let foreign = format!("https://app.example{PATH}?link=support.{random}");
    assert_refused(
        &scene.get(&foreign).await,
        400,
        "not one that this app made",
    );
    let nobody = format!("https://app.example{PATH}?link=nobody.{random}");
    assert_refused(&scene.get(&nobody).await, 400, "not one that this app made");
    let foreign = format!("https://app.example{PATH}?code=c&state=support.{random}");
    assert_refused(&scene.get(&foreign).await, 400, "belongs to no sign-in");
    let nothing = scene.get(&format!("https://app.example{PATH}")).await;
    assert_refused(&nothing, 400, "It needs a link");
    assert_eq!(
        (scene.redeemed(), scene.stored()),
        (2, 1),
        "token, then keys"
    );
}

#[tokio::test]
async fn a_newer_link_ends_a_sign_in_that_is_under_way() {
    let scene = Scene::start(json!({})).await;
    let older = scene.begin().await;
    let unopened = scene.link().await;
    let newer = scene.begin().await;
    assert_refused(&scene.get(&unopened).await, 410, "A newer link was made");
    let late = scene.answer(&older, "code=c").await;
    assert_refused(&late, 410, "while this sign-in was under way");
    assert_eq!((scene.redeemed(), scene.stored()), (0, 0));
    assert_eq!(scene.answer(&newer, "code=c").await.status, 200);
}

#[tokio::test]
async fn of_the_same_answer_at_two_instances_one_is_redeemed() {
    let scene = Scene::start(json!({})).await;
    let begun = scene.begin().await;
    let both = futures::join!(
        scene.answer(&begun, "code=c"),
        scene.answer(&begun, "code=c")
    );
    let mut statuses = [both.0.status, both.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410]);
    assert_eq!(scene.stored(), 1);
}

#[tokio::test]
async fn anybody_but_the_support_user_of_our_tenant_is_refused() {
    let other = "00000000-0000-0000-0000-0000000000ff";
    for (claims, status, says) in [
        (json!({ "oid": other }), 403, "is not the Support User"),
        (json!({ "tid": other }), 403, "is not the Support User"),
        (json!({ "oid": null }), 502, "gave no tokens"),
        (json!({ "aud": other }), 502, "gave no tokens"),
    ] {
        let scene = Scene::start(claims.clone()).await;
        let begun = scene.begin().await;
        let got = scene.answer(&begun, "code=c").await;
        assert_refused(&got, status, says);
        assert_eq!(scene.stored(), 0, "{claims}");
    }
}

#[tokio::test]
async fn what_entra_id_refuses_is_told_and_nothing_is_redeemed() {
    let scene = Scene::start(json!({})).await;
    for (outcome, says) in [
        ("error=access_denied", "was cancelled"),
        ("error=server_error", "<code>server_error</code>"),
        ("error=%3Cscript%3E", "<code>unknown</code>"),
    ] {
        let begun = scene.begin().await;
        assert_refused(&scene.answer(&begun, outcome).await, 400, says);
        let after = scene.answer(&begun, "code=c").await;
        assert_refused(&after, 410, "came a second time");
    }
    assert_eq!((scene.redeemed(), scene.stored()), (0, 0));
}

#[tokio::test]
async fn a_code_or_token_that_is_not_taken_is_told_with_what_to_do() {
    let scene = Scene::start(json!({})).await;
    let refusal = json!({ "error": "invalid_grant", "error_codes": [54005] });
    let refusal = Reply::json(400, &refusal);
    scene
        .world
        .answer_once("POST", "/oauth2/v2.0/token", refusal);
    let begun = scene.begin().await;
    let got = scene.answer(&begun, "code=c").await;
    assert_refused(&got, 502, "<code>invalid_grant:54005</code>");
    scene.world.answer("PUT", TOKEN, Reply::new(403, ""));
    let begun = scene.begin().await;
    let got = scene.answer(&begun, "code=c").await;
    assert_refused(&got, 502, "deploy the templates");
}

#[tokio::test]
async fn an_app_that_is_not_set_up_says_so() {
    let world = World::start().await;
    let nil = "00000000-0000-0000-0000-000000000000";
    let placeholder = app_in(&world, &[HOST, ("GENESYS_CLIENT_ID", nil)]);
    let nameless = app_in(&world, &[]);
    let mut scene = Scene {
        world,
        app: placeholder,
    };
    for app in [Arc::clone(&scene.app), nameless] {
        scene.app = app;
        let got = scene.get(&scene.link().await).await;
        assert_refused(&got, 503, "not set up yet");
    }
}

#[tokio::test]
async fn nobody_signs_in_as_an_agent_user() {
    let world = World::start().await;
    let agent = format!("support={SUPPORT}@00000000-0000-4000-8000-000000000008");
    let app = app_in(&world, &[HOST, ("SUPPORT_ACCOUNTS", &agent)]);
    let scene = Scene { world, app };
    let got = scene.get(&scene.link().await).await;
    assert!((400..500).contains(&got.status), "{}", got.text);
    assert_eq!((scene.stored(), scene.redeemed()), (0, 0));
}
