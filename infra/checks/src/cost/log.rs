//! What Log Analytics bills for a line that the handler prints.
//!
//! A record's size is that of its columns as text, without `_ResourceId`, `_SubscriptionId`, `_ItemId`, `_IsBillable`, `_BilledSize` and
//! `Type` (Microsoft Learn, "Azure Monitor Logs cost calculations and options"). The Functions host takes each line as a trace's message
//! and, since it is its own format, once more as the property `prop__{OriginalFormat}` (azure-functions-host, `WorkerConsoleLogService`;
//! azure-webjobs-sdk, `ApplicationInsightsLogger.LogTrace`). The columns are those of the table `AppTraces`; how long each is here is an
//! estimate, since no workspace was asked.

/// Bytes of the columns that each trace has beside its message, at their usual lengths.
const COLUMNS: [(&str, usize); 14] = [
    ("TenantId", 36),
    ("TimeGenerated", 28),
    ("SeverityLevel", 1),
    ("AppRoleName", 24),
    ("AppRoleInstance", 45),
    ("SDKVersion", 28),
    ("ClientType", 2),
    ("ClientIP", 7),
    ("IKey", 36),
    ("ResourceGUID", 36),
    ("ItemCount", 1),
    ("SourceSystem", 5),
    // {"ProcessId":"…","HostInstanceId":"…","CategoryName":"Host.Function.Console","LogLevel":"Information",…
    ("Properties, known", 142),
    // "prop__{OriginalFormat}":"…"}
    ("Properties, name of the second copy", 29),
];

/// Quotes of a line, each of which is escaped in its second copy: a field has some four in thirty bytes.
const QUOTES: f64 = 4.0 / 30.0;

/// Bytes that are billed for a line of so many.
pub fn billed(line: f64) -> f64 {
    let columns: usize = COLUMNS.iter().map(|(_, bytes)| bytes).sum();
    columns as f64 + line * (2.0 + QUOTES)
}

#[test]
fn a_line_is_billed_twice_over() {
    assert_eq!((billed(1_000.0) - billed(0.0)).round(), 2_133.0);
    assert!(billed(0.0) > 300.0);
}
