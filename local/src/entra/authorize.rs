//! `/{tenant}/oauth2/v2.0/authorize`: the page on which a person signs in, and the codes that it gives ("Microsoft identity platform
//! and OAuth 2.0 authorization code flow"). In the place of a password the person chooses who they are.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{StatusCode, header};
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use super::refusal::Refusal;
use super::state::Entra;
use crate::shared::random_text;

/// Life of an authorization code.
const CODE_LIFE: Duration = Duration::from_secs(600);

/// Parameters that the page carries from its opening to the choice.
const PARAMETERS: [&str; 8] = [
    "client_id",
    "response_type",
    "redirect_uri",
    "response_mode",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
];

/// Somebody of our tenant who is no Support User.
const COLLEAGUE: Uuid = Uuid::from_u128(0xc0);

type Parameters = HashMap<String, String>;

/// What a code stands for.
pub(super) struct Code {
    user: String,
    redirect: String,
    challenge: Option<String>,
    /// What the sign-in asked for.
    pub(super) scopes: Vec<String>,
    given: Instant,
    redeemed: bool,
}

/// What a person may ask for, once it is known to be in order.
struct Asked {
    redirect: Url,
    state: String,
    challenge: Option<String>,
    scopes: Vec<String>,
}

/// `GET`: who is it?
pub(super) async fn page(
    State(entra): State<Arc<Entra>>,
    Path(tenant): Path<String>,
    Query(query): Query<Parameters>,
) -> Response {
    if let Err(denied) = entra.asked(&tenant, &query) {
        return denied.into_response();
    }
    let fields = PARAMETERS.iter().filter_map(|name| {
        let value = escaped(query.get(*name)?);
        Some(format!(
            "<input type=\"hidden\" name=\"{name}\" value=\"{value}\">\n"
        ))
    });
    let people = entra.people().into_iter().map(|(user, name)| {
        let name = escaped(&name);
        format!("<p><button name=\"user\" value=\"{user}\">Sign in as {name}</button></p>\n")
    });
    let (fields, people): (String, String) = (fields.collect(), people.collect());
    Html(format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Simulated Microsoft Entra ID</title>\n\
         <body style=\"font:1.1em sans-serif;max-width:30em;margin:3em auto\">\n<h1>Simulated Microsoft Entra ID</h1>\n\
         <form method=\"post\">\n{fields}{people}<p><button name=\"cancel\" value=\"yes\">Cancel</button></p>\n</form>\n</body></html>\n"
    ))
    .into_response()
}

/// `POST`: the choice, and back to the app.
pub(super) async fn choose(
    State(entra): State<Arc<Entra>>,
    Path(tenant): Path<String>,
    body: Bytes,
) -> Response {
    let form: Parameters = url::form_urlencoded::parse(&body).into_owned().collect();
    let asked = match entra.asked(&tenant, &form) {
        Ok(asked) => asked,
        Err(denied) => return denied.into_response(),
    };
    if form.contains_key("cancel") {
        const WHY: &str = "AADSTS65004: User declined to consent to access the app.";
        return sent(&asked.back(&[("error", "access_denied"), ("error_description", WHY)]));
    }
    let chosen = form.get("user").map(String::as_str).unwrap_or_default();
    let mut people = entra.people().into_iter();
    let Some((user, _)) = people.find(|(user, _)| user == chosen) else {
        return Denied::Here(50034, "The user account does not exist in the directory.")
            .into_response();
    };
    let code = entra.new_code(user, &asked);
    let session = Uuid::new_v4().to_string();
    sent(&asked.back(&[("code", &code), ("session_state", &session)]))
}

/// Why there is nothing to choose.
enum Denied {
    /// What Entra ID shows itself, because it does not trust where it would have to send the browser.
    Here(u32, &'static str),
    /// What it tells the app.
    There(Url),
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        match self {
            Self::Here(number, text) => {
                let text = escaped(text);
                let page = format!(
                    "<!DOCTYPE html>\n<title>Sign in</title>\n<p>AADSTS{number}: {text}</p>\n"
                );
                (StatusCode::BAD_REQUEST, Html(page)).into_response()
            }
            Self::There(to) => sent(&to),
        }
    }
}

fn sent(to: &Url) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, to.as_str())]).into_response()
}

impl Asked {
    /// The way back to the app.
    fn back(&self, parameters: &[(&str, &str)]) -> Url {
        let mut to = self.redirect.clone();
        to.query_pairs_mut()
            .extend_pairs(parameters)
            .append_pair("state", &self.state);
        to
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

impl Entra {
    /// Everybody who can sign in, by object id. An agent user has nothing to sign in with.
    fn people(&self) -> Vec<(String, String)> {
        let accounts = self.world.config.support_accounts.iter();
        let accounts = accounts.filter(|account| account.agent_identity.is_none());
        accounts
            .map(|account| {
                (
                    account.user.clone(),
                    format!("the Support User {}", account.name),
                )
            })
            .chain([(COLLEAGUE.to_string(), "a colleague".to_owned())])
            .collect()
    }

    /// What is asked for, if the app may ask for it.
    fn asked(&self, tenant: &str, query: &Parameters) -> Result<Asked, Denied> {
        let given = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
        if self.check_tenant(tenant).is_err() {
            return Err(Denied::Here(
                90002,
                "The tenant of the request was not found.",
            ));
        }
        if !given("client_id").eq_ignore_ascii_case(&self.world.config.graph_client_id) {
            return Err(Denied::Here(
                700_016,
                "The application was not found in the directory.",
            ));
        }
        // To the letter, as registered by `handler setup graph`.
        let registered = format!("{}/api/sign-in", self.world.endpoints.functions);
        let redirect = Url::parse(given("redirect_uri")).ok();
        let Some(redirect) = redirect.filter(|_| given("redirect_uri") == registered) else {
            return Err(Denied::Here(
                50011,
                "The redirect URI does not match those configured for the application.",
            ));
        };
        let scopes: Vec<String> = given("scope")
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        let challenge = query.get("code_challenge").cloned();
        let asked = Asked {
            redirect,
            state: given("state").to_owned(),
            challenge,
            scopes,
        };
        let wrong = |error: &str| Err(Denied::There(asked.back(&[("error", error)])));
        if given("response_type") != "code" {
            return wrong("unsupported_response_type");
        }
        let is_challenge = |it: &String| {
            given("code_challenge_method") == "S256"
                && URL_SAFE_NO_PAD.decode(it).is_ok_and(|it| it.len() == 32)
        };
        let is_query = matches!(given("response_mode"), "" | "query");
        if asked.scopes.is_empty()
            || !is_query
            || !asked.challenge.as_ref().is_none_or(is_challenge)
        {
            return wrong("invalid_request");
        }
        Ok(asked)
    }

    fn new_code(&self, user: String, asked: &Asked) -> String {
        let code = random_text();
        let granted = Code {
            user,
            redirect: asked.redirect.to_string(),
            challenge: asked.challenge.clone(),
            scopes: asked.scopes.clone(),
            given: Instant::now(),
            redeemed: false,
        };
        self.codes.lock().insert(code.clone(), granted);
        code
    }

    /// The user of a code, and what the sign-in asked for. Whatever is wrong with its redemption, it was its only one.
    pub(super) fn redeem(
        &self,
        code: &str,
        redirect: &str,
        verifier: Option<&String>,
    ) -> Result<(String, Vec<String>), Refusal> {
        const UNKNOWN: &str = "The provided value for the input parameter 'code' is not valid.";
        const REDEEMED: &str = "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.";
        const EXPIRED: &str =
            "The provided authorization code or refresh token has expired due to inactivity.";
        const ELSEWHERE: &str =
            "The reply address does not match the one provided when requesting Authorization code.";
        const UNPROVEN: &str = "The Code_Verifier does not match the code_challenge supplied in the authorization request.";
        let grant = |number, text| Refusal::bad_request("invalid_grant", number, text);
        let mut codes = self.codes.lock();
        let code = codes.get_mut(code).ok_or(grant(70000, UNKNOWN))?;
        if std::mem::replace(&mut code.redeemed, true) {
            return Err(grant(54005, REDEEMED));
        }
        if code.given.elapsed() > CODE_LIFE {
            return Err(grant(70008, EXPIRED));
        }
        if code.redirect != redirect {
            return Err(Refusal::client(500_112, ELSEWHERE));
        }
        let proven = verifier.map(|it| URL_SAFE_NO_PAD.encode(digest(&SHA256, it.as_bytes())));
        if proven != code.challenge {
            return Err(grant(501_481, UNPROVEN));
        }
        Ok((code.user.clone(), code.scopes.clone()))
    }
}
