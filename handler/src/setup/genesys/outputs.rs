//! What Terraform made, by its outputs or by the installation's file.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::installation::file::InstallationFile;
use crate::installation::keys;

/// The ids of what was made (`infra/genesys/outputs.tf`).
#[derive(Debug, PartialEq, Eq)]
pub struct Made {
    /// The open messaging integration.
    pub integration: Uuid,
    /// The first client of the bridge, then those that share its calls.
    pub clients: Vec<Uuid>,
    /// The client that has the secret in turn with the first.
    pub spare_client: Option<Uuid>,
    /// What customers may send.
    pub media_types: Vec<String>,
    /// The inbound message flow.
    pub flow: Uuid,
    /// The queue.
    pub queue: Option<Uuid>,
}

/// One output of `terraform output -json`.
#[derive(Deserialize)]
struct Output {
    value: Value,
}

impl Made {
    /// What this file of `terraform output -json` says.
    ///
    /// # Errors
    /// It cannot be read, or lacks an output.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let text = std::fs::read(path).with_context(|| format!("{shown} cannot be read"))?;
        let made = Self::parsed(&text).with_context(|| {
            format!("{shown} is not what `terraform output -json` prints in infra/genesys")
        })?;
        made.ok_or_else(|| anyhow!("{shown} holds no output: apply Terraform first"))
    }

    /// What `terraform output -json` printed; nothing when nothing was made yet.
    ///
    /// # Errors
    /// It is something else, or lacks an output.
    pub fn parsed(text: &[u8]) -> anyhow::Result<Option<Self>> {
        let outputs: BTreeMap<String, Output> = serde_json::from_slice(text)?;
        if !outputs.contains_key("integration_id") {
            return Ok(None);
        }
        let text = |name: &str| {
            let value = outputs.get(name).and_then(|it| it.value.as_str());
            value.with_context(|| format!("the output {name} is missing"))
        };
        let id = |name: &str| id(name, text(name)?);
        let list = |name: &str| -> anyhow::Result<Vec<String>> {
            let all = text(name)?.split(',').map(str::trim);
            Ok(all.filter(|it| !it.is_empty()).map(str::to_owned).collect())
        };
        let clients = list("oauth_client_id")?;
        Ok(Some(Self {
            integration: id("integration_id")?,
            clients: ids("oauth_client_id", &clients)?,
            spare_client: Some(id("spare_oauth_client_id")?),
            media_types: list("genesys_media_types")?,
            flow: id("flow_id")?,
            queue: Some(id("queue_id")?),
        }))
    }

    /// What the installation's file has learnt before.
    ///
    /// # Errors
    /// It lacks an id.
    pub fn of(file: &InstallationFile) -> anyhow::Result<Self> {
        let optional = |key| file.text(key).map(|text| id(key, text)).transpose();
        let texts = |key| -> Vec<String> {
            let all = file.list(key).into_iter();
            all.map(str::to_owned).collect()
        };
        Ok(Self {
            integration: id(
                keys::GENESYS_INTEGRATION_ID,
                file.required(keys::GENESYS_INTEGRATION_ID)?,
            )?,
            clients: ids(keys::GENESYS_CLIENT_IDS, &texts(keys::GENESYS_CLIENT_IDS))?,
            spare_client: optional(keys::GENESYS_SPARE_CLIENT_ID)?,
            media_types: texts(keys::GENESYS_MEDIA_TYPES),
            flow: id(keys::GENESYS_FLOW_ID, file.required(keys::GENESYS_FLOW_ID)?)?,
            queue: optional(keys::GENESYS_QUEUE_ID)?,
        })
    }
}

fn id(name: &str, text: &str) -> anyhow::Result<Uuid> {
    text.parse().with_context(|| format!("{name} is no GUID"))
}

fn ids(name: &str, texts: &[String]) -> anyhow::Result<Vec<Uuid>> {
    let all: Vec<Uuid> = texts
        .iter()
        .map(|text| id(name, text))
        .collect::<anyhow::Result<_>>()?;
    match all.is_empty() {
        true => Err(anyhow!("{name} names no OAuth client")),
        false => Ok(all),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn outputs() -> Value {
        let id = |last: u8| json!({ "sensitive": false, "type": "string", "value": Uuid::from_u128(last.into()) });
        let clients = format!("{},{}", Uuid::from_u128(2), Uuid::from_u128(3));
        json!({
            "integration_id": id(1),
            "oauth_client_id": { "value": clients },
            "spare_oauth_client_id": id(4),
            "genesys_media_types": { "value": "image/*,text/plain" },
            "flow_id": id(5),
            "queue_id": id(6),
        })
    }

    #[test]
    fn outputs_are_read_and_what_is_missing_is_named() {
        let read = |outputs: &Value| Made::parsed(outputs.to_string().as_bytes());
        let made = read(&outputs()).expect("right").expect("there");
        let id = Uuid::from_u128;
        assert_eq!(made.clients, [id(2), id(3)]);
        assert_eq!((made.integration, made.flow), (id(1), id(5)));
        assert_eq!(made.media_types, ["image/*", "text/plain"]);
        assert_eq!(read(&json!({})).expect("empty"), None);
        for name in ["oauth_client_id", "flow_id", "genesys_media_types"] {
            let mut outputs = outputs();
            outputs.as_object_mut().expect("an object").remove(name);
            let said = read(&outputs).expect_err(name).to_string();
            assert!(said.contains(name), "{said}");
        }
        let mut wrong = outputs();
        wrong["flow_id"]["value"] = json!("x");
        read(&wrong).expect_err("no id");
    }
}
