//! The faults and blows of a storm, as their times come.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::plan::{Blow, Plan};
use crate::{Platform, view};

/// Lets the weather happen; `doomed` are the rules that hold throughout.
pub(super) async fn rage(platform: &Platform, plan: &Plan, doomed: &[Value], begun: Instant) {
    let mut times: Vec<Duration> = plan
        .spells
        .iter()
        .flat_map(|spell| [spell.from, spell.until])
        .chain(plan.blows.iter().map(|(at, _)| *at))
        .collect();
    times.sort_unstable();
    times.dedup();
    let mut blows = plan.blows.iter().peekable();
    let mut active = None;
    for time in times {
        sleep_until(begun + time).await;
        let spells = plan.spells.iter();
        let now: Vec<usize> = spells
            .enumerate()
            .filter(|(_, spell)| (spell.from..spell.until).contains(&time))
            .map(|(number, _)| number)
            .collect();
        if active.as_ref() != Some(&now) {
            let spells = now.iter().map(|number| plan.spells[*number].rule.clone());
            let rules: Vec<Value> = doomed.iter().cloned().chain(spells).collect();
            platform.faults(json!(rules)).await;
            active = Some(now);
        }
        while let Some((_, blow)) = blows.next_if(|(at, _)| *at <= time) {
            strike(platform, *blow).await;
        }
    }
}

async fn strike(platform: &Platform, blow: Blow) {
    match blow {
        Blow::Kill(instance) => {
            let order = json!({ "instance": instance });
            platform.post("/local/handler/kill", order).await;
        }
        Blow::Death(instance) => {
            let order = json!({ "instance": instance, "whole": true });
            platform.post("/local/handler/kill", order).await;
        }
        Blow::Removal => {
            let shown = platform.get("/local/graph/subscriptions").await;
            let all = view::list(shown, "subscriptions");
            if let Some(one) = all.first() {
                let path = format!("/local/graph/subscriptions/{}", view::text(one, "id"));
                platform.call(Method::DELETE, &path, None).await;
            }
        }
    }
}
