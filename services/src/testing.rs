//! Doubles of the outside services, for the tests of this crate and of those above it (feature `testing`).
//!
//! A [`World`] plays all of them in memory, behind TLS, for whatever stands on these clients as a whole, and keeps every request
//! that it saw. For this crate alone a `Double` plays one service by a script of answers. They refuse what the tests rely on being
//! refused, not all that the real services do: that is the local platform's part.

// Whoever misuses a double is to hear of it at once.
#![allow(clippy::missing_panics_doc)]

mod double;
mod signing;
mod storage;
mod tls;
#[cfg(test)]
mod unit;
mod world;

#[cfg(test)]
pub(crate) use double::Credential;
pub(crate) use double::identity;
pub use double::{Reply, Seen};
#[cfg(test)]
pub(crate) use signing::PUBLISHER;
pub(crate) use signing::{Signer, validation_claims};
pub(crate) use tls::client_of;
pub use tls::serve_tls;
#[cfg(test)]
pub(crate) use unit::{
    Double, TENANT, brought, client, dead_base, delegated, endless, files_at, no_secret, redirect,
    run_again, secret, serve_broken, text_of, vault,
};
pub use world::{Password, Sent, World};
