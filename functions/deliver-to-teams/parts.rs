//! The Teams messages that an agent's message becomes.

use bridge::bot::cards::{self, Shown};
use bridge::bot::outgoing;
use bridge::genesys::receipt::ReasonCode;
use bridge::genesys::speaker::introduced;
use bridge::genesys::webhook::{Piece, Webhook, pieces, question};
use bridge::state::outbound::Says;
use bridge::teams::from_text::{TEAMS_BODY_LIMIT, split_for_teams};
use bridge::text::split::split;
use tokio::sync::SemaphorePermit;

use super::attachments;
use crate::app::App;
use crate::doors::{Door, Part};
use crate::failure::{Failure, Rejection};

/// All that is posted of an agent's message.
pub(super) struct Made<'a> {
    /// Its Teams messages, in order.
    pub(super) parts: Vec<Part>,
    /// What they are to the conversation.
    pub(super) says: Says,
    /// The leave to hold their pictures in memory.
    _pictures: Option<SemaphorePermit<'a>>,
}

/// Fetches and converts all of an agent's message. A name is put before it.
///
/// # Errors
/// Permanent when it holds nothing that Teams can show, or a file that the customer can never get.
pub(super) async fn of<'a>(
    app: &'a App,
    door: &Door<'_>,
    webhook: &Webhook,
    name: Option<&str>,
) -> Result<Made<'a>, Failure> {
    let mut says = question(webhook).map_or(Says::Words, Says::Question);
    let mut shown: Vec<Shown<'_>> = match door {
        Door::Graph(_) => pieces(webhook).into_iter().map(Shown::Piece).collect(),
        Door::Bot(_) => cards::shown(webhook),
    };
    if shown.is_empty() {
        return Err(Failure::from(Rejection::new(
            "nothing_to_show",
            "the message holds nothing that Teams can show",
            ReasonCode::UnsupportedMessage,
        )));
    }
    if let Some(name) = name {
        match shown.first_mut() {
            Some(Shown::Piece(Piece::Text(text))) => *text = introduced(name, text),
            _ => shown.insert(0, Shown::Piece(Piece::Text(introduced(name, "")))),
        }
    }
    let is_file = |shown: &Shown<'_>| matches!(shown, Shown::Piece(Piece::File(_)));
    let pictures = match shown.iter().any(is_file) {
        true => app.pictures.acquire().await.ok(),
        false => None,
    };
    let mut parts = Vec::new();
    for (index, shown) in shown.into_iter().enumerate() {
        match (shown, door) {
            (Shown::Piece(Piece::Text(text)), Door::Graph(_)) => {
                let split = split_for_teams(&text, TEAMS_BODY_LIMIT);
                parts.extend(split.into_iter().map(Part::of_html));
            }
            (Shown::Piece(Piece::Text(text)), Door::Bot(_)) => {
                let split = split(&text, outgoing::TEXT_LIMIT);
                parts.extend(
                    split
                        .iter()
                        .map(|text| Part::Activity(outgoing::words(text))),
                );
            }
            (Shown::Piece(Piece::File(file)), _) => {
                parts.extend(attachments::parts(door, webhook, index, file).await?);
            }
            (Shown::Card(card), _) => {
                if let Some(question) = card.question {
                    says = Says::Question(question);
                }
                parts.push(Part::Activity(outgoing::card(&card.card, &card.summary)));
            }
        }
    }
    Ok(Made {
        parts,
        says,
        _pictures: pictures,
    })
}
