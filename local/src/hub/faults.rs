//! Faults that can be ordered: slowness, refusals, lost answers, duplicates.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Where a fault can strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultService {
    /// Calls to Microsoft Graph.
    Graph,
    /// Calls to Genesys, token requests included.
    Genesys,
    /// Calls to Entra ID.
    Entra,
    /// Calls to Key Vault.
    KeyVault,
    /// Calls to the managed-identity endpoint.
    Identity,
    /// Calls to Service Bus.
    ServiceBus,
    /// Notifications that Graph delivers to us.
    GraphNotification,
    /// Webhooks that Genesys delivers to us.
    GenesysWebhook,
    /// Downloads of agents' files from Genesys.
    GenesysMedia,
    /// Downloads of customers' files from OneDrive.
    Files,
}

/// When a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Drop {
    /// Before the work: the request had no effect.
    Before,
    /// After the work: it took effect and the answer is lost.
    After,
}

/// One ordered fault.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The service it strikes.
    pub service: FaultService,
    /// Strikes only calls whose description holds this text: method, path and query (as sent and percent-decoded),
    /// `BrokerProperties` and body.
    #[serde(default, rename = "match", skip_serializing_if = "Option::is_none")]
    pub matching: Option<String>,
    /// Share of the matching calls, 0 to 1, spread evenly: 0.5 strikes every second one. All when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Strikes this many times, then never again. Without end when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// Answer with this status instead of doing the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// `Retry-After` in seconds, sent with the status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// Wait this long, in milliseconds, before anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// Cut the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drop: Option<Drop>,
    /// Deliver this many times more (deliveries towards us only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<u32>,
}

/// The body of `GET` and `PUT /local/faults`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// All rules, applied together.
    pub rules: Vec<Rule>,
}

/// What shall go wrong with one call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FaultPlan {
    /// Wait this long first.
    pub delay: Duration,
    /// Then answer with this status, doing nothing.
    pub status: Option<u16>,
    /// `Retry-After` in seconds for that answer.
    pub retry_after: Option<u64>,
    /// Cut the connection.
    pub drop: Option<Drop>,
    /// Deliver this many times more.
    pub duplicate: u32,
}

#[derive(Debug)]
struct Armed {
    rule: Rule,
    /// Grows by the share with each matching call; a strike takes 1 off.
    due: f64,
    strikes: u32,
}

/// The ordered faults of a world.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<Armed>>);

impl Faults {
    /// Replaces all rules; counts start anew.
    pub fn replace(&self, rules: Rules) {
        let armed = rules.rules.into_iter().map(|rule| Armed {
            rule,
            due: 0.0,
            strikes: 0,
        });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = armed.collect();
    }

    /// The rules as they were ordered.
    #[must_use]
    pub fn rules(&self) -> Rules {
        let armed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Rules {
            rules: armed.iter().map(|armed| armed.rule.clone()).collect(),
        }
    }

    /// Whether any rule for this service looks at the description of a call.
    #[must_use]
    pub fn look_inside(&self, service: FaultService) -> bool {
        let armed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        armed
            .iter()
            .any(|armed| armed.rule.service == service && armed.rule.matching.is_some())
    }

    /// Decides the fate of one call and counts it.
    pub fn decide(&self, service: FaultService, description: &str) -> FaultPlan {
        let mut plan = FaultPlan::default();
        let mut armed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for armed in armed.iter_mut() {
            if !armed.strikes_now(service, description) {
                continue;
            }
            let rule = &armed.rule;
            plan.delay = plan
                .delay
                .max(Duration::from_millis(rule.delay_ms.unwrap_or_default()));
            plan.duplicate += rule.duplicate.unwrap_or_default();
            plan.drop = plan.drop.or(rule.drop);
            if plan.status.is_none() {
                plan.status = rule.status;
                plan.retry_after = rule.retry_after;
            }
        }
        plan
    }
}

impl Armed {
    fn strikes_now(&mut self, service: FaultService, description: &str) -> bool {
        let rule = &self.rule;
        let spent = rule.times.is_some_and(|times| self.strikes >= times);
        let concerned = rule.service == service
            && rule
                .matching
                .as_deref()
                .is_none_or(|text| description.contains(text));
        if spent || !concerned {
            return false;
        }
        self.due += rule.share.unwrap_or(1.0);
        // A hair below 1 so that three thirds make a whole.
        if self.due < 0.999_999 {
            return false;
        }
        self.due -= 1.0;
        self.strikes += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(rules: serde_json::Value) -> Faults {
        let faults = Faults::default();
        faults.replace(serde_json::from_value(rules).expect("rules"));
        faults
    }

    #[test]
    fn a_share_is_spread_evenly() {
        let faults = faults(serde_json::json!({
            "rules": [{ "service": "service-bus", "share": 0.5, "status": 503 }]
        }));
        let struck: Vec<bool> = (0..4)
            .map(|_| faults.decide(FaultService::ServiceBus, "").status.is_some())
            .collect();
        assert_eq!(struck, [false, true, false, true]);
    }

    #[test]
    fn only_matching_calls_of_the_service_are_struck_and_only_so_often() {
        let faults = faults(serde_json::json!({
            "rules": [{ "service": "graph", "match": "19:a", "times": 1, "drop": "after", "delay_ms": 5 }]
        }));
        assert_eq!(
            faults.decide(FaultService::Genesys, "19:a"),
            FaultPlan::default()
        );
        assert_eq!(
            faults.decide(FaultService::Graph, "19:b"),
            FaultPlan::default()
        );
        let plan = faults.decide(FaultService::Graph, "GET /chats/19:a");
        assert_eq!(plan.drop, Some(Drop::After));
        assert_eq!(plan.delay, Duration::from_millis(5));
        assert_eq!(
            faults.decide(FaultService::Graph, "19:a"),
            FaultPlan::default()
        );
    }

    #[test]
    fn rules_are_shown_as_ordered() {
        let rules = serde_json::json!({
            "rules": [{ "service": "key-vault", "status": 429, "retry_after": 2 }]
        });
        let faults = faults(rules.clone());
        assert_eq!(serde_json::json!(faults.rules()), rules);
    }
}
