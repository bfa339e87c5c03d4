//! `cargo xtask fuzz`: what reads from outside with inputs that libFuzzer makes of the cases and fixtures.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::{Value, json};

use crate::command;
use crate::workspace::Workspace;

/// The release of cargo-fuzz that is installed where there is none.
const CARGO_FUZZ: &str = "0.13.2";

/// Where a target's first inputs come from.
enum Seeds {
    /// The cases whose text this reader gets, as whole messages or webhooks.
    Cases(&'static str),
    /// These files, and those of a folder whose names begin so: JSON, or a line of JSON each in what is no `.json`.
    Files(&'static [&'static str]),
}

/// The targets, and their first inputs.
const TARGETS: [(&str, Seeds); 5] = [
    ("message", Seeds::Cases("agent")),
    ("webhook", Seeds::Cases("customer")),
    (
        "notification",
        Seeds::Files(&["bridge/fixtures/notification_", "bridge/fixtures/message_"]),
    ),
    ("host", Seeds::Files(&["bridge/fixtures/host_", ENVELOPES])),
    ("state", Seeds::Files(&["fuzz/seeds/state", ENVELOPES])),
];

/// One envelope of each kind.
const ENVELOPES: &str = "bridge/src/queue/snapshots/bridge__queue__tests__envelopes";

/// Options of `cargo xtask fuzz`.
#[derive(Args)]
pub struct Options {
    /// How long each target runs.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// What to run: message, webhook, notification, host, state; all without any.
    targets: Vec<String>,
}

/// Runs the targets one after the other; a finding ends the run, and its input stays below `target/fuzz`.
pub fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let program = cargo_fuzz(workspace)?;
    let work = workspace.target().join("fuzz");
    for (target, seeds_of) in TARGETS {
        if !options.targets.is_empty() && !options.targets.iter().any(|wanted| wanted == target) {
            continue;
        }
        let [seeds, corpus, findings] =
            ["seeds", "corpus", "findings"].map(|kind| work.join(kind).join(target));
        for directory in [&seeds, &corpus, &findings] {
            fs::create_dir_all(directory)?;
        }
        let first = match seeds_of {
            Seeds::Cases(reader) => seeds_for(workspace.root(), reader)?,
            Seeds::Files(paths) => seeds_in(workspace.root(), paths)?,
        };
        for (number, seed) in first.iter().enumerate() {
            fs::write(seeds.join(number.to_string()), seed.to_string())?;
        }
        // No sanitizer: safe Rust has nothing that one would find, and they need an unreleased compiler.
        let status = command::status(
            Command::new(&program)
                .args("fuzz run --sanitizer none --fuzz-dir fuzz".split(' '))
                .arg(target)
                .args([corpus, seeds])
                .arg("--")
                .arg(format!("-max_total_time={}", options.seconds))
                .args(["-max_len=20000", "-timeout=10"])
                .arg(format!("-artifact_prefix={}/", findings.display()))
                .env("CARGO_TARGET_DIR", work.join("build"))
                .current_dir(workspace.root()),
        )?;
        if !status.success() {
            return Ok(command::exit_code(status));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn cargo_fuzz(workspace: &Workspace) -> Result<PathBuf> {
    let tools = workspace.tool("cargo-fuzz");
    let program = tools.join("bin/cargo-fuzz");
    if !program.is_file() {
        let install = format!("install --locked cargo-fuzz --version {CARGO_FUZZ} --root");
        let root = tools
            .to_str()
            .context("the target directory's path is no UTF-8")?;
        workspace.cargo(install.split(' ').chain([root]))?;
    }
    Ok(program)
}

/// The JSON in files whose paths begin with one of these.
fn seeds_in(root: &Path, paths: &[&str]) -> Result<Vec<Value>> {
    let mut seeds = Vec::new();
    for path in paths.iter().map(|path| root.join(path)) {
        let (folder, begins) = (path.parent(), path.file_name());
        let (folder, begins) = folder.zip(begins).context("no path of a file")?;
        let begins = begins.to_string_lossy().into_owned();
        let before = seeds.len();
        for file in fs::read_dir(folder)? {
            let file = file?;
            let name = file.file_name().to_string_lossy().into_owned();
            if !name.starts_with(&begins) {
                continue;
            }
            let text = fs::read_to_string(file.path())?;
            let parsed = match name.ends_with(".json") {
                true => serde_json::from_str(&text).map(|seed| vec![seed]),
                false => {
                    let lines = text.lines().filter(|line| line.starts_with('{'));
                    lines.map(serde_json::from_str).collect()
                }
            };
            seeds.extend(parsed.with_context(|| name.clone())?);
        }
        ensure!(seeds.len() > before, "no JSON in {}", path.display());
    }
    Ok(seeds)
}

/// The inputs of the cases for a reader, as whole messages or webhooks.
fn seeds_for(root: &Path, reader: &str) -> Result<Vec<Value>> {
    let mut seeds = Vec::new();
    for file in fs::read_dir(root.join("bridge/fixtures/cases"))? {
        let path = file?.path();
        let text = fs::read_to_string(&path)?;
        let group: Value =
            serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        if group["to"] == reader {
            let kinds = group["kinds"].as_array().into_iter().flatten();
            let cases = kinds.flat_map(|kind| kind["cases"].as_array().into_iter().flatten());
            seeds.extend(cases.map(|case| seed(&case["input"])));
        }
    }
    Ok(seeds)
}

/// A case's input with what a message or webhook has besides; the content of its cards as JSON, so that it changes too.
fn seed(input: &Value) -> Value {
    let mut seed = json!({ "id": "1755000000001", "type": "Text", "from": { "user": { "displayName": "Anna" } } });
    if let Some(text) = input.as_str() {
        seed["text"] = text.into();
        seed["body"]["content"] = text.into();
    }
    if let Some(kind) = input["card"].as_str() {
        seed["body"]["content"] = "<attachment id=\"a1\"></attachment>".into();
        seed["attachments"] = json!([{
            "id": "a1", "contentType": format!("application/vnd.microsoft.{kind}"), "content": input["content"],
        }]);
        return seed;
    }
    for (name, value) in input.as_object().into_iter().flatten() {
        seed[name] = value.clone();
    }
    for attachment in seed["attachments"].as_array_mut().into_iter().flatten() {
        let content = attachment["content"].as_str();
        if let Some(content) = content.and_then(|text| serde_json::from_str(text).ok()) {
            attachment["content"] = content;
        }
    }
    seed
}
