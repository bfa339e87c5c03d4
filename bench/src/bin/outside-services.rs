//! Service Bus, Key Vault, Entra ID's token endpoint and the managed-identity endpoint in a process of their own, as plain as they can be.
//!
//! Prints one line of JSON that says where they listen, and ends when its standard input closes.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use axum::extract::Path as UrlPath;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use axum_server::tls_rustls::RustlsConfig;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{
    BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256,
    RsaKeySize, SanType,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_pki_types::PrivatePkcs8KeyDer;
use serde_json::{Value, json};
use tokio::sync::oneshot;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let roots = std::env::temp_dir().join(format!("bench-authority-{}.pem", std::process::id()));
    let config = certificates(&roots)?;
    let (secure, authority) = bind()?;
    let (plain, identity) = bind()?;
    println!(
        "{}",
        json!({ "authority": authority, "identity": format!("http://{identity}/msi/token"), "roots": roots })
    );
    let connector = connector(&authority)?;
    let services = Router::new()
        .merge(connector)
        .route("/{queue}/messages", post(accept))
        .route("/secrets/{name}", get(secret))
        .route("/{tenant}/oauth2/v2.0/token", post(grant))
        .fallback(async || StatusCode::NOT_FOUND);
    let identity = Router::new().route("/msi/token", get(token));
    let secure = axum_server::from_tcp_rustls(secure, RustlsConfig::from_config(config))?;
    let plain = axum_server::from_tcp(plain)?;
    tokio::select! {
        ended = secure.serve(services.into_make_service()) => ended?,
        ended = plain.serve(identity.into_make_service()) => ended?,
        () = input_closed() => {}
    }
    std::fs::remove_file(&roots)?;
    Ok(())
}

fn bind() -> Result<(TcpListener, String)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?.to_string();
    Ok((listener, address))
}

/// Makes an authority, writes its certificate to the file, and has it sign one for 127.0.0.1.
fn certificates(file: &Path) -> Result<Arc<ServerConfig>> {
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    std::fs::write(file, authority.self_signed(&authority_key)?.pem())?;
    let key = KeyPair::generate()?;
    let mut server = CertificateParams::new(Vec::new())?;
    server.subject_alt_names = vec![SanType::IpAddress(Ipv4Addr::LOCALHOST.into())];
    let certificate = server.signed_by(&key, &Issuer::new(authority, authority_key))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The Bot Framework's signing keys, and a token that they sign, for as long as any bench takes.
fn connector(authority: &str) -> Result<Router> {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
    // RSAPublicKey of 2048 bits with the exponent 65537 (RFC 8017, A.1.1): the modulus begins after nine bytes.
    let modulus = URL_SAFE_NO_PAD.encode(&key.public_key_raw()[9..265]);
    let keys = json!({ "keys": [{ "kty": "RSA", "kid": "bench", "n": modulus, "e": "AQAB",
        "endorsements": ["msteams"] }] });
    let metadata = json!({ "jwks_uri": format!("https://{authority}/v1/.well-known/keys") });
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let claims = json!({ "iss": "https://api.botframework.com", "aud": "bench", "nbf": now - 60,
        "exp": now + 86_400, "serviceurl": "https://smba.trafficmanager.net/amer/" });
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some("bench".to_owned());
    let signing = EncodingKey::from_rsa_pem(key.serialize_pem().as_bytes())?;
    let token = encode(&header, &claims, &signing)?;
    Ok(Router::new()
        .route(
            "/v1/.well-known/openidconfiguration",
            get(async || Json(metadata)),
        )
        .route("/v1/.well-known/keys", get(async || Json(keys)))
        .route("/connector-token", get(async || token)))
}

/// A queue that takes everything.
async fn accept(_queue: UrlPath<String>, _message: Bytes) -> StatusCode {
    StatusCode::CREATED
}

async fn secret(UrlPath(name): UrlPath<String>) -> Result<Json<Value>, StatusCode> {
    if name.ends_with("-previous") || name.ends_with("-next") {
        return Err(StatusCode::NOT_FOUND);
    }
    Ok(Json(
        json!({ "id": format!("https://vault/secrets/{name}/1"), "value": "bench-client-state" }),
    ))
}

/// A token for whatever is asked for, as long as one of Graph's.
async fn grant(_tenant: UrlPath<String>, _form: Bytes) -> Json<Value> {
    let token = "x".repeat(2_000);
    Json(json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3599 }))
}

async fn token() -> Json<Value> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    let expires = now.as_secs() + 86_400;
    Json(
        json!({ "access_token": "bench", "token_type": "Bearer", "expires_on": expires.to_string(), "resource": "bench" }),
    )
}

async fn input_closed() {
    let (closed, told) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        drop(closed);
    });
    let _ = told.await;
}
