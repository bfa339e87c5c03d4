//! The control interface under `/local`, and the console page: for people, scripts and tests.

mod guard;
mod operations;
mod page;
mod passing;

use std::path::Path;
use std::sync::Arc;

use axum::{Router, middleware};

use self::guard::{Guard, guard};
pub use self::operations::Control;

/// The control interface and the page, served on this port only to callers that name this machine. The page takes from the packages
/// in this directory what is not its own.
pub fn router(control: Arc<Control>, port: u16, packages: &Path) -> Router {
    let simulators = control.simulators.control();
    Router::new()
        .merge(operations::router())
        .with_state(control)
        .merge(page::router(packages))
        .merge(simulators)
        .layer(middleware::from_fn_with_state(Guard::new(port), guard))
}
