//! The rights: exactly these roles, each at the narrowest scope that it works at.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::inputs::{Inputs, difference, own_name};
use crate::program::TERRAFORM;

/// Built-in roles (Microsoft Learn, "Azure built-in roles"), one a line.
const ROLES: &str = "\
b7e6dc6d-f1e8-4753-8033-0f276bb0955b Storage Blob Data Owner
ba92f5b4-2d11-453d-a403-e96b0029c9fe Storage Blob Data Contributor
db58b8e5-c6ad-4a2a-8342-4190687cbf4a Storage Blob Delegator
0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3 Storage Table Data Contributor
090c5cfd-751d-490a-894a-3ce6f1109419 Azure Service Bus Data Owner
4633458b-17de-408a-b874-0445c86b69e6 Key Vault Secrets User
b86a8fe4-44ce-4948-aee5-eccb2c155cd7 Key Vault Secrets Officer
3913510d-42f4-4e42-8a64-420c390055eb Monitoring Metrics Publisher
43d0d8ad-25c7-4714-9337-8ba259a9fe05 Monitoring Reader
";

const ACCOUNT: &str = "Microsoft.Storage/storageAccounts";
const CONTAINER: &str = "Microsoft.Storage/storageAccounts/blobServices/containers";
const QUEUE: &str = "Microsoft.ServiceBus/namespaces/queues";
const VAULT: &str = "Microsoft.KeyVault/vaults";
const COMPONENT: &str = "Microsoft.Insights/components";

/// Rights that are missing or too much.
pub fn check(inputs: &Inputs) -> Vec<String> {
    let names = ROLES.lines().filter_map(|line| line.split_once(' '));
    let names: BTreeMap<&str, &str> = names.collect();
    let found = inputs
        .made("Microsoft.Authorization/roleAssignments")
        .map(|assignment| {
            let text = |key: &str| assignment["properties"][key].as_str().unwrap_or_default();
            let role = text("roleDefinitionId").rsplit('/').next();
            let role = role.unwrap_or_default();
            let holder = match (text("principalType"), text("principalId")) {
                // Without a type, a principal that was made a moment ago is not found.
                ("ServicePrincipal", id) if id.contains("/userAssignedIdentities/") => {
                    "the program"
                }
                ("Group", _) => "operators",
                _ => "somebody",
            };
            let role = names.get(role).unwrap_or(&role);
            // Without its condition a right would reach further than its scope says.
            let within = within(text("condition"));
            format!("{holder}: {role} at {}{within}", scope(assignment))
        });
    difference("rights", needed(inputs), found)
}

/// What a condition leaves of a right: the paths of the blobs that may change or, where it names none, all but some actions.
fn within(condition: &str) -> String {
    let rest = |after: &str| {
        let parts = condition.split(after).skip(1).map(str::to_owned);
        parts.collect::<Vec<_>>()
    };
    let paths = rest("blobs:path] StringLike '");
    let paths: Vec<&str> = paths
        .iter()
        .filter_map(|rest| rest.split('\'').next())
        .collect();
    if !paths.is_empty() {
        return format!(" within {}", paths.join(" and "));
    }
    let actions =
        rest("!(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/");
    let actions: Vec<String> = actions
        .iter()
        .filter_map(|rest| {
            let (action, more) = rest.split_once('\'')?;
            let kept = more.strip_prefix("} AND NOT SubOperationMatches{'");
            let kept = kept.and_then(|kept| kept.split('\'').next());
            Some(kept.map_or_else(|| action.to_owned(), |kept| format!("{action} but {kept}")))
        })
        .collect();
    match actions.is_empty() {
        true => String::new(),
        false => format!(" without {}", actions.join(", ")),
    }
}

/// The id of the resource that an assignment is made at: known outright where the principal is, inside an expression else.
fn scope(assignment: &Value) -> &str {
    let id = assignment["id"].as_str().unwrap_or_default();
    match id.strip_prefix("[extensionResourceId('") {
        Some(rest) => rest.split('\'').next().unwrap_or_default(),
        None => id
            .split("/providers/Microsoft.Authorization/")
            .next()
            .unwrap_or_default(),
    }
}

/// What the program and the operators cannot do their work without.
fn needed(inputs: &Inputs) -> Vec<String> {
    let id = |of: &str, name: &str| {
        let resource = inputs.resource(of, name);
        resource.map_or("nowhere", |it| it["id"].as_str().unwrap_or_default())
    };
    let host = id(ACCOUNT, "sthost");
    let data = id(ACCOUNT, "stdata");
    let vault = id(VAULT, "");
    let component = id(COMPONENT, "");
    let failed = id(CONTAINER, "failed");
    let state = id(CONTAINER, "state");
    let attachments = id(CONTAINER, "attachments");
    let mut rights = vec![
        // Leases, keys and the package; what the portal shows of a host's troubles.
        format!("the program: Storage Blob Data Owner at {host}"),
        format!("the program: Storage Table Data Contributor at {host}"),
        // The key that signs links belongs to the account as a whole.
        format!("the program: Storage Blob Delegator at {data}"),
        format!("the program: Key Vault Secrets User at {vault}"),
        format!("the program: Monitoring Metrics Publisher at {component}"),
    ];
    let containers = inputs.made(CONTAINER).filter_map(|it| it["id"].as_str());
    rights.extend(
        containers
            .filter(|id| id.starts_with(data) && !id.ends_with(TERRAFORM))
            .map(|id| format!("the program: Storage Blob Data Contributor at {id}")),
    );
    let awaited = inputs.awaited_queues();
    // An owner may ask for the queue's length, which target-based scaling does, and may send and receive.
    let queues = inputs.made(QUEUE);
    for queue in queues.filter(|it| awaited.contains(own_name(it))) {
        let id = queue["id"].as_str().unwrap_or_default();
        rights.push(format!("the program: Azure Service Bus Data Owner at {id}"));
    }
    // These have operators; the others are a first deployment, without them.
    if matches!(inputs.profile, "main" | "private") {
        let group = vault.split("/providers/").next().unwrap_or_default();
        rights.push(format!("operators: Monitoring Reader at {group}"));
        let terraform = id(CONTAINER, TERRAFORM);
        rights.push(format!(
            "operators: Storage Blob Data Contributor at {terraform}"
        ));
        rights.push(format!("operators: Key Vault Secrets Officer at {vault}"));
        let contributor = "operators: Storage Blob Data Contributor at";
        rights.push(format!("{contributor} {failed}"));
        rights.push(format!(
            "{contributor} {state} within sign-in/* and claims/* and chats/* and threads/* and spool/* and erased/* and checks/* and rotation/* and timers/secret-rotation.json"
        ));
        // A person's files are erased, and neither read nor written.
        rights.push(format!(
            "{contributor} {attachments} without read but Blob.List, write, add/action, move/action"
        ));
        let queues = inputs.made(QUEUE);
        let kept = |it: &&Value| it["properties"]["deadLetteringOnMessageExpiration"] == true;
        for queue in queues.filter(kept) {
            let id = queue["id"].as_str().unwrap_or_default();
            rights.push(format!("operators: Azure Service Bus Data Owner at {id}"));
        }
    }
    rights.extend(
        inputs.secret_names().map(|name| {
            format!("the program: Key Vault Secrets Officer at {vault}/secrets/{name}")
        }),
    );
    rights
}
