//! Graph's answers: error bodies, and the headers that every answer carries.

use std::borrow::Cow;

use axum::extract::{Extension, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::shared::time_text;

/// What a 401 asks for.
const CHALLENGE: &str = "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", client_id=\"00000003-0000-0000-c000-000000000000\"";

/// Why a request is refused: status, code and message.
#[derive(Debug, Clone)]
pub struct Refusal(u16, &'static str, Cow<'static, str>);

impl Refusal {
    /// No token, or none of ours.
    pub const UNAUTHORIZED: Self = Self::of(
        401,
        "InvalidAuthenticationToken",
        "Access token is empty or invalid.",
    );
    /// What was asked for does not exist.
    pub const NOT_FOUND: Self = Self::of(404, "NotFound", "NotFound");
    /// A post or a hosted content above the limit.
    pub const TOO_LARGE: Self = Self::of(413, "RequestEntityTooLarge", "Request Entity Too Large");
    /// Above the published limits.
    pub const TOO_MANY: Self = Self::of(429, "TooManyRequests", "Too many requests");
    /// What the shares API says to an address that is none.
    pub const NO_SHARE: Self = Self::of(400, "invalidRequest", "The sharing URL is malformed.");
    /// What OneDrive says to somebody it does not let in.
    pub const ACCESS_DENIED: Self = Self::of(403, "accessDenied", "Access denied");
    /// What OneDrive says when there is no such file.
    pub const NO_ITEM: Self = Self::of(404, "itemNotFound", "The resource could not be found.");

    /// What the directory says to an app that may not change another one.
    pub const DENIED: Self = Self::of(
        403,
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
    );
    /// What the directory says when there is no such object.
    pub const NO_RESOURCE: Self = Self::of(
        404,
        "Request_ResourceNotFound",
        "Resource does not exist or one of its queried reference-property objects are not present.",
    );

    /// What the directory says to a client secret that a policy of the tenant forbids.
    pub const FORBIDDEN_BY_POLICY: Self = Self::of(
        400,
        "CredentialTypeNotAllowedAsPerAppPolicy",
        "Credential type not allowed as per assigned policy.",
    );
    /// What it says to a second federated credential for the same tokens.
    pub const CREDENTIAL_PAIR: Self = Self::of(
        400,
        "InvalidFederatedIdentityCredentialValue",
        "The combination of issuer and subject must be unique for the application.",
    );
    /// What it says to a permission that the principal holds.
    pub const ALREADY_ASSIGNED: Self = Self::of(
        400,
        "InvalidUpdate",
        "Permission being assigned already exists on the object",
    );

    /// What is said of a subscription that does not exist, or is another's.
    pub const NO_OBJECT: Self = Self::of(404, "ResourceNotFound", "The object was not found.");

    const fn of(status: u16, code: &'static str, message: &'static str) -> Self {
        Self(status, code, Cow::Borrowed(message))
    }

    /// 400 with this message.
    pub const fn bad_request(message: &'static str) -> Self {
        Self::of(400, "BadRequest", message)
    }

    /// 400 of the directory with this message.
    pub fn directory(message: impl Into<Cow<'static, str>>) -> Self {
        Self(400, "Request_BadRequest", message.into())
    }

    /// 409 of the directory: there is one.
    pub fn taken(message: impl Into<Cow<'static, str>>) -> Self {
        let code = "Request_MultipleObjectsWithSameKeyValue";
        Self(409, code, message.into())
    }

    /// 403 with this message.
    pub const fn forbidden(message: &'static str) -> Self {
        Self::of(403, "Forbidden", message)
    }

    /// 400 for what is wrong with a subscription that is asked for.
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self(400, "ValidationError", message.into())
    }

    /// 409: this subscription is the one that is asked for.
    pub fn exists(id: &str) -> Self {
        let message = format!("Subscription Id {id} already exists for the requested combination");
        Self(409, "ObjectIdentifierInUse", message.into())
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0).expect("each of them is a status")
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}: {}", self.0, self.1, self.2)
    }
}

/// The status alone; [`named`] writes the rest.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status(), Extension(self)).into_response()
    }
}

/// Gives every answer Graph's headers, and every refusal its body; `client-request-id` comes back as it was sent.
pub async fn named(request: Request, next: Next) -> Response {
    let id = Uuid::new_v4().to_string();
    let own = HeaderValue::from_str(&id).expect("a GUID is a header's value");
    let client = request.headers().get("client-request-id").unwrap_or(&own);
    let client = client.clone();
    let mut answer = next.run(request).await;
    if let Some(refusal) = answer.extensions().get::<Refusal>().cloned() {
        let Refusal(status, code, message) = &refusal;
        let body = json!({ "error": {
            "code": code,
            "message": message,
            "innerError": {
                "date": time_text(OffsetDateTime::now_utc()),
                "request-id": id,
                "client-request-id": client.to_str().unwrap_or_default(),
            },
        } });
        answer = (refusal.status(), axum::Json(body)).into_response();
        let headers = answer.headers_mut();
        if *status == 401 {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static(CHALLENGE),
            );
        }
        if *status == 429 {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
    }
    answer.headers_mut().insert("client-request-id", client);
    answer.headers_mut().insert("request-id", own);
    answer
}
