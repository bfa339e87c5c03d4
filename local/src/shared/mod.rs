//! Tools that all parts of the platform use.

pub mod correlation;
pub mod serve;
pub mod tls;
