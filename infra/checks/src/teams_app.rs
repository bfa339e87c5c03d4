//! The manifest of the bot's app, judged by Microsoft's schema of its version. `cargo xtask teams-app` puts an installation's values
//! into it and keeps the schema's rules for each of them; here is all the rest, with every permission that it can ask for.

use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::inputs::{json as file, list, root};
use crate::tool::{left_out, printed};

/// Where `cargo xtask` installs the schemas and a validator.
fn folder() -> PathBuf {
    env::var_os("TEAMS_APP_DIR")
        .map_or_else(|| root().join("target/tools/teams-app"), PathBuf::from)
}

/// The schema's objections to each of these manifests; `None` where it is not installed.
fn objections(manifests: &[Value]) -> Option<Vec<Vec<String>>> {
    let folder = folder();
    if !folder.join("node_modules").is_dir() {
        left_out(
            "infra/teams-app",
            "no schema of Teams manifests: cargo xtask test installs it",
        );
        return None;
    }
    let mut node = Command::new("node")
        .arg(root().join("infra/checks/teams-app.mjs"))
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Node.js starts");
    let mut input = node.stdin.take().expect("a pipe");
    let written = input.write_all(json!(manifests).to_string().as_bytes());
    drop(input);
    let output = node.wait_with_output().expect("the script ends");
    assert!(
        written.is_ok() && output.status.success(),
        "{}",
        printed(&output)
    );
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("a list"));
    Some(lines.collect())
}

#[test]
fn teams_takes_the_manifest_and_refuses_mistakes_in_it() {
    let right = file("infra/teams-app/manifest.json");
    let mistakes = [
        ("/name/short", json!("x".repeat(31))),
        ("/description/short", json!("x".repeat(81))),
        ("/bots/0/botId", json!("a-bot")),
        ("/bots/0/scopes", json!(["groupchat"])),
        (
            "/bots/0/commandLists/0/commands/0/title",
            json!("x".repeat(33)),
        ),
        ("/developer/websiteUrl", json!("www.example.com")),
        ("/accentColor", json!("blue")),
        (
            "/authorization/permissions/resourceSpecific/0/type",
            json!("application"),
        ),
        ("/webApplicationInfo/id", json!("")),
    ];
    let mut manifests = vec![right.clone()];
    manifests.extend(mistakes.iter().map(|(place, wrong)| {
        let mut manifest = right.clone();
        *manifest
            .pointer_mut(place)
            .unwrap_or_else(|| panic!("there is no {place}")) = wrong.clone();
        manifest
    }));
    // What Teams does not know it refuses as well.
    let mut unknown = right.clone();
    unknown["bots"][0]["supportsSessions"] = json!(false);
    manifests.push(unknown);
    let Some(found) = objections(&manifests) else {
        return;
    };
    let (first, others) = found.split_first().expect("one for each");
    assert!(first.is_empty(), "{first:#?}");
    assert_eq!(others.len(), mistakes.len() + 1);
    for (objections, (place, _)) in others.iter().zip(&mistakes) {
        assert!(
            objections.iter().any(|it| it.starts_with(place)),
            "{place}: {objections:?}"
        );
    }
    assert!(!others[mistakes.len()].is_empty(), "supportsSessions");
}

#[test]
fn the_commands_are_the_words_that_end_a_conversation() {
    let local = file("local.settings.json");
    let words = local["Values"]["END_WORDS"].as_str().expect("a word");
    let manifest = file("infra/teams-app/manifest.json");
    let commands = list(&manifest["bots"][0]["commandLists"][0]["commands"]);
    let titles: Vec<&str> = commands.filter_map(|it| it["title"].as_str()).collect();
    assert_eq!(titles.join(","), words);
}
