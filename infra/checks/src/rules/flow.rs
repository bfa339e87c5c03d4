//! The Architect flows: attributes that the bridge really sends, placeholders that Terraform fills, variables that are declared,
//! and a look-up whose inputs and outputs are those of the data actions.

use std::collections::BTreeSet;

use bridge::state::customer::Customer;
use hcl::expr::Expression;
use serde_norway::Value as Yaml;

use super::{View, data_actions};
use crate::Problem;
use crate::terraform::{Configuration, attribute, keys, labels};

/// The only kind of flow that open messaging can start.
const ROOT: &str = "inboundShortMessage";

pub(super) fn check(view: &View<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let flows: Vec<(&str, &str)> = view.tree.below("infra/genesys/flows", "yaml").collect();
    if flows.is_empty() {
        return problems;
    }
    substitutions(view, &flows, &mut problems);
    for (file, text) in flows {
        let Ok(yaml) = serde_norway::from_str::<Yaml>(text) else {
            continue;
        };
        let mut flow = Flow {
            view,
            file,
            problems: &mut problems,
        };
        flow.start(&yaml);
        flow.variables(&yaml, text);
        flow.attributes(&yaml);
        flow.look_up(&yaml);
    }
    problems
}

/// The names of all attributes that the bridge can send, from the bridge itself.
fn bridge_attributes() -> BTreeSet<String> {
    const GUID: &str = "00000000-0000-4000-8000-000000000001";
    let (Ok(user), Ok(chat), Ok(account)) =
        (GUID.parse(), "19:a@thread.v2".parse(), "support".parse())
    else {
        return BTreeSet::new();
    };
    let customer = Customer {
        user,
        tenant: GUID.parse().ok(),
        upn: Some("somebody@example.com".to_owned()),
        name: Some("Somebody".to_owned()),
    };
    bridge::conversation::attributes::custom_attributes(&customer, &chat, &account)
        .into_keys()
        .collect()
}

/// What stands between `{{` and `}}`.
fn placeholders(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(|line| line.split("{{").skip(1))
        .filter_map(|rest| rest.split_once("}}"))
        .map(|(name, _)| name.trim().to_owned())
        .collect()
}

fn substitutions(view: &View<'_>, flows: &[(&str, &str)], problems: &mut Vec<Problem>) {
    let configuration = &view.terraform;
    let mut given = BTreeSet::new();
    let mut place = None;
    for (file, block) in configuration.of("resource") {
        if labels(block).first() == Some(&"genesyscloud_flow") {
            place = Some(file);
            if let Some(value) = attribute(block, "substitutions") {
                collect_keys(configuration, value, 0, &mut given);
            }
        }
    }
    let Some(place) = place else {
        problems.push(Problem::new(
            "flow-substitution",
            "infra/genesys/flow.tf",
            0,
            "no genesyscloud_flow publishes the flows",
        ));
        return;
    };
    let mut used = BTreeSet::new();
    for (file, text) in flows {
        for name in placeholders(text) {
            if !given.contains(&name) {
                problems.push(Problem::new(
                    "flow-substitution",
                    file,
                    view.tree.line_of(file, &format!("{{{{{name}}}}}")),
                    format!("the substitutions in {place} have no {name}"),
                ));
            }
            used.insert(name);
        }
    }
    for name in given.difference(&used) {
        problems.push(Problem::new(
            "flow-substitution",
            place,
            view.tree.line_of(place, name),
            format!("no flow has the placeholder {name}"),
        ));
    }
}

/// The keys of every object that an expression can be merged from, locals followed.
fn collect_keys(
    configuration: &Configuration<'_>,
    value: &Expression,
    depth: usize,
    found: &mut BTreeSet<String>,
) {
    if depth > 10 {
        return;
    }
    match value {
        Expression::Object(_) => found.extend(keys(value).into_iter().map(str::to_owned)),
        Expression::FuncCall(call) => {
            for argument in &call.args {
                collect_keys(configuration, argument, depth + 1, found);
            }
        }
        Expression::Parenthesis(inner) => collect_keys(configuration, inner, depth + 1, found),
        Expression::Conditional(choice) => {
            collect_keys(configuration, &choice.true_expr, depth + 1, found);
            collect_keys(configuration, &choice.false_expr, depth + 1, found);
        }
        Expression::Traversal(traversal) => {
            if let (Expression::Variable(root), Some(hcl::expr::TraversalOperator::GetAttr(name))) =
                (&traversal.expr, traversal.operators.first())
                && root.as_str() == "local"
                && let Some(value) = configuration.local(name.as_str())
            {
                collect_keys(configuration, value, depth + 1, found);
            }
        }
        _ => {}
    }
}

struct Flow<'a, 'b> {
    view: &'a View<'a>,
    file: &'a str,
    problems: &'b mut Vec<Problem>,
}

impl Flow<'_, '_> {
    fn report(&mut self, rule: &'static str, needle: &str, what: String) {
        let line = self.view.tree.line_of(self.file, needle);
        self.problems
            .push(Problem::new(rule, self.file, line, what));
    }

    fn start(&mut self, yaml: &Yaml) {
        let roots: Vec<&str> = yaml
            .as_mapping()
            .map(|members| members.keys().filter_map(Yaml::as_str).collect())
            .unwrap_or_default();
        if roots != [ROOT] {
            self.report(
                "flow-root",
                roots.first().copied().unwrap_or_default(),
                format!("the root must be {ROOT}"),
            );
            return;
        }
        let flow = &yaml[ROOT];
        let start = flow["startUpRef"].as_str().unwrap_or_default();
        let states = flow["states"].as_sequence().map_or(&[][..], Vec::as_slice);
        let exists = states.iter().any(|state| {
            state["state"]["refId"]
                .as_str()
                .is_some_and(|id| start.ends_with(&format!("/states/state[{id}]")))
        });
        if !exists {
            self.report(
                "flow-root",
                "startUpRef",
                format!("startUpRef {start:?} leads to no state"),
            );
        }
        let mut transfers = Vec::new();
        find(yaml, "transferToAcd", &mut transfers);
        if transfers.is_empty() {
            self.report(
                "flow-queue",
                ROOT,
                "nothing transfers to a queue".to_owned(),
            );
        }
        if flow["settingsErrorHandling"]["errorHandling"]["queue"].is_null() {
            self.report(
                "flow-queue",
                "settingsErrorHandling",
                "an error of the flow must go to the queue".to_owned(),
            );
        }
    }

    /// `State.X` is declared in a state's variables.
    fn variables(&mut self, yaml: &Yaml, text: &str) {
        let mut declarations = Vec::new();
        find(yaml, "variables", &mut declarations);
        let declared: BTreeSet<&str> = declarations
            .iter()
            .filter_map(|list| list.as_sequence())
            .flatten()
            .filter_map(Yaml::as_mapping)
            .flat_map(|kind| kind.values())
            .filter_map(|variable| variable["name"].as_str())
            .collect();
        let mut used = BTreeSet::new();
        for line in text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
        {
            for (index, _) in line.match_indices("State.") {
                let name = &line[index..];
                let end = name
                    .find(|c: char| !c.is_alphanumeric() && c != '.' && c != '_')
                    .unwrap_or(name.len());
                used.insert(name[..end].trim_end_matches('.'));
            }
        }
        for name in used {
            if !declared.contains(name) {
                self.report("flow-variable", name, format!("no state declares {name}"));
            }
        }
    }

    /// Attributes are read under both names, and only those that the bridge sends.
    fn attributes(&mut self, yaml: &Yaml) {
        let known = bridge_attributes();
        let read = attribute_names(yaml, "getParticipantData");
        for name in &read {
            let plain = name.strip_prefix("context.").unwrap_or(name);
            if !known.contains(plain) {
                self.report(
                    "flow-attribute",
                    name,
                    format!("the bridge sends no attribute {plain}"),
                );
            }
            let other = match name.strip_prefix("context.") {
                Some(plain) => plain.to_owned(),
                None => format!("context.{name}"),
            };
            if !read.contains(&other) {
                self.report(
                    "flow-attribute",
                    name,
                    format!("{name} is read and {other} is not"),
                );
            }
        }
        if !read.contains("teamsUpn") {
            self.report(
                "flow-attribute",
                "getParticipantData",
                "the UPN is not read".to_owned(),
            );
        }
        for name in attribute_names(yaml, "setParticipantData") {
            if name.starts_with("teams") && !known.contains(&name) {
                self.report(
                    "flow-attribute",
                    &name,
                    format!("the bridge sends no attribute {name}"),
                );
            }
        }
    }

    /// What the look-up is given and gives is in the contract of every data action that can be put in its place.
    fn look_up(&mut self, yaml: &Yaml) {
        let mut calls = Vec::new();
        find(yaml, "callData", &mut calls);
        let actions = data_actions::actions(self.view);
        for call in calls {
            for branch in ["success", "failure", "timeout"] {
                if call["outputs"][branch].is_null() {
                    self.report(
                        "flow-look-up",
                        "callData",
                        format!("the look-up has no branch for {branch}"),
                    );
                }
            }
            let mut holders = Vec::new();
            find(&call["category"], "dataAction", &mut holders);
            let action = holders
                .first()
                .and_then(|holder| holder.as_mapping())
                .and_then(|members| members.values().next());
            let Some(action) = action else {
                self.report(
                    "flow-look-up",
                    "callData",
                    "the look-up calls no data action".to_owned(),
                );
                continue;
            };
            let names = |key: &str| -> Vec<String> {
                action[key]
                    .as_mapping()
                    .map(|members| {
                        members
                            .keys()
                            .filter_map(Yaml::as_str)
                            .map(str::to_owned)
                            .collect()
                    })
                    .unwrap_or_default()
            };
            let (inputs, outputs) = (names("inputs"), names("successOutputs"));
            for (file, json) in actions
                .iter()
                .filter(|(_, json)| json["actionType"] == "custom")
            {
                let contract = &json["contract"];
                let input = data_actions::properties(&contract["input"]["inputSchema"]);
                let output = data_actions::properties(&contract["output"]["successSchema"]);
                for name in inputs.iter().filter(|name| !input.contains(name.as_str())) {
                    self.report("flow-look-up", name, format!("{file} takes no {name}"));
                }
                for name in input
                    .iter()
                    .filter(|name| !inputs.iter().any(|given| given == *name))
                {
                    self.report("flow-look-up", "inputs", format!("{file} wants {name}"));
                }
                for name in outputs
                    .iter()
                    .filter(|name| !output.contains(name.as_str()))
                {
                    self.report("flow-look-up", name, format!("{file} gives no {name}"));
                }
            }
        }
    }
}

/// The names of the attributes in all actions of a kind.
fn attribute_names(yaml: &Yaml, action: &str) -> BTreeSet<String> {
    let mut actions = Vec::new();
    find(yaml, action, &mut actions);
    actions
        .iter()
        .filter_map(|action| action["attributes"].as_sequence())
        .flatten()
        .filter_map(|item| item["attribute"]["name"]["lit"].as_str())
        .map(str::to_owned)
        .collect()
}

/// All values with this key, at any depth.
fn find<'a>(yaml: &'a Yaml, key: &str, found: &mut Vec<&'a Yaml>) {
    match yaml {
        Yaml::Mapping(members) => {
            for (name, value) in members {
                if name.as_str() == Some(key) {
                    found.push(value);
                }
                find(value, key, found);
            }
        }
        Yaml::Sequence(items) => {
            for item in items {
                find(item, key, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bridge_tells_all_its_attributes() {
        let names = bridge_attributes();
        assert!(
            names.contains("teamsUpn") && names.contains("teamsTenantId"),
            "{names:?}"
        );
        assert_eq!(names.len(), 6);
    }

    #[test]
    fn placeholders_outside_of_comments() {
        let found = placeholders("# {{comment}}\na: \"{{one}} and {{ two }}\"\n");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["one", "two"]);
    }
}
