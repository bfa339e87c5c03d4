//! A throw-away certificate authority, so that the handler speaks real TLS to every simulated service.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedKey, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize,
    SanType,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// An authority that exists as long as the process.
pub struct CertificateAuthority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Certificate,
    pem: String,
}

impl std::fmt::Debug for CertificateAuthority {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("CertificateAuthority")
    }
}

/// A certificate for `127.0.0.1` with its key.
pub struct ServerCertificate {
    /// The certificate in PEM.
    pub certificate_pem: String,
    /// The PKCS#8 key in PEM.
    pub key_pem: String,
}

impl CertificateAuthority {
    /// Makes a new authority.
    ///
    /// # Errors
    /// When the key or the certificate cannot be made.
    pub fn new() -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = named("Graph-to-Open local authority")?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            pem: certificate.pem(),
            certificate,
            issuer: Issuer::new(params, key),
        })
    }

    /// The authority's certificate, the content of the file `SSL_CERT_FILE` names.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.pem
    }

    /// Signs a new certificate for `127.0.0.1` and `localhost`.
    ///
    /// # Errors
    /// When the key or the certificate cannot be made.
    pub fn issue(&self) -> Result<ServerCertificate, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        let loopback = SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST));
        params.subject_alt_names.push(loopback);
        params.is_ca = IsCa::ExplicitNoCa;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        Ok(ServerCertificate {
            certificate_pem: params.signed_by(&key, &self.issuer)?.pem(),
            key_pem: key.serialize_pem(),
        })
    }

    /// A TLS client that trusts this authority and nobody else. It keeps idle connections for a shorter time than Azurite
    /// does, or a request could meet the end of one.
    ///
    /// # Errors
    /// When the client cannot be built.
    pub fn client(&self) -> reqwest::Result<reqwest::Client> {
        let root = reqwest::Certificate::from_der(self.certificate.der())?;
        reqwest::Client::builder()
            .tls_certs_only([root])
            .redirect(reqwest::redirect::Policy::none())
            .pool_idle_timeout(Duration::from_secs(1))
            .no_proxy()
            .build()
    }
}

impl ServerCertificate {
    /// What a TLS server needs to present this certificate (HTTP/1.1 only).
    ///
    /// # Errors
    /// When rustls refuses the key.
    ///
    /// # Panics
    /// When the certificate or the key is no PEM.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, rustls::Error> {
        let certificate = CertificateDer::from_pem_slice(self.certificate_pem.as_bytes());
        let certificate = certificate.expect("a certificate of ours can be read");
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes());
        let key = key.expect("a key of ours can be read");
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// Makes a self-signed RSA-2048 certificate valid for a long time, as a Graph subscription carries one.
///
/// # Errors
/// When the key or the certificate cannot be made.
pub fn rsa_certificate(common_name: &str) -> Result<CertifiedKey<KeyPair>, rcgen::Error> {
    let signing_key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
    let cert = named(common_name)?.self_signed(&signing_key)?;
    Ok(CertifiedKey { cert, signing_key })
}

fn named(common_name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    let name = &mut params.distinguished_name;
    name.push(DnType::CommonName, common_name);
    Ok(params)
}
