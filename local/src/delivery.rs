//! One attempt of a simulator to deliver something to us, with the faults ordered for it.

use http::StatusCode;
use time::OffsetDateTime;
use tokio::time::sleep;

use crate::hub::{Call, Direction, Drop, FaultService};
use crate::world::World;

/// What an attempt is about.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// The service whose faults strike.
    pub service: FaultService,
    /// The journey that hears of it, when there is one.
    pub correlation: Option<&'a str>,
    /// The way of that journey.
    pub direction: Direction,
    /// The hop of that journey.
    pub hop: &'static str,
    /// Counts from 1.
    pub number: u32,
}

impl Attempt<'_> {
    /// Sends the body once, or more often where that was ordered; whether an answer that will do arrived.
    pub async fn send(
        &self,
        world: &World,
        body: &[u8],
        request: impl Fn() -> reqwest::RequestBuilder,
        will_do: impl Fn(StatusCode) -> bool,
    ) -> bool {
        let faults = &world.hub.faults;
        let plan = faults.decide(self.service, &Call::delivery(body));
        sleep(plan.delay).await;
        let started = OffsetDateTime::now_utc();
        let tell = |outcome: &str| {
            if let Some(id) = self.correlation {
                let (hub, way) = (&world.hub, self.direction);
                hub.journey_at(started, id, way, self.hop, self.number, outcome);
            }
        };
        if plan.drop == Some(Drop::Before) {
            tell("lost");
            return false;
        }
        let mut done = false;
        for _ in 0..=plan.duplicate {
            let request = request()
                .header("content-type", "application/json; charset=utf-8")
                .body(body.to_vec());
            match request.send().await {
                Ok(answer) => {
                    done |= will_do(answer.status());
                    tell(answer.status().as_str());
                }
                Err(error) if error.is_timeout() => tell("timed out"),
                Err(_) => tell("no connection"),
            }
        }
        done && plan.drop.is_none()
    }
}
