//! One probe at a time while a service is down: a recovering service is not met by every waiting lane at once.

use std::sync::atomic::{AtomicU32, Ordering};

use services::error::{ErrorKind, Service, ServiceError};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout_at};

use crate::failure::Failure;

/// Failures in a row, with no success between, after which a service counts as down.
const DOWN_AFTER: u32 = 3;

/// State of the two services whose outages lanes wait out.
#[derive(Debug, Default)]
pub struct Outages {
    graph: Outage,
    genesys: Outage,
}

#[derive(Debug, Default)]
struct Outage {
    failures: AtomicU32,
    probe: Mutex<()>,
}

/// The right to try a service that is down; nobody else tries while it is held.
#[derive(Debug)]
pub struct Probe<'a>(#[expect(dead_code, reason = "held for its Drop")] MutexGuard<'a, ()>);

impl Outages {
    fn of(&self, service: Service) -> Option<&Outage> {
        match service {
            Service::Graph => Some(&self.graph),
            Service::Genesys => Some(&self.genesys),
            _ => None,
        }
    }

    /// Whether the service failed often enough in a row to count as down.
    pub fn is_down(&self, service: Service) -> bool {
        self.of(service)
            .is_some_and(|outage| outage.failures.load(Ordering::Relaxed) >= DOWN_AFTER)
    }

    /// Returns at once while the service is up, otherwise when it is the caller's turn to try it.
    ///
    /// # Errors
    /// That would be after the deadline.
    pub async fn turn(
        &self,
        service: Service,
        deadline: Instant,
    ) -> Result<Option<Probe<'_>>, Failure> {
        let Some(outage) = self.of(service).filter(|_| self.is_down(service)) else {
            return Ok(None);
        };
        let guard = timeout_at(deadline, outage.probe.lock())
            .await
            .map_err(|_| Failure::OutOfTime)?;
        // The one before may have found the service up again.
        Ok(self.is_down(service).then_some(Probe(guard)))
    }

    /// Notes that the service answered.
    pub fn succeeded(&self, service: Service) {
        if let Some(outage) = self.of(service)
            && outage.failures.swap(0, Ordering::Relaxed) >= DOWN_AFTER
        {
            let service = service.label();
            tracing::info!(event = "service_up", service, "it answers again");
        }
    }

    /// Notes an error; only those that say "down" count, a refusal is an answer.
    pub fn failed(&self, error: &ServiceError) {
        let Some(outage) = self.of(error.service) else {
            return;
        };
        match error.kind {
            ErrorKind::Unavailable | ErrorKind::TimedOut | ErrorKind::Connection => {
                if outage.failures.fetch_add(1, Ordering::Relaxed) + 1 == DOWN_AFTER {
                    let service = error.service.label();
                    tracing::warn!(
                        event = "service_down",
                        service,
                        "one attempt at a time from now on"
                    );
                }
            }
            _ => outage.failures.store(0, Ordering::Relaxed),
        }
    }
}
