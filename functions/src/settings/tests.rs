use std::collections::BTreeSet;

use super::{SPECIFICATIONS, SettingError, Settings};

fn value_of(name: &str) -> Option<String> {
    let local: serde_json::Value =
        serde_json::from_str(include_str!("../../../local.settings.json")).expect("valid JSON");
    local["Values"][name].as_str().map(str::to_owned)
}

fn errors(changed: &str, value: Option<&str>) -> Vec<SettingError> {
    Settings::from_lookup(|name| {
        if name == changed {
            value.map(str::to_owned)
        } else {
            value_of(name)
        }
    })
    .err()
    .unwrap_or_default()
}

#[test]
fn local_settings_list_exactly_what_is_read() {
    let local: serde_json::Value =
        serde_json::from_str(include_str!("../../../local.settings.json")).expect("valid JSON");
    let listed: BTreeSet<&str> = local["Values"]
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .filter(|name| !matches!(*name, "FUNCTIONS_WORKER_RUNTIME" | "AzureWebJobsStorage"))
        .collect();
    let read: BTreeSet<&str> = SPECIFICATIONS.iter().map(|entry| entry.name).collect();
    assert_eq!(listed, read);
    assert!(Settings::from_lookup(value_of).is_ok());
}

#[test]
fn each_required_setting_is_named_when_missing() {
    for specification in SPECIFICATIONS {
        let errors = errors(specification.name, None);
        if specification.default.is_some() {
            assert_eq!(errors, vec![], "{} has a default", specification.name);
        } else {
            assert_eq!(errors.len(), 1, "{}", specification.name);
            let line = errors[0].to_string();
            assert!(line.starts_with(&format!("setting {} is missing", specification.name)));
            assert!(line.contains(specification.expects));
            assert!(!line.contains('\n'));
        }
    }
}

#[test]
fn wrong_values_are_refused_without_being_repeated() {
    for (name, value) in [
        ("TENANT_ID", "contoso"),
        ("SUPPORT_ACCOUNTS", "Support=1"),
        (
            "SUPPORT_ACCOUNTS",
            "a=5c0f1a0e-0b2a-4a39-8a35-5f0d7f6a0c11,a=5c0f1a0e-0b2a-4a39-8a35-5f0d7f6a0c12",
        ),
        ("BLOB_ENDPOINT", "http://plain.example"),
        ("KEY_VAULT_URL", "https://vault.example/?x=1"),
        ("ServiceBus__fullyQualifiedNamespace", "https://bus.example"),
        ("THREAD_WINDOW_HOURS", "99999"),
        ("GROUP_CHATS", "some"),
        ("ATTEMPT_DEADLINE_SECONDS", "900"),
        ("LOG_LEVEL", "loud"),
        ("REPLY_CONTEXT", "some"),
        ("REACTIONS", "maybe"),
        ("ATTACHMENT_LIMIT_MB", "4096"),
        ("ATTACHMENT_LINK_HOURS", "145"),
        ("FILE_TIMEOUT_SECONDS", "600"),
        ("FILE_ORIGINS", "https://a.example,http://b.example"),
        ("FILE_HOSTS", "*.com"),
        ("FILE_HOSTS", "127.0.0.1"),
        ("GENESYS_MEDIA_TYPES", "images"),
    ] {
        let errors = errors(name, Some(value));
        assert_eq!(errors.len(), 1, "{name}={value}");
        assert_eq!(errors[0].name, name);
        assert!(!errors[0].to_string().contains(value), "{name}={value}");
    }
}

#[test]
fn a_new_genesys_region_needs_both_endpoints() {
    let with = |api: Option<&str>| {
        Settings::from_lookup(|name| match name {
            "GENESYS_DOMAIN" => Some("brand.new.cloud".to_owned()),
            "GENESYS_API_ENDPOINT" => api.map(str::to_owned),
            other => value_of(other),
        })
    };
    assert_eq!(
        with(None).expect_err("unknown domain")[0].name,
        "GENESYS_DOMAIN"
    );
    let settings = with(Some("https://api.brand.new.cloud/")).expect("both endpoints given");
    assert_eq!(settings.genesys_api_endpoint, "https://api.brand.new.cloud");
}

#[test]
fn links_must_not_outlive_their_files() {
    let errors = errors("ATTACHMENT_RETENTION_DAYS", Some("5"));
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].name, "ATTACHMENT_RETENTION_DAYS");
    assert!(errors[0].to_string().contains("ATTACHMENT_LINK_HOURS"));
}

#[test]
fn a_placeholder_is_told_from_an_id_of_zeros_and_a_digit() {
    let nil = "00000000-0000-0000-0000-000000000000";
    let placeholder = |changed: &str, value: &str| {
        let lookup = |name: &str| match name == changed {
            true => Some(value.to_owned()),
            false => value_of(name),
        };
        let settings = Settings::from_lookup(lookup).expect("good settings");
        settings.placeholder().map(|setting| setting.name)
    };
    assert_eq!(placeholder("", ""), None);
    for name in [
        "TENANT_ID",
        "GRAPH_CLIENT_ID",
        "GENESYS_INTEGRATION_ID",
        "GENESYS_CLIENT_ID",
    ] {
        assert_eq!(placeholder(name, nil), Some(name));
    }
    assert_eq!(
        placeholder("SUPPORT_ACCOUNTS", &format!("a={nil}")),
        Some("SUPPORT_ACCOUNTS")
    );
    // What no template puts there does not even start.
    for text in ["<client id>", "your-client-id", "changeme", ""] {
        assert_eq!(errors("GENESYS_CLIENT_ID", Some(text)).len(), 1, "{text}");
    }
    for text in ["support=", "support=<user id>", "support"] {
        assert_eq!(errors("SUPPORT_ACCOUNTS", Some(text)).len(), 1, "{text}");
    }
}

#[test]
fn files_come_from_the_endpoints_and_from_genesys_downloads_by_default() {
    let origins = |named: &str| -> Vec<String> {
        let settings = Settings::from_lookup(|name| match name {
            "FILE_ORIGINS" => Some(named.to_owned()),
            "GENESYS_DOMAIN" => Some("mypurecloud.de".to_owned()),
            "GENESYS_API_ENDPOINT" | "GENESYS_LOGIN_ENDPOINT" => None,
            "GRAPH_ENDPOINT" => Some("https://graph.microsoft.com".to_owned()),
            other => value_of(other),
        });
        settings
            .expect("good settings")
            .file_origins
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(
        origins(""),
        [
            "https://graph.microsoft.com:443",
            "https://api.mypurecloud.de:443",
            "https://api-downloads.mypurecloud.de:443"
        ]
    );
    assert_eq!(
        origins("https://media.example:8443"),
        [
            "https://media.example:8443",
            "https://graph.microsoft.com:443",
            "https://api.mypurecloud.de:443"
        ]
    );
}
