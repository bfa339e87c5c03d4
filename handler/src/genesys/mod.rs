//! `handler genesys …`: what an administrator does once for the bridge, on a machine of their own.
//!
//! Every command may be repeated: it changes nothing where all is as wanted, and says so.

mod connection;
mod failure;

use std::time::Duration;

use anyhow::Context as _;
use clap::Subcommand;
use services::genesys::admin::GenesysAdmin;
use uuid::Uuid;

use connection::Connection;
pub use connection::operator;
use failure::{Step, explained};

/// Time between two looks at an integration that is being made.
const NEXT_LOOK: Duration = Duration::from_secs(1);

/// Longest threading timeline in minutes (Genesys Cloud Resource Center, "Messaging threading timeline").
const LONGEST_TIMELINE: i64 = 72 * 60;

/// The commands. They read `GENESYS_ADMIN_CLIENT_ID`, `GENESYS_ADMIN_CLIENT_SECRET` and `GENESYS_DOMAIN`.
#[derive(Subcommand)]
pub enum Command {
    /// Give the messages of the open messaging integration to an inbound message flow.
    BindFlow {
        /// Id of the flow (Terraform's output flow_id).
        #[arg(long, value_name = "ID")]
        flow: Uuid,
        /// Id of the integration (Terraform's output integration_id); otherwise GENESYS_INTEGRATION_ID.
        #[arg(long, value_name = "ID")]
        integration: Option<Uuid>,
        /// Seconds that Genesys Cloud may still be making the integration.
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        wait: u16,
    },
    /// Set how long after its end an open messaging conversation goes on with the customer's next message.
    ThreadingTimeline {
        /// Minutes, at most 4320; for all open messaging integrations of the organisation.
        #[arg(long, value_parser = clap::value_parser!(u32).range(0..=LONGEST_TIMELINE))]
        minutes: u32,
    },
}

/// Runs a command; returns the one line to print of what it did.
///
/// # Errors
/// What to do, a line for each thing.
pub async fn run(command: &Command) -> anyhow::Result<String> {
    let lookup = |name: &str| std::env::var(name).ok();
    match command {
        Command::BindFlow {
            flow,
            integration,
            wait,
        } => {
            let integration = connection::integration(*integration, lookup)?;
            let admin = Connection::from_lookup(lookup)?.sign_in().await?;
            let wait = Duration::from_secs((*wait).into());
            bind_flow(&admin, integration, *flow, wait).await
        }
        Command::ThreadingTimeline { minutes } => {
            let admin = Connection::from_lookup(lookup)?.sign_in().await?;
            set_timeline(&admin, *minutes).await
        }
    }
}

/// Binds the flow unless it is bound: without one, Genesys routes nothing of what customers write.
async fn bind_flow(
    admin: &GenesysAdmin,
    integration: Uuid,
    flow: Uuid,
    wait: Duration,
) -> anyhow::Result<String> {
    let recipient = admin
        .completed_integration(&integration.to_string(), NEXT_LOOK, wait)
        .await
        .map_err(|error| explained(&error, Step::ReadIntegration(integration)))?
        .context("Genesys Cloud routes nothing for this integration yet: run the command again in a minute")?
        .id;
    let before = admin
        .recipient(&recipient)
        .await
        .map_err(|error| explained(&error, Step::ReadRecipient))?
        .flow;
    let wanted = flow.to_string();
    if let Some(bound) = &before
        && bound.id.eq_ignore_ascii_case(&wanted)
    {
        return Ok(format!(
            "bound already: flow {flow} has the messages of integration {integration}"
        ));
    }
    admin
        .bind_flow(&recipient, &wanted)
        .await
        .map_err(|error| explained(&error, Step::BindFlow(flow)))?;
    // Whatever else stands there is not for a terminal.
    let replaced = before
        .and_then(|before| before.id.parse::<Uuid>().ok())
        .map(|before| format!(", in the place of flow {before}"));
    Ok(format!(
        "bound: flow {flow} now has the messages of integration {integration}{}",
        replaced.unwrap_or_default()
    ))
}

/// Sets the minutes after which a customer who writes again begins a new conversation, unless they are set.
async fn set_timeline(admin: &GenesysAdmin, minutes: u32) -> anyhow::Result<String> {
    let timeline = admin
        .threading_timeline()
        .await
        .map_err(|error| explained(&error, Step::ReadTimeline))?;
    let before = timeline.open_minutes();
    if before == Some(minutes) {
        return Ok(format!(
            "set already: open messaging conversations go on for {minutes} minutes after their end"
        ));
    }
    admin
        .set_threading_timeline(&timeline.with_open_minutes(minutes))
        .await
        .map_err(|error| explained(&error, Step::WriteTimeline))?;
    let before = before.map_or_else(
        || "Genesys Cloud's default".to_owned(),
        |before| before.to_string(),
    );
    Ok(format!(
        "set: open messaging conversations go on for {minutes} minutes after their end (before: {before})"
    ))
}
