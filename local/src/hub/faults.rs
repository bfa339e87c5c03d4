//! Faults that can be ordered: slowness, refusals, lost answers, duplicates.

use std::time::Duration;

use http::Method;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::shared::locked::Locked;

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
    /// Calls to Resource Manager.
    ResourceManager,
    /// Calls to the managed-identity endpoint.
    Identity,
    /// Calls to Service Bus.
    ServiceBus,
    /// Calls to Blob Storage, where the platform was started with `--blob-faults`.
    Blob,
    /// Notifications that Graph delivers to us.
    GraphNotification,
    /// Webhooks that Genesys delivers to us.
    GenesysWebhook,
    /// Downloads of agents' files from Genesys.
    GenesysMedia,
    /// Downloads of customers' files from OneDrive.
    Files,
    /// Calls to the Bot connector and for its keys.
    Bot,
    /// Activities that the Bot connector delivers to us.
    BotDelivery,
}

/// When a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Drop {
    /// Before the work: the request had no effect.
    Before,
    /// After the work: it took effect and the answer is lost.
    After,
}

/// One text or several, of which any will do.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Any(Vec<String>),
}

impl Texts {
    fn stand_in(&self, text: &str) -> bool {
        match self {
            Self::One(own) => text.contains(own),
            Self::Any(own) => own.iter().any(|own| text.contains(own)),
        }
    }
}

/// One ordered fault. It strikes calls of the service for which everything holds that it names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    service: FaultService,
    /// Stands in method, path and query (as sent and percent-decoded), `BrokerProperties` or body.
    #[serde(rename = "match")]
    matching: Option<Texts>,
    /// The method in capitals.
    method: Option<String>,
    /// Stands in the percent-decoded path and query.
    path: Option<Texts>,
    /// Stands in the body.
    body: Option<Texts>,
    /// Share of the matching calls, 0 to 1, spread evenly but without a period, so that calls that take turns are struck
    /// alike. All when absent.
    share: Option<f64>,
    /// Strikes this many times, then never again. Without end when absent.
    times: Option<u32>,
    /// Answer with this status instead of doing the work.
    status: Option<u16>,
    /// The service's code in the body of that answer.
    code: Option<String>,
    /// `Retry-After` in seconds, sent with the status.
    retry_after: Option<u64>,
    /// Wait this long, in milliseconds, before anything else.
    delay_ms: Option<u64>,
    /// Cut the connection.
    drop: Option<Drop>,
    /// Deliver this many times more (deliveries towards us only).
    duplicate: Option<u32>,
}

impl Rule {
    /// Reads a rule as it was ordered; the error says what makes no sense in it.
    fn read(ordered: &Value) -> Result<Self, String> {
        let rule = Self::deserialize(ordered).map_err(|problem| problem.to_string())?;
        if rule.share.is_some_and(|it| !(0.0..=1.0).contains(&it)) {
            return Err("share lies between 0 and 1".to_owned());
        }
        if rule.status.is_some_and(|it| !(400..=599).contains(&it)) {
            return Err("status lies between 400 and 599".to_owned());
        }
        Ok(rule)
    }

    fn concerns(&self, call: &Call<'_>) -> bool {
        let decoded = percent_decode_str(call.target).decode_utf8_lossy();
        let body = String::from_utf8_lossy(call.body);
        let sent = format!("{} {}", call.method, call.target);
        let holds = |texts: &Option<Texts>, places: &[&str]| {
            let stand_in = |texts: &Texts| places.iter().any(|place| texts.stand_in(place));
            texts.as_ref().is_none_or(stand_in)
        };
        self.method.as_deref().is_none_or(|it| call.method == it)
            && holds(&self.path, &[&decoded])
            && holds(&self.body, &[&body])
            && holds(&self.matching, &[&sent, &decoded, call.properties, &body])
    }
}

/// Rules as they are ordered and shown.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// All of them, applied together.
    pub rules: Vec<Value>,
}

/// One call, as far as rules look at it.
#[derive(Debug, Clone, Copy)]
pub struct Call<'call> {
    /// Its method.
    pub method: &'call Method,
    /// Path and query as sent.
    pub target: &'call str,
    /// `BrokerProperties`, or nothing.
    pub properties: &'call str,
    /// The body; empty when no rule of the service looks at it.
    pub body: &'call [u8],
}

impl<'call> Call<'call> {
    /// A delivery towards us, of which rules look at the body.
    pub fn delivery(body: &'call [u8]) -> Self {
        Self {
            method: &Method::POST,
            target: "/",
            properties: "",
            body,
        }
    }
}

/// How far apart the shares of two rules begin: were they to begin together, the rarer one would strike only what the other one
/// strikes, which then hides it.
const BETWEEN_RULES: f64 = 0.414_213_562_373_095;

/// What shall go wrong with one call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FaultPlan {
    /// Wait this long first.
    pub delay: Duration,
    /// Then answer with this status, doing nothing.
    pub status: Option<u16>,
    /// The service's code in that answer.
    pub code: Option<String>,
    /// `Retry-After` in seconds for that answer.
    pub retry_after: Option<u64>,
    /// Cut the connection.
    pub drop: Option<Drop>,
    /// Deliver this many times more.
    pub duplicate: u32,
}

#[derive(Debug)]
struct Armed {
    /// The order it came with.
    order: u64,
    ordered: Value,
    rule: Rule,
    /// Where its share begins.
    begin: f64,
    calls: u32,
    strikes: u32,
}

#[derive(Debug, Default)]
struct Kept {
    orders: u64,
    armed: Vec<Armed>,
}

/// The ordered faults of a world.
#[derive(Debug, Default)]
pub struct Faults(Locked<Kept>);

impl Faults {
    /// Replaces all rules, those of others included; counts start anew.
    ///
    /// # Errors
    /// A line that says what makes no sense in them; nothing changes then.
    pub fn replace(&self, rules: Rules) -> Result<(), String> {
        self.arm(rules, true).map(drop)
    }

    /// Adds rules to those of others; the id under which they go again.
    ///
    /// # Errors
    /// A line that says what makes no sense in them.
    pub fn add(&self, rules: Rules) -> Result<u64, String> {
        self.arm(rules, false)
    }

    fn arm(&self, rules: Rules, alone: bool) -> Result<u64, String> {
        let mut kept = self.0.lock();
        let order = kept.orders + 1;
        let arm = |(number, ordered): (usize, Value)| {
            Ok(Armed {
                order,
                rule: Rule::read(&ordered)?,
                ordered,
                begin: number as f64 * BETWEEN_RULES,
                calls: 0,
                strikes: 0,
            })
        };
        let armed: Result<Vec<Armed>, String> =
            rules.rules.into_iter().enumerate().map(arm).collect();
        let armed = armed?;
        kept.orders = order;
        if alone {
            kept.armed.clear();
        }
        kept.armed.extend(armed);
        Ok(order)
    }

    /// Takes away the rules that were added under this id; false when there are none.
    pub fn remove(&self, order: u64) -> bool {
        let mut kept = self.0.lock();
        let before = kept.armed.len();
        kept.armed.retain(|armed| armed.order != order);
        kept.armed.len() < before
    }

    /// How often each rule that was added under this id has struck.
    pub fn strikes(&self, order: u64) -> Vec<u32> {
        let kept = self.0.lock();
        let own = kept.armed.iter().filter(|armed| armed.order == order);
        own.map(|armed| armed.strikes).collect()
    }

    /// The rules as they were ordered.
    pub fn rules(&self) -> Rules {
        let kept = self.0.lock();
        let rules = kept.armed.iter().map(|it| it.ordered.clone()).collect();
        Rules { rules }
    }

    /// Whether any rule for this service looks at the body of a call.
    pub fn look_inside(&self, service: FaultService) -> bool {
        let looks = |rule: &Rule| rule.matching.is_some() || rule.body.is_some();
        let kept = self.0.lock();
        let mut rules = kept.armed.iter().map(|armed| &armed.rule);
        rules.any(|rule| rule.service == service && looks(rule))
    }

    /// Decides the fate of one call and counts it.
    pub fn decide(&self, service: FaultService, call: &Call<'_>) -> FaultPlan {
        let mut plan = FaultPlan::default();
        for armed in &mut self.0.lock().armed {
            if armed.rule.service != service || !armed.strikes_now(call) {
                continue;
            }
            let rule = &armed.rule;
            let delay = Duration::from_millis(rule.delay_ms.unwrap_or_default());
            plan.delay = plan.delay.max(delay);
            plan.duplicate += rule.duplicate.unwrap_or_default();
            plan.drop = plan.drop.or(rule.drop);
            if plan.status.is_none() {
                plan.status = rule.status;
                plan.code.clone_from(&rule.code);
                plan.retry_after = rule.retry_after;
            }
        }
        plan
    }
}

impl Armed {
    fn strikes_now(&mut self, call: &Call<'_>) -> bool {
        /// The golden ratio's fraction: multiples of it fill the unit interval evenly and never repeat.
        const STEP: f64 = 0.618_033_988_749_894_9;
        let spent = self.rule.times.is_some_and(|times| self.strikes >= times);
        if spent || !self.rule.concerns(call) {
            return false;
        }
        self.calls += 1;
        let place = (self.begin + f64::from(self.calls) * STEP).fract();
        let strikes = self.rule.share.is_none_or(|share| place < share);
        self.strikes += u32::from(strikes);
        strikes
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(rules: Vec<Value>) -> Faults {
        let faults = Faults::default();
        faults.replace(Rules { rules }).expect("rules");
        faults
    }

    fn strikes(faults: &Faults, call: &Call<'_>) -> bool {
        faults.decide(FaultService::Graph, call) != FaultPlan::default()
    }

    const POST: Call<'_> = Call {
        method: &Method::POST,
        target: "/v1.0/chats/19%3Aa%40unq/messages",
        properties: "{\"SessionId\":\"s\"}",
        body: b"{\"text\":\"hello\"}",
    };

    const GET: Call<'_> = Call {
        method: &Method::GET,
        body: b"",
        ..POST
    };

    #[test]
    fn shares_do_not_hide_each_other() {
        let rule = |share: f64, more: Value| {
            let mut rule = json!({ "service": "graph", "share": share });
            rule.as_object_mut()
                .expect("an object")
                .extend(more.as_object().expect("an object").clone());
            rule
        };
        let rules = [
            rule(0.05, json!({ "status": 503 })),
            rule(0.02, json!({ "drop": "after" })),
        ];
        let faults = faults(rules.to_vec());
        let plans: Vec<FaultPlan> = (0..1_000)
            .map(|_| faults.decide(FaultService::Graph, &GET))
            .collect();
        let refused = plans.iter().filter(|plan| plan.status.is_some()).count();
        let lost = plans
            .iter()
            .filter(|plan| plan.status.is_none() && plan.drop.is_some())
            .count();
        assert!((45..=55).contains(&refused), "{refused}");
        assert!((15..=25).contains(&lost), "{lost}");
    }

    #[test]
    fn a_share_is_spread_evenly_and_over_calls_that_take_turns() {
        for (share, expected) in [(0.5, 500), (0.9, 900), (0.05, 50), (0.0, 0), (1.0, 1_000)] {
            let rule = json!({ "service": "graph", "share": share, "status": 503 });
            let faults = faults(vec![rule]);
            let (mut reads, mut posts) = (0, 0);
            for _ in 0..1_000 {
                reads += i32::from(strikes(&faults, &GET));
                posts += i32::from(strikes(&faults, &POST));
            }
            assert!((reads - expected).abs() <= 5, "{share}: {reads} reads");
            assert!((posts - expected).abs() <= 5, "{share}: {posts} posts");
        }
    }

    #[test]
    fn only_calls_of_the_service_are_struck_and_only_so_often() {
        let rule = json!({ "service": "graph", "times": 1, "drop": "after", "delay_ms": 5 });
        let faults = faults(vec![rule]);
        let nothing = FaultPlan::default();
        assert_eq!(faults.decide(FaultService::Genesys, &POST), nothing);
        let plan = faults.decide(FaultService::Graph, &GET);
        assert_eq!(plan.drop, Some(Drop::After));
        assert_eq!(plan.delay, Duration::from_millis(5));
        assert_eq!(faults.decide(FaultService::Graph, &GET), nothing);
    }

    #[test]
    fn everything_that_a_rule_names_must_hold() {
        let chat = "/chats/19:a@unq/messages";
        let any = json!({ "path": ["19:x@", "19:a@"], "body": ["bye", "hello"] });
        for (posts, gets, mut rule) in [
            (true, false, json!({ "method": "POST", "path": chat })),
            (true, false, any),
            (false, false, json!({ "path": [], "body": "hello" })),
            (true, false, json!({ "match": "POST /v1.0/chats/19%3Aa" })),
            (true, true, json!({ "match": "19:a@" })),
            (true, true, json!({ "match": "\"SessionId\"" })),
        ] {
            rule["service"] = json!("graph");
            rule["status"] = json!(403);
            let faults = faults(vec![rule.clone()]);
            let struck = (strikes(&faults, &POST), strikes(&faults, &GET));
            assert_eq!(struck, (posts, gets), "{rule}");
        }
    }

    #[test]
    fn rules_come_and_go_beside_those_of_others() {
        let rule = json!({ "service": "key-vault", "status": 429, "retry_after": 2 });
        let faults = faults(vec![rule.clone()]);
        let rules = vec![json!({ "service": "graph", "drop": "before" })];
        let own = faults.add(Rules { rules }).expect("rules");
        assert!(strikes(&faults, &GET));
        assert_eq!(faults.strikes(own), [1]);
        assert_eq!(faults.rules().rules.len(), 2);
        assert!(faults.remove(own));
        assert!(!faults.remove(own));
        for wrong in [
            json!({ "service": "graph", "share": 1.1 }),
            json!({ "service": "graph", "status": 200 }),
            json!({ "service": "graph", "x": 1 }),
        ] {
            let rules = vec![wrong.clone()];
            assert!(faults.add(Rules { rules }).is_err(), "{wrong}");
        }
        assert_eq!(faults.rules().rules, [rule]);
    }
}
