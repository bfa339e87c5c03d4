//! The settings the handler gets: local.settings.json, with the addresses of this run and `--set` on top.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use crate::world::Endpoints;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct File {
    #[serde(default)]
    is_encrypted: bool,
    #[serde(default)]
    values: BTreeMap<String, String>,
}

/// Reads the values of `local.settings.json` in this directory, which must not be encrypted.
pub(crate) fn read(app_root: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let path = app_root.join("local.settings.json");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let file: File = serde_json::from_str(&text)
        .with_context(|| format!("{} is not of the known shape", path.display()))?;
    ensure!(!file.is_encrypted, "{} is encrypted", path.display());
    Ok(file.values)
}

/// Points the addresses in the settings at this run's services, but for Blob Storage, which tells its own later.
pub(crate) fn point_at(settings: &mut BTreeMap<String, String>, endpoints: &Endpoints) {
    let authority = endpoints
        .service_bus
        .strip_prefix("https://")
        .unwrap_or(&endpoints.service_bus);
    let file_origins = format!("{},{}", endpoints.files, endpoints.genesys_downloads);
    for (name, value) in [
        ("GENESYS_API_ENDPOINT", endpoints.genesys.as_str()),
        ("GENESYS_LOGIN_ENDPOINT", endpoints.genesys.as_str()),
        ("ServiceBus__fullyQualifiedNamespace", authority),
        ("KEY_VAULT_URL", endpoints.key_vault.as_str()),
        ("ENTRA_ENDPOINT", endpoints.entra.as_str()),
        ("GRAPH_ENDPOINT", endpoints.graph.as_str()),
        ("FILE_ORIGINS", file_origins.as_str()),
        ("BOT_LOGIN_ENDPOINT", endpoints.bot.as_str()),
        ("BOT_CONNECTOR_ORIGINS", endpoints.bot.as_str()),
    ] {
        settings.insert(name.to_owned(), value.to_owned());
    }
}

/// Replaces `%NAME%` by settings, which must exist, as the Functions host does in bindings.
pub(crate) fn expand(text: &str, settings: &BTreeMap<String, String>) -> anyhow::Result<String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%')
        && let Some((name, after)) = after.split_once('%')
    {
        let value = settings.get(name);
        let value = value.with_context(|| format!("the setting {name} does not exist"))?;
        expanded.push_str(before);
        expanded.push_str(value);
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_names_become_values() {
        let settings = BTreeMap::from([("Q".to_owned(), "inbound".to_owned())]);
        for (text, expected) in [
            ("%Q%", Some("inbound")),
            ("a%Q%b", Some("ainboundb")),
            ("100 %", Some("100 %")),
            ("%X%", None),
        ] {
            assert_eq!(expand(text, &settings).ok().as_deref(), expected);
        }
    }
}
