//! Rules of a conversion, each with examples of what goes in and what comes out.

use std::collections::BTreeMap;

/// Checks the examples of a fixture.
pub(crate) fn rules_hold(fixture: &str, convert: impl Fn(&str) -> String) {
    let rules: BTreeMap<String, Vec<(String, String)>> =
        serde_json::from_str(fixture).expect("rules with their examples");
    assert!(rules.len() > 1);
    for (rule, examples) in rules {
        for (given, expected) in examples {
            assert_eq!(convert(&given), expected, "{rule}: {given}");
        }
    }
}
