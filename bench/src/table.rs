//! Tables of results.

use std::fmt;

/// What a figure must keep. NaN is no figure, and meets no bar.
#[derive(Clone, Copy)]
pub enum Figure {
    /// Nothing: it is for the reader only.
    Plain(f64),
    /// It may not be larger than the second one.
    AtMost(f64, f64),
    /// It may not be smaller than the second one.
    AtLeast(f64, f64),
}

impl Figure {
    fn met(&self) -> bool {
        match *self {
            Self::Plain(_) => true,
            Self::AtMost(value, limit) => value <= limit,
            Self::AtLeast(value, limit) => value >= limit,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missed = if self.met() { "" } else { " MISSED" };
        match *self {
            Self::Plain(value) if value.is_nan() => write!(out, "-"),
            Self::Plain(value) => write!(out, "{value:.2}"),
            Self::AtMost(value, limit) => write!(out, "{value:.2} ≤ {limit}{missed}"),
            Self::AtLeast(value, limit) => write!(out, "{value:.2} ≥ {limit}{missed}"),
        }
    }
}

/// Rows in the order of measuring, and notes below them.
pub struct Table {
    head: Vec<String>,
    rows: Vec<(String, Vec<Figure>)>,
    notes: Vec<String>,
}

impl Table {
    /// Without rows; the first column holds what was measured.
    pub fn new(measure: &str, columns: &[&str]) -> Self {
        Self {
            head: [&[measure], columns]
                .concat()
                .iter()
                .map(ToString::to_string)
                .collect(),
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a measure.
    pub fn row(&mut self, measure: impl Into<String>, figures: impl Into<Vec<Figure>>) {
        self.rows.push((measure.into(), figures.into()));
    }

    /// Adds a line below the table.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Whether every bar is met.
    pub fn all_met(&self) -> bool {
        self.rows
            .iter()
            .flat_map(|(_, figures)| figures)
            .all(Figure::met)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows.iter().map(|(measure, figures)| {
            let figures = figures.iter().map(Figure::to_string);
            std::iter::once(measure.clone()).chain(figures).collect()
        });
        let lines: Vec<Vec<String>> = std::iter::once(self.head.clone()).chain(rows).collect();
        for line in &lines {
            for (column, text) in line.iter().enumerate() {
                let width = lines
                    .iter()
                    .filter_map(|line| Some(line.get(column)?.chars().count()))
                    .max()
                    .unwrap_or_default();
                match column {
                    0 => write!(out, "{text:<width$}")?,
                    _ => write!(out, "  {text:>width$}")?,
                }
            }
            writeln!(out)?;
        }
        self.notes
            .iter()
            .try_for_each(|note| writeln!(out, "{note}"))
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

/// The value that 99 of 100 do not exceed; NaN of none.
pub fn p99(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = (values.len() * 99).div_ceil(100).saturating_sub(1);
    values.get(place).copied().unwrap_or(f64::NAN)
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
    fn one_of_a_hundred_may_be_slower() {
        let values = (1..=100).rev().map(f64::from);
        assert_eq!(p99(values.collect()), 99.0);
        assert_eq!(p99(vec![1.0, 2.0]), 2.0);
        assert!(p99(Vec::new()).is_nan());
    }

    #[test]
    fn a_missed_bar_shows() {
        let mut table = Table::new("measure", &["ours"]);
        table.row("size", [Figure::AtMost(15.0, 15.0)]);
        table.row("rate", [Figure::AtLeast(10.0, 10.0)]);
        table.row("other", [Figure::Plain(f64::NAN)]);
        assert!(table.all_met());
        assert!(!table.to_string().contains("MISSED"));
        for missed in [
            Figure::AtMost(15.1, 15.0),
            Figure::AtLeast(9.9, 10.0),
            Figure::AtMost(f64::NAN, 1.0),
            Figure::AtLeast(f64::NAN, 1.0),
        ] {
            let mut table = Table::new("measure", &["ours"]);
            table.row("missed", [missed]);
            assert!(!table.all_met());
            assert!(table.to_string().contains("MISSED"));
        }
    }
}
