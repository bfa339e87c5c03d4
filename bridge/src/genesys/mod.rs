//! Payloads of Genesys Cloud Open Messaging (Genesys Developer Center, "Open Messaging"; field names and enumerations as in the
//! JavaScript and Python platform SDKs).

pub mod inbound;
pub mod receipt;
pub mod signature;
pub mod webhook;
