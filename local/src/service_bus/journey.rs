//! What queues and queue functions add to the journey of a message.

use super::store::Sent;
use crate::hub::Direction;
use crate::world::World;

/// The way of a message in this queue, and the function that fills it. None for what has no journey there: a receipt
/// travels on the inbound queue under the correlation of the agent's message, and its hop is recorded once Genesys has it.
fn way(world: &World, queue: &str, correlation: &str) -> Option<(Direction, &'static str)> {
    let queues = &world.config.queues;
    let journey = world.hub.journeys.direction_of(correlation);
    if queue == queues.inbound && journey != Some(Direction::Outbound) {
        let through_bot = world.hub.journeys.next_attempt(correlation, "activity") > 1;
        let function = if through_bot {
            "inbound-bot"
        } else {
            "inbound-graph"
        };
        Some((Direction::Inbound, function))
    } else if queue == queues.outbound {
        Some((Direction::Outbound, "outbound-genesys"))
    } else {
        None
    }
}

/// A message was sent to a queue.
pub(super) fn sent(world: &World, queue: &str, correlation: &str, sent: Sent) {
    let Some((direction, function)) = way(world, queue, correlation) else {
        return;
    };
    let outcome = match sent {
        Sent::Accepted => "accepted",
        Sent::Duplicate => "duplicate dropped",
    };
    let hub = &world.hub;
    let attempt = hub.journeys.next_attempt(correlation, function);
    hub.journey(correlation, direction, function, attempt, "enqueued");
    let queue = format!("queue {queue}");
    hub.journey(correlation, direction, &queue, attempt, outcome);
}

/// A queue function was called for a message; `outcome` is the status it answered or what went wrong.
pub fn delivered(
    world: &World,
    queue: &str,
    function: &str,
    correlation: &str,
    attempt: u32,
    outcome: &str,
) {
    if let Some((direction, _)) = way(world, queue, correlation) {
        let hub = &world.hub;
        hub.journey(correlation, direction, function, attempt, outcome);
    }
}
