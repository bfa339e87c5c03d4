//! `POST /{tenant}/oauth2/v2.0/token`: a code or a refresh token for a new pair of tokens; and the keys that sign them ("OpenID Connect on
//! the Microsoft identity platform").

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderMap, header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::authorize;
use super::passwords::Passwords;
use super::refusal::Refusal;
use super::state::{BOT_AUDIENCE, EXCHANGE_AUDIENCE, Entra, Lapsed, TOKEN_LIFE};
use crate::shared::correlation;

/// Issuer that the tenant-independent document tells, a template as it stands.
const COMMON_ISSUER: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";

/// Audience of a token for Microsoft Graph.
pub(super) const GRAPH_AUDIENCE: &str = "https://graph.microsoft.com";

/// Form of a client assertion (RFC 7523, section 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Media type of the body (RFC 6749, section 3.2).
const FORM: &str = "application/x-www-form-urlencoded";

pub(super) type Form = HashMap<String, String>;

/// The routes of the login host: the page for people, token endpoint and signing keys.
pub fn router(entra: &Arc<Entra>) -> Router {
    let page = get(authorize::page).post(authorize::choose);
    Router::new()
        .route("/{tenant}/oauth2/v2.0/authorize", page)
        .route("/{tenant}/oauth2/v2.0/token", post(token))
        .route("/{tenant}/discovery/v2.0/keys", get(keys))
        .with_state(Arc::clone(entra))
}

async fn keys(
    State(entra): State<Arc<Entra>>,
    Path(tenant): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let issuer = match tenant.as_str() {
        "common" | "organizations" => COMMON_ISSUER.to_owned(),
        tenant => entra.check_tenant(tenant).map(|()| entra.issuer_v2())?,
    };
    Ok(Json(entra.keys.published(&issuer)))
}

async fn token(
    State(entra): State<Arc<Entra>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    entra.check_tenant(&tenant)?;
    // A body of another type has no parameters, as far as Entra ID is concerned.
    let kind = headers.get(header::CONTENT_TYPE);
    let is_form = kind.is_some_and(|kind| kind.as_bytes().starts_with(FORM.as_bytes()));
    let form: Form = url::form_urlencoded::parse(if is_form { &body } else { &[] })
        .into_owned()
        .collect();
    const OTHER: &str = "The app requested an unsupported grant type.";
    match required(&form, "grant_type")?.as_str() {
        "refresh_token" => entra.refresh(&form),
        "authorization_code" => entra.redeem_code(&form),
        "client_credentials" => match required(&form, "client_id")? {
            client if entra.is_blueprint(client) => entra.impersonate_agent(&form),
            client if entra.agent(client).is_some() => entra.exchange_agent(&form),
            client if entra.is_bot(client) => entra.bot_token(&form),
            _ => entra.app_token(&form),
        },
        "user_fic" => entra.agent_user_token(&form),
        _ => Err(Refusal::bad_request("unsupported_grant_type", 70003, OTHER)),
    }
}

pub(super) fn required<'a>(form: &'a Form, name: &str) -> Result<&'a String, Refusal> {
    const MISSING: &str = "The request body is missing a required parameter.";
    let value = form.get(name).filter(|value| !value.is_empty());
    value.ok_or(Refusal::request(900_144, MISSING))
}

/// The client assertion of a request, which must say what it is.
pub(super) fn typed_assertion(form: &Form) -> Result<Option<&String>, Refusal> {
    const UNTYPED: &str = "The client_assertion_type is missing or not supported.";
    let assertion = form.get("client_assertion");
    let kind = form.get("client_assertion_type").map(String::as_str);
    if assertion.is_some() && kind != Some(ASSERTION_TYPE) {
        return Err(Refusal::request(50033, UNTYPED));
    }
    Ok(assertion)
}

/// The scope of a client credentials request is all of one resource.
fn check_scope(form: &Form, audience: &str) -> Result<(), Refusal> {
    const SCOPE: &str = "The scope of a client credentials request must end with /.default.";
    let scope = required(form, "scope")?;
    let is_right = *scope == format!("{audience}/.default");
    let refusal = Refusal::bad_request("invalid_scope", 1_002_012, SCOPE);
    is_right.then_some(()).ok_or(refusal)
}

/// The answer with an application's own token.
fn granted_to_app(token: &str) -> Response {
    let life = TOKEN_LIFE - 1;
    let body = json!({ "token_type": "Bearer", "expires_in": life, "access_token": token });
    Json(body).into_response()
}

/// What the Graph app may do by itself.
pub(super) const APPLICATION_PERMISSION: &str = "Chat.Read.All";

impl Entra {
    /// Holds the tenant of a path against ours.
    pub(super) fn check_tenant(&self, tenant: &str) -> Result<(), Refusal> {
        if tenant.eq_ignore_ascii_case(&self.world.config.tenant) {
            return Ok(());
        }
        const UNKNOWN: &str = "The tenant of the request was not found.";
        Err(Refusal::request(90002, UNKNOWN))
    }

    /// Whether this is the bot's application; a bot that is a managed identity has none.
    fn is_bot(&self, client: &str) -> bool {
        let config = &self.world.config;
        client.eq_ignore_ascii_case(&config.bot_app)
            && config.bot_authentication != "managed-identity"
    }

    /// A token of the bot, for the connector alone.
    fn bot_token(&self, form: &Form) -> Result<Response, Refusal> {
        let config = &self.world.config;
        check_scope(form, BOT_AUDIENCE)?;
        self.check_client(form, &config.bot_authentication, &self.bot_passwords)?;
        Ok(granted_to_app(&self.issue(json!({
            "aud": BOT_AUDIENCE,
            "ver": "1.0",
            "appid": config.bot_app,
            "idtyp": "app",
        }))))
    }

    /// A token of the Graph app itself ("OAuth 2.0 client credentials flow").
    fn app_token(&self, form: &Form) -> Result<Response, Refusal> {
        self.check_client_id(form)?;
        check_scope(form, GRAPH_AUDIENCE)?;
        self.check_graph_client(form)?;
        let is_withheld = self.withheld.lock().contains(APPLICATION_PERMISSION);
        let role = Some(APPLICATION_PERMISSION).filter(|_| !is_withheld);
        Ok(granted_to_app(&self.issue(json!({
            "aud": GRAPH_AUDIENCE,
            "ver": "1.0",
            "appid": self.world.config.graph_client_id,
            "idtyp": "app",
            "roles": Vec::from_iter(role),
        }))))
    }

    /// The application of a request, which must be ours and prove it.
    fn check_app(&self, form: &Form) -> Result<(), Refusal> {
        self.check_client_id(form)?;
        self.check_graph_client(form)
    }

    fn check_client_id(&self, form: &Form) -> Result<(), Refusal> {
        const STRANGER: &str = "The application was not found in the directory.";
        let client = required(form, "client_id")?;
        if client.eq_ignore_ascii_case(&self.world.config.graph_client_id) {
            return Ok(());
        }
        let error = "unauthorized_client";
        Err(Refusal::bad_request(error, 700_016, STRANGER))
    }

    fn refresh(&self, form: &Form) -> Result<Response, Refusal> {
        const EXPIRED: &str = "The refresh token has expired due to inactivity.";
        const REVOKED: &str =
            "The provided grant has expired due to it being revoked, a fresh auth token is needed.";
        self.check_app(form)?;
        let session = self.session_of(required(form, "refresh_token")?);
        let (user, scopes) = session.map_err(|lapsed| {
            let (number, text) = match lapsed {
                Lapsed::Unknown => (70008, EXPIRED),
                Lapsed::Revoked => (50173, REVOKED),
            };
            Refusal::bad_request("invalid_grant", number, text)
        })?;
        let refresh_token = self.new_refresh_token(&user, &scopes);
        let more = json!({ "refresh_token": refresh_token });
        let app = &self.world.config.graph_client_id;
        Ok(self.granted(&user, &scopes, app, more))
    }

    fn redeem_code(&self, form: &Form) -> Result<Response, Refusal> {
        self.check_app(form)?;
        let (code, redirect) = (required(form, "code")?, required(form, "redirect_uri")?);
        let (user, scopes) = self.redeem(code, redirect, form.get("code_verifier"))?;
        let asks_for = |name: &str| scopes.iter().any(|scope| scope == name);
        // Of a permission the access token has the last part; those of OpenID Connect are no permissions.
        let permissions = scopes.iter().filter_map(|scope| scope.rsplit_once('/'));
        let permissions: Vec<&str> = permissions.map(|(_, permission)| permission).collect();
        let permissions = permissions.join(" ");
        let mut more = json!({});
        if asks_for("offline_access") {
            more["refresh_token"] = json!(self.new_refresh_token(&user, &permissions));
        }
        if asks_for("openid") {
            more["id_token"] = json!(self.id_token(&user, asks_for("profile")));
        }
        let app = &self.world.config.graph_client_id;
        Ok(self.granted(&user, &permissions, app, more))
    }

    /// The answer with an access token of the user for this application, with what was consented to of these scopes.
    pub(super) fn granted(&self, user: &str, scopes: &str, app: &str, more: Value) -> Response {
        let withheld = self.withheld.lock();
        let is_graph_app = app == self.world.config.graph_client_id;
        let scopes = scopes.split(' ');
        let scopes = scopes.filter(|it| !is_graph_app || !withheld.contains(*it));
        let scopes = &scopes.collect::<Vec<_>>().join(" ");
        let mut body = json!({
            "token_type": "Bearer",
            "scope": scopes,
            // One second less than the token has, so that no caller believes longer in it than we do.
            "expires_in": TOKEN_LIFE - 1,
            "ext_expires_in": TOKEN_LIFE - 1,
            "access_token": self.delegated_token(user, scopes, app),
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let headers = [
            (header::CACHE_CONTROL.as_str(), "no-store, no-cache"),
            (header::PRAGMA.as_str(), "no-cache"),
            ("x-ms-request-id", &Uuid::new_v4().to_string()),
        ];
        (headers, Json(body)).into_response()
    }

    /// Says who signed in ("ID token claims reference"); with their names where the sign-in asked for `profile`.
    fn id_token(&self, user: &str, profile: bool) -> String {
        let app = &self.world.config.graph_client_id;
        let subject = correlation::of_text(&format!("subject\n{app}\n{user}"));
        let mut claims = json!({ "aud": app, "sub": subject, "oid": user });
        if profile {
            let mut accounts = self.world.config.support_accounts.iter();
            let account = accounts.find(|account| account.user == user);
            let name = account.map_or("colleague", |account| &account.name);
            claims["name"] = json!(format!("Name of {name}"));
            claims["preferred_username"] = json!(format!("{name}@contoso.example"));
        }
        self.issue(claims)
    }

    /// An access token of the user for Graph; Graph's are of version 1.0.
    fn delegated_token(&self, user: &str, scopes: &str, app: &str) -> String {
        self.issue(json!({
            "aud": GRAPH_AUDIENCE,
            "ver": "1.0",
            "oid": user,
            "sub": user,
            "scp": scopes,
            "appid": app,
            "idtyp": "user",
            "uti": Uuid::new_v4().simple().to_string(),
        }))
    }

    fn check_graph_client(&self, form: &Form) -> Result<(), Refusal> {
        let mode = &self.world.config.graph_client_authentication;
        self.check_client(form, mode, &self.passwords)
    }

    /// Checks how an application proves itself: by a token of the managed identity (federated credential) or by one of these client
    /// secrets ("Configure an application to trust a managed identity"; the numbers are those of "Microsoft Entra
    /// authentication and authorization error codes").
    fn check_client(&self, form: &Form, mode: &str, passwords: &Passwords) -> Result<(), Refusal> {
        const UNPROVEN: &str = "The body must contain 'client_assertion' or 'client_secret'.";
        const WRONG: &str = "Invalid client secret provided.";
        if let Some(assertion) = typed_assertion(form)? {
            return self.check_assertion(assertion, mode == "federated");
        }
        let secret = form.get("client_secret");
        let secret = secret.ok_or(Refusal::client(7_000_218, UNPROVEN))?;
        match mode {
            "secret" => passwords.check(secret),
            _ => Err(Refusal::client(7_000_215, WRONG)),
        }
    }

    /// The one federated credential trusts this tenant's managed identity, where the app has such a credential at all.
    pub(super) fn check_assertion(&self, assertion: &str, trusted: bool) -> Result<(), Refusal> {
        const INVALID: &str = "The client assertion failed validation.";
        const STRANGER: &str = "No matching federated identity record found for the assertion.";
        let claims = self.verify(assertion, &[EXCHANGE_AUDIENCE]);
        let claims = claims.map_err(|_| Refusal::client(700_027, INVALID))?;
        let matches = trusted
            && claims["iss"] == self.issuer_v2()
            && claims["sub"] == self.managed_identity_principal()
            && claims["oid"] == self.managed_identity_principal();
        matches
            .then_some(())
            .ok_or(Refusal::client(700_213, STRANGER))
    }
}
