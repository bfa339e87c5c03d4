//! How notifications are sent: in the order of writing within a chat as far as first attempts go, each retried on its own.

use std::iter::repeat_n;
use std::time::Duration;

use crate::delivery::{Deliveries, Delivery, FirstAttempt};
use crate::hub::{Direction, FaultService};

/// Graph waits this long for the answer to a first delivery.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Graph waits this long for the answer to a repeated delivery ("Receive change notifications through webhooks").
const TIMEOUT_REPEATED: Duration = Duration::from_secs(10);

/// Seconds between the first attempts, and then between all others for four hours. Graph's own waits are longer and not
/// published; these keep a person at the page from waiting for minutes.
const WAITS: ([u64; 3], u64) = ([1, 2, 4], 8);

/// Puts a notification for this address into the chat's line.
pub fn send(
    deliveries: &Deliveries,
    chat: &str,
    url: String,
    body: Vec<u8>,
    correlation: Option<String>,
) -> FirstAttempt {
    let (first, then) = WAITS;
    let waits = first.into_iter().chain(repeat_n(then, 4 * 3600 / 8));
    let delivery = Delivery {
        service: FaultService::GraphNotification,
        direction: Direction::Inbound,
        hop: "notification",
        correlation,
        body,
        request: Box::new(move |client, number, _| {
            let first = number == 1;
            let limit = if first { TIMEOUT } else { TIMEOUT_REPEATED };
            client.post(&url).timeout(limit)
        }),
        repeat: |_| {},
        will_do: |status| status.is_success(),
    };
    let waits = waits.map(Duration::from_secs);
    deliveries.send(chat, Duration::MAX, waits, delivery)
}
