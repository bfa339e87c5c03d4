//! Architect's flows and the example of Terraform's values. The languages and the look-up are Terraform's tests' business
//! (`infra/genesys/tests`); here is what only the program knows: the attributes that the bridge sends.

use std::collections::BTreeSet;

use bridge::conversation::attributes::custom_attributes;
use bridge::state::customer::Customer;

use crate::inputs::{Inputs, difference, text};

/// What an agent must see of a customer without a CRM: participant data whose names begin so are shown.
const SHOWN: [&str; 4] = [
    "teamsCompany",
    "teamsTenantId",
    "teamsUpn",
    "teamsUpnVerified",
];
/// What it must see besides with one.
const SHOWN_OF_CRM: [&str; 3] = ["crmAccountName", "crmMatched", "crmTier"];

const SHOWN_PREFIX: &str = "conversationDetails.participantData.";

/// The names of all attributes that the bridge can send.
fn bridge_attributes() -> BTreeSet<String> {
    let guid = "00000000-0000-4000-8000-000000000001";
    let customer = Customer {
        user: guid.parse().expect("a user id"),
        user_type: Some("aadUser".to_owned()),
        tenant: Some(guid.parse().expect("a tenant id")),
        upn: Some("somebody@example.com".to_owned()),
        name: Some("Somebody".to_owned()),
        guest: false,
        upn_verified: false,
        company: Some("Company".to_owned()),
        domain: "example.com".parse().ok(),
        lookup_failed_at: None,
    };
    let chat = "19:a@thread.v2".parse().expect("a chat id");
    let account = "support".parse().expect("a name");
    custom_attributes(&customer, &chat, &account, "graph")
        .into_keys()
        .collect()
}

/// The names of the attributes in all actions of a kind: `lit:` below `name:` inside the action.
fn attributes<'a>(flow: &'a str, action: &str) -> BTreeSet<&'a str> {
    let mut inside = None;
    let mut before = "";
    let mut names = BTreeSet::new();
    for line in flow.lines() {
        let depth = line.len() - line.trim_start().len();
        if inside.is_some_and(|start| depth <= start) {
            inside = None;
        }
        if line.trim() == format!("- {action}:") {
            inside = Some(depth);
        }
        if inside.is_some() && before == "name:" {
            names.extend(line.trim().strip_prefix("lit: "));
        }
        before = line.trim();
    }
    names
}

/// Where flows and bridge differ.
pub fn check(inputs: &Inputs) -> Vec<String> {
    let known = bridge_attributes();
    let expected = || known.iter().map(String::as_str);
    let mut problems = Vec::new();
    for (file, flow) in &inputs.flows {
        let read = attributes(flow, "getParticipantData");
        problems.extend(difference(&format!("{file} reads"), expected(), read));
        let set = attributes(flow, "setParticipantData");
        let shown = set.iter().filter_map(|it| it.strip_prefix(SHOWN_PREFIX));
        let of_crm = SHOWN_OF_CRM.iter().filter(|_| flow.contains("callData:"));
        let expected = SHOWN.iter().chain(of_crm).copied();
        problems.extend(difference(&format!("{file} shows"), expected, shown));
    }
    if inputs.flows.len() != 2 {
        problems.push("there must be a flow with a look-up and one without".to_owned());
    }
    problems
}

#[test]
fn the_example_names_every_variable() {
    let variables = text("infra/genesys/variables.tf");
    let names = variables
        .split("\nvariable \"")
        .skip(1)
        .filter_map(|it| it.split('"').next());
    let example = text("infra/genesys/terraform.tfvars.example");
    let lines = example
        .lines()
        .filter_map(|it| it.trim_start_matches("# ").split([' ', ':']).next());
    let told = lines.filter(|it| it.contains('_') || ["name", "crm"].contains(it));
    assert_eq!(difference("terraform.tfvars.example", names, told), [""; 0]);
}
