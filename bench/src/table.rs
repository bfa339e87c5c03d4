//! The table of results.

use std::fmt;

/// What a measure must keep.
#[derive(Clone, Copy)]
pub enum Bar {
    /// Ours is at most this.
    AtMost(f64),
    /// Ours is at least this.
    AtLeast(f64),
    /// Ours divided by the reference is at least this.
    RatioAtLeast(f64),
}

struct Row {
    measure: String,
    ours: f64,
    reference: f64,
    bar: Bar,
}

impl Row {
    fn ratio(&self) -> f64 {
        self.ours / self.reference
    }

    fn met(&self) -> bool {
        match self.bar {
            Bar::AtMost(limit) => self.ours <= limit,
            Bar::AtLeast(limit) => self.ours >= limit,
            Bar::RatioAtLeast(limit) => self.ratio() >= limit,
        }
    }
}

/// Rows in the order of measuring, and notes below them.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Table {
    /// Adds a measure.
    pub fn row(&mut self, measure: &str, ours: f64, reference: f64, bar: Bar) {
        self.rows.push(Row {
            measure: measure.to_owned(),
            ours,
            reference,
            bar,
        });
    }

    /// Adds a line below the table.
    pub fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    /// Whether every bar is met.
    pub fn all_met(&self) -> bool {
        self.rows.iter().all(Row::met)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "{:<46} {:>10} {:>10} {:>7}  {:<12} verdict",
            "measure", "ours", "reference", "ratio", "bar"
        )?;
        for row in &self.rows {
            let bar = match row.bar {
                Bar::AtMost(limit) => format!("≤ {limit}"),
                Bar::AtLeast(limit) => format!("≥ {limit}"),
                Bar::RatioAtLeast(limit) => format!("ratio ≥ {limit}"),
            };
            // A measure without a reference has no ratio either.
            let figure = |value: f64| match value.is_nan() {
                true => "-".to_owned(),
                false => format!("{value:.2}"),
            };
            writeln!(
                out,
                "{:<46} {:>10} {:>10} {:>7}  {:<12} {}",
                row.measure,
                figure(row.ours),
                figure(row.reference),
                figure(row.ratio()),
                bar,
                if row.met() { "met" } else { "MISSED" }
            )?;
        }
        for note in &self.notes {
            writeln!(out, "{note}")?;
        }
        Ok(())
    }
}

/// The middle value; the mean of the two middle ones of an even count; NaN of none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn a_missed_bar_shows() {
        let mut table = Table::default();
        table.row("size", 10.0, 8.0, Bar::AtMost(15.0));
        assert!(table.all_met());
        table.row("rate", 4.0, 10.0, Bar::RatioAtLeast(0.5));
        assert!(!table.all_met());
        assert!(table.to_string().contains("MISSED"));
    }

    #[test]
    fn a_bar_below_is_met_from_above() {
        let mut table = Table::default();
        table.row("rate", 10.0, 8.0, Bar::AtLeast(10.0));
        assert!(table.all_met());
        table.row("rate", 9.0, 8.0, Bar::AtLeast(10.0));
        assert!(!table.all_met());
    }

    #[test]
    fn no_value_meets_no_bar() {
        let mut table = Table::default();
        table.row("latency", f64::NAN, 1.0, Bar::AtMost(50.0));
        assert!(!table.all_met());
        let mut table = Table::default();
        table.row("rate", f64::NAN, 1.0, Bar::AtLeast(10.0));
        assert!(!table.all_met());
    }
}
