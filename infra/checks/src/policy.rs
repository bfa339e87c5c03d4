//! The policy: what each profile must tell Azure, from `policy.txt`.

use serde_json::Value;

use crate::inputs::{Inputs, own_name};

const POLICY: &str = include_str!("../policy.txt");

/// Where the policy is not kept.
pub fn check(inputs: &Inputs) -> Vec<String> {
    let mut problems = Vec::new();
    let mut selected: Vec<&Value> = Vec::new();
    let comment = |line: &&str| line.is_empty() || line.trim_start().starts_with('#');
    for line in POLICY.lines().filter(|line| !comment(line)) {
        if let Some(rule) = line.strip_prefix("    ") {
            let (place, right) = rule.split_once(" = ").expect("a value in policy.txt");
            problems.extend(selected.iter().filter_map(|it| wrong(it, place, right)));
            continue;
        }
        let mut words: Vec<&str> = line.split(' ').collect();
        let of = words.remove(0);
        let mut profiles = words
            .iter()
            .filter_map(|it| it.strip_prefix('@'))
            .peekable();
        let elsewhere = profiles.peek().is_some() && !profiles.any(|it| it == inputs.profile);
        words.retain(|it| !it.starts_with('@'));
        selected = match (of, words.as_slice()) {
            _ if elsewhere => Vec::new(),
            ("host.json", _) => vec![&inputs.host],
            (_, ["none"]) => {
                let made = inputs.made(of);
                problems.extend(made.map(|it| format!("{of} {} must not be made", own_name(it))));
                Vec::new()
            }
            _ => {
                let names = if words.is_empty() { vec!["*"] } else { words };
                let chosen: Vec<&Value> = inputs
                    .made(of)
                    .filter(|it| names.iter().any(|name| fits(name, own_name(it))))
                    .collect();
                // A rule for what is not there would hold for ever.
                for name in names {
                    if !chosen.iter().any(|it| fits(name, own_name(it))) {
                        problems.push(format!("there is no {of} {name}"));
                    }
                }
                chosen
            }
        };
    }
    // A key in a setting or an output.
    let text = inputs.snapshot.to_string();
    for function in [
        "listKeys",
        "listAccountSas",
        "listServiceSas",
        "listSecrets",
    ] {
        if text.contains(function) {
            problems.push(format!(
                "{function} reads a key; identities have roles instead"
            ));
        }
    }
    problems
}

/// Whether a name fits a pattern in which one `*` at the beginning or the end stands for anything.
pub fn fits(pattern: &str, name: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(end), _) => name.ends_with(end),
        (_, Some(start)) => name.starts_with(start),
        _ => name == pattern,
    }
}

fn wrong(resource: &Value, place: &str, right: &str) -> Option<String> {
    let found = resource
        .pointer(&format!("/{}", place.replace('.', "/")))
        .unwrap_or(&Value::Null);
    let fits = match right {
        "*" => !found.is_null(),
        right => *found == serde_json::from_str::<Value>(right).expect("JSON in policy.txt"),
    };
    let name = match own_name(resource) {
        "" => "host.json",
        name => name,
    };
    (!fits).then(|| format!("{place} of {name} must be {right}, it is {found}"))
}
