//! Servers over TLS on loopback, with one throw-away authority for the process.

use axum::Router;
use axum_server::tls_rustls::RustlsConfig;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::sync::OnceCell;

use crate::http::with_roots;

/// The authority as PEM, and a server with a certificate of it. Made once: it costs more than a test's other beginnings.
static SERVER: OnceCell<(String, RustlsConfig)> = OnceCell::const_new();

/// Serves a router over TLS on a free loopback port; returns its base URL and the authority to trust, as PEM.
pub async fn serve_tls(router: Router) -> (String, String) {
    let (authority, config) = SERVER.get_or_init(server).await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a listener");
    let base = format!("https://{}", listener.local_addr().expect("an address"));
    let server = axum_server::from_tcp_rustls(listener, config.clone()).expect("a server");
    tokio::spawn(server.serve(router.into_make_service()));
    (base, authority.clone())
}

/// A client that trusts this authority and no other.
pub(crate) fn client_of(authority: &str) -> reqwest::Client {
    let roots = reqwest::Certificate::from_pem_bundle(authority.as_bytes()).expect("roots");
    with_roots(roots).expect("a client")
}

async fn server() -> (String, RustlsConfig) {
    let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().expect("a key");
    let certificate = authority.self_signed(&authority_key).expect("a root");
    let issuer = Issuer::new(authority, authority_key);
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
    let key = KeyPair::generate().expect("a key");
    let leaf = leaf.signed_by(&key, &issuer).expect("a certificate").pem();
    let config = RustlsConfig::from_pem(leaf.into_bytes(), key.serialize_pem().into_bytes());
    (certificate.pem(), config.await.expect("a server"))
}
