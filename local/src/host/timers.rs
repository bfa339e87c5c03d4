//! Timer functions: one call at a time, by the schedule or on demand.
//!
//! Source: Azure/azure-webjobs-sdk-extensions, `TimerListener.cs`: a failure is swallowed, and the status moves on all the same.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use tokio::sync::Mutex;

use super::app::{App, TimerBinding, Trigger};
use super::envelope;
use super::invoke::Outcome;
use super::worker::Worker;

/// A timer function.
#[derive(Debug)]
pub(super) struct Timer {
    function: String,
    binding: TimerBinding,
    /// The last call; held while one is under way, since the host makes one at a time.
    last: Mutex<Option<OffsetDateTime>>,
}

/// The timer functions of an app, by their names.
pub(super) fn of(app: &App) -> BTreeMap<String, Timer> {
    let timers = app.functions.iter().filter_map(|it| match &it.trigger {
        Trigger::Timer(binding) => Some((it.name.clone(), binding.clone())),
        _ => None,
    });
    let timer = |(function, binding): (String, TimerBinding)| {
        let last = Mutex::default();
        let timer = Timer {
            function: function.clone(),
            binding,
            last,
        };
        (function, timer)
    };
    timers.map(timer).collect()
}

impl Timer {
    /// When it is due next.
    pub(super) fn next(&self) -> Option<OffsetDateTime> {
        self.binding.schedule.next(OffsetDateTime::now_utc())
    }

    /// Calls the function now, once an earlier call is over.
    pub(super) async fn fire(&self, worker: &Worker) -> Outcome {
        let mut last = self.last.lock().await;
        let now = OffsetDateTime::now_utc();
        let (function, binding) = (&self.function, &self.binding.name);
        let envelope = envelope::of_timer(function, binding, *last, now);
        let outcome = worker.call(function, &envelope).await;
        *last = Some(now);
        outcome
    }
}
