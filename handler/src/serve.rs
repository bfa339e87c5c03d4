//! Serving the Functions host: one process, one port on 127.0.0.1, one route a function.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Context;
use axum::serve::ListenerExt;
use functions::app::App;
use functions::settings::Settings;
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;

use crate::logging;

/// Binds the port that the host chose and answers until the host kills the process.
///
/// # Errors
/// The port setting is missing or taken, a client cannot be built, or the listener fails.
pub fn run(settings: Settings) -> anyhow::Result<Infallible> {
    let port: u16 = std::env::var("FUNCTIONS_CUSTOMHANDLER_PORT")
        .ok()
        .and_then(|port| port.parse().ok())
        .context(
            "setting FUNCTIONS_CUSTOMHANDLER_PORT is missing or no port: the Functions host sets it, \
             so start the handler with `func start` or the local platform, or put a free TCP port there",
        )?;
    logging::start(settings.log_level);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime cannot start")?;
    runtime.block_on(async move {
        let app = Arc::new(App::build(settings)?);
        let router = functions::router(Arc::clone(&app)).layer(CatchPanicLayer::new());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .with_context(|| format!("port {port} on 127.0.0.1 cannot be bound"))?;
        functions::start::in_background(&app);
        tracing::info!(
            event = "started",
            version = env!("CARGO_PKG_VERSION"),
            "listening"
        );
        // Answers are small: waiting to fill a packet would only delay them.
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        axum::serve(listener, router)
            .await
            .context("the listener failed")?;
        anyhow::bail!("the listener ended")
    })
}
