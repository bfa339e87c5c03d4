//! Checks of the infrastructure as code.
//!
//! The real tools judge the languages: the Bicep compiler the templates (`bicep`), Microsoft's Kusto language service the
//! queries (`kusto`), OpenTofu or Terraform with the Genesys provider what lies in `infra/genesys` (`genesys`). Each is left
//! out, with a line that says so, where it is not installed; with `REQUIRE_TOOLS=1` that is a failure. The queries of the CRM kit
//! are run against hostile input (`lookup`).
//!
//! What is ours to know is held against the snapshots, which are what the templates would deploy in each profile:
//! the policy in `policy.txt` (`policy`), the rights (`roles`), and that templates, program and flows name the same settings,
//! queues, containers, secrets, routes, events and attributes (`program`, `queries`, `flow`), and that the runbook says what to do
//! about each alert (`runbook`), whose rules Azure must take (`alerts`). What an installation costs is computed, and held against the
//! page that tells it (`cost`). Each of these returns what is wrong as lines; `mutations` proves of each that it can.

#![cfg(test)]

mod alerts;
mod applied;
mod bicep;
mod cost;
mod flow;
mod genesys;
mod inputs;
mod kusto;
mod lookup;
mod mutations;
mod parameters;
mod policy;
mod program;
mod publish;
mod queries;
mod roles;
mod runbook;
mod teams_app;
mod terraform;
mod tool;
