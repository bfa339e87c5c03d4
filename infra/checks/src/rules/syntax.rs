//! Every template parses.

use super::View;
use crate::Problem;

pub(super) fn check(view: &View<'_>) -> Vec<Problem> {
    view.world
        .errors()
        .iter()
        .map(|(file, error)| {
            Problem::new(
                "bicep-syntax",
                file,
                error.line,
                format!("the grammar cannot read `{}`", error.text),
            )
        })
        .collect()
}
