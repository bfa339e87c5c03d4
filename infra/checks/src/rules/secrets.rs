//! The names of secrets: what the templates tell the operator to set is what the program reads.

use std::collections::BTreeSet;

use super::View;
use crate::Problem;
use crate::bicep::{Expression, Kind, Part, Shape, Template};

/// Each secret, and a source file in which its name stands as a string.
const SECRETS: &[(&str, &str)] = &[
    ("genesys-client-secret", "services/src/genesys.rs"),
    ("genesys-webhook-secret", "functions/src/app.rs"),
    ("graph-client-secret", "services/src/entra/delegated.rs"),
    ("graph-client-state", "functions/src/app.rs"),
    ("graph-notification-key", "functions/src/keys.rs"),
    ("graph-refresh-token-", "services/src/entra/delegated.rs"),
];

/// The output of the main template that lists them.
const OUTPUT: &str = "secretNames";

pub(super) fn check(view: &View<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, file) in SECRETS {
        if let Some(text) = view.tree.text(file)
            && !text.contains(&format!("\"{name}"))
        {
            problems.push(Problem::new(
                "secret-names",
                file,
                0,
                format!("the program no longer names the secret {name} here"),
            ));
        }
    }
    for (file, template) in view.templates() {
        for declaration in &template.declarations {
            if let Kind::Output { value, .. } = &declaration.kind
                && declaration.name == OUTPUT
            {
                let mut found = BTreeSet::new();
                literals(template, value, 0, &mut found);
                listed(file, declaration.line, &found, &mut problems);
            }
        }
    }
    problems
}

fn listed(file: &str, line: usize, found: &BTreeSet<String>, problems: &mut Vec<Problem>) {
    for (name, _) in SECRETS {
        if !found.contains(*name) {
            problems.push(Problem::new(
                "secret-names",
                file,
                line,
                format!("{OUTPUT} does not list {name}, which the program reads"),
            ));
        }
    }
    for name in found {
        let looks_like_one = name.starts_with("graph-") || name.starts_with("genesys-");
        let current = name.strip_suffix("-previous").unwrap_or(name);
        if looks_like_one && !SECRETS.iter().any(|(known, _)| *known == current) {
            problems.push(Problem::new(
                "secret-names",
                file,
                line,
                format!("{OUTPUT} lists {name}, which the program does not read"),
            ));
        }
    }
}

/// The literal pieces of all strings that an expression can lead to, variables followed.
fn literals(template: &Template, value: &Expression, depth: usize, found: &mut BTreeSet<String>) {
    if depth > 10 {
        return;
    }
    value.visit(&mut |inner| match &inner.shape {
        Shape::Text(parts) => {
            for part in parts {
                if let Part::Literal(text) = part {
                    found.insert(text.clone());
                }
            }
        }
        Shape::Name(name) => {
            if let Some(Kind::Variable(value)) =
                template.declaration(name).map(|declared| &declared.kind)
            {
                literals(template, value, depth + 1, found);
            }
        }
        _ => {}
    });
}
