//! Modules, their parameters, and the parameter files.

use std::collections::{BTreeMap, BTreeSet};

use super::View;
use crate::Problem;
use crate::bicep::{Kind, Shape, Template, relative};

pub(super) fn check(view: &View<'_>) -> Vec<Problem> {
    let by_file: BTreeMap<&str, &Template> = view.templates().collect();
    let mut problems = Vec::new();
    for (file, template) in view.templates() {
        calls(file, template, &by_file, &mut problems);
    }
    for (file, text) in view.tree.below(super::FOLDER, "bicepparam") {
        parameter_file(file, text, &by_file, &mut problems);
    }
    problems
}

fn calls(
    file: &str,
    template: &Template,
    by_file: &BTreeMap<&str, &Template>,
    problems: &mut Vec<Problem>,
) {
    for declaration in &template.declarations {
        let Kind::Module { path, body } = &declaration.kind else {
            continue;
        };
        let mut report =
            |rule, line, what: String| problems.push(Problem::new(rule, file, line, what));
        if path.starts_with("br:") || path.starts_with("br/") || path.starts_with("ts:") {
            report(
                "module-path",
                declaration.line,
                format!("module {} comes from a registry", declaration.name),
            );
            continue;
        }
        let target = relative(file, path);
        let Some(module) = by_file.get(target.as_str()) else {
            report(
                "module-path",
                declaration.line,
                format!("there is no {target}"),
            );
            continue;
        };
        let parameters = parameters(module);
        let given = body.get("params").and_then(|params| params.object());
        for property in given.unwrap_or_default() {
            if !parameters.contains_key(property.key.as_str()) {
                report(
                    "module-parameter",
                    property.line,
                    format!("{target} has no param {}", property.key),
                );
            }
        }
        for (name, required) in parameters {
            let is_given = given
                .unwrap_or_default()
                .iter()
                .any(|property| property.key == name);
            if required && !is_given {
                report(
                    "module-parameter",
                    declaration.line,
                    format!(
                        "module {} gives no {name}, which {target} needs",
                        declaration.name
                    ),
                );
            }
        }
        // In a subscription, a module for a resource group must be told which one.
        if template.target_scope.as_deref() == Some("subscription")
            && module.target_scope.is_none()
            && body.get("scope").is_none()
        {
            report(
                "module-scope",
                declaration.line,
                format!("module {} needs a scope", declaration.name),
            );
        }
        members(file, template, declaration.name.as_str(), module, problems);
    }
}

/// The parameters of a template, and whether a value must be given.
fn parameters(template: &Template) -> BTreeMap<&str, bool> {
    template
        .declarations
        .iter()
        .filter_map(|declaration| match &declaration.kind {
            Kind::Parameter { of, default } => Some((
                declaration.name.as_str(),
                default.is_none() && !of.ends_with('?'),
            )),
            _ => None,
        })
        .collect()
}

/// `module.outputs.name` must be an output of the module.
fn members(
    file: &str,
    template: &Template,
    symbol: &str,
    module: &Template,
    problems: &mut Vec<Problem>,
) {
    let outputs: BTreeSet<&str> = module
        .declarations
        .iter()
        .filter(|declaration| matches!(declaration.kind, Kind::Output { .. }))
        .map(|declaration| declaration.name.as_str())
        .collect();
    template.visit(&mut |expression| {
        let Shape::Member(outer, output) = &expression.shape else {
            return;
        };
        let Shape::Member(inner, word) = &outer.shape else {
            return;
        };
        let is_module = match &inner.shape {
            Shape::Name(name) => name == symbol,
            Shape::Index(name, _) => name.text == symbol,
            _ => false,
        };
        if is_module && word == "outputs" && !outputs.contains(output.as_str()) {
            problems.push(Problem::new(
                "module-output",
                file,
                expression.line,
                format!("module {symbol} has no output {output}"),
            ));
        }
    });
}

/// `using '…'` and the assignments, line by line: the grammar does not read parameter files.
fn parameter_file(
    file: &str,
    text: &str,
    by_file: &BTreeMap<&str, &Template>,
    problems: &mut Vec<Problem>,
) {
    let mut report =
        |line, what: String| problems.push(Problem::new("parameter-file", file, line, what));
    let using = text.lines().enumerate().find_map(|(index, line)| {
        let path = line.strip_prefix("using '")?.split('\'').next()?;
        Some((index + 1, relative(file, path)))
    });
    let Some((line, target)) = using else {
        report(1, "there is no `using`".to_owned());
        return;
    };
    let Some(template) = by_file.get(target.as_str()) else {
        report(line, format!("there is no {target}"));
        return;
    };
    let parameters = parameters(template);
    let mut assigned = BTreeSet::new();
    for (index, line) in text.lines().enumerate() {
        let Some((name, _)) = line
            .strip_prefix("param ")
            .and_then(|rest| rest.split_once('='))
        else {
            continue;
        };
        let name = name.trim();
        if !parameters.contains_key(name) {
            report(index + 1, format!("{target} has no param {name}"));
        }
        if !assigned.insert(name) {
            report(index + 1, format!("param {name} is assigned twice"));
        }
    }
    for (name, required) in parameters {
        if required && !assigned.contains(name) {
            report(line, format!("{target} needs a value for {name}"));
        }
    }
}
