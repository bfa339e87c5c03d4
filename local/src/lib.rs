//! The local platform: everything that surrounds the handler in production, played on one machine.
//!
//! It stands in for the Azure Functions host and simulates Service Bus, Entra ID, the managed-identity endpoint,
//! Microsoft Graph, the Bot connector, Genesys Cloud, Key Vault and Resource Manager over TLS; Blob Storage is the real Azurite. The handler that runs
//! here is the very binary that runs in Azure. A test instrument, not a product: it refuses what the real services
//! refuse and misbehaves where they do.
#![warn(missing_docs)]

mod azure_cli;
mod azurite;
mod blob_front;
mod blobs;
pub mod bot;
mod control;
pub mod crm;
mod delivery;
pub mod entra;
pub mod front;
pub mod genesys;
pub mod graph;
pub mod host;
pub mod hub;
pub mod key_vault;
pub mod options;
pub mod platform;
pub mod resource_manager;
pub mod service_bus;
mod settings;
pub mod shared;
mod simulators;
mod teams_app;
#[cfg(test)]
mod testing;
pub mod watchdog;
pub mod world;
