//! The list of everything that can be chosen, `infra/PARAMETERS.md`, is written from the types of `infra/types.bicep`.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p infra-checks parameters` writes it anew.

use std::env;
use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::bicep::{bicep, no_compiler};
use crate::inputs::{list, root, text};
use crate::tool;

const PAGE: &str = "infra/PARAMETERS.md";

/// The types, in the page's order, each with its defaults.
const GROUPS: [(&str, &str); 7] = [
    ("HandlerSettings", "handlerDefaults"),
    ("Retention", "retentionDefaults"),
    ("Capacity", "capacityDefaults"),
    ("Network", "networkDefaults"),
    ("Logs", "logsDefaults"),
    ("Alerts", "alertsDefaults"),
    ("Bot", "botDefaults"),
];

const BEGINNING: &str = "\
# Parameters

What can be chosen, from [`types.bicep`](types.bicep), by which this page is written. A line `key = value` in `graph-to-open.toml`
chooses; texts and items of lists stand in double quotes. The profiles choose for you where the file says nothing:
[`dev`](dev.bicepparam), [`test`](test.bicepparam), [`private`](private.bicepparam).
";

#[test]
fn the_page_of_parameters_is_as_the_types_are() {
    let Some(mut command) = bicep(&["build", "infra/types.bicep", "--stdout"]) else {
        return no_compiler();
    };
    let output = tool::run(&mut command);
    let types: Value = serde_json::from_slice(&output.stdout).expect("a template");
    let page = page(&types);
    if env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(root().join(PAGE), &page).expect(PAGE);
    }
    assert!(
        text(PAGE) == page,
        "{PAGE} is not what infra/types.bicep says; write it anew with UPDATE_SNAPSHOTS=1"
    );
}

fn page(types: &Value) -> String {
    let definitions = types["definitions"].as_object().expect("types");
    assert_eq!(definitions.len(), GROUPS.len(), "a type is left out");
    let mut page = BEGINNING.to_owned();
    for (name, defaults) in GROUPS {
        let definition = &definitions[name];
        let described = |it: &Value| {
            let words = it["metadata"]["description"].as_str();
            words
                .unwrap_or_else(|| panic!("{it} of {name} is not described"))
                .to_owned()
        };
        write!(page, "\n## {name}\n\n{}\n\n", described(definition)).expect("a String");
        page += "| key | value | default | |\n| --- | --- | --- | --- |\n";
        for (key, property) in definition["properties"].as_object().expect("properties") {
            let default = &types["variables"][defaults][key];
            assert!(!default.is_null(), "{key} of {name} has no default");
            let (values, words) = (values(property), described(property));
            let default = match default {
                Value::String(text) if text.is_empty() => String::new(),
                Value::Array(items) if items.is_empty() => String::new(),
                other => format!("`{other}`"),
            };
            writeln!(page, "| `{key}` | {values} | {default} | {words} |").expect("a String");
        }
    }
    page
}

/// What a property may be.
fn values(property: &Value) -> String {
    let mut allowed: Vec<&Value> = list(&property["allowedValues"]).collect();
    if !allowed.is_empty() {
        allowed.sort_by_key(|it| it.as_i64());
        let allowed = allowed.iter().map(|it| format!("`{it}`"));
        return allowed.collect::<Vec<_>>().join(", ");
    }
    let kind = match property["type"].as_str() {
        Some("int") => "number",
        Some("bool") => return "`true`, `false`".to_owned(),
        Some("array") => "list of texts",
        _ => "text",
    };
    let bounds = [
        ("minValue", "from"),
        ("maxValue", "to"),
        ("maxLength", "up to"),
    ];
    let bounds = bounds.iter().filter_map(|(key, word)| {
        let bound = property[key].as_i64()?;
        Some(format!(" {word} {bound}"))
    });
    let unit = if property["maxLength"].is_null() {
        ""
    } else {
        " characters"
    };
    format!("{kind}{}{unit}", bounds.collect::<String>())
}
