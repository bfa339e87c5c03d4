//! The templates, judged by the Bicep compiler, and the snapshots of what they would deploy.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p infra-checks snapshot` writes the snapshots anew; look at the difference before it is committed.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::inputs::{json, root, text};
use crate::tool::{self, left_out, printed};

/// What every profile is given: values of no installation.
const GIVEN: [(&str, &str); 6] = [
    ("AZURE_ENV_NAME", "example"),
    ("AZURE_LOCATION", "westeurope"),
    (
        "SUPPORT_ACCOUNTS",
        "support=00000000-0000-4000-8000-000000000001,second=00000000-0000-4000-8000-000000000002,\
         robot=00000000-0000-4000-8000-000000000009@00000000-0000-4000-8000-00000000000a",
    ),
    (
        "AGENT_BLUEPRINT_CLIENT_ID",
        "00000000-0000-4000-8000-00000000000b",
    ),
    ("GENESYS_DOMAIN", "mypurecloud.de"),
    ("ALERT_EMAIL", "operators@example.com"),
];

/// What production is given as well, so that its snapshot shows everything that can be switched on.
const GIVEN_TO_PRODUCTION: [(&str, &str); 6] = [
    ("GRAPH_CLIENT_ID", "00000000-0000-4000-8000-000000000003"),
    (
        "GENESYS_INTEGRATION_ID",
        "00000000-0000-4000-8000-000000000004",
    ),
    ("GENESYS_CLIENT_ID", "00000000-0000-4000-8000-000000000005"),
    (
        "GENESYS_SPARE_CLIENT_ID",
        "00000000-0000-4000-8000-00000000000a",
    ),
    ("OPERATORS_GROUP_ID", "00000000-0000-4000-8000-000000000006"),
    ("BOT_ENABLED", "true"),
];

const SUBSCRIPTION: &str = "00000000-0000-4000-8000-000000000007";
const TENANT: &str = "00000000-0000-4000-8000-000000000008";

/// The compiler, started with these arguments and an environment of its own.
fn bicep(arguments: &[&str], environment: &[(&str, &str)]) -> Option<Command> {
    let of_the_azure_cli =
        env::var_os("HOME").map(|home| Path::new(&home).join(".azure/bin/bicep"));
    let program: PathBuf = tool::find("BICEP", &["bicep"], of_the_azure_cli)?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied());
    command.envs(
        ["PATH", "HOME", "TMPDIR"]
            .iter()
            .filter_map(|it| Some((it, env::var_os(it)?))),
    );
    // What it writes must not depend on the machine's language, nor the program on libicu.
    command.env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1");
    Some(command)
}

fn no_compiler() {
    left_out("the Bicep templates", "no bicep: set BICEP or the PATH");
}

/// A module that nothing uses would be judged by nobody.
#[test]
fn every_module_is_used() {
    let main = text("infra/main.bicep");
    for entry in fs::read_dir(root().join("infra/modules")).expect("the modules") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_string_lossy();
        assert!(main.contains(&format!("'./modules/{name}'")), "{name}");
    }
}

#[test]
fn templates_have_no_fault_and_production_is_as_its_snapshot_shows_it() {
    snapshot("main", &[&GIVEN[..], &GIVEN_TO_PRODUCTION].concat());
}

#[test]
fn templates_have_no_fault_and_the_other_profile_is_as_its_snapshot_shows_it() {
    snapshot("dev", &GIVEN);
}

/// A deployment that put the places of secrets anew would make every secret absent. Snapshots do not show it.
#[test]
fn a_secret_that_is_there_is_left_alone() {
    let arguments = ["build", "infra/modules/secrets.bicep", "--stdout"];
    let Some(mut command) = bicep(&arguments, &[]) else {
        return no_compiler();
    };
    let output = tool::run(&mut command);
    let template: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a template");
    let resources = template["resources"].as_object().expect("resources");
    let made = resources.values().filter(|it| it["existing"] != true);
    let mut secrets = made.filter(|it| it["type"] == "Microsoft.KeyVault/vaults/secrets");
    let secret = secrets.next().expect("places of secrets");
    assert!(!secret["@options"]["onlyIfNotExists"].is_null());
    assert!(secrets.next().is_none());
}

/// Holds a profile's snapshot against the templates, or writes it anew.
///
/// For that the compiler reads the parameter file, the template and its modules, with its linter. Warnings end with success, but
/// nobody reads them later: any word is too much.
fn snapshot(profile: &str, environment: &[(&str, &str)]) {
    let update = env::var_os("UPDATE_SNAPSHOTS").is_some();
    let mode = if update { "overwrite" } else { "validate" };
    let parameters = format!("infra/{profile}.bicepparam");
    let mut arguments = vec!["snapshot", &parameters, "--mode", mode];
    arguments.extend(["--location", "westeurope"]);
    arguments.extend(["--subscription-id", SUBSCRIPTION, "--tenant-id", TENANT]);
    let Some(mut command) = bicep(&arguments, environment) else {
        return no_compiler();
    };
    let output = tool::run(&mut command);
    let words = printed(&output);
    assert!(
        output.status.success() && words.is_empty(),
        "{parameters} has a fault, or would deploy something else than its snapshot shows; \
         if that is meant, write the snapshot anew with UPDATE_SNAPSHOTS=1.\n{words}"
    );
    if update {
        // The compiler writes some members in an order that changes from run to run.
        let file = format!("infra/{profile}.snapshot.json");
        let sorted = serde_json::to_string_pretty(&json(&file)).expect("JSON");
        fs::write(root().join(&file), sorted + "\n").unwrap_or_else(|it| panic!("{file}: {it}"));
    }
}
