//! A throw-away certificate authority, and servers on loopback ports that it vouches for.

use std::path::{Path, PathBuf};

use axum::Router;
use axum_server::tls_rustls::RustlsConfig;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// Vouches for 127.0.0.1. Its certificate lies in a file, for `SSL_CERT_FILE`, until it is dropped.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
}

impl Authority {
    pub fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).expect("parameters");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = parameters.self_signed(&key).expect("a certificate").pem();
        let file = std::env::temp_dir().join(format!("authority-{}.pem", uuid::Uuid::new_v4()));
        std::fs::write(&file, pem).expect("a file");
        Self {
            issuer: Issuer::new(parameters, key),
            file,
        }
    }

    /// The certificate to trust.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Serves a router over TLS; returns its address.
    pub async fn serve(&self, router: Router) -> String {
        let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
        let key = KeyPair::generate().expect("a key");
        let certificate = leaf.signed_by(&key, &self.issuer).expect("a certificate");
        let config = RustlsConfig::from_pem(
            certificate.pem().into_bytes(),
            key.serialize_pem().into_bytes(),
        )
        .await
        .expect("a certificate");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        let base = format!("https://{}", listener.local_addr().expect("an address"));
        let server = axum_server::from_tcp_rustls(listener, config).expect("a server");
        tokio::spawn(server.serve(router.into_make_service()));
        base
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}
