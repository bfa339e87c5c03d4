//! The one HTTP client below every service.

use std::path::Path;
use std::time::Duration;

pub use reqwest::Client;

use reqwest::Certificate;
use reqwest::redirect::Policy;

use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};

/// Longest time of a call that names no other: connecting, sending and reading the whole answer.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// Variable that names a PEM file of the only roots to trust, as OpenSSL defines it. Organisations behind a private
/// certificate authority set it.
const ROOTS_VARIABLE: &str = "SSL_CERT_FILE";

/// Longest time for TCP and TLS to be set up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long an unused connection is kept; below the services' own idle limits, so that a stale one is rare.
const IDLE_TIMEOUT: Duration = Duration::from_secs(50);

/// Why the certificate roots cannot be used.
#[derive(Debug, thiserror::Error)]
enum RootsError {
    #[error("{ROOTS_VARIABLE} names a file that cannot be read")]
    Unreadable(#[source] std::io::Error),
    #[error("{ROOTS_VARIABLE} names a file that is not PEM")]
    NotPem(#[source] reqwest::Error),
    #[error("{ROOTS_VARIABLE} names a file without a certificate")]
    Empty,
    #[error("a built-in root certificate is not usable")]
    BuiltIn(#[source] reqwest::Error),
}

/// The client for everything. It speaks HTTP/1.1 over a pool, follows no redirect (a token must not wander), never
/// decompresses, uses no proxy from the environment and repeats nothing by itself; the time limit of a call is given with
/// each request.
///
/// Trusted are the certificates in the file that `SSL_CERT_FILE` names, and only those; without it Mozilla's roots that are
/// built in, because the hosts' images differ in where they keep theirs.
///
/// # Errors
/// `Configuration` when `SSL_CERT_FILE` is set but names no file with certificates.
pub fn client() -> Result<Client> {
    build(builder(roots()?))
}

/// A client like [`client`] that connects only to the addresses that this resolver gives for a name.
///
/// # Errors
/// See [`client`].
pub(crate) fn client_resolving(resolver: impl reqwest::dns::Resolve + 'static) -> Result<Client> {
    build(builder(roots()?).dns_resolver(resolver))
}

fn build(builder: reqwest::ClientBuilder) -> Result<Client> {
    builder.build().map_err(unusable)
}

fn unusable(error: impl std::error::Error + Send + Sync + 'static) -> ServiceError {
    ServiceError::new(Service::Platform, ErrorKind::Configuration, Sent::No).because(error)
}

fn roots() -> Result<Vec<Certificate>> {
    let variable = std::env::var_os(ROOTS_VARIABLE).filter(|value| !value.is_empty());
    let roots = match variable {
        Some(file) => roots_of(Path::new(&file)),
        None => built_in_roots(),
    };
    roots.map_err(unusable)
}

#[cfg(any(test, feature = "testing"))]
pub(crate) fn with_roots(roots: Vec<Certificate>) -> Result<Client, reqwest::Error> {
    builder(roots).build()
}

fn builder(roots: Vec<Certificate>) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_certs_only(roots)
        .http1_only()
        .tcp_nodelay(true)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
        .retry(reqwest::retry::never())
        .user_agent(concat!("graph-to-open/", env!("CARGO_PKG_VERSION")))
}

fn roots_of(file: &Path) -> Result<Vec<Certificate>, RootsError> {
    let pem = std::fs::read(file).map_err(RootsError::Unreadable)?;
    let roots = Certificate::from_pem_bundle(&pem).map_err(RootsError::NotPem)?;
    if roots.is_empty() {
        return Err(RootsError::Empty);
    }
    Ok(roots)
}

fn built_in_roots() -> Result<Vec<Certificate>, RootsError> {
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
    let roots = roots.map(|root| Certificate::from_der(root).map_err(RootsError::BuiltIn));
    roots.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{run_again, serve_tls};

    #[test]
    fn the_built_in_roots_make_a_client() {
        let roots = built_in_roots().expect("roots");
        assert!(roots.len() > 50);
        with_roots(roots).expect("a client");
    }

    /// Names the server to call, in the process that has `SSL_CERT_FILE`.
    const SERVER: &str = "ROOTS_TEST_SERVER";

    #[tokio::test]
    async fn only_the_named_roots_are_trusted() {
        if let Ok(server) = std::env::var(SERVER) {
            let client = client().expect("a client");
            client.get(server).send().await.expect("trust");
            return;
        }
        let (base, authority) = serve_tls(axum::Router::new()).await;
        let file = std::env::temp_dir().join(format!("root-{}.pem", uuid::Uuid::new_v4()));
        std::fs::write(&file, authority).expect("a file");
        let variables = [
            (ROOTS_VARIABLE, file.to_str().expect("text")),
            (SERVER, &base),
        ];
        run_again("http::tests::only_the_named_roots_are_trusted", &variables).await;
        std::fs::remove_file(&file).expect("removed");
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let file = std::env::temp_dir().join(format!("roots-{}.pem", uuid::Uuid::new_v4()));
        assert!(matches!(roots_of(&file), Err(RootsError::Unreadable(_))));
        std::fs::write(&file, "no certificate here\n").expect("a file");
        assert!(matches!(roots_of(&file), Err(RootsError::Empty)));
        std::fs::remove_file(&file).expect("removed");
    }
}
