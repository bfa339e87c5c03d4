//! Serving a router on a port that is already bound, with connections that can be closed unanswered.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use axum_server::tls_rustls::RustlsConfig;
use http::Request;
use rustls::ServerConfig;
use tokio::task::JoinHandle;
use tower::Service;

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
    let server =
        axum_server::from_tcp_rustls(listener, RustlsConfig::from_config(config))?.http1_only();
    Ok(spawn(server.serve(Connections(router))))
}

/// Serves the router in plain HTTP until the task is aborted.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve_plain(listener: TcpListener, router: Router) -> io::Result<JoinHandle<()>> {
    let server = axum_server::from_tcp(listener)?.http1_only();
    Ok(spawn(server.serve(Connections(router))))
}

fn spawn(server: impl Future<Output = io::Result<()>> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(async move {
        if let Err(error) = server.await {
            tracing::error!("a server ended: {error}");
        }
    })
}

/// Makes a service for each connection.
#[derive(Clone)]
struct Connections(Router);

impl Service<SocketAddr> for Connections {
    type Response = Answers;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Answers, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, peer: SocketAddr) -> Self::Future {
        std::future::ready(Ok(Answers {
            router: self.0.clone(),
            peer,
        }))
    }
}

/// The router, except that an answer marked [`CloseUnanswered`] becomes an error, at which the server closes the
/// connection without a word: exactly what a caller sees when a service or the network dies.
#[derive(Clone)]
struct Answers {
    router: Router,
    peer: SocketAddr,
}

impl<B> Service<Request<B>> for Answers
where
    B: axum::body::HttpBody<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let mut router = self.router.clone();
        Box::pin(async move {
            let answer = match router.call(request).await {
                Ok(answer) => answer,
                Err(never) => match never {},
            };
            if answer.extensions().get::<CloseUnanswered>().is_some() {
                return Err(io::Error::other("closed unanswered, as ordered"));
            }
            Ok(answer)
        })
    }
}
