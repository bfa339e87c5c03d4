//! A throw-away certificate authority, so that the handler speaks real TLS to every simulated service.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize, SanType,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::content::hexadecimal;

/// An authority that exists as long as the process.
pub struct CertificateAuthority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: CertificateDer<'static>,
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
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

/// A self-signed certificate with an RSA-2048 key, as a Graph subscription carries one.
pub struct RsaCertificate {
    /// The certificate's SHA-256 in lowercase hexadecimal digits.
    pub id: String,
    /// PKCS#8 private key in PEM.
    pub key_pem: String,
    /// The certificate in PEM.
    pub certificate_pem: String,
    /// The certificate in DER.
    pub certificate_der: Vec<u8>,
    /// The private key in PKCS#8 DER.
    pub key_der: Vec<u8>,
}

impl CertificateAuthority {
    /// Makes a new authority.
    ///
    /// # Errors
    /// When the key or the certificate cannot be made.
    pub fn new() -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params
            .distinguished_name
            .push(DnType::CommonName, "Graph-to-Open local authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            pem: certificate.pem(),
            der: certificate.der().clone(),
            issuer: Issuer::new(params, key),
        })
    }

    /// The authority's certificate, the content of the file `SSL_CERT_FILE` names.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.pem
    }

    /// The authority's certificate in DER.
    #[must_use]
    pub fn certificate_der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// Signs a new certificate for `127.0.0.1` and `localhost`.
    ///
    /// # Errors
    /// When the key or the certificate cannot be made.
    pub fn issue(&self) -> Result<ServerCertificate, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        params
            .subject_alt_names
            .push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        params.is_ca = IsCa::ExplicitNoCa;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(ServerCertificate {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            certificate: certificate.der().clone(),
            key: key.serialize_der(),
        })
    }

    /// A TLS client that trusts this authority and nobody else. It keeps idle connections for a shorter time than Azurite
    /// does, or a request could meet the end of one.
    ///
    /// # Errors
    /// When the client cannot be built.
    pub fn client(&self) -> reqwest::Result<reqwest::Client> {
        let root = reqwest::Certificate::from_der(&self.der)?;
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
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, rustls::Error> {
        let key = PrivatePkcs8KeyDer::from(self.key.clone()).into();
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// Makes a self-signed RSA-2048 certificate valid for a long time.
///
/// # Errors
/// When the key or the certificate cannot be made.
pub fn rsa_certificate(common_name: &str) -> Result<RsaCertificate, rcgen::Error> {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    let certificate = params.self_signed(&key)?;
    Ok(RsaCertificate {
        id: hexadecimal(digest(&SHA256, certificate.der()).as_ref()),
        key_pem: key.serialize_pem(),
        certificate_pem: certificate.pem(),
        certificate_der: certificate.der().to_vec(),
        key_der: key.serialize_der(),
    })
}
