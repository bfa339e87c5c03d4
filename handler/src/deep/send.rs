//! `handler check --deep --send`: a marked message, written by a person in Teams and answered by an agent, is followed through the
//! bridge. Only people can write at both ends: no app may post as a customer, and none may answer as an agent.

use std::time::Duration;

use bridge::self_check::{Check, Leg, Mark};
use functions::self_check::{followed, leave_mark, take_mark};
use services::blob::Blobs;
use tokio::time::{Instant, sleep};

use super::blobs;
use crate::login::explained;
use crate::report::Report;

/// Time for the people at both ends, each.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// Time between two looks.
const EVERY: Duration = Duration::from_secs(2);

/// Says what to write, and follows it there and back.
///
/// # Errors
/// The data account is not named.
pub async fn run(
    lookup: &impl Fn(&str) -> Option<String>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let blobs = blobs(lookup)?;
    let mark = leave_mark(&blobs)
        .await
        .map_err(|error| explained(&error))?;
    Report::title(format_args!(
        "          Write these words to the Support User (or the bot) in Teams, as a person whose tenant may: {mark}"
    ));
    tokio::select! {
        () = follow(&blobs, &mark, report) => {}
        _ = tokio::signal::ctrl_c() => {
            report.note("followed message", Err::<String, _>("you ended the check"));
        }
    }
    // What stays behind is removed by the storage account's lifecycle rule.
    let _ = take_mark(&blobs, &mark).await;
    Ok(())
}

async fn follow(blobs: &Blobs, mark: &Mark, report: &mut Report) {
    let there = "from Teams to the agent";
    let leg = wait(blobs, mark, |check| check.to_agent).await;
    let arrived = leg.is_ok();
    report.note(
        there,
        leg.map(told).map_err(|why| {
            why.unwrap_or_else(|| {
                "it did not come within ten minutes: RUNBOOK.md, \"Support is silent\", has where to look, in which order"
                    .to_owned()
            })
        }),
    );
    if !arrived {
        return;
    }
    Report::title(
        "          Now answer with the same words, as the agent who has the conversation",
    );
    let leg = wait(blobs, mark, |check| check.to_customer).await;
    report.note(
        "from the agent to Teams",
        leg.map(told).map_err(|why| {
            why.unwrap_or_else(|| {
                "it did not come within ten minutes: is an agent on queue, and does the message at the agent's say failed? \
                 RUNBOOK.md, \"Support is silent\", has where to look"
                    .to_owned()
            })
        }),
    );
}

/// Waits until a leg is noted. An error without words is that nothing came.
async fn wait(
    blobs: &Blobs,
    mark: &Mark,
    leg: fn(&Check) -> Option<Leg>,
) -> Result<Leg, Option<String>> {
    let give_up = Instant::now() + PATIENCE;
    while Instant::now() < give_up {
        match followed(blobs, mark).await {
            Ok(Some(check)) => {
                if let Some(leg) = leg(&check) {
                    return Ok(leg);
                }
            }
            Ok(None) => return Err(Some("its mark is gone: begin again".to_owned())),
            Err(error) => return Err(Some(explained(&error).to_string())),
        }
        sleep(EVERY).await;
    }
    Err(None)
}

/// How long it took, by three clocks.
fn told(leg: Leg) -> String {
    format!(
        "the bridge was told {:.1} s after it was written, and the other side had it {:.1} s later",
        (leg.accepted - leg.written).as_seconds_f64().max(0.0),
        (leg.delivered - leg.accepted).as_seconds_f64().max(0.0),
    )
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn the_times_are_told_and_a_clock_that_is_behind_does_no_harm() {
        let leg = Leg {
            written: datetime!(2026-11-28 10:00:01 UTC),
            accepted: datetime!(2026-11-28 10:00:00 UTC),
            delivered: datetime!(2026-11-28 10:00:00.25 UTC),
        };
        assert_eq!(
            told(leg),
            "the bridge was told 0.0 s after it was written, and the other side had it 0.2 s later"
        );
    }
}
