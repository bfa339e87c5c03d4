//! GitHub workflows: actions pinned to a commit, no more rights than needed, and no secret where an identity does.

use serde_norway::Value as Yaml;

use super::View;
use crate::Problem;

pub(super) fn check(view: &View<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let files = view
        .tree
        .below(".github", "yml")
        .chain(view.tree.below(".github", "yaml"));
    for (file, text) in files {
        let Ok(yaml) = serde_norway::from_str::<Yaml>(text) else {
            continue;
        };
        let mut report = |rule, needle: &str, what: String| {
            problems.push(Problem::new(
                rule,
                file,
                view.tree.line_of(file, needle),
                what,
            ));
        };
        let mut used = Vec::new();
        uses(&yaml, &mut used);
        for action in &used {
            if let Some(path) = action.strip_prefix("./") {
                if view.tree.text(path).is_none() {
                    report("workflow", action, format!("there is no {path}"));
                }
            } else if !is_pinned(action) {
                report(
                    "unpinned-action",
                    action,
                    format!("{action} is not pinned to a commit"),
                );
            }
        }
        // Without it every job has the rights that the repository gives by default.
        if yaml.get("permissions").is_none() {
            report(
                "workflow",
                "name:",
                "there are no top-level permissions".to_owned(),
            );
        }
        let signs_in = used.iter().any(|action| action.starts_with("azure/login@"));
        if signs_in && !text.contains("id-token: write") {
            report(
                "workflow",
                "azure/login",
                "signing in without a secret needs id-token: write".to_owned(),
            );
        }
        for word in [
            "creds:",
            "client-secret:",
            "publish-profile:",
            "AZURE_CREDENTIALS",
        ] {
            if text.contains(word) {
                report("workflow", word, format!("{word} signs in with a secret"));
            }
        }
    }
    problems
}

fn uses(yaml: &Yaml, used: &mut Vec<String>) {
    match yaml {
        Yaml::Mapping(members) => {
            for (key, value) in members {
                match (key.as_str(), value.as_str()) {
                    (Some("uses"), Some(action)) => used.push(action.to_owned()),
                    _ => uses(value, used),
                }
            }
        }
        Yaml::Sequence(items) => {
            for item in items {
                uses(item, used);
            }
        }
        _ => {}
    }
}

fn is_pinned(action: &str) -> bool {
    action.split_once('@').is_some_and(|(_, version)| {
        version.len() == 40 && version.chars().all(|c| c.is_ascii_hexdigit())
    })
}
