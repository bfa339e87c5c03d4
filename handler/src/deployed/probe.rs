//! Calls to a deployed Function App, timed, with errors that say what a person can do.

use std::time::{Duration, Instant};

use reqwest::{RequestBuilder, Response, Url, header};
use serde_json::Value;
use services::error::ServiceError;

/// Longest wait for one answer: a cold start can take several times what Graph allows, and is to be measured.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Largest answer that is read; the handler's are far smaller.
const ANSWER_LIMIT: usize = 64 * 1024;

/// One answer, read whole.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// Time from the call to the end of the body, with setting up a connection where there was none.
    pub took: Duration,
    /// The content type without its parameters.
    pub media_type: String,
}

impl Answer {
    /// Whether the handler itself refused, and not something in front of it.
    pub fn is_refusal(&self) -> bool {
        self.refusal().is_some()
    }

    /// Why the handler refused: it says so in JSON.
    pub fn refusal(&self) -> Option<String> {
        let body: Value = serde_json::from_slice(&self.body).ok()?;
        body["error"].as_str().map(str::to_owned)
    }
}

/// Calls one Function App. Nothing identifies the caller.
pub struct Probe {
    client: reqwest::Client,
    app: Url,
}

impl Probe {
    /// A probe of the app at this address; nothing is called yet.
    ///
    /// # Errors
    /// `SSL_CERT_FILE` names no usable certificates.
    pub fn new(app: &Url) -> Result<Self, ServiceError> {
        Ok(Self {
            client: services::http::client()?,
            app: app.clone(),
        })
    }

    /// `GET` of a path.
    ///
    /// # Errors
    /// No whole answer came; the text says what to do.
    pub async fn get(&self, path: &str) -> Result<Answer, String> {
        self.call(self.client.get(self.at(path))).await
    }

    /// A validation handshake as Graph makes it: the token in the query, a text body.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub async fn handshake(&self, path: &str, token: &str) -> Result<Answer, String> {
        let mut url = self.at(path);
        url.query_pairs_mut().append_pair("validationToken", token);
        let request = self
            .client
            .post(url)
            .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
            .body("");
        self.call(request).await
    }

    /// `POST` of JSON to a path, with a signature as Genesys would send it or without.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub async fn post(
        &self,
        path: &str,
        body: &Value,
        signature: Option<&str>,
    ) -> Result<Answer, String> {
        let mut request = self.client.post(self.at(path)).json(body);
        if let Some(signature) = signature {
            request = request.header("x-hub-signature-256", signature);
        }
        self.call(request).await
    }

    fn at(&self, path: &str) -> Url {
        let mut url = self.app.clone();
        url.set_path(path);
        url
    }

    async fn call(&self, request: RequestBuilder) -> Result<Answer, String> {
        let begun = Instant::now();
        let mut response = request
            .timeout(CALL_TIMEOUT)
            .send()
            .await
            .map_err(|error| no_answer(&error))?;
        let status = response.status().as_u16();
        let content_type = response.headers().get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let media_type = content_type.and_then(|it| it.split(';').next());
        let media_type = media_type.unwrap_or_default().trim().to_owned();
        let body = whole(&mut response).await?;
        Ok(Answer {
            status,
            body,
            took: begun.elapsed(),
            media_type,
        })
    }
}

/// The body of an answer, which is read to no end that the far side chooses.
///
/// # Errors
/// It is larger than any of the handler's, or broke off.
pub async fn whole(response: &mut Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| no_answer(&error))? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_LIMIT {
            return Err("the answer does not end: another app answers at this address".to_owned());
        }
    }
    Ok(body)
}

fn no_answer(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        format!(
            "no answer within {} s: is the app running (az functionapp show), and can this machine reach it without a proxy?",
            CALL_TIMEOUT.as_secs()
        )
    } else if error.is_connect() {
        "it could not be reached: check the address, its DNS name and certificate, and that this machine needs no proxy \
         (behind a private certificate authority set SSL_CERT_FILE)"
            .to_owned()
    } else {
        "the connection broke: try again, and look into the log stream if it stays so".to_owned()
    }
}
