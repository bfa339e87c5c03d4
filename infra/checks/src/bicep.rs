//! The templates, judged by the Bicep compiler, and the snapshots of what they would deploy.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p infra-checks` writes the snapshots anew; look at the difference before it is committed.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::inputs::{PROFILES, list, root, text};
use crate::tool::{self, left_out, printed};

const SUBSCRIPTION: &str = "00000000-0000-4000-8000-000000000007";
const TENANT: &str = "00000000-0000-4000-8000-000000000008";

/// The compiler, started with these arguments and an environment of its own.
pub fn bicep(arguments: &[&str]) -> Option<Command> {
    let of_the_azure_cli =
        env::var_os("HOME").map(|home| Path::new(&home).join(".azure/bin/bicep"));
    let program: PathBuf = tool::find("BICEP", &["bicep"], of_the_azure_cli)?;
    let mut command = Command::new(program);
    command.args(arguments).env_clear();
    command.envs(
        ["PATH", "HOME", "TMPDIR"]
            .iter()
            .filter_map(|it| Some((it, env::var_os(it)?))),
    );
    // What it writes must not depend on the machine's language, nor the program on libicu.
    command.env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1");
    Some(command)
}

/// Says that what needs the compiler is left out.
pub fn no_compiler() {
    left_out("the Bicep templates", "no bicep: set BICEP or the PATH");
}

/// A module that nothing uses would be judged by nobody.
#[test]
fn every_module_is_used() {
    let modules = fs::read_dir(root().join("infra/modules")).expect("the modules");
    let names = modules.map(|it| it.expect("an entry").file_name());
    let names: Vec<String> = names.map(|it| it.to_string_lossy().into_owned()).collect();
    let texts = names.iter().map(|it| text(&format!("infra/modules/{it}")));
    let others: String = texts.collect();
    let main = text("infra/installation.bicep");
    for name in names {
        let is_used = main.contains(&format!("'./modules/{name}'"));
        assert!(
            is_used || others.contains(&format!(" './{name}'")),
            "{name}"
        );
    }
}

/// For a snapshot the compiler reads the parameter file, the template and its modules, with its linter. Warnings end with success, but
/// nobody reads them later: any word is too much.
#[test]
fn templates_have_no_fault_and_each_profile_is_as_its_snapshot_shows_it() {
    let update = env::var_os("UPDATE_SNAPSHOTS").is_some();
    let mode = if update { "overwrite" } else { "validate" };
    for profile in PROFILES {
        let stage = Stage::with(&installation_file(profile));
        let Some(output) = stage.snapshot(profile, mode) else {
            return no_compiler();
        };
        let words = printed(&output);
        assert!(
            output.status.success() && words.is_empty(),
            "{profile} has a fault, or would deploy something else than its snapshot shows; \
             if that is meant, write the snapshot anew with UPDATE_SNAPSHOTS=1.\n{words}"
        );
        if update {
            // The compiler writes some members in an order that changes from run to run.
            let sorted = serde_json::to_string_pretty(&stage.made(profile)).expect("JSON");
            let file = format!("infra/{profile}.snapshot.json");
            fs::write(root().join(&file), sorted + "\n")
                .unwrap_or_else(|it| panic!("{file}: {it}"));
        }
    }
}

/// Each of these would become an installation that does not work, or another than the one that is meant.
#[test]
fn what_cannot_work_is_refused_before_anything_is_made() {
    let zero = "00000000-0000-0000-0000-000000000000";
    let zero_account = format!("support_accounts = [\"support={zero}\"]\n");
    for (lines, expected) in [
        (
            zero_account
                + "genesys_domain = \"\"\nalert_email = \"\"\nlocation = \"\"\n"
                + &format!("subscription_id = \"{TENANT}\"\ntenant_id = \"{SUBSCRIPTION}\"\n")
                + "attachment_retention_days = 3\nthread_window_hours = 8760\n"
                + "bot_enabled = true\nbot_authentication = \"secret\"\n"
                + "app_subnet_id = \"/subscriptions/x\"",
            &[
                "An id is all zeros",
                "genesys_domain is missing",
                "alert_email is missing",
                "location is missing",
                "az account set",
                "az login",
                "attachment_retention_days is shorter",
                "chat_retention_days is not two days longer",
                "bot_app_id is missing",
                "endpoint_subnet_id go together",
            ][..],
        ),
        (
            format!("support_accounts = []\noperators_group_id = \"{zero}\""),
            &["support_accounts names nobody", "An id is all zeros"],
        ),
        (
            "network_profile = \"private\"\npackage_url = \"https://example.com/x.zip\"".to_owned(),
            &["package_url does not go with"],
        ),
        ("alert_webhook = true".to_owned(), &["ALERT_WEBHOOK_URL"]),
        // The types' own limits.
        (
            "maximum_instance_count = 10".to_owned(),
            &["capacity.maximum_instance_count"],
        ),
        (
            "group_chats = \"some\"".to_owned(),
            &["handler.group_chats"],
        ),
        // Not as JSON writes it, and twice.
        ("group_chats = off".to_owned(), &["Failed to evaluate"]),
        (
            "reactions = \"on\"\nreactions = \"off\"".to_owned(),
            &["Failed to evaluate"],
        ),
    ] {
        let file = with(&installation_file("dev"), &lines);
        let Some(output) = Stage::with(&file).snapshot("dev", "overwrite") else {
            return no_compiler();
        };
        let words = printed(&output);
        assert!(!output.status.success(), "not refused:\n{file}");
        for expected in expected {
            assert!(
                words.contains(expected),
                "{expected} is not said of\n{file}\nbut\n{words}"
            );
        }
    }
}

/// Signs that a list or a line of the file would have mean nothing inside of a text.
#[test]
fn a_text_becomes_a_setting_as_it_is() {
    let notice = "[Support] 1 = 1, # \u{fc}";
    let file = installation_file("dev") + &format!("failure_notice = \"{notice}\"\n");
    let stage = Stage::with(&file);
    let Some(output) = stage.snapshot("dev", "overwrite") else {
        return no_compiler();
    };
    assert!(output.status.success(), "{}", printed(&output));
    let snapshot = stage.made("dev");
    let mut made = list(&snapshot["predictedResources"]);
    let settings = made.find(|it| it["type"] == "Microsoft.Web/sites/config");
    let settings = &settings.expect("settings")["properties"];
    assert_eq!(settings["FAILURE_NOTICE"], notice);
    assert_eq!(settings["GENESYS_CLIENT_ID"], "");
}

/// Who has a network, and zones in another group, gets the endpoints alone. Redundancy is for all or nothing.
#[test]
fn a_given_network_is_used_and_redundancy_reaches_everything() {
    let group = "/subscriptions/s/resourceGroups/network";
    let network = format!("{group}/providers/Microsoft.Network/virtualNetworks/hub");
    let own_zones = installation_file("private")
        + &format!("app_subnet_id = \"{network}/subnets/app\"\n")
        + &format!("endpoint_subnet_id = \"{network}/subnets/endpoints\"\n")
        + "operator_addresses = [\"198.51.100.7/32\"]\n"
        + "zone_redundant = true\nstorage_replication = \"Standard_GRS\"\n";
    let given_zones = own_zones.clone() + &format!("private_dns = \"{group}\"\n");
    for (file, makes_zones) in [(own_zones, true), (given_zones, false)] {
        let stage = Stage::with(&file);
        let Some(output) = stage.snapshot("private", "overwrite") else {
            return no_compiler();
        };
        assert!(output.status.success(), "{}", printed(&output));
        let snapshot = stage.made("private");
        let of = |of: &str| -> Vec<&Value> {
            let made = list(&snapshot["predictedResources"]);
            made.filter(|it| it["type"] == of).collect()
        };
        for unneeded in ["virtualNetworks", "natGateways", "publicIPAddresses"] {
            assert!(of(&format!("Microsoft.Network/{unneeded}")).is_empty());
        }
        let endpoints = of("Microsoft.Network/privateEndpoints");
        assert_eq!(endpoints.len(), 6);
        for it in endpoints {
            let subnet = it["properties"]["subnet"]["id"].as_str();
            assert_eq!(subnet, Some(&*format!("{network}/subnets/endpoints")));
        }
        let zones = of("Microsoft.Network/privateDnsZones");
        assert_eq!(zones.len(), if makes_zones { 5 } else { 0 });
        for it in of("Microsoft.Network/privateDnsZones/virtualNetworkLinks") {
            assert_eq!(it["properties"]["virtualNetwork"]["id"], network.as_str());
        }
        let names = of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups");
        assert_eq!(names.len(), 6);
        for it in names {
            let zones = it["properties"]["privateDnsZoneConfigs"].to_string();
            assert_eq!(zones.contains(group), !makes_zones, "{zones}");
        }

        // Closed but for the operators' addresses.
        let vault = &of("Microsoft.KeyVault/vaults")[0]["properties"];
        let rules = &of("Microsoft.ServiceBus/namespaces/networkRuleSets")[0]["properties"];
        for (it, at) in [(&vault["networkAcls"], "value"), (rules, "ipMask")] {
            assert_eq!(it["defaultAction"], "Deny");
            assert_eq!(it["ipRules"][0][at], "198.51.100.7/32");
        }
        assert_eq!(vault["publicNetworkAccess"], "Enabled");
        assert_eq!(rules["publicNetworkAccess"], "Enabled");

        let plan = &of("Microsoft.Web/serverfarms")[0]["properties"];
        assert_eq!(plan["zoneRedundant"], true);
        let accounts = of("Microsoft.Storage/storageAccounts");
        let mut skus: Vec<_> = accounts.iter().map(|it| &it["sku"]["name"]).collect();
        skus.sort_by_key(|it| it.to_string());
        assert_eq!(skus, ["Standard_GZRS", "Standard_ZRS"]);
    }
}

/// A deployment that put the places of secrets anew would make every secret absent. Snapshots do not show it.
#[test]
fn a_secret_that_is_there_is_left_alone() {
    let arguments = ["build", "infra/modules/secrets.bicep", "--stdout"];
    let Some(mut command) = bicep(&arguments) else {
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

/// What a profile is given as `graph-to-open.toml`: production, and its private sister, with everything that can be switched on; the
/// others what a person fills in.
fn installation_file(profile: &str) -> String {
    match profile {
        "main" | "private" => text("infra/checks/complete.toml"),
        _ => with(
            &text("graph-to-open.example.toml"),
            &text("infra/checks/first.toml"),
        ),
    }
}

/// A file with these lines in the place of those of the same keys: a key that is there twice cannot be read.
fn with(file: &str, lines: &str) -> String {
    let key = |line: &str| line.split_once(" = ").map(|(key, _)| key.to_owned());
    let keys: Vec<_> = lines.lines().filter_map(key).collect();
    let kept = file
        .lines()
        .filter(|it| !key(it).is_some_and(|key| keys.contains(&key)));
    kept.map(|it| format!("{it}\n")).collect::<String>() + lines
}

/// The templates beside an installation's file, in a folder of their own.
struct Stage(TempDir);

impl Stage {
    fn with(file: &str) -> Self {
        let stage = tempfile::tempdir().expect("a folder");
        let infra = stage.path().join("infra");
        for folder in ["", "modules", "workbooks"] {
            let from = root().join("infra").join(folder);
            let to = infra.join(folder);
            fs::create_dir_all(&to).expect("a folder");
            for entry in fs::read_dir(&from).expect("the templates") {
                let entry = entry.expect("an entry");
                if entry.path().is_file() {
                    fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
                }
            }
        }
        fs::write(stage.path().join("graph-to-open.toml"), file).expect("the file");
        Self(stage)
    }

    /// Makes a profile's snapshot, or holds the committed one against what would be made now.
    fn snapshot(&self, profile: &str, mode: &str) -> Option<Output> {
        let parameters = self.0.path().join(format!("infra/{profile}.bicepparam"));
        let parameters = parameters.to_string_lossy();
        let mut arguments = vec!["snapshot", &parameters, "--mode", mode];
        arguments.extend(["--location", "westeurope"]);
        arguments.extend(["--subscription-id", SUBSCRIPTION, "--tenant-id", TENANT]);
        if profile == "installation" {
            arguments.extend(["--resource-group", "rg-example"]);
        }
        Some(tool::run(&mut bicep(&arguments)?))
    }

    /// The snapshot that was made.
    fn made(&self, profile: &str) -> Value {
        let file = self.0.path().join(format!("infra/{profile}.snapshot.json"));
        let text = fs::read(file).expect("a snapshot");
        serde_json::from_slice(&text).expect("JSON")
    }
}
