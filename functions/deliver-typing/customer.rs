//! A customer who is typing, told to the agent.

use std::time::Duration;

use bridge::genesys::inbound;
use bridge::queue::envelope::ActivityEnvelope;
use bridge::state::blobs;
use bridge::state::inbound::InboundState;
use bridge::state::outbound::OutboundState;
use bridge::typing::thread_to_tell;
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::app::App;
use crate::failure::Failure;
use crate::outside::Call;
use crate::queue::delivery::{Delivery, Outcome};
use crate::store::document::peek;

/// How long it may wait for its turn: the first to be shed when Genesys takes no more.
const WAIT: Duration = Duration::from_millis(500);

/// Tells it, unless it was told a moment ago or no agent is there.
///
/// # Errors
/// It could not be told.
pub(super) async fn tell(
    app: &App,
    delivery: &Delivery,
    activity: &ActivityEnvelope,
) -> Result<Outcome, Failure> {
    let subject = activity.chat.digest();
    if app.typing_told.contains(&subject) {
        return Ok(Outcome::Skipped("told a moment ago"));
    }
    let (ours, theirs) = (
        blobs::inbound_state(&activity.chat),
        blobs::outbound_state(&activity.chat),
    );
    let (inbound, outbound) = futures::try_join!(
        peek::<InboundState>(&app.blobs, &ours),
        peek::<OutboundState>(&app.blobs, &theirs),
    )?;
    let now = OffsetDateTime::now_utc();
    let window = app.settings.typing_window;
    let thread = inbound
        .zip(outbound)
        .and_then(|(inbound, outbound)| thread_to_tell(&inbound, &outbound, window, now));
    let Some(thread) = thread else {
        return Ok(Outcome::Skipped("no agent is there"));
    };
    app.typing_told.insert(subject.clone(), ());
    let mut caller = delivery.caller(subject);
    caller.deadline = caller.deadline.min(Instant::now() + WAIT);
    drop(app.gate.turn(Call::GenesysTypingPart, &caller).await?);
    let turn = app.gate.turn(Call::GenesysTyping, &caller).await?;
    let genesys = app.genesys_by(turn.client());
    let correlation = caller.correlation.as_str();
    let typing = inbound::typing(&thread, now);
    turn.make(genesys.post_typing(typing, correlation)).await?;
    Ok(Outcome::Delivered)
}
