//! Names: each is declared, once, and used.

use std::collections::BTreeSet;

use super::View;
use crate::Problem;
use crate::bicep::{Expression, Kind, Shape, Template};

/// Namespaces of the language itself.
const NAMESPACES: &[&str] = &["az", "sys"];

pub(super) fn check(view: &View<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (file, template) in view.templates() {
        let mut names = Names {
            file,
            template,
            problems: &mut problems,
        };
        names.uses();
        names.declarations();
        names.keys();
    }
    problems
}

struct Names<'a, 'b> {
    file: &'a str,
    template: &'a Template,
    problems: &'b mut Vec<Problem>,
}

impl Names<'_, '_> {
    fn report(&mut self, rule: &'static str, line: usize, what: String) {
        self.problems
            .push(Problem::new(rule, self.file, line, what));
    }

    /// Names that nothing declares; and parameters, variables and references to existing resources that nothing uses (linter
    /// rules `no-unused-params`, `no-unused-vars`, `no-unused-existing-resources`).
    fn uses(&mut self) {
        let mut used = BTreeSet::new();
        let mut functions = BTreeSet::new();
        let mut bound = BTreeSet::new();
        let mut places = Vec::new();
        self.template
            .visit(&mut |expression| match &expression.shape {
                Shape::Name(name) => {
                    used.insert(name.as_str());
                    places.push((name.as_str(), expression.line));
                }
                Shape::Call(function, _) => {
                    if let Shape::Name(name) = &function.shape {
                        functions.insert(name.as_str());
                    }
                }
                Shape::For { item, index, .. } => {
                    bound.insert(item.as_str());
                    bound.extend(index.as_deref());
                }
                Shape::Lambda(parameters, _) => bound.extend(lambda_names(parameters)),
                _ => {}
            });
        for (name, line) in places {
            let known = bound.contains(name)
                || functions.contains(name)
                || NAMESPACES.contains(&name)
                || self.template.declaration(name).is_some();
            if !known {
                self.report("undeclared", line, format!("nothing declares {name}"));
            }
        }
        let template = self.template;
        for declaration in &template.declarations {
            let word = match declaration.kind {
                Kind::Parameter { .. } => "param",
                Kind::Variable(_) => "var",
                Kind::Resource { existing: true, .. } => "existing resource",
                _ => continue,
            };
            let is_parent = template.declarations.iter().any(|other| {
                matches!(&other.kind, Kind::Resource { nested_in: Some(parent), .. } if *parent == declaration.name)
            });
            if !used.contains(declaration.name.as_str()) && !is_parent {
                let what = format!("nothing uses {word} {}", declaration.name);
                self.report("unused", declaration.line, what);
            }
        }
    }

    fn declarations(&mut self) {
        let template = self.template;
        let mut seen = BTreeSet::new();
        for declaration in &template.declarations {
            let is_output = matches!(declaration.kind, Kind::Output { .. });
            if !seen.insert((is_output, declaration.name.as_str())) {
                let what = format!("{} is declared twice", declaration.name);
                self.report("duplicate", declaration.line, what);
            }
        }
    }

    fn keys(&mut self) {
        let mut twice = Vec::new();
        self.template.visit(&mut |expression: &Expression| {
            let Shape::Object(properties) = &expression.shape else {
                return;
            };
            let mut seen = BTreeSet::new();
            for property in properties {
                if !seen.insert(property.key.as_str()) {
                    twice.push((property.line, property.key.clone()));
                }
            }
        });
        for (line, key) in twice {
            self.report("duplicate", line, format!("the key {key} is there twice"));
        }
    }
}

/// `a => …` and `(a, b) => …`.
fn lambda_names(parameters: &Expression) -> Vec<&str> {
    match &parameters.shape {
        Shape::Name(name) => vec![name],
        Shape::Array(items) => items
            .iter()
            .filter_map(|item| match &item.shape {
                Shape::Name(name) => Some(name.as_str()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}
