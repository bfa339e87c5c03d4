//! Data actions: contracts that are JSON Schemas, templates that use only what there is and escape what comes from outside, and
//! an answer for every customer who is not found.
//!
//! They lie as export files of Genesys Cloud in `data-actions/`; Terraform reads them with `jsondecode(file(…))`.

use std::collections::{BTreeMap, BTreeSet};

use hcl::expr::Expression;
use serde_json::Value as Json;

use super::View;
use super::terraform::FOLDER;
use crate::Problem;
use crate::bicep::relative;
use crate::terraform::{Configuration, Met, attribute, keys, visit_block};

/// Velocity macros of Genesys Cloud that make a text harmless inside quotes of a query.
const QUOTE_ESCAPES: &[&str] = &["$esc.sql(", "$esc.javascript(", "$salesforce.escReserved("];

pub(super) fn check(view: &View<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (file, json) in actions(view) {
        let mut action = Action {
            view,
            file,
            json: &json,
            problems: &mut problems,
        };
        action.contract();
        action.request();
        action.response();
    }
    let configuration = &view.terraform;
    files(view, configuration, &mut problems);
    credentials(view, configuration, &mut problems);
    problems
}

/// The export files.
pub(super) fn actions<'a>(view: &View<'a>) -> Vec<(&'a str, Json)> {
    view.tree
        .below("infra/genesys/data-actions", "json")
        .filter_map(|(file, text)| Some((file, serde_json::from_str(text).ok()?)))
        .collect()
}

/// Names of the properties of a JSON Schema.
pub(super) fn properties(schema: &Json) -> BTreeSet<&str> {
    schema["properties"]
        .as_object()
        .map(|properties| properties.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

struct Action<'a, 'b> {
    view: &'a View<'a>,
    file: &'a str,
    json: &'a Json,
    problems: &'b mut Vec<Problem>,
}

impl Action<'_, '_> {
    fn report(&mut self, rule: &'static str, needle: &str, what: String) {
        let line = self.view.tree.line_of(self.file, needle);
        self.problems
            .push(Problem::new(rule, self.file, line, what));
    }

    fn contract(&mut self) {
        let kind = self.json["actionType"].as_str().unwrap_or_default();
        let ending = format!(".{kind}.json");
        if !matches!(kind, "custom" | "customAuth") || !self.file.ends_with(&ending) {
            self.report(
                "data-action",
                "actionType",
                format!("actionType {kind:?} does not fit the file's name"),
            );
        }
        for pointer in [
            "/contract/input/inputSchema",
            "/contract/output/successSchema",
        ] {
            match self.json.pointer(pointer) {
                Some(schema) => self.schema(schema, pointer),
                None => self.report(
                    "data-action-contract",
                    "contract",
                    format!("there is no {pointer}"),
                ),
            }
        }
    }

    fn schema(&mut self, schema: &Json, place: &str) {
        let of = schema["type"].as_str().unwrap_or_default();
        if !matches!(
            of,
            "object" | "array" | "string" | "integer" | "number" | "boolean"
        ) {
            self.report(
                "data-action-contract",
                place.rsplit('/').next().unwrap_or_default(),
                format!("{place} has no type of JSON Schema"),
            );
        }
        let names = properties(schema);
        let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
        for name in required.iter().filter_map(Json::as_str) {
            if !names.contains(name) {
                self.report(
                    "data-action-contract",
                    &format!("\"{name}\""),
                    format!("{place} requires {name}, which is no property"),
                );
            }
        }
        if let Some(inner) = schema["properties"].as_object() {
            for (name, inner) in inner {
                self.schema(inner, &format!("{place}/{name}"));
            }
        }
        if let Some(items) = schema.get("items") {
            self.schema(items, &format!("{place}/items"));
        }
    }

    fn request(&mut self) {
        let request = &self.json["config"]["request"];
        let inputs = properties(&self.json["contract"]["input"]["inputSchema"]);
        let url = request["requestUrlTemplate"].as_str().unwrap_or_default();
        let body = request["requestTemplate"].as_str().unwrap_or_default();
        if url.is_empty() {
            self.report(
                "data-action",
                "request",
                "there is no requestUrlTemplate".to_owned(),
            );
        }
        for (key, template) in [("requestUrlTemplate", url), ("requestTemplate", body)] {
            for place in uses(template, "${input.") {
                let name = template[place..].split('}').next().unwrap_or_default();
                if name == "rawRequest" && key == "requestTemplate" {
                    continue;
                }
                if !inputs.contains(name) {
                    self.report(
                        "data-action-input",
                        key,
                        format!("{key} uses {name}, which is no property of the input"),
                    );
                }
                let before = &template[..place];
                let escaped = if key == "requestUrlTemplate" {
                    is_inside(before, "$esc.url(")
                } else {
                    is_inside(before, "$esc.jsonString(")
                };
                if !escaped {
                    self.report(
                        "data-action-escape",
                        key,
                        format!("{key} puts {name} in without escaping it"),
                    );
                }
                let quoted = before.matches('\'').count() % 2 == 1;
                if quoted && !QUOTE_ESCAPES.iter().any(|escape| is_inside(before, escape)) {
                    self.report(
                        "data-action-escape",
                        key,
                        format!("a quote in {name} would end the quoted text in {key}"),
                    );
                }
            }
        }
    }

    fn response(&mut self) {
        let response = &self.json["config"]["response"];
        let empty = serde_json::Map::new();
        let map = response["translationMap"].as_object().unwrap_or(&empty);
        let defaults = response["translationMapDefaults"]
            .as_object()
            .unwrap_or(&empty);
        for (name, path) in map {
            if !path.as_str().unwrap_or_default().starts_with('$') {
                self.report(
                    "data-action-response",
                    &format!("\"{name}\""),
                    format!("{name} is no JSONPath"),
                );
            }
            if !defaults.contains_key(name) {
                self.report(
                    "data-action-no-match",
                    &format!("\"{name}\""),
                    format!(
                        "{name} has no default, so that a customer who is not found is an error"
                    ),
                );
            }
        }
        for (name, default) in defaults {
            let json = default.as_str().map(serde_json::from_str::<Json>);
            if !matches!(json, Some(Ok(_))) {
                self.report(
                    "data-action-response",
                    &format!("\"{name}\""),
                    format!("the default of {name} is no JSON text"),
                );
            }
            if !map.contains_key(name) {
                self.report(
                    "data-action-response",
                    "translationMapDefaults",
                    format!("{name} has a default and no path"),
                );
            }
        }
        let template = response["successTemplate"].as_str().unwrap_or_default();
        for before in ["${", "$!{"] {
            for place in uses(template, before) {
                let name = template[place..].split('}').next().unwrap_or_default();
                if !map.contains_key(name) && name != "rawResult" {
                    self.report(
                        "data-action-response",
                        "successTemplate",
                        format!("successTemplate uses {name}, which has no path"),
                    );
                }
            }
        }
        if template == "${rawResult}" {
            return;
        }
        let schema = &self.json["contract"]["output"]["successSchema"];
        for name in properties(schema) {
            if !template.contains(&format!("\"{name}\":")) {
                self.report(
                    "data-action-response",
                    "successTemplate",
                    format!("successTemplate leaves out {name}"),
                );
            }
        }
    }
}

/// Where what follows `before` begins, for each time that it is in the text.
fn uses<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(before)
        .map(move |(index, _)| index + before.len())
}

/// Whether the end of `before` is inside an open call of `function`, which ends in `(`.
fn is_inside(before: &str, function: &str) -> bool {
    before.match_indices(function).any(|(index, _)| {
        let mut depth = 1;
        for character in before[index + function.len()..].chars() {
            match character {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return false;
            }
        }
        true
    })
}

/// What Terraform reads from files is there, down to the member, and the texts that it replaces are in them.
fn files(view: &View<'_>, configuration: &Configuration<'_>, problems: &mut Vec<Problem>) {
    let documents = documents(view, configuration, problems);
    for (file, block) in &configuration.blocks {
        let mut wrong = Vec::new();
        visit_block(block, &mut Vec::new(), &mut |met, _| match met {
            Met::Reference("local", path) => {
                if let Some((document, rest)) = path
                    .split_first()
                    .and_then(|(name, rest)| Some((documents.get(*name)?, rest)))
                {
                    let found = rest
                        .iter()
                        .try_fold(document, |value, key| value.get(*key))
                        .is_some();
                    if !found {
                        wrong.push((path.join("."), "no such member in the file".to_owned()));
                    }
                }
            }
            Met::Call("replace", [subject, Expression::String(from), _]) => {
                if let Some(text) = resolved(subject, &documents)
                    && !text.contains(from.as_str())
                {
                    wrong.push((
                        from.clone(),
                        "the text to replace is not in the file".to_owned(),
                    ));
                }
            }
            _ => {}
        });
        for (name, what) in wrong {
            problems.push(Problem::new(
                "data-action-file",
                file,
                view.tree.line_of(file, &name),
                format!("{name}: {what}"),
            ));
        }
    }
}

/// Locals that are `jsondecode(file("${path.module}/…"))`, with the file's content.
fn documents(
    view: &View<'_>,
    configuration: &Configuration<'_>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, Json> {
    let mut documents = BTreeMap::new();
    for (file, block) in configuration.of("locals") {
        for local in block.body().attributes() {
            let Some(path) = decoded_file(local.expr()) else {
                continue;
            };
            let path = relative(file, &path);
            match view.tree.text(&path).map(serde_json::from_str) {
                Some(Ok(json)) => {
                    documents.insert(local.key().to_owned(), json);
                }
                _ => problems.push(Problem::new(
                    "data-action-file",
                    file,
                    view.tree.line_of(file, local.key()),
                    format!("{path} is not there or no JSON"),
                )),
            }
        }
    }
    documents
}

fn decoded_file(expression: &Expression) -> Option<String> {
    let call = |expression: &Expression, name: &str| match expression {
        Expression::FuncCall(call) if call.name.name.as_str() == name => call.args.first().cloned(),
        _ => None,
    };
    let path = call(&call(expression, "jsondecode")?, "file")?;
    let Expression::TemplateExpr(template) = path else {
        return None;
    };
    let hcl::expr::TemplateExpr::QuotedString(text) = *template else {
        return None;
    };
    text.strip_prefix("${path.module}/").map(str::to_owned)
}

/// The text that an expression begins with before any replacement.
fn resolved<'a>(subject: &Expression, documents: &'a BTreeMap<String, Json>) -> Option<&'a str> {
    match subject {
        Expression::FuncCall(call) if call.name.name.as_str() == "replace" => {
            resolved(call.args.first()?, documents)
        }
        Expression::Traversal(traversal) => {
            let Expression::Variable(root) = &traversal.expr else {
                return None;
            };
            if root.as_str() != "local" {
                return None;
            }
            let mut names = traversal.operators.iter().map(|operator| match operator {
                hcl::expr::TraversalOperator::GetAttr(name) => Some(name.as_str()),
                _ => None,
            });
            let document = documents.get(names.next()??)?;
            names
                .try_fold(document, |value, name| value.get(name?))?
                .as_str()
        }
        _ => None,
    }
}

/// `${credentials.x}` in the sign-in of an integration is a field of the credential in the same Terraform file.
fn credentials(view: &View<'_>, configuration: &Configuration<'_>, problems: &mut Vec<Problem>) {
    for (path, json) in actions(view) {
        if json["actionType"] != "customAuth" {
            continue;
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        let Some((file, _)) = view
            .tree
            .below(FOLDER, "tf")
            .find(|(_, text)| text.contains(name))
        else {
            problems.push(Problem::new(
                "data-action-file",
                path,
                0,
                "no Terraform file reads this",
            ));
            continue;
        };
        let fields: BTreeSet<&str> = configuration
            .of("resource")
            .filter(|(found, block)| {
                *found == file
                    && block
                        .labels()
                        .first()
                        .map(hcl::structure::BlockLabel::as_str)
                        == Some("genesyscloud_integration_credential")
            })
            .filter_map(|(_, block)| attribute(block, "fields"))
            .flat_map(keys)
            .collect();
        let text = view.tree.text(path).unwrap_or_default();
        for place in uses(text, "${credentials.") {
            let field = text[place..].split('}').next().unwrap_or_default();
            if !fields.contains(field) {
                problems.push(Problem::new(
                    "data-action-credential",
                    path,
                    view.tree.line_of(path, &format!("credentials.{field}")),
                    format!("the credential in {file} has no field {field}"),
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_a_call_means_that_it_is_still_open() {
        assert!(is_inside("a$esc.url($esc.sql(", "$esc.url("));
        assert!(is_inside("$esc.url(\"q = f(x) and '", "$esc.url("));
        assert!(!is_inside("$esc.url(x) and ", "$esc.url("));
        assert!(!is_inside("plain ", "$esc.url("));
    }
}
