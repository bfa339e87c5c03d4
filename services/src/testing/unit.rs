//! What only the tests of this crate need.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{Reply, Seen, client_of, identity};
use crate::entra::{
    AgentUser, AgentUsers, ClientAuthentication, DelegatedTokens, OwnRegistration, Registration,
};
use crate::exchange::ERROR_BODY_LIMIT;
use crate::files::{Download, Files, Rules};
use crate::http::with_roots;
use crate::key_vault::KeyVault;
use crate::secrets::{Secrets, names};

/// A service that gives its answers in order, then 500, and keeps what it saw.
#[derive(Clone)]
pub(crate) struct Double {
    /// Its address, without a slash at the end.
    pub(crate) base: String,
    script: Arc<Script>,
}

#[derive(Default)]
struct Script {
    replies: Mutex<VecDeque<Reply>>,
    seen: Mutex<Vec<Seen>>,
}

impl Double {
    /// Listens on a free loopback port.
    pub(crate) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let script = Arc::new(Script {
            replies: Mutex::new(replies.into_iter().collect()),
            seen: Mutex::default(),
        });
        let state = Arc::clone(&script);
        let router = Router::new().fallback(answer).with_state(state);
        let (listener, base) = listener().await;
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base, script }
    }

    /// Adds an answer to the script.
    pub(crate) fn push(&self, reply: Reply) {
        self.script.replies.lock().expect("a lock").push_back(reply);
    }

    /// The requests so far.
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
    let seen = Seen::read(request).await;
    script.seen.lock().expect("a lock").push(seen);
    let reply = script.replies.lock().expect("a lock").pop_front();
    let reply = reply.unwrap_or_else(|| Reply::new(500, "the script is over"));
    reply.into_response()
}

/// A free loopback port, and its address.
async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    (listener, base)
}

/// Takes every request, answers `prefix` and closes the connection; returns its base URL and a count of requests.
pub(crate) async fn serve_broken(prefix: &'static str) -> (String, Arc<AtomicUsize>) {
    let (listener, base) = listener().await;
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
    listener().await.1
}

/// A client that trusts nobody.
pub(crate) fn client() -> reqwest::Client {
    with_roots(Vec::new()).expect("a client")
}

/// A vault with the secrets of the script, and the memory above it.
pub(crate) async fn vault(replies: impl IntoIterator<Item = Reply>) -> (Double, Arc<Secrets>) {
    let double = Double::start(replies).await;
    let vault = KeyVault::new(client(), &double.base, identity());
    (double, Arc::new(Secrets::new(Arc::new(vault))))
}

/// The tenant of the Graph app.
pub(crate) const TENANT: &str = "11111111-1111-1111-1111-111111111111";

/// Delegated tokens from this Entra ID; the account `agent` is an agent user.
pub(crate) fn delegated(
    entra: &Double,
    authentication: ClientAuthentication,
    secrets: Arc<Secrets>,
) -> DelegatedTokens {
    let app = OwnRegistration::new(
        client(),
        &entra.base,
        Registration {
            tenant: TENANT,
            client_id: "client",
            authentication,
            secret: names::GRAPH_CLIENT,
        },
        identity(),
        secrets,
    );
    let agent = AgentUser {
        identity: "agent-identity".to_owned(),
        user: "agent-user".to_owned(),
    };
    let accounts = [("agent".to_owned(), agent)];
    let graph = "https://graph.microsoft.com";
    DelegatedTokens::new(app, AgentUsers::new("blueprint", graph, accounts))
}

/// What the vault answers for a secret.
pub(crate) fn secret(value: &str) -> Reply {
    let id = "https://vault/secrets/name/version";
    Reply::json(200, &json!({"value": value, "id": id}))
}

/// What the vault answers when there is no such secret.
pub(crate) fn no_secret() -> Reply {
    let error = json!({"code": "SecretNotFound", "message": "not found"});
    Reply::json(404, &json!({ "error": error }))
}

/// What fetches files from these origins, which have a certificate of this authority.
pub(crate) fn files_at(origins: &[&str], authority: &str) -> Files {
    let origins = origins.iter().map(|base| base.parse().expect("an origin"));
    let rules = Rules {
        origins: origins.collect(),
        hosts: Vec::new(),
    };
    Files::new(client_of(authority), rules)
}

/// A file's text.
pub(crate) async fn text_of(file: Download) -> String {
    let pieces: Vec<Bytes> = file.body().try_collect().await.expect("whole");
    String::from_utf8(pieces.concat()).expect("text")
}

/// A refusal whose body never ends, and goes silent once it is longer than what is read of one.
pub(crate) async fn endless() -> Response {
    let long = Bytes::from(vec![b'x'; 4 * ERROR_BODY_LIMIT]);
    let pieces = stream::iter([Ok::<_, Infallible>(long)]).chain(stream::pending());
    let body = Body::from_stream(pieces);
    (StatusCode::INTERNAL_SERVER_ERROR, body).into_response()
}

/// A redirect to this address.
pub(crate) fn redirect(to: &str) -> Response {
    (StatusCode::FOUND, [("location", to.to_owned())]).into_response()
}

/// What a request brought along that must not go everywhere.
pub(crate) async fn brought(request: Request) -> String {
    let headers = request.headers();
    let text = |name| headers.get(name).map(|value| value.to_str().expect("text"));
    let names = ["authorization", "prefer", "client-request-id"];
    names.map(|name| text(name).unwrap_or("none")).join(" ")
}

/// Runs a test of this crate again, as a process with these variables: a test must not change the environment of the others.
pub(crate) async fn run_again(test: &str, variables: &[(&str, &str)]) {
    let program = std::env::current_exe().expect("this program");
    let mut again = tokio::process::Command::new(program);
    let again = again
        .args(["--exact", test])
        .envs(variables.iter().copied());
    let output = again.output().await.expect("a process");
    let text = String::from_utf8_lossy(&output.stdout);
    let is_run = output.status.success() && text.contains("1 passed");
    assert!(is_run, "{text}");
}
