//! What an installation costs a month: the tables in docs/COST.md, computed.
//!
//! What a message makes of calls and log lines is counted end to end (`tests/per-message.json`, held there against the simulators).
//! `prices` has the list prices, `month` the assumptions and the sums, `log` what Log Analytics bills for a line, and `bookings` how often
//! a shared limit is written. This file puts the tables between their markers; `UPDATE=1` writes them, and without it a page that says
//! something else fails.

mod bookings;
mod log;
mod month;
mod prices;
mod special;

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use self::month::{Month, Range};
use crate::inputs::{Inputs, json, root, text};

/// The page, and how the place of a table begins and ends on it.
const PAGE: &str = "docs/COST.md";
const END: &str = "<!-- end of what is computed -->";

/// Instance memory, in MB, of the first table.
const MEMORY: f64 = 512.0;

/// Messages a month of its columns.
const LOADS: [(&str, f64); 3] = [
    ("1,000 messages", 1_000.0),
    ("100,000", 100_000.0),
    ("10 million", 10_000_000.0),
];

/// Most that ten million messages may cost, and most bytes that one may leave in the log.
const BUDGET: f64 = 700.0;
const LOG_BUDGET: f64 = 2_000.0;

/// What was counted for each kind of message.
struct Counts(Value);

impl Counts {
    fn read() -> Self {
        Self(json("tests/per-message.json"))
    }

    /// The kinds of messages, echoes and ticks that were counted.
    fn of<'a>(&'a self, kind: &str) -> &'a Value {
        let counted = &self.0[kind];
        assert!(counted.is_object(), "per-message.json: no {kind}");
        counted
    }

    /// Calls of a kind that begin so.
    fn calls(&self, kind: &str, beginning: &str) -> f64 {
        let calls = self.of(kind)["calls"].as_object().into_iter().flatten();
        let calls = calls.filter(|(call, _)| call.starts_with(beginning));
        // The sum of nothing would be a negative zero.
        calls
            .filter_map(|(_, count)| count.as_f64())
            .fold(0.0, |sum, it| sum + it)
    }

    /// Bytes of the log that are billed.
    fn log(&self, kind: &str) -> f64 {
        let lines = self.of(kind)["lines"].as_object().into_iter().flatten();
        let billed = lines.map(|(_, line)| {
            let number = |of: &str| line[of].as_f64().unwrap_or_default();
            number("for_each") * log::billed(number("bytes"))
        });
        billed.sum()
    }
}

/// Dollars as the page shows them.
fn dollars(range: Range) -> String {
    let shown = |amount: f64| match amount {
        ..=99.5 => format!("{:.0}", amount),
        _ => format!("{:.0}", (amount / 5.0).round() * 5.0),
    };
    let (low, high) = (shown(range.low), shown(range.high));
    match low == high {
        true => low,
        false => format!("{low} to {high}"),
    }
}

/// A table of Markdown.
fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
    let mut table = line(head.to_vec());
    table += &line(head.iter().map(|_| "---").collect());
    for row in rows {
        table += &line(row.iter().map(String::as_str).collect());
    }
    table
}

/// The columns of the first table.
fn months(counts: &Counts, inputs: &Inputs) -> Vec<Month> {
    let month = |(_, messages): &(_, f64)| Month::of(counts, inputs, *messages, MEMORY);
    LOADS.iter().map(month).collect()
}

fn month_table(months: &[Month]) -> String {
    let mut rows = Vec::new();
    for (place, (what, _)) in months[0].rows.iter().enumerate() {
        let amounts = months.iter().map(|month| dollars(month.rows[place].1));
        rows.push([(*what).to_owned()].into_iter().chain(amounts).collect());
    }
    let sums = months.iter().map(|month| {
        let sum = month.sum();
        format!("**{}**", dollars(sum))
    });
    rows.push(
        ["**together**".to_owned()]
            .into_iter()
            .chain(sums)
            .collect(),
    );
    let loads = LOADS.iter().map(|(load, _)| *load);
    table(&Vec::from_iter([""].into_iter().chain(loads)), &rows)
}

/// What each kind of message makes, as far as it is billed.
fn count_table(counts: &Counts) -> String {
    let kinds = [
        "text in",
        "text and file in",
        "text out",
        "file out",
        "our own echo",
    ];
    let rows = kinds.map(|kind| {
        let whole = |number: f64| format!("{number:.0}");
        vec![
            kind.to_owned(),
            whole(counts.calls(kind, "service-bus send")),
            whole(counts.calls(kind, "blob read")),
            whole(counts.calls(kind, "blob write")),
            whole(counts.log(kind)),
        ]
    });
    let head = [
        "",
        "queue messages",
        "blob reads",
        "blob writes",
        "bytes of log",
    ];
    table(&head, &rows)
}

/// The page with what is computed in its places.
fn with_tables(page: &str, tables: &[(&str, String)]) -> String {
    let mut page = page.to_owned();
    for (name, table) in tables {
        let begin = format!("<!-- computed from tests/per-message.json: {name} -->\n");
        let place = page.split_once(&begin);
        let (before, rest) = place.unwrap_or_else(|| panic!("{PAGE} has no place: {begin}"));
        let rest = rest.split_once(END);
        let (_, after) = rest.unwrap_or_else(|| panic!("{PAGE}: {name} does not end"));
        let mut whole = before.to_owned();
        let _ = write!(whole, "{begin}{table}{END}{after}");
        page = whole;
    }
    page
}

#[test]
fn the_page_says_what_is_computed() {
    let (counts, inputs) = (Counts::read(), Inputs::read("main"));
    let months = months(&counts, &inputs);
    let page = text(PAGE);
    let computed = with_tables(
        &page,
        &[
            ("a month", month_table(&months)),
            ("prices", prices::table()),
            ("counts", count_table(&counts)),
            ("assumptions", month::assumptions(&months)),
            ("an outage", special::outage_table(MEMORY)),
            ("a private network", special::private_table(&months)),
        ],
    );
    if std::env::var_os("UPDATE").is_some() {
        fs::write(root().join(PAGE), &computed).expect("the page can be written");
        return;
    }
    assert!(
        page == computed,
        "{PAGE} says something else; UPDATE=1 writes what is computed:\n{}",
        month_table(&months)
    );
}

#[test]
fn ten_million_messages_keep_the_budget() {
    let counts = Counts::read();
    let months = months(&counts, &Inputs::read("main"));
    let most = months[2].sum().high;
    assert!(most < BUDGET, "{most:.0} dollars for ten million messages");
    let each = months[2].log_of_a_message;
    assert!(each <= LOG_BUDGET, "{each:.0} bytes of log for a message");
}

#[test]
fn a_table_goes_between_its_markers_and_nothing_else_moves() {
    let begin = "<!-- computed from tests/per-message.json: x -->\n";
    let page = format!("before\n{begin}old\n{END}\nafter");
    let new = with_tables(&page, &[("x", "new\n".to_owned())]);
    assert_eq!(new, format!("before\n{begin}new\n{END}\nafter"));
}
