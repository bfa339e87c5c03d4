//! Sending notifications: in the order of writing within a chat as far as first attempts go, each retried on its own.

use std::iter::repeat_n;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::delivery::Attempt;
use crate::hub::{Direction, FaultService};
use crate::shared::lines::{FirstAttempt, Lines};
use crate::shared::serve::loopback_client;
use crate::world::World;

/// Graph waits this long for the answer to a first delivery.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Graph waits this long for the answer to a repeated delivery ("Receive change notifications through webhooks").
const TIMEOUT_REPEATED: Duration = Duration::from_secs(10);

/// Seconds between the first attempts, and then between all others for four hours. Graph's own waits are longer and not
/// published; these keep a person at the page from waiting for minutes.
const WAITS: ([u64; 3], u64) = ([1, 2, 4], 8);

/// Sends notifications, in a line for each chat.
pub struct Deliveries {
    world: Arc<World>,
    client: reqwest::Client,
    lines: Lines,
}

struct Notification {
    world: Arc<World>,
    client: reqwest::Client,
    body: Vec<u8>,
    correlation: Option<String>,
}

impl Deliveries {
    /// Nothing sent yet.
    ///
    /// # Panics
    /// When no client can be built, which only a broken build does.
    pub fn new(world: Arc<World>) -> Self {
        let client = loopback_client().build();
        Self {
            world,
            client: client.expect("a client for plain HTTP can be built"),
            lines: Lines::default(),
        }
    }

    /// Where notifications go.
    pub fn url(world: &World) -> String {
        format!("{}/api/graph/notifications", world.endpoints.functions)
    }

    /// Puts a notification into the chat's line.
    pub fn send(&self, chat: &str, body: Vec<u8>, correlation: Option<String>) -> FirstAttempt {
        let notification = Arc::new(Notification {
            world: Arc::clone(&self.world),
            client: self.client.clone(),
            body,
            correlation,
        });
        let (first, then) = WAITS;
        let waits = first.into_iter().chain(repeat_n(then, 4 * 3600 / 8));
        let waits = waits.map(Duration::from_secs);
        self.lines.send(chat, Duration::MAX, waits, move |number| {
            Arc::clone(&notification).attempt(number)
        })
    }
}

impl Notification {
    /// Sends once; true when the answer was a 2xx in time and arrived.
    async fn attempt(self: Arc<Self>, number: u32) -> bool {
        let attempt = Attempt {
            service: FaultService::GraphNotification,
            correlation: self.correlation.as_deref(),
            direction: Direction::Inbound,
            hop: "notification",
            number,
        };
        let limit = if number == 1 {
            TIMEOUT
        } else {
            TIMEOUT_REPEATED
        };
        let url = Deliveries::url(&self.world);
        let request = || self.client.post(&url).timeout(limit);
        let will_do = |status: StatusCode| status.is_success();
        attempt
            .send(&self.world, &self.body, request, will_do)
            .await
    }
}
