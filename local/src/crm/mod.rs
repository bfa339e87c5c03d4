//! A CRM, simulated, and what Genesys Cloud does to ask it: the shipped data actions of `infra/genesys` are run, not imitated.
//!
//! `salesforce` keeps contacts and accounts and answers the queries (`soql`); `action` runs the definition of a data action
//! (`template`); `screen_pop` asks in the order of the shipped flow. The sign-in at the CRM is left out: it has no part in what
//! is found.

mod action;
mod salesforce;
mod screen_pop;
mod soql;
pub mod template;

pub use salesforce::{Record, Salesforce};
pub use screen_pop::ScreenPop;
