//! Azure Resource Manager, simulated: the resource group of the installation, its deployment, the Function App's settings and
//! its functions' keys, which no call needs here, as under Azure Functions Core Tools.
//!
//! The app's settings are those of this run at first. What is written here is kept and shown, but the handlers that run keep
//! theirs. Sources: Azure REST API reference, "Deployments - Get", "Web Apps - List Application Settings", "Web Apps - Update
//! Application Settings", "Web Apps - List Function Keys"; "Troubleshoot common Azure deployment errors" (the codes).

mod api;
mod control;
mod state;
#[cfg(test)]
mod tests;

pub use api::router;
pub use control::router as control;
pub use state::ResourceManager;
