//! Storage accounts: no keys, nothing public, the containers that the program uses, and files that go away in time.

use super::{View, difference};
use crate::Problem;
use crate::bicep::{Deployed, Value};

/// What each account must say.
const SETTINGS: &[(&str, &str, Value)] = &[
    (
        "shared-keys",
        "properties.allowSharedKeyAccess",
        Value::Bool(false),
    ),
    (
        "public-blobs",
        "properties.allowBlobPublicAccess",
        Value::Bool(false),
    ),
    (
        "storage",
        "properties.supportsHttpsTrafficOnly",
        Value::Bool(true),
    ),
    (
        "storage",
        "properties.defaultToOAuthAuthentication",
        Value::Bool(true),
    ),
    (
        "storage",
        "properties.allowCrossTenantReplication",
        Value::Bool(false),
    ),
];

/// Constants in the program's sources that name the containers of the data account.
const CONTAINER_CONSTANTS: &[(&str, &str)] = &[
    (
        "functions/src/rehosting.rs",
        "pub const ATTACHMENTS: &str = \"",
    ),
    ("functions/src/enqueue.rs", "pub const STATE: &str = \""),
    ("functions/src/failed.rs", "pub const FAILED: &str = \""),
];

/// A claim outlives its message (14 days on the queue) by a day.
const CLAIM_DAYS: i64 = 15;

pub(super) fn check(view: &View<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for account in view.made("Microsoft.Storage/storageAccounts") {
        for (rule, path, right) in SETTINGS {
            super::must_be(account, rule, path, right, &mut problems);
        }
        super::must_be(
            account,
            "storage",
            "properties.minimumTlsVersion",
            &Value::Text("TLS1_2".to_owned()),
            &mut problems,
        );
    }
    for container in view.made("Microsoft.Storage/storageAccounts/blobServices/containers") {
        super::must_be(
            container,
            "public-blobs",
            "properties.publicAccess",
            &Value::Text("None".to_owned()),
            &mut problems,
        );
    }
    if view
        .made("Microsoft.Storage/storageAccounts")
        .next()
        .is_some()
    {
        containers(view, &mut problems);
        lifecycle(view, &mut problems);
        soft_delete(view, &mut problems);
    }
    problems
}

/// The names in the program's sources.
pub(super) fn container_names(view: &View<'_>) -> Vec<String> {
    CONTAINER_CONSTANTS
        .iter()
        .filter_map(|(file, before)| {
            let (_, rest) = view.tree.text(file)?.split_once(before)?;
            Some(rest.split('"').next()?.to_owned())
        })
        .collect()
}

fn containers(view: &View<'_>, problems: &mut Vec<Problem>) {
    let names = container_names(view);
    if names.len() != CONTAINER_CONSTANTS.len() {
        problems.push(Problem::new(
            "containers",
            "infra/checks/src/rules/storage.rs",
            0,
            "the constants with the containers' names are no longer where the rule looks for them",
        ));
        return;
    }
    let made: Vec<&Deployed> = view
        .made("Microsoft.Storage/storageAccounts/blobServices/containers")
        .collect();
    // The package's container is on the host's account, whose symbol we do not know; it is the one that the site names.
    let found: Vec<String> = made.iter().map(|container| container.name()).collect();
    let (missing, extra) = difference(
        names.iter().map(String::as_str),
        found.iter().map(String::as_str),
    );
    let file = made.first().map_or("infra/main.bicep", |first| &first.file);
    for name in missing {
        problems.push(Problem::new(
            "containers",
            file,
            0,
            format!("the program uses a container {name} that no template makes"),
        ));
    }
    let packages = super::site::package_containers(view);
    for name in extra {
        if !packages.iter().any(|package| package.contains(name)) {
            problems.push(Problem::new(
                "containers",
                file,
                0,
                format!("neither the program nor the site uses the container {name}"),
            ));
        }
    }
}

fn rules<'a>(view: &'a View<'_>) -> Vec<(&'a Deployed, Value)> {
    view.made("Microsoft.Storage/storageAccounts/managementPolicies")
        .flat_map(|policy| {
            let rules = policy
                .at("properties.policy.rules")
                .map_or(&[][..], Value::items);
            rules.iter().map(move |rule| (policy, rule.clone()))
        })
        .collect()
}

fn lifecycle(view: &View<'_>, problems: &mut Vec<Problem>) {
    const DAYS: &str = "definition.actions.baseBlob.delete.daysAfterModificationGreaterThan";
    const CREATED: &str = "definition.actions.baseBlob.delete.daysAfterCreationGreaterThan";
    let rules = rules(view);
    let days = |prefix: &str| {
        rules.iter().find_map(|(policy, rule)| {
            let covers = rule
                .at("definition.filters.prefixMatch")
                .is_some_and(|prefixes| {
                    prefixes
                        .items()
                        .iter()
                        .any(|item| item.text() == Some(prefix))
                });
            let enabled = !matches!(rule.at("enabled"), Some(Value::Bool(false)));
            (covers && enabled).then(|| {
                let days = rule.at(DAYS).or_else(|| rule.at(CREATED)).cloned();
                (*policy, days)
            })
        })
    };
    let retention = super::app_settings::value(view, "ATTACHMENT_RETENTION_DAYS");
    match (days("attachments/"), retention) {
        (None, _) => problems.push(Problem::new(
            "attachment-retention",
            "infra/main.bicep",
            0,
            "no lifecycle rule with prefixMatch 'attachments/' deletes files",
        )),
        (Some((policy, days)), retention) => {
            let same = match (&days, &retention) {
                (Some(Value::Number(days)), Some(Value::Text(text))) => days.to_string() == *text,
                // Both may come from a parameter without a default; then they are the same name.
                (Some(Value::Unknown(one)), Some(Value::Unknown(other))) => other.contains(one),
                _ => false,
            };
            if !same {
                problems.push(Problem::new(
                    "attachment-retention",
                    &policy.file,
                    policy.line,
                    format!(
                        "the lifecycle rule of attachments deletes after {}, the setting ATTACHMENT_RETENTION_DAYS says {}",
                        shown(days.as_ref()),
                        shown(retention.as_ref())
                    ),
                ));
            }
        }
    }
    match days("state/claims/") {
        Some((_, Some(Value::Number(CLAIM_DAYS)))) => {}
        Some((policy, other)) => problems.push(Problem::new(
            "claims",
            &policy.file,
            policy.line,
            format!(
                "the lifecycle rule of state/claims/ must delete after {CLAIM_DAYS} days, not {}",
                shown(other.as_ref())
            ),
        )),
        None => problems.push(Problem::new(
            "claims",
            "infra/main.bicep",
            0,
            "no lifecycle rule with prefixMatch 'state/claims/' deletes claims",
        )),
    }
    // A rule on all of `state/` or on `failed/` would delete what must be kept.
    for (policy, rule) in &rules {
        let prefixes = rule.at("definition.filters.prefixMatch");
        let too_much = match prefixes.map(Value::items) {
            None | Some([]) => true,
            Some(items) => items.iter().any(|item| {
                item.text().is_none_or(|prefix| {
                    !(prefix.starts_with("attachments/") || prefix.starts_with("state/claims/"))
                })
            }),
        };
        if too_much {
            problems.push(Problem::new(
                "lifecycle",
                &policy.file,
                policy.line,
                "a lifecycle rule deletes more than attachments/ and state/claims/",
            ));
        }
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::shown)
}

/// State and failed messages come back after a mistake.
fn soft_delete(view: &View<'_>, problems: &mut Vec<Problem>) {
    let any = view
        .made("Microsoft.Storage/storageAccounts/blobServices")
        .any(|service| {
            service.at("properties.deleteRetentionPolicy.enabled") == Some(&Value::Bool(true))
                && service.at("properties.containerDeleteRetentionPolicy.enabled")
                    == Some(&Value::Bool(true))
        });
    if !any {
        problems.push(Problem::new(
            "soft-delete",
            "infra/main.bicep",
            0,
            "no Blob service keeps deleted blobs and containers for a while",
        ));
    }
}
