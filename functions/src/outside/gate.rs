//! Calls through the gate.

use std::sync::{Arc, Mutex, PoisonError};

use bridge::ids::Digest;
use bridge::patience::{Fault, Meter};
use services::blob::Blobs;
use services::error::{ErrorKind, Service, ServiceError};
use services::files::FetchError;
use tokio::time::Instant;

use super::pace::Pace;
use super::probe::{Outage, Probe};
use super::{Call, Caller, Kind};
use crate::failure::{Failure, fault_of};

/// The one way to Graph and Genesys.
#[derive(Debug)]
pub struct Gate {
    pace: Pace,
    started: Instant,
    health: [Health; Kind::ALL.len()],
}

#[derive(Debug, Default)]
struct Health {
    meter: Mutex<Meter>,
    outage: Outage,
}

/// Leave to make one call now. Whatever has to be saved before a call is saved after its turn has come.
#[must_use]
pub struct Turn<'a> {
    gate: &'a Gate,
    call: Call<'a>,
    caller: &'a Caller,
    client: usize,
    _probe: Probe<'a>,
}

impl Gate {
    /// Nothing is called yet. `genesys_clients` are the ids of our OAuth clients, each of which Genesys takes so
    /// many calls a minute from.
    pub fn new(blobs: Arc<Blobs>, genesys_clients: &[String], genesys_per_minute: u32) -> Self {
        Self {
            pace: Pace::new(blobs, genesys_clients, genesys_per_minute),
            started: Instant::now(),
            health: Default::default(),
        }
    }

    /// Waits for pause, pace and probe.
    ///
    /// # Errors
    /// The turn would come after the caller's deadline.
    pub async fn turn<'a>(
        &'a self,
        call: Call<'a>,
        caller: &'a Caller,
    ) -> Result<Turn<'a>, Failure> {
        let pace = &self.pace;
        let client = pace.turn(call, &caller.subject, caller.deadline).await?;
        let outage = &self.health(call.kind()).outage;
        let probe = outage.turn(&caller.subject, caller.deadline).await?;
        Ok(Turn {
            gate: self,
            call,
            caller,
            client,
            _probe: probe,
        })
    }

    /// Waits for a turn and makes the call.
    ///
    /// # Errors
    /// As [`Self::turn`], and those of the call.
    pub async fn call<'a, T>(
        &'a self,
        call: Call<'a>,
        caller: &'a Caller,
        request: impl Future<Output = Result<T, ServiceError>>,
    ) -> Result<T, Failure> {
        let turn = self.turn(call, caller).await?;
        turn.make(request).await.map_err(Failure::Service)
    }

    /// The services that do not answer at present, for people.
    pub fn down(&self) -> Vec<Service> {
        let mut kinds = Kind::ALL.to_vec();
        kinds.retain(|kind| kind.holds_messages() && self.health(*kind).outage.is_down());
        let mut services: Vec<Service> = kinds.into_iter().map(Kind::service).collect();
        services.dedup();
        services
    }

    /// Whether a service was well for other chats for so long that a chat that still fails is to blame itself: those kinds of
    /// calls that fail for it.
    pub(crate) fn well_for_others(&self, service: Service, mine: &Digest) -> bool {
        let now = self.started.elapsed();
        let mut failing = Kind::ALL
            .into_iter()
            .filter(|kind| kind.service() == service && kind.holds_messages())
            .filter(|kind| self.meter(*kind, |meter| meter.failed_for(now, mine)))
            .peekable();
        failing.peek().is_some()
            && failing.all(|kind| self.meter(kind, |meter| meter.well_for_others(now, mine)))
    }

    /// Whether a call of this kind was served for another chat lately.
    pub(crate) fn served_others(&self, kind: Kind, mine: &Digest) -> bool {
        let now = self.started.elapsed();
        self.meter(kind, |meter| meter.served_others(now, mine))
    }

    fn meter<R>(&self, kind: Kind, action: impl FnOnce(&mut Meter) -> R) -> R {
        let meter = &self.health(kind).meter;
        action(&mut meter.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn health(&self, kind: Kind) -> &Health {
        &self.health[kind as usize]
    }
}

impl Turn<'_> {
    /// Which client of the service is to make the call, by its place in the setting. There is only one but at Genesys.
    pub const fn client(&self) -> usize {
        self.client
    }

    /// Makes the call, notes how it went, and passes on a wish to be left alone.
    ///
    /// # Errors
    /// Those of the call.
    pub async fn make<T>(
        self,
        request: impl Future<Output = Result<T, ServiceError>>,
    ) -> Result<T, ServiceError> {
        let result = request.await;
        let (gate, call, subject) = (self.gate, self.call, &self.caller.subject);
        let error = result.as_ref().err();
        // A token or a store that could not be had says nothing of the service itself.
        if error.is_none_or(|error| error.service == call.kind().service()) {
            let fault = error.map(fault_of);
            let outage = &gate.health(call.kind()).outage;
            outage.note(call.kind(), subject, fault);
            if matches!(fault, None | Some(Fault::Transient)) {
                let now = gate.started.elapsed();
                gate.meter(call.kind(), |meter| {
                    meter.note(now, subject, fault.is_none());
                });
            }
        }
        if let Some(error) = error.filter(|error| error.kind == ErrorKind::Throttled) {
            gate.pace.pause(call, self.client, error).await;
        }
        if error.is_none() {
            gate.pace.served(call, self.client);
        }
        if error.is_some_and(|error| is_about_client(call, error)) {
            gate.pace.doubt(call, self.client);
        }
        result
    }
}

impl Turn<'_> {
    /// Opens a file, and notes how that went: what is about the file says nothing of the service that was asked for it.
    ///
    /// # Errors
    /// Those of the opening.
    pub async fn open<T>(
        self,
        opening: impl Future<Output = Result<T, FetchError>>,
    ) -> Result<T, FetchError> {
        let asked = self.call.kind().service();
        let opened = self.make(async {
            match opening.await {
                Err(FetchError::Service(error))
                    if error.service == asked && fault_of(&error) != Fault::Refusal =>
                {
                    Err(error)
                }
                opened => Ok(opened),
            }
        });
        opened.await?
    }
}

/// Whether Genesys refused the client that called, so that another may be taken.
fn is_about_client(call: Call<'_>, error: &ServiceError) -> bool {
    let is_refused = matches!(
        error.kind,
        ErrorKind::Configuration | ErrorKind::Unauthorized | ErrorKind::Forbidden
    );
    call.proves_client() && error.service == Service::Genesys && is_refused
}
