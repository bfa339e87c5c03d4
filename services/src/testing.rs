//! Doubles for the unit tests: a service with scripted answers on a loopback port, a credential, a vault.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use axum_server::tls_rustls::RustlsConfig;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use http::HeaderMap;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::http::{Timeouts, with_roots};
use crate::key_vault::KeyVault;
use crate::managed_identity::ManagedIdentity;
use crate::secrets::Secrets;

/// A request as a double saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query as they came over the wire.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    pub(crate) fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(&self.body)
            .into_owned()
            .collect()
    }
}

/// An answer to give.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, body.to_string())
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A service that gives its answers in order, then 500, and keeps what it saw.
#[derive(Clone)]
pub(crate) struct Double {
    pub(crate) base: String,
    script: Arc<Script>,
}

#[derive(Default)]
struct Script {
    replies: Mutex<VecDeque<Reply>>,
    seen: Mutex<Vec<Seen>>,
}

impl Double {
    pub(crate) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let script = Arc::new(Script {
            replies: Mutex::new(replies.into_iter().collect()),
            seen: Mutex::default(),
        });
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&script));
        Self {
            base: serve(router).await,
            script,
        }
    }

    pub(crate) fn push(&self, reply: Reply) {
        self.script.replies.lock().expect("a lock").push_back(reply);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.script.seen.lock().expect("a lock").clone()
    }

    /// The only request so far.
    pub(crate) fn only(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "one request: {seen:?}");
        seen[0].clone()
    }
}

async fn answer(State(script): State<Arc<Script>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .expect("a body");
    script.seen.lock().expect("a lock").push(Seen {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        headers: parts.headers,
        body,
    });
    let reply = script.replies.lock().expect("a lock").pop_front();
    let reply = reply.unwrap_or_else(|| Reply::new(500, "the script is over"));
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(reply.body)).expect("a response")
}

/// Serves a router on a free loopback port and returns its base URL.
pub(crate) async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    base
}

/// Takes every request, answers `prefix` and closes the connection; returns its base URL and a count of requests.
pub(crate) async fn serve_broken(prefix: &'static str) -> (String, Arc<AtomicUsize>) {
    use tokio::io::AsyncWriteExt;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = [0; 16 * 1024];
            let _ = connection.read(&mut request).await;
            counter.fetch_add(1, Ordering::SeqCst);
            let _ = connection.write_all(prefix.as_bytes()).await;
        }
    });
    (base, count)
}

/// A port on which nobody listens.
pub(crate) async fn dead_base() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

pub(crate) fn client() -> reqwest::Client {
    with_roots(Timeouts::default(), Vec::new()).expect("a client")
}

/// Gives tokens `{scope}#{number}` and counts them.
#[derive(Debug, Default)]
pub(crate) struct Credential {
    pub(crate) calls: AtomicUsize,
    pub(crate) life: Duration,
}

impl TokenCredential for Credential {
    fn get_token<'this, 'scopes, 'scope, 'options, 'call>(
        &'this self,
        scopes: &'scopes [&'scope str],
        _options: Option<TokenRequestOptions<'options>>,
    ) -> Pin<Box<dyn Future<Output = azure_core::Result<AccessToken>> + Send + 'call>>
    where
        'this: 'call,
        'scopes: 'call,
        'scope: 'call,
        'options: 'call,
        Self: 'call,
    {
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let token = format!("{}#{number}", scopes[0]);
        let ends = OffsetDateTime::now_utc() + self.life;
        Box::pin(async move { Ok(AccessToken::new(token, ends)) })
    }
}

pub(crate) fn identity() -> Arc<ManagedIdentity> {
    Arc::new(ManagedIdentity::from_credential(Arc::new(Credential {
        calls: AtomicUsize::new(0),
        life: Duration::from_secs(3600),
    })))
}

/// A vault with the secrets of the script, and the memory above it.
pub(crate) async fn vault(replies: impl IntoIterator<Item = Reply>) -> (Double, Arc<Secrets>) {
    let double = Double::start(replies).await;
    let vault = KeyVault::new(client(), &double.base, identity());
    (double, Arc::new(Secrets::new(Arc::new(vault))))
}

/// What the vault answers for a secret.
pub(crate) fn secret(value: &str) -> Reply {
    Reply::json(
        200,
        &json!({"value": value, "id": "https://vault/secrets/name/version"}),
    )
}

/// What the vault answers when there is no such secret.
pub(crate) fn no_secret() -> Reply {
    Reply::json(
        404,
        &json!({"error": {"code": "SecretNotFound", "message": "not found"}}),
    )
}

/// Serves a router over TLS on a free loopback port; returns its base URL and the authority to trust, as PEM.
pub(crate) async fn serve_tls(router: Router) -> (String, String) {
    let (authority, certificate, key) = certificate();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a listener");
    let base = format!("https://{}", listener.local_addr().expect("an address"));
    let config = RustlsConfig::from_pem(certificate.into_bytes(), key.into_bytes())
        .await
        .expect("a certificate");
    let server = axum_server::from_tcp_rustls(listener, config).expect("a server");
    tokio::spawn(server.serve(router.into_make_service()));
    (base, authority)
}

/// A client that trusts this authority.
pub(crate) fn client_of(authority: &str) -> reqwest::Client {
    let root = reqwest::Certificate::from_pem(authority.as_bytes()).expect("a root");
    with_roots(Timeouts::default(), vec![root]).expect("a client")
}

/// A throw-away authority, and a certificate of it for 127.0.0.1 with its key, as PEM.
pub(crate) fn certificate() -> (String, String, String) {
    let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().expect("a key");
    let authority_pem = authority
        .self_signed(&authority_key)
        .expect("a certificate")
        .pem();
    let issuer = Issuer::new(authority, authority_key);
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
    let key = KeyPair::generate().expect("a key");
    let certificate = leaf.signed_by(&key, &issuer).expect("a certificate");
    (authority_pem, certificate.pem(), key.serialize_pem())
}
