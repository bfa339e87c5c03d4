//! `handler genesys threading-timeline`: when a customer who writes again begins a new conversation.

use services::genesys::admin::GenesysAdmin;

use super::failure::{Step, explained};

/// Sets the minutes of open messaging unless they are set; returns the line to print.
///
/// # Errors
/// One line of what to do.
pub async fn run(admin: &GenesysAdmin, minutes: u32) -> anyhow::Result<String> {
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
