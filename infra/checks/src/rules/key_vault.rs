//! The Key Vault: rights by role, nothing deleted for good, and no secret that a template writes.

use super::View;
use crate::Problem;
use crate::bicep::Value;

const VAULT: &str = "Microsoft.KeyVault/vaults";

pub(super) fn check(view: &View<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for vault in view.made(VAULT) {
        for (rule, path) in [
            ("key-vault-rbac", "properties.enableRbacAuthorization"),
            ("purge-protection", "properties.enablePurgeProtection"),
            ("soft-delete", "properties.enableSoftDelete"),
        ] {
            super::must_be(vault, rule, path, &Value::Bool(true), &mut problems);
        }
    }
    // Their values would lie in the deployment's history.
    for secret in view.made("Microsoft.KeyVault/vaults/secrets") {
        problems.push(Problem::new(
            "secret-in-template",
            &secret.file,
            secret.line,
            format!("the template writes the secret {}", secret.name()),
        ));
    }
    let file = view.made(VAULT).next().map(|vault| vault.file.clone());
    if let Some(file) = file {
        let audited = view
            .made("Microsoft.Insights/diagnosticSettings")
            .filter(|setting| {
                setting.body.get("scope").is_some_and(|scope| {
                    let text = scope.text.to_lowercase();
                    text.contains("vault") || text.starts_with("kv")
                })
            })
            .flat_map(|setting| {
                setting
                    .at("properties.logs")
                    .map_or(&[][..], Value::items)
                    .iter()
            })
            .any(|log| {
                log.at("enabled") == Some(&Value::Bool(true))
                    && (log.at("categoryGroup").is_some() || log.at("category").is_some())
            });
        if !audited {
            problems.push(Problem::new(
                "key-vault-audit",
                &file,
                0,
                "no diagnostic setting sends the vault's audit log to the workspace",
            ));
        }
    }
    problems
}
