//! The Teams messages that an agent's message becomes.

use bridge::genesys::receipt::ReasonCode;
use bridge::genesys::webhook::{Piece, Webhook, pieces};
use bridge::ids::ChatId;
use bridge::teams::from_text::{TEAMS_BODY_LIMIT, split_for_teams};
use tokio::sync::SemaphorePermit;

use super::attachments;
use super::posting::Part;
use crate::app::App;
use crate::failure::{Failure, Rejection};

/// Fetches and converts all of an agent's message: its Teams messages, in order, and the leave to hold their pictures in
/// memory.
///
/// # Errors
/// Permanent when it holds nothing that Teams can show, or a file that the customer can never get.
pub(super) async fn of<'a>(
    app: &'a App,
    webhook: &Webhook,
    chat: &ChatId,
) -> Result<(Vec<Part>, Option<SemaphorePermit<'a>>), Failure> {
    let pieces = pieces(webhook);
    let has_files = pieces.iter().any(|piece| matches!(piece, Piece::File(_)));
    let pictures = match has_files {
        true => app.pictures.acquire().await.ok(),
        false => None,
    };
    let mut parts = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Text(text) => {
                let split = split_for_teams(text, TEAMS_BODY_LIMIT);
                parts.extend(split.into_iter().map(Part::of_html));
            }
            Piece::File(file) => {
                parts.push(attachments::part(app, webhook, chat, index, file).await?);
            }
        }
    }
    if parts.is_empty() {
        return Err(Failure::from(Rejection::new(
            "nothing_to_show",
            "the message holds nothing that Teams can show",
            ReasonCode::UnsupportedMessage,
        )));
    }
    Ok((parts, pictures))
}
