//! Descriptions on everything that an operator sees, and secrets that are marked as such.

use super::View;
use crate::Problem;
use crate::bicep::{Kind, Template};

/// Words that make a parameter or output a secret, unless it only names one.
const SECRET_WORDS: &[&str] = &[
    "secret",
    "password",
    "token",
    "connectionstring",
    "accountkey",
];

/// Endings of names that hold the name of a secret, a decision about one, or its place, but not its value.
const HARMLESS_ENDINGS: &[&str] = &[
    "name", "names", "uri", "url", "id", "ids", "days", "writes", "prefix",
];

pub(super) fn check(view: &View<'_>) -> Vec<Problem> {
    view.templates()
        .flat_map(|(file, template)| of_template(file, template))
        .collect()
}

fn of_template(file: &str, template: &Template) -> Vec<Problem> {
    let mut problems = Vec::new();
    for declaration in &template.declarations {
        let (word, of) = match &declaration.kind {
            Kind::Parameter { of, .. } => ("param", of),
            Kind::Output { of, .. } => ("output", of),
            _ => continue,
        };
        let mut report = |rule, what: String| {
            problems.push(Problem::new(rule, file, declaration.line, what));
        };
        let name = &declaration.name;
        let described = declaration
            .decorators
            .iter()
            .filter(|decorator| decorator.name == "description")
            .filter_map(|decorator| decorator.arguments.first()?.literal())
            .any(|text| !text.trim().is_empty());
        if !described {
            report(
                "description",
                format!("{word} {name} has no @description that says something"),
            );
        }
        if !is_secret(name) || of == "bool" || of == "int" {
            continue;
        }
        let secure = declaration.has_decorator("secure") || of.starts_with("secure");
        match &declaration.kind {
            Kind::Parameter { .. } if !secure => report(
                "secure-parameter",
                format!("param {name} holds a secret and has no @secure()"),
            ),
            Kind::Parameter {
                default: Some(default),
                ..
            } if default.literal().is_none_or(|text| !text.is_empty()) => {
                report(
                    "secure-parameter",
                    format!("param {name} has a secret as its default"),
                );
            }
            Kind::Output { .. } => report(
                "secret-output",
                format!(
                    "output {name} hands out a secret; outputs stay in the deployment's history"
                ),
            ),
            _ => {}
        }
    }
    problems
}

fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
        && !HARMLESS_ENDINGS.iter().any(|ending| name.ends_with(ending))
}
