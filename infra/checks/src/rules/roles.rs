//! Role assignments: only roles of the table, each at the narrowest scope that it makes sense at.

use super::View;
use crate::Problem;
use crate::bicep::{Deployed, Kind, Shape, Value};

const ASSIGNMENT: &str = "Microsoft.Authorization/roleAssignments";

const ACCOUNT: &str = "Microsoft.Storage/storageAccounts";
const CONTAINER: &str = "Microsoft.Storage/storageAccounts/blobServices/containers";
const QUEUE: &str = "Microsoft.ServiceBus/namespaces/queues";
const VAULT: &str = "Microsoft.KeyVault/vaults";
const SECRET: &str = "Microsoft.KeyVault/vaults/secrets";
const COMPONENT: &str = "Microsoft.Insights/components";

struct Role {
    id: &'static str,
    name: &'static str,
    /// Types of resources that it may be assigned at, for a program.
    at: &'static [&'static str],
    /// The same for a group of people.
    at_for_people: &'static [&'static str],
}

/// Built-in roles (Microsoft Learn, "Azure built-in roles") that the templates may assign.
const ROLES: &[Role] = &[
    // The Functions host keeps its leases and the package in an account of its own.
    role(
        "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
        "Storage Blob Data Owner",
        &[ACCOUNT],
        &[],
    ),
    role(
        "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        "Storage Blob Data Contributor",
        &[CONTAINER],
        &[],
    ),
    role(
        "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
        "Storage Blob Data Reader",
        &[CONTAINER],
        &[CONTAINER],
    ),
    // The key for links belongs to the account as a whole.
    role(
        "db58b8e5-c6ad-4a2a-8342-4190687cbf4a",
        "Storage Blob Delegator",
        &[ACCOUNT],
        &[],
    ),
    role(
        "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
        "Storage Queue Data Contributor",
        &[ACCOUNT],
        &[],
    ),
    role(
        "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
        "Storage Table Data Contributor",
        &[ACCOUNT],
        &[],
    ),
    role(
        "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39",
        "Azure Service Bus Data Sender",
        &[QUEUE],
        &[],
    ),
    role(
        "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0",
        "Azure Service Bus Data Receiver",
        &[QUEUE],
        &[],
    ),
    role(
        "4633458b-17de-408a-b874-0445c86b69e6",
        "Key Vault Secrets User",
        &[VAULT, SECRET],
        &[],
    ),
    role(
        "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
        "Key Vault Secrets Officer",
        &[SECRET],
        &[VAULT],
    ),
    role(
        "3913510d-42f4-4e42-8a64-420c390055eb",
        "Monitoring Metrics Publisher",
        &[COMPONENT],
        &[],
    ),
    role(
        "de139f84-1756-47ae-9be6-808fbbe84772",
        "Website Contributor",
        &["Microsoft.Web/sites"],
        &[],
    ),
];

/// Roles that would work and give far more than is needed.
const TOO_WIDE: &[(&str, &str)] = &[
    ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner"),
    ("b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor"),
    (
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        "User Access Administrator",
    ),
    (
        "090c5cfd-751d-490a-894a-3ce6f1109419",
        "Azure Service Bus Data Owner",
    ),
    (
        "17d1049b-9a84-46fb-8f53-869881c3d3ab",
        "Storage Account Contributor",
    ),
    (
        "00482a5a-887f-4fb3-b363-3b7fe8e74483",
        "Key Vault Administrator",
    ),
    (
        "f25e0fa2-a7c8-4377-a976-54943a77a395",
        "Key Vault Contributor",
    ),
];

const fn role(
    id: &'static str,
    name: &'static str,
    at: &'static [&'static str],
    at_for_people: &'static [&'static str],
) -> Role {
    Role {
        id,
        name,
        at,
        at_for_people,
    }
}

pub(super) fn check(view: &View<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    if view.made("Microsoft.Web/sites").next().is_some() {
        missing(view, &mut problems);
    }
    for assignment in view.made(ASSIGNMENT) {
        let mut report = |rule, path: &str, what: String| {
            problems.push(Problem::new(
                rule,
                &assignment.file,
                assignment.line_of(path),
                what,
            ));
        };
        const DEFINITION: &str = "properties.roleDefinitionId";
        let Some(id) = assignment
            .at(DEFINITION)
            .and_then(Value::text)
            .and_then(|id| id.rsplit('/').next())
        else {
            report(
                "role-unknown",
                DEFINITION,
                format!(
                    "the role of {} is not written as subscriptionResourceId(…, GUID)",
                    assignment.symbol
                ),
            );
            continue;
        };
        if let Some((_, name)) = TOO_WIDE.iter().find(|(wide, _)| *wide == id) {
            report(
                "role-too-wide",
                DEFINITION,
                format!("{name} gives far more than is needed"),
            );
            continue;
        }
        let Some(role) = ROLES.iter().find(|role| role.id == id) else {
            report(
                "role-unknown",
                DEFINITION,
                format!("the role {id} is not in the table of roles"),
            );
            continue;
        };
        let people = match assignment
            .at("properties.principalType")
            .and_then(Value::text)
        {
            Some("ServicePrincipal") => false,
            Some("Group") => true,
            // Without it, a principal that was made a moment ago is not found.
            _ => {
                report(
                    "role-principal",
                    "properties.principalType",
                    "principalType must be 'ServicePrincipal' or 'Group'".to_owned(),
                );
                continue;
            }
        };
        let allowed = if people { role.at_for_people } else { role.at };
        match scope_type(view, assignment) {
            Some(of) if allowed.contains(&of.as_str()) => {}
            Some(of) => report(
                "role-too-wide",
                "scope",
                format!(
                    "{} at {of}: it belongs at {}",
                    role.name,
                    allowed.join(" or ")
                ),
            ),
            None => report(
                "role-too-wide",
                "scope",
                format!(
                    "{} has no resource of this template as its scope",
                    role.name
                ),
            ),
        }
    }
    problems
}

/// What the program cannot do its work without, at each place where it works.
fn missing(view: &View<'_>, problems: &mut Vec<Problem>) {
    let named = |of| view.made(of).map(Deployed::name).collect::<Vec<_>>();
    // Links are signed with a key of the account, and the host keeps its leases in the other one: one place each is enough.
    for (name, at, needed) in [
        ("Azure Service Bus Data Sender", QUEUE, Some(named(QUEUE))),
        (
            "Azure Service Bus Data Receiver",
            QUEUE,
            Some(super::functions::awaited_queues(view)),
        ),
        (
            "Storage Blob Data Contributor",
            CONTAINER,
            Some(super::storage::container_names(view)),
        ),
        ("Key Vault Secrets User", VAULT, Some(named(VAULT))),
        (
            "Monitoring Metrics Publisher",
            COMPONENT,
            Some(named(COMPONENT)),
        ),
        ("Storage Blob Delegator", ACCOUNT, None),
        ("Storage Blob Data Owner", ACCOUNT, None),
    ] {
        let granted = granted(view, name);
        let missing: Vec<String> = match needed {
            Some(needed) => needed
                .into_iter()
                .filter(|name| !granted.contains(name))
                .collect(),
            None if granted.is_empty() => vec!["any".to_owned()],
            None => Vec::new(),
        };
        for place in missing {
            problems.push(Problem::new(
                "role-missing",
                "infra/main.bicep",
                0,
                format!("nothing grants the program {name} at {at} ({place})"),
            ));
        }
    }
}

/// The names of the resources at which a role is assigned to a program, under no condition.
fn granted(view: &View<'_>, name: &str) -> Vec<String> {
    let Some(role) = ROLES.iter().find(|role| role.name == name) else {
        return Vec::new();
    };
    let mut names = Vec::new();
    for assignment in view.made(ASSIGNMENT) {
        let text = |path: &str| assignment.at(path).and_then(Value::text);
        let fits = text("properties.roleDefinitionId").is_some_and(|id| id.ends_with(role.id))
            && text("properties.principalType") == Some("ServicePrincipal")
            && assignment.condition.is_none();
        if let (true, Some(symbol)) = (fits, scope_symbol(assignment)) {
            let places = view
                .deployed
                .iter()
                .filter(|resource| resource.file == assignment.file && resource.symbol == symbol);
            names.extend(places.map(Deployed::name));
        }
    }
    names
}

/// The symbol in the assignment's `scope`.
fn scope_symbol(assignment: &Deployed) -> Option<&str> {
    match &assignment.body.get("scope")?.shape {
        Shape::Name(symbol) => Some(symbol),
        Shape::Index(symbol, _) => Some(&symbol.text),
        _ => None,
    }
}

/// The type of the resource that the assignment's `scope` names.
fn scope_type(view: &View<'_>, assignment: &Deployed) -> Option<String> {
    let symbol = scope_symbol(assignment)?;
    let (_, template) = view
        .templates()
        .find(|(file, _)| *file == assignment.file)?;
    match &template.declaration(symbol)?.kind {
        Kind::Resource { of, .. } => Some(of.clone()),
        _ => None,
    }
}
