//! Typed clients of the outside services, one module each.
//!
//! A client translates and calls; policy (retries, pace, order) lives above. All of them share one [`http::client`] and one
//! error type, [`error::ServiceError`], whose kind says what to do and whose text holds no id, token or message.
#![warn(missing_docs)]

mod address;
mod azure;
pub mod blob;
pub mod bot;
pub mod clouds;
pub mod entra;
pub mod error;
mod exchange;
pub mod files;
pub mod genesys;
pub mod graph;
pub mod http;
pub mod key_vault;
pub mod managed_identity;
mod renewal;
pub mod resource_manager;
pub mod secrets;
pub mod service_bus;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
