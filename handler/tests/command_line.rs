//! The handler as the host and the operator start it: what stops it, and what it prints.

use std::process::{Command, Output};

fn handler(arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_handler"))
        .args(arguments)
        .env_clear()
        .envs(settings.iter().copied())
        .output()
        .expect("the handler can be started")
}

/// Every setting of `local.settings.json`.
fn local_settings() -> Vec<(String, String)> {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../local.settings.json")).expect("valid JSON");
    file["Values"]
        .as_object()
        .expect("an object")
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}

fn borrowed(settings: &[(String, String)]) -> Vec<(&str, &str)> {
    settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

#[test]
fn a_missing_setting_stops_the_start_with_one_line_that_names_it() {
    let mut settings = local_settings();
    settings.retain(|(name, _)| name != "GENESYS_INTEGRATION_ID");
    let output = handler(&[], &borrowed(&settings));
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.starts_with("setting GENESYS_INTEGRATION_ID is missing: put "),
        "{said}"
    );
    assert!(output.stdout.is_empty());
}

#[test]
fn a_missing_port_is_named_too() {
    let output = handler(&[], &borrowed(&local_settings()));
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("FUNCTIONS_CUSTOMHANDLER_PORT"), "{said}");
}

#[test]
fn check_shows_every_setting_and_what_is_wrong() {
    let mut settings = local_settings();
    settings.retain(|(name, _)| name != "TENANT_ID" && name != "LOG_LEVEL");
    let output = handler(&["check"], &borrowed(&settings));
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stdout);
    let line = |name: &str| {
        said.lines()
            .find(|line| line.contains(name))
            .unwrap_or_default()
            .to_owned()
    };
    assert!(
        line("TENANT_ID").contains("WRONG") && line("TENANT_ID").contains("missing"),
        "{said}"
    );
    assert!(line("LOG_LEVEL").contains("default  info"), "{said}");
    assert!(
        line("GENESYS_DOMAIN").contains("set      mypurecloud.de"),
        "{said}"
    );
    assert!(said.contains("Services were not tried"), "{said}");
}

#[test]
fn correlate_prints_the_id_that_logs_use() {
    let output = handler(
        &[
            "correlate",
            "--chat",
            "19:a@thread.v2",
            "--message",
            "1700000000000",
        ],
        &[],
    );
    assert!(output.status.success());
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said.trim().len(), 36, "{said}");
    assert!(!handler(&["correlate"], &[]).status.success());
}
