//! The repository keeps every rule, and each rule finds the mistake that it is there for: one is seeded, in memory, and must be
//! reported. A seed that changes nothing fails, so that none goes into the void.

use serde_json::Value;

use crate::inputs::{Inputs, PROFILES, own_name};
use crate::{alerts, flow, policy, program, queries, roles, runbook};

fn problems(inputs: &Inputs) -> Vec<String> {
    let checks = [
        policy::check,
        roles::check,
        program::check,
        queries::check,
        flow::check,
        runbook::check,
        alerts::check,
    ];
    checks.iter().flat_map(|check| check(inputs)).collect()
}

#[test]
fn every_profile_keeps_the_rules() {
    for profile in PROFILES {
        let found = problems(&Inputs::read(profile));
        assert!(found.is_empty(), "{profile}:\n{}", found.join("\n"));
    }
}

const MISTAKES: &str = include_str!("../mistakes.txt");

/// Changes or adds a member; the way to it must be there.
fn seed(target: &mut Value, place: &str, wrong: &str) {
    let wrong: Value = serde_json::from_str(wrong).expect("JSON");
    let way = format!("/{}", place.replace('.', "/"));
    let (way, last) = way.rsplit_once('/').expect("a slash");
    let parent = target.pointer_mut(way);
    let member = match parent.unwrap_or_else(|| panic!("there is no {way}")) {
        Value::Array(items) => &mut items[last.parse::<usize>().expect("an index")],
        parent => &mut parent[last],
    };
    assert_ne!(*member, wrong, "{place} changes nothing");
    *member = wrong;
}

fn assert_reported(seeded: &str, inputs: &Inputs, expected: &str) {
    let found = problems(inputs);
    assert!(
        found.iter().any(|it| it.contains(expected)),
        "{seeded} is not reported, only {found:#?}"
    );
}

#[test]
fn mistakes_are_found() {
    let right = PROFILES.map(Inputs::read);
    let rows = MISTAKES
        .lines()
        .filter(|it| !it.is_empty() && !it.starts_with('#'));
    for row in rows {
        let (what, expected) = row.split_once(" -> ").expect("what is reported");
        let (way, wrong) = what.split_once(" = ").expect("a value");
        let (profile, way) = match way.strip_prefix('@') {
            Some(rest) => rest.split_once(' ').expect("a place"),
            None => ("main", way),
        };
        let inputs = right.iter().find(|it| it.profile == profile);
        let mut inputs = inputs.expect("a profile").clone();
        match way.split(' ').collect::<Vec<_>>()[..] {
            ["host", place] => seed(&mut inputs.host, place, wrong),
            ["local", place] => seed(&mut inputs.local, place, wrong),
            ["ended", place] => seed(&mut inputs.ended, place, wrong),
            ["outputs", place] => seed(&mut inputs.snapshot["outputs"], place, wrong),
            [function, place] => {
                let function = inputs.functions.get_mut(function);
                seed(function.expect("a function"), place, wrong);
            }
            [of, name, place] => {
                let all = inputs.snapshot["predictedResources"].as_array_mut();
                let mut all = all.into_iter().flatten();
                let meant = |it: &&mut Value| it["type"] == of && policy::fits(name, own_name(it));
                let resource = all.find(meant).unwrap_or_else(|| panic!("no {of} {name}"));
                seed(resource, place, wrong);
            }
            _ => panic!("{way} leads nowhere"),
        }
        assert_reported(what, &inputs, expected);
    }
}

#[test]
fn mistakes_in_texts_are_found() {
    let right = Inputs::read("main");
    for (from, to, expected) in [
        (
            "lit: teamsUpn\n                    variable",
            "lit: teamUpn\n                    variable",
            "reads: teamsUpn is missing",
        ),
        (
            "lit: conversationDetails.participantData.teamsUpn",
            "lit: participantData.teamsUpn",
            "shows: teamsUpn is missing",
        ),
        (
            "\"genesys-webhook-secret",
            "\"genesys-webhook",
            "does not read the secret genesys-webhook-secret",
        ),
        (
            ": &str = \"failed\";",
            ": &str = \"lost\";",
            "no constant for the container failed",
        ),
        (
            "### `sign_in_needed`",
            "### `sign_in_wanted`",
            "sign_in_wanted is no event and no alert",
        ),
        (
            "### `panic`",
            "### Panics",
            "handler-trouble: RUNBOOK.md has no entry for panic",
        ),
        (
            "### `backlog`",
            "### Backlog",
            "backlog: RUNBOOK.md has no entry backlog",
        ),
        (
            "`timer_done`",
            "timers",
            "app-silent: RUNBOOK.md has no entry for timer_done",
        ),
        (
            "- **Do** first what [the first step]",
            "- First what [the first step]",
            "app-silent: its entry in RUNBOOK.md lacks **Do**",
        ),
        (
            "\n| `app-silent` |",
            "\n| `app-quiet` |",
            "the alerts of infra/README.md: app-silent is missing",
        ),
        (
            "=> \"starting\"",
            "=> \"begins\"",
            "looks for no status of the handler",
        ),
        (
            "### `settled`",
            "### `handed_back`",
            "two entries handed_back",
        ),
        (
            "in (\"message_failed\")",
            "in (\"message_lost\")",
            "RUNBOOK.md: the program logs no event message_lost",
        ),
    ] {
        let mut inputs = right.clone();
        let flow = inputs.flows.values_mut().next().expect("a flow");
        let text = if from.starts_with("lit: ") {
            flow
        } else if inputs.runbook.contains(from) {
            &mut inputs.runbook
        } else if inputs.readme.contains(from) {
            &mut inputs.readme
        } else {
            &mut inputs.sources
        };
        assert!(text.contains(from), "{from} is nowhere");
        *text = text.replace(from, to);
        assert_reported(to, &inputs, expected);
    }
}
