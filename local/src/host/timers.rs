//! Timer functions: one call at a time, by the schedule or on demand.
//!
//! Source: Azure/azure-webjobs-sdk-extensions, `TimerListener.cs`: a failure is swallowed, and the status moves on all the same.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::sync::Mutex;

use super::app::{App, TimerBinding, Trigger};
use super::envelope;
use super::invoke::Outcome;
use super::worker::Worker;
use crate::shared::clock::Clock;
use crate::shared::locked::Locked;
use crate::shared::time_text;

/// A timer function.
#[derive(Debug)]
pub(super) struct Timer {
    function: String,
    binding: TimerBinding,
    /// Held while a call is under way, since the host makes one at a time.
    turn: Mutex<()>,
    past: Locked<Past>,
}

/// The calls that are over.
#[derive(Debug, Default, Clone, Copy)]
struct Past {
    calls: u64,
    failures: u64,
    /// Begin and end of the last one.
    last: Option<(OffsetDateTime, OffsetDateTime)>,
}

/// The timer functions of an app, by their names.
pub(super) fn of(app: &App) -> BTreeMap<String, Timer> {
    let timers = app.functions.iter().filter_map(|it| match &it.trigger {
        Trigger::Timer(binding) => Some((it.name.clone(), binding.clone())),
        _ => None,
    });
    let timer = |(function, binding): (String, TimerBinding)| {
        let timer = Timer {
            function: function.clone(),
            binding,
            turn: Mutex::default(),
            past: Locked::default(),
        };
        (function, timer)
    };
    timers.map(timer).collect()
}

impl Timer {
    /// When it is due next after this.
    pub(super) fn next(&self, after: OffsetDateTime) -> Option<OffsetDateTime> {
        self.binding.schedule.next(after)
    }

    /// Calls the function now, once an earlier call is over.
    pub(super) async fn fire(&self, worker: &Worker, clock: &Clock) -> Outcome {
        let _turn = self.turn.lock().await;
        let began = clock.now();
        let last = self.past.lock().last.map(|(began, _)| began);
        let (function, binding) = (&self.function, &self.binding.name);
        let envelope = envelope::of_timer(function, binding, last, began);
        let outcome = worker.call(function, &envelope).await;
        let mut past = self.past.lock();
        past.calls += 1;
        past.failures += u64::from(matches!(outcome, Outcome::Failure(_)));
        past.last = Some((began, clock.now()));
        outcome
    }

    /// How it went until now.
    pub(super) fn view(&self) -> Value {
        let past = *self.past.lock();
        json!({
            "function": self.function,
            "calls": past.calls,
            "failures": past.failures,
            "began": past.last.map(|(began, _)| time_text(began)),
            "ended": past.last.map(|(_, ended)| time_text(ended)),
        })
    }
}
