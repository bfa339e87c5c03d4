//! Serving a router on a port that is already bound, with connections that can be closed unanswered.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use axum::routing::IntoMakeService;
use axum::{BoxError, Router, ServiceExt};
use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;
use tokio::task::JoinHandle;
use tower::util::MapResult;

/// Marks an answer that must not be sent: the server closes the connection instead.
#[derive(Debug, Clone, Copy)]
pub struct CloseUnanswered;

/// Binds `127.0.0.1` on this port, or on a free one when it is 0.
///
/// # Errors
/// When the port is taken.
pub fn bind(port: u16) -> io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The port a listener has.
///
/// # Errors
/// When the operating system does not tell.
pub fn port(listener: &TcpListener) -> io::Result<u16> {
    Ok(listener.local_addr()?.port())
}

/// Builds a client of what listens on this machine in plain HTTP: it goes through no proxy and follows no redirect.
pub fn loopback_client() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_certs_only(std::iter::empty())
        .no_proxy()
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
}

/// Serves the router over TLS until the task is aborted.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve_tls(
    listener: TcpListener,
    router: Router,
    config: Arc<ServerConfig>,
) -> io::Result<JoinHandle<()>> {
    let config = RustlsConfig::from_config(config);
    let server = axum_server::from_tcp_rustls(listener, config)?.http1_only();
    Ok(spawn(server.serve(answering(router))))
}

/// Serves the router in plain HTTP until the task is aborted.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve_plain(listener: TcpListener, router: Router) -> io::Result<JoinHandle<()>> {
    let server = axum_server::from_tcp(listener)?.http1_only();
    Ok(spawn(server.serve(answering(router))))
}

fn spawn(server: impl Future<Output = io::Result<()>> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(async move {
        if let Err(error) = server.await {
            tracing::error!("a server ended: {error}");
        }
    })
}

type Answered = fn(Result<Response, Infallible>) -> Result<Response, BoxError>;

/// The router for each connection, except that an answer marked [`CloseUnanswered`] becomes an error, at which the server
/// closes the connection without a word: exactly what a caller sees when a service or the network dies.
fn answering(router: Router) -> IntoMakeService<MapResult<Router, Answered>> {
    let answered: Answered = |Ok(answer)| {
        if answer.extensions().get::<CloseUnanswered>().is_some() {
            return Err("closed unanswered, as ordered".into());
        }
        Ok(answer)
    };
    ServiceExt::<Request>::into_make_service(MapResult::new(router, answered))
}
