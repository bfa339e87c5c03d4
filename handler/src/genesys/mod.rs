//! `handler genesys …`: what an administrator does once for the bridge, on a machine of their own.
//!
//! Every command may be repeated: it changes nothing where all is as wanted, and says so.

mod bind_flow;
mod connection;
mod failure;
mod threading_timeline;

use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use uuid::Uuid;

use connection::Connection;

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

/// Runs a command; prints one line of what it did, or of what to do.
pub fn run(command: &Command) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(execute(command)),
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn execute(command: &Command) -> anyhow::Result<String> {
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
            bind_flow::run(&admin, integration, *flow, wait).await
        }
        Command::ThreadingTimeline { minutes } => {
            let admin = Connection::from_lookup(lookup)?.sign_in().await?;
            threading_timeline::run(&admin, *minutes).await
        }
    }
}
