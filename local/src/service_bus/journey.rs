//! What queues and queue functions add to the journey of a message.

use super::store::Sent;
use crate::hub::Direction;
use crate::world::World;

/// The way of the messages in this queue and the function that fills it.
fn of_queue(world: &World, queue: &str) -> Option<(Direction, &'static str)> {
    let queues = &world.config.queues;
    if queue == queues.inbound {
        Some((Direction::Inbound, "inbound-graph"))
    } else if queue == queues.outbound {
        Some((Direction::Outbound, "outbound-genesys"))
    } else {
        None
    }
}

/// Whether this is a receipt: it travels on the inbound queue under the correlation of the agent's message. Its hop
/// is recorded once Genesys has it.
fn is_receipt(world: &World, direction: Direction, correlation: &str) -> bool {
    direction == Direction::Inbound
        && world.hub.journeys.direction_of(correlation) == Some(Direction::Outbound)
}

/// A message was sent to a queue.
pub(super) fn sent(world: &World, queue: &str, correlation: &str, sent: Sent) {
    let Some((direction, function)) = of_queue(world, queue) else {
        return;
    };
    if is_receipt(world, direction, correlation) {
        return;
    }
    let outcome = match sent {
        Sent::Accepted => "accepted",
        Sent::Duplicate => "duplicate dropped",
    };
    let attempt = world.hub.journeys.next_attempt(correlation, function);
    let record = |hop: &str, outcome: &str| {
        world
            .hub
            .journey(correlation, direction, hop, attempt, outcome);
    };
    record(function, "enqueued");
    record(&format!("queue {queue}"), outcome);
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
    if let Some((direction, _)) = of_queue(world, queue)
        && !is_receipt(world, direction, correlation)
    {
        world
            .hub
            .journey(correlation, direction, function, attempt, outcome);
    }
}
