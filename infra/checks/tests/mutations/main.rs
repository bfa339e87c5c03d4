//! Each rule finds the mistake that it is there for: a text of a real file is replaced by a wrong one, in memory, and the rule
//! must report it. A text that is no longer in the file exactly once fails the test, so that no mistake is seeded into the void.

mod azure;
mod genesys;
mod program;

use std::path::Path;

use infra_checks::{Tree, check};

/// The rule that must report, the file, the right text, the wrong text.
type Mutation = (&'static str, &'static str, &'static str, &'static str);

fn repository() -> Tree {
    Tree::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .expect("the repository can be read")
}

fn assert_found(mutations: &[Mutation]) {
    let tree = repository();
    let mut failures = Vec::new();
    for (rule, file, from, to) in mutations {
        let changed = match tree.replaced(file, from, to) {
            Ok(changed) => changed,
            Err(error) => {
                failures.push(format!("{from:?} cannot be replaced: {error}"));
                continue;
            }
        };
        let problems = check(&changed);
        if !problems.iter().any(|problem| problem.rule == *rule) {
            let others: Vec<String> = problems.iter().map(ToString::to_string).collect();
            failures.push(format!(
                "{file}: {to:?} is not found by {rule}, only {others:?}"
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

const MAIN: &str = "infra/main.bicep";
const STORAGE: &str = "infra/modules/storage.bicep";
const SERVICE_BUS: &str = "infra/modules/servicebus.bicep";
const KEY_VAULT: &str = "infra/modules/keyvault.bicep";
const FUNCTION_APP: &str = "infra/modules/functionapp.bicep";
const RBAC: &str = "infra/modules/rbac.bicep";
const ALERTS: &str = "infra/modules/alerts.bicep";
const MONITORING: &str = "infra/modules/monitoring.bicep";
