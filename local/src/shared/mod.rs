//! Tools that all parts of the platform use.

pub mod content;
pub mod correlation;
pub mod download;
pub mod lines;
pub mod locked;
pub mod refused;
pub mod serve;
pub mod signing;
pub mod tls;
