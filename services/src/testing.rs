//! Doubles of the outside services, for the tests of this crate and of those above it (feature `testing`).
//!
//! A [`Double`] plays one service by a script of answers. A [`World`] plays all of them in memory, behind TLS, for whatever
//! stands on these clients as a whole. Both keep every request that they saw. They refuse what the tests rely on being refused,
//! not all that the real services do: that is the local platform's part.

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
pub use double::{Double, Reply, Seen, identity};
pub use signing::{Signer, validation_claims};
pub use tls::{client_of, serve_tls};
#[cfg(test)]
pub(crate) use unit::{
    brought, client, dead_base, no_secret, redirect, secret, serve_broken, vault,
};
pub use world::{Sent, World};
