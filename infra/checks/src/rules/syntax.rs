//! Every template parses.

use super::View;
use crate::Problem;
use crate::bicep::parse;

pub(super) fn check(view: &View<'_>) -> Vec<Problem> {
    view.tree
        .below(super::FOLDER, "bicep")
        .flat_map(|(file, text)| {
            parse(text).1.into_iter().map(move |error| {
                Problem::new(
                    "bicep-syntax",
                    file,
                    error.line,
                    format!("the grammar cannot read `{}`", error.text),
                )
            })
        })
        .collect()
}
