//! Answers that carry a file, and the ways in which a download can go wrong.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::content::{self, Content};

/// A slow download's first byte comes after this long.
const SLOW: Duration = Duration::from_secs(60);

/// What need not be encoded in a path segment (RFC 3986, section 2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// How the download of a file goes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// As it should.
    #[default]
    Ok,
    /// The file is gone.
    Missing,
    /// A page about an infected file instead of the file.
    Virus,
    /// The connection breaks after half of the bytes.
    StopsHalfWay,
    /// Nothing comes for a minute.
    Slow,
    /// Somebody else's address is told.
    Redirect,
}

/// A file with what its download claims and does.
#[derive(Clone)]
pub struct Download {
    /// Its bytes.
    pub content: Content,
    /// Its media type, whatever the bytes are.
    pub content_type: HeaderValue,
    /// Its name.
    pub name: String,
    /// How the download goes.
    pub behaviour: Behaviour,
    /// The address that is told with [`Behaviour::Redirect`].
    pub redirect_to: Option<HeaderValue>,
}

/// A file as the control interface takes it.
#[derive(Deserialize)]
pub struct Ordered {
    name: String,
    /// Its media type.
    pub content_type: String,
    #[serde(flatten)]
    content: content::Ordered,
    /// How the download goes.
    #[serde(default)]
    pub behaviour: Behaviour,
    redirect_to: Option<String>,
}

impl Ordered {
    /// The file.
    ///
    /// # Errors
    /// A line that says which field is wrong.
    pub async fn download(self) -> Result<Download, String> {
        if self.name.is_empty() {
            return Err("name must not be empty".to_owned());
        }
        if self.redirect_to.is_some() != (self.behaviour == Behaviour::Redirect) {
            return Err("redirect_to belongs to the behaviour redirect".to_owned());
        }
        let target = self.redirect_to.as_deref().map(HeaderValue::from_str);
        Ok(Download {
            content_type: media_type(&self.content_type)?,
            content: self.content.content().await?,
            name: self.name,
            behaviour: self.behaviour,
            redirect_to: target
                .transpose()
                .map_err(|_| "redirect_to is no address".to_owned())?,
        })
    }
}

impl Download {
    /// The file, slow or cut off if that was ordered; the other ways are the service's own business.
    pub async fn answer(&self) -> Response {
        if self.behaviour == Behaviour::Slow {
            tokio::time::sleep(SLOW).await;
        }
        let mut answer = sized(&self.content, &self.content_type);
        if self.behaviour == Behaviour::StopsHalfWay {
            *answer.body_mut() = self.content.broken_body();
        }
        if let Ok(value) = HeaderValue::from_str(&disposition(&self.name)) {
            answer
                .headers_mut()
                .insert(header::CONTENT_DISPOSITION, value);
        }
        answer
    }

    /// 302 to the ordered address.
    pub fn elsewhere(&self) -> Option<Response> {
        let target = self.redirect_to.clone()?;
        Some((StatusCode::FOUND, [(header::LOCATION, target)]).into_response())
    }
}

/// A content with its size and this type.
pub fn sized(content: &Content, content_type: &HeaderValue) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type.clone()),
        (header::CONTENT_LENGTH, HeaderValue::from(content.size())),
    ];
    (headers, content.body()).into_response()
}

/// A file for the page, which has the control interface's own origin: nothing in it may run there.
pub fn harmless(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    let mut add = |name: HeaderName, value| headers.insert(name, HeaderValue::from_static(value));
    add(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; sandbox",
    );
    add(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    add(header::CACHE_CONTROL, "no-store");
    let policy = HeaderName::from_static("cross-origin-resource-policy");
    add(policy, "same-origin");
    answer
}

/// A media type as a header's value.
///
/// # Errors
/// When it is none, such as `image`.
pub fn media_type(text: &str) -> Result<HeaderValue, String> {
    let wrong = || "content_type is no media type".to_owned();
    let (main, sub) = text.split_once('/').ok_or_else(wrong)?;
    if main.is_empty() || sub.is_empty() {
        return Err(wrong());
    }
    HeaderValue::from_str(text).map_err(|_| wrong())
}

/// A path segment that is this text.
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// `attachment` with the file's name, once for all and once for those who read RFC 6266.
fn disposition(name: &str) -> String {
    let unquotable = |character| matches!(character, '"' | '\\') || !matches!(character, ' '..='~');
    let plain = name.replace(unquotable, "_");
    let encoded = segment(name);
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    async fn ordered(order: Value) -> Result<Download, String> {
        let order: Ordered = serde_json::from_value(order).expect("fields");
        order.download().await
    }

    #[tokio::test]
    async fn a_file_tells_its_type_size_and_name() {
        let file =
            json!({ "name": "Größe \"1\".txt", "content_type": "text/plain", "base64": "YWJj" });
        let answer = ordered(file).await.expect("valid").answer().await;
        let headers = answer.headers();
        assert_eq!(headers["content-type"], "text/plain");
        assert_eq!(headers["content-length"], "3");
        assert_eq!(
            headers["content-disposition"],
            "attachment; filename=\"Gr__e _1_.txt\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%221%22.txt"
        );
    }

    #[tokio::test]
    async fn a_file_that_stops_half_way_tells_its_whole_size() {
        let file = json!({ "name": "a", "content_type": "a/b", "generate": 1_000_000,
            "behaviour": "stops_half_way" });
        let answer = ordered(file).await.expect("valid").answer().await;
        assert_eq!(answer.headers()["content-length"], "1000000");
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await;
        assert!(body.is_err());
    }

    #[tokio::test]
    async fn what_makes_no_sense_is_refused() {
        for (name, kind, behaviour, to) in [
            ("a", "image", "ok", None),
            ("a", "image/", "ok", None),
            ("", "a/b", "ok", None),
            ("a", "a/b", "redirect", None),
            ("a", "a/b", "ok", Some("https://x/")),
        ] {
            let file = json!({ "name": name, "content_type": kind, "generate": 1,
                "behaviour": behaviour, "redirect_to": to });
            assert!(
                ordered(file).await.is_err(),
                "{name} {kind} {behaviour} {to:?}"
            );
        }
    }
}
