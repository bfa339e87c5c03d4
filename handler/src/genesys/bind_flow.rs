//! `handler genesys bind-flow`: without a flow, Genesys routes nothing of what customers write.

use std::time::Duration;

use anyhow::Context as _;
use services::genesys::admin::GenesysAdmin;
use uuid::Uuid;

use super::failure::{Step, explained};

/// Time between two looks at an integration that is being made.
const NEXT_LOOK: Duration = Duration::from_secs(1);

/// Binds the flow unless it is bound; returns the line to print.
///
/// # Errors
/// One line of what to do.
pub async fn run(
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
