//! What the simulators deliver to us: in lines, in each of which the first attempts follow each other and repetitions hold
//! nobody up, and with the faults ordered for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use reqwest::{Client, RequestBuilder};
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::hub::{Call, Direction, Drop, FaultService};
use crate::shared::locked::Locked;
use crate::shared::serve::loopback_client;
use crate::world::World;

/// Makes the request of an attempt, whose number counts from 1, with this body still to be added.
pub type MakeRequest = Box<dyn Fn(&Client, u32, &[u8]) -> RequestBuilder + Send + Sync>;

/// What is delivered, and how.
pub struct Delivery {
    /// The service whose faults strike.
    pub service: FaultService,
    /// The way of the journey that hears of it.
    pub direction: Direction,
    /// The hop of that journey.
    pub hop: &'static str,
    /// That journey, when there is one.
    pub correlation: Option<String>,
    /// The body, a JSON document.
    pub body: Vec<u8>,
    /// To the address and with the headers of the service.
    pub request: MakeRequest,
    /// What a repetition changes in the body.
    pub repeat: fn(&mut Vec<u8>),
    /// Whether nothing is to be repeated after an answer of this status.
    pub will_do: fn(StatusCode) -> bool,
}

/// A delivery's first attempt.
#[derive(Clone)]
pub struct FirstAttempt(watch::Receiver<bool>);

impl FirstAttempt {
    /// Resolves when it is over; also when its task is gone.
    pub async fn over(mut self) {
        let _ = self.0.wait_for(|over| *over).await;
    }
}

/// Sends deliveries.
pub struct Deliveries {
    world: Arc<World>,
    client: Client,
    /// The last delivery's first attempt in each line.
    last: Locked<HashMap<String, FirstAttempt>>,
}

impl Deliveries {
    /// Nothing sent yet.
    ///
    /// # Panics
    /// When no client can be built, which only a broken build does.
    #[must_use]
    pub fn new(world: Arc<World>) -> Self {
        let client = loopback_client().build();
        Self {
            world,
            client: client.expect("a client for plain HTTP can be built"),
            last: Locked::default(),
        }
    }

    /// Delivers in a task of its own. The first attempt comes after that of the delivery before it in this line, but waits no
    /// longer than `turn`; until an attempt succeeds, another follows after the next of the waits.
    pub fn send(
        &self,
        line: &str,
        turn: Duration,
        waits: impl Iterator<Item = Duration> + Send + 'static,
        mut delivery: Delivery,
    ) -> FirstAttempt {
        let (over, first) = watch::channel(false);
        let first = FirstAttempt(first);
        let before = { self.last.lock() }.insert(line.to_owned(), first.clone());
        let (world, client) = (Arc::clone(&self.world), self.client.clone());
        tokio::spawn(async move {
            if let Some(before) = before {
                // Late is as good as over.
                let _ = timeout(turn, before.over()).await;
            }
            let mut done = delivery.attempt(&world, &client, 1).await;
            over.send_replace(true);
            for (number, wait) in (2..).zip(waits) {
                if done {
                    return;
                }
                sleep(wait).await;
                (delivery.repeat)(&mut delivery.body);
                done = delivery.attempt(&world, &client, number).await;
            }
        });
        first
    }
}

impl Delivery {
    /// Sends the body once, or more often where that was ordered; whether an answer that will do arrived.
    async fn attempt(&self, world: &World, client: &Client, number: u32) -> bool {
        let faults = &world.hub.faults;
        let plan = faults.decide(self.service, &Call::delivery(&self.body));
        sleep(plan.delay).await;
        let started = OffsetDateTime::now_utc();
        let tell = |outcome: &str| {
            if let Some(correlation) = &self.correlation {
                let (hub, direction) = (&world.hub, self.direction);
                hub.journey_at(started, correlation, direction, self.hop, number, outcome);
            }
        };
        if plan.drop == Some(Drop::Before) {
            tell("lost");
            return false;
        }
        let mut done = false;
        for _ in 0..=plan.duplicate {
            let request = (self.request)(client, number, &self.body)
                .header("content-type", "application/json; charset=utf-8")
                .body(self.body.clone());
            match request.send().await {
                Ok(answer) => {
                    done |= (self.will_do)(answer.status());
                    tell(answer.status().as_str());
                }
                Err(error) if error.is_timeout() => tell("timed out"),
                Err(_) => tell("no connection"),
            }
        }
        done && plan.drop.is_none()
    }
}
