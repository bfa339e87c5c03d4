//! List prices in US dollars of the region East US, each as of its record, and where Azure publishes it.

use super::table as markdown;

/// So many operations or executions most prices are for.
const MILLION: f64 = 1e6;

/// A GB-second on demand; the first ones of a month are free, and so are the first executions.
pub const ON_DEMAND_GB_SECOND: f64 = 0.000_026;
pub const FREE_GB_SECONDS: f64 = 100_000.0;
pub const FREE_EXECUTIONS: f64 = 250_000.0;

/// A GB-second of an instance that is always ready: at rest, and while it executes.
pub const READY_GB_SECOND: f64 = 0.000_004;
pub const READY_BUSY_GB_SECOND: f64 = 0.000_016;

/// One execution of either.
pub const EXECUTION: f64 = 0.40 / MILLION;

/// Service Bus Standard: an hour of its base, the operations that are in it, and one of those above, up to 100 million and beyond.
pub const BUS_HOUR: f64 = 0.0135;
pub const BUS_INCLUDED: f64 = 13.0 * MILLION;
pub const BUS_STEP: f64 = 100.0 * MILLION;
pub const BUS_OPERATION: f64 = 0.80 / MILLION;
pub const BUS_OPERATION_BEYOND: f64 = 0.50 / MILLION;

/// An hour of one messaging unit of Service Bus Premium, whose operations cost nothing.
pub const BUS_PREMIUM_HOUR: f64 = 0.928;

/// Blob Storage, hot, ZRS: a write or list, a read, a GB for a month.
pub const BLOB_WRITE: f64 = 0.069 / 10_000.0;
pub const BLOB_READ: f64 = 0.005_5 / 10_000.0;
pub const BLOB_GB: f64 = 0.026;

/// A GB of logs, and those of a month that are free.
pub const LOG_GB: f64 = 2.30;
pub const FREE_LOG_GB: f64 = 5.0;

/// A secret that is read.
pub const SECRET_READ: f64 = 0.03 / 10_000.0;

/// A log alert rule by how often it runs, and a time series of a metric that is watched.
pub const LOG_ALERT: [(&str, f64); 3] = [("PT5M", 1.50), ("PT10M", 1.00), ("PT15M", 0.50)];
pub const METRIC_SERIES: f64 = 0.10;
/// An execution of a standard availability test.
pub const WEB_TEST: f64 = 0.0005;

/// A GB that leaves Azure, and those of a month that are free.
pub const TRAFFIC_GB: f64 = 0.087;
pub const FREE_TRAFFIC_GB: f64 = 100.0;

/// An hour of a private endpoint, and a month of a private DNS zone.
pub const ENDPOINT_HOUR: f64 = 0.01;
pub const DNS_ZONE: f64 = 0.50;
pub const NAT_HOUR: f64 = 0.045;
pub const NAT_GB: f64 = 0.045;
pub const ADDRESS_HOUR: f64 = 0.005;

/// The table of these, with what is known of each.
pub fn table() -> String {
    let million = |price: f64| format!("{:.2} a million", price * MILLION);
    let ten_thousand = |price: f64| format!("{:.4}", price * 10_000.0);
    let alerts = LOG_ALERT.map(|(often, price)| {
        let minutes = often.trim_start_matches("PT").trim_end_matches('M');
        format!("{price:.2} every {minutes} minutes")
    });
    let rows = [
        [
            "Flex Consumption, on demand".to_owned(),
            format!(
                "{ON_DEMAND_GB_SECOND:.6} a GB-second, {} executions; {FREE_GB_SECONDS:.0} GB-s and {FREE_EXECUTIONS:.0} executions free",
                million(EXECUTION)
            ),
            "May 2025; the free grants unconfirmed".to_owned(),
            "\"Azure Functions pricing\"".to_owned(),
        ],
        [
            "Flex Consumption, always ready".to_owned(),
            format!(
                "{READY_GB_SECOND:.6} a GB-second at rest, {READY_BUSY_GB_SECOND:.6} while executing, {} executions",
                million(EXECUTION)
            ),
            "unconfirmed".to_owned(),
            "the same".to_owned(),
        ],
        [
            "Service Bus Standard".to_owned(),
            format!(
                "{BUS_HOUR} an hour with {:.0} million operations; then {}, above {:.0} million {}",
                BUS_INCLUDED / MILLION,
                million(BUS_OPERATION),
                BUS_STEP / MILLION,
                million(BUS_OPERATION_BEYOND)
            ),
            "August 2024".to_owned(),
            "\"Service Bus pricing\"".to_owned(),
        ],
        [
            "Service Bus Premium".to_owned(),
            format!("{BUS_PREMIUM_HOUR} an hour for a messaging unit"),
            "2025, unconfirmed".to_owned(),
            "the same".to_owned(),
        ],
        [
            "Blob Storage, hot, ZRS".to_owned(),
            format!(
                "{BLOB_GB} a GB; {} for 10,000 writes or lists (unconfirmed; LRS 0.055), {} for 10,000 reads (LRS 0.0044)",
                ten_thousand(BLOB_WRITE),
                ten_thousand(BLOB_READ)
            ),
            "August 2024".to_owned(),
            "\"Azure Blob Storage pricing\"".to_owned(),
        ],
        [
            "Log Analytics, pay-as-you-go".to_owned(),
            format!("{LOG_GB:.2} a GB, {FREE_LOG_GB:.0} GB free, 31 days of retention included"),
            "2026".to_owned(),
            "\"Azure Monitor pricing\"".to_owned(),
        ],
        [
            "Key Vault, standard".to_owned(),
            format!("{} for 10,000 operations", ten_thousand(SECRET_READ)),
            "August 2024".to_owned(),
            "\"Key Vault pricing\"".to_owned(),
        ],
        [
            "alert rules".to_owned(),
            format!(
                "of logs {}; {METRIC_SERIES:.2} for a metric's time series; {WEB_TEST} for an execution of an availability test (unconfirmed)",
                alerts.join(", ")
            ),
            "August 2024".to_owned(),
            "\"Azure Monitor pricing\"".to_owned(),
        ],
        [
            "outbound traffic".to_owned(),
            format!("{TRAFFIC_GB} a GB after {FREE_TRAFFIC_GB:.0} GB"),
            "unconfirmed".to_owned(),
            "\"Bandwidth pricing\"".to_owned(),
        ],
        [
            "private endpoint, private DNS zone".to_owned(),
            format!("{ENDPOINT_HOUR} an hour, {DNS_ZONE:.2} a month"),
            "unconfirmed".to_owned(),
            "\"Azure Private Link pricing\", \"Azure DNS pricing\"".to_owned(),
        ],
        [
            "NAT gateway, public address".to_owned(),
            format!("{NAT_HOUR} an hour and {NAT_GB} a GB, {ADDRESS_HOUR} an hour"),
            "unconfirmed".to_owned(),
            "\"Azure NAT Gateway pricing\", \"IP Addresses pricing\"".to_owned(),
        ],
    ];
    markdown(
        &["what", "price", "date", "price page"],
        &rows.map(|row| row.to_vec()),
    )
}
