//! What the tests and the page need of an organisation: who sets things up, what was made, and what Terraform would have made.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::store::Kind;
use super::{DIVISION, PERMISSIONS, division};
use crate::genesys::answers::Refusal;
use crate::genesys::state::Genesys;

/// Who shall set things up.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Helper {
    /// A person, with a token of their own; else an OAuth client.
    #[serde(default)]
    person: bool,
    /// What they may do; everything, when it is not said.
    rights: Option<Vec<String>>,
    /// What of it they may not.
    #[serde(default)]
    without: Vec<String>,
    /// Names of roles that they hold besides.
    #[serde(default)]
    roles: Vec<String>,
}

impl Genesys {
    /// Adds a person or a client that sets things up; shows how they sign in.
    ///
    /// # Errors
    /// A line about a right or a role that does not exist.
    pub fn add_helper(&self, helper: &Helper) -> Result<Value, String> {
        let all = || PERMISSIONS.iter().map(ToString::to_string).collect();
        let mut rights = helper.rights.clone().unwrap_or_else(all);
        rights.retain(|right| !helper.without.contains(right));
        let policies: Vec<Value> = rights.iter().map(|right| policy(right)).collect();
        let id = Uuid::new_v4().to_string();
        let name = format!("Helper {id}");
        let role = json!({ "name": name, "permissionPolicies": policies });
        let role = self.things.add(Kind::Role, None, &role);
        let role = role.map_err(|refusal| refusal.message)?;
        let mut roles = vec![role["id"].as_str().unwrap_or_default().to_owned()];
        for wanted in &helper.roles {
            let all = self.things.all(Kind::Role);
            let found = all.iter().find(|it| it["name"] == wanted.as_str());
            let id = found.and_then(|it| it["id"].as_str());
            roles.push(
                id.ok_or_else(|| format!("there is no role {wanted}"))?
                    .to_owned(),
            );
        }
        Ok(match helper.person {
            true => json!({ "id": id, "token": self.login.add_person(&id, &name, roles) }),
            false => json!({ "id": id, "secret": self.login.add(&id, &name, roles) }),
        })
    }
}

impl Genesys {
    /// Gives a person or a client one more role, by its name, as an administrator does in Genesys' own pages.
    ///
    /// # Errors
    /// A line when there is no such role.
    pub fn give(&self, id: &str, role: &str) -> Result<(), String> {
        let all = self.things.all(Kind::Role);
        let found = all.iter().find(|it| it["name"] == role);
        let found = found.and_then(|it| it["id"].as_str());
        let found = found.ok_or_else(|| format!("there is no role {role}"))?;
        let (_, mut roles) = self.login.rights(id);
        roles.push(found.to_owned());
        self.login.change(id, roles, true);
        Ok(())
    }

    /// The permissions that the calls of a person or a client took.
    pub fn permissions_taken(&self, id: &str) -> BTreeSet<String> {
        let taken = self.login.client(id, |client| client.used.clone());
        taken.unwrap_or_default()
    }

    /// Kind and name of everything that was made and is still there, sorted, but for jobs and the roles of helpers.
    pub fn made(&self) -> Vec<String> {
        let mut made = self.things.names();
        made.retain(|it| !it.starts_with("Role: Helper "));
        made
    }
}

impl Genesys {
    /// Makes what `infra/genesys` makes, as far as the bridge has to do with it; what `terraform output -json` would print then.
    pub(in crate::genesys) fn make_installation(&self) -> Result<Value, Refusal> {
        let add = |kind, value: Value| -> Result<String, Refusal> {
            let added = self.things.add(kind, None, &value)?;
            Ok(added["id"].as_str().unwrap_or_default().to_owned())
        };
        let rights = ["conversation:message:receive", "messaging:integration:view"];
        let policies: Vec<Value> = rights.iter().map(|right| policy(right)).collect();
        let role = json!({ "name": "Teams bridge", "permissionPolicies": policies });
        let role = add(Kind::Role, role)?;
        let client = |name: &str| {
            let roles = json!([{ "roleId": role, "divisionId": DIVISION }]);
            let id = add(
                Kind::Client,
                json!({ "name": name, "roleDivisions": roles, "state": "active" }),
            )?;
            self.login.add(&id, name, vec![role.clone()]);
            Ok::<_, Refusal>(id)
        };
        let clients = [client("Teams bridge")?, client("Teams bridge, further 1")?];
        let spare = client("Teams bridge, spare")?;
        let integration = add(Kind::OpenIntegration, json!({ "name": "Teams" }))?;
        let recipient = json!({ "messengerType": "open" });
        self.things
            .add(Kind::Recipient, Some(integration.clone()), &recipient)?;
        let queue = add(Kind::Queue, json!({ "name": "Teams support" }))?;
        let flow = json!({ "name": "Teams inbound", "type": "INBOUNDSHORTMESSAGE", "division": division() });
        let flow = add(Kind::Flow, flow)?;
        let output = |value: &str| json!({ "sensitive": false, "type": "string", "value": value });
        Ok(json!({
            "integration_id": output(&integration),
            "oauth_client_id": output(&clients.join(",")),
            "spare_oauth_client_id": output(&spare),
            "genesys_media_types": output("*/*"),
            "flow_id": output(&flow),
            "queue_id": output(&queue),
        }))
    }

    /// What was made, which flow each integration's messages have, and the threading timeline.
    pub(in crate::genesys) fn organisation_view(&self) -> Value {
        json!({
            "made": self.made(),
            "recipients": self.things.all(Kind::Recipient),
            "timeline": *self.things.timeline.lock(),
        })
    }
}

fn policy(right: &str) -> Value {
    let mut parts = right.split(':');
    let mut part = || parts.next().unwrap_or_default();
    json!({ "domain": part(), "entityName": part(), "actionSet": [part()] })
}
