//! End-to-end tests: one program, so that they share platforms and run side by side.

mod agent_user;
mod changes;
mod conversation;
mod crashes;
mod failed_messages;
mod files_from_agents;
mod files_from_customers;
mod forged;
mod forgotten;
mod genesys_secrets;
mod outages;
mod own_secrets;
mod pace;
mod page;
mod payloads;
mod permissions;
mod refused_files;
mod repeats;
mod secrets;
mod sign_in;
mod spool;
mod status;
mod storm;
mod trouble;
mod untold;
mod year;
