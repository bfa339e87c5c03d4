//! What two special cases cost: a day on which a service is down, and a network of one's own.

use super::month::{HOURS, Month, Range};
use super::prices as price;
use super::{dollars, table};

/// Sessions of an instance (`host.json`), each of which a waiting chat keeps.
const SESSIONS: f64 = 64.0;

/// Seconds after which a waiting delivery goes back to its queue and comes again, calls of Service Bus for that, and bytes that the
/// handler and the host log: a failed execution is a request, an exception and two traces.
const ATTEMPT_SECONDS: f64 = 240.0;
const BUS_OPERATIONS: f64 = 3.0;
const LOG_BYTES: f64 = 8_000.0;

const DAY_SECONDS: f64 = 24.0 * 3_600.0;

/// Limits that are shown.
const INSTANCES: [f64; 3] = [40.0, 100.0, 400.0];

/// A day of waiting, by the most instances that there may be, on so many MB each.
pub fn outage_table(memory: f64) -> String {
    let mut rows = Vec::new();
    let row = |what: &str, of: &dyn Fn(f64) -> f64| {
        let amounts = INSTANCES.map(|instances| {
            dollars(Range {
                low: of(instances),
                high: of(instances),
            })
        });
        [what.to_owned()]
            .into_iter()
            .chain(amounts)
            .collect::<Vec<_>>()
    };
    let time =
        |instances: f64| instances * DAY_SECONDS * memory / 1_024.0 * price::ON_DEMAND_GB_SECOND;
    let attempts = |instances: f64| instances * SESSIONS * DAY_SECONDS / ATTEMPT_SECONDS;
    let bus = |instances: f64| attempts(instances) * BUS_OPERATIONS * price::BUS_OPERATION;
    let logs = |instances: f64| attempts(instances) * LOG_BYTES / 1e9 * price::LOG_GB;
    rows.push(
        ["chats that wait at a time".to_owned()]
            .into_iter()
            .chain(INSTANCES.map(|it| format!("{:.0}", it * SESSIONS)))
            .collect(),
    );
    rows.push(row("execution time", &time));
    rows.push(row("Service Bus", &bus));
    rows.push(row("logs", &logs));
    rows.push(row("**a day**", &|it| time(it) + bus(it) + logs(it)));
    let head = ["`maximum_instance_count`", "40", "100", "400"];
    table(&head, &rows)
}

/// Private endpoints: vault, blobs of the data account, blobs, queues and tables of the host's, Service Bus; each kind has a zone.
const ENDPOINTS: f64 = 6.0;
const ZONES: f64 = 5.0;

/// What the profile with private endpoints adds each month.
pub fn private_table(months: &[Month]) -> String {
    let one = |amount: f64| Range {
        low: amount,
        high: amount,
    };
    let premium = HOURS * price::BUS_PREMIUM_HOUR;
    let endpoints = ENDPOINTS * HOURS * price::ENDPOINT_HOUR + ZONES * price::DNS_ZONE;
    let gateway = HOURS * (price::NAT_HOUR + price::ADDRESS_HOUR);
    let added = premium + endpoints + gateway;
    let spared = months.iter().map(|month| month.row("Service Bus Standard"));
    let all = spared.map(|spared| {
        dollars(Range {
            low: added - spared.high,
            high: added - spared.low,
        })
    });
    let three = |amount: f64| vec![dollars(one(amount)); months.len()];
    let rows = [
        ("Service Bus Premium, one messaging unit", three(premium)),
        ("6 private endpoints and 5 DNS zones", three(endpoints)),
        ("NAT gateway with its address", three(gateway)),
        ("**more than above**", all.collect()),
    ];
    let rows = rows.map(|(what, amounts)| [vec![what.to_owned()], amounts].concat());
    table(&["", "1,000 messages", "100,000", "10 million"], &rows)
}

#[test]
fn the_sessions_of_an_instance_are_those_of_the_host() {
    let host = crate::inputs::json("host.json");
    let sessions = &host["extensions"]["serviceBus"]["maxConcurrentSessions"];
    assert_eq!(sessions.as_f64(), Some(SESSIONS));
}
