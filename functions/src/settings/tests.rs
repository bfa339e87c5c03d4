use std::collections::BTreeSet;

use super::{AccountKind, SPECIFICATIONS, SettingError};
use crate::testing::settings as with;

/// What is wrong when one setting is changed.
fn errors(name: &str, value: &str) -> Vec<SettingError> {
    with(&[(name, value)]).err().unwrap_or_default()
}

#[test]
fn local_settings_list_exactly_what_is_read() {
    let local: serde_json::Value =
        serde_json::from_str(include_str!("../../../local.settings.json")).expect("valid JSON");
    let listed = local["Values"].as_object().expect("an object").keys();
    let hosts = ["FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"];
    let listed = listed
        .map(String::as_str)
        .filter(|name| !hosts.contains(name));
    let read = SPECIFICATIONS.iter().map(|entry| entry.name);
    assert_eq!(listed.collect::<BTreeSet<_>>(), read.collect());
    assert!(with(&[]).is_ok());
}

#[test]
fn each_required_setting_is_named_when_missing() {
    for specification in SPECIFICATIONS {
        let errors = errors(specification.name, "");
        if specification.default.is_some() || specification.supplied_by().is_some() {
            assert_eq!(errors, vec![], "{} may be absent", specification.name);
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
        ("SUPPORT_ACCOUNTS", "a=c41f5bd88c39f6a1"),
        (
            "SUPPORT_ACCOUNTS",
            "a=5c0f1a0e-0b2a-4a39-8a35-5f0d7f6a0c11,a=5c0f1a0e-0b2a-4a39-8a35-5f0d7f6a0c12",
        ),
        ("AGENT_BLUEPRINT_CLIENT_ID", "contoso"),
        ("BLOB_ENDPOINT", "http://plain.example"),
        ("KEY_VAULT_URL", "https://vault.example/?x=1"),
        ("ServiceBus__fullyQualifiedNamespace", "https://bus.example"),
        ("THREAD_WINDOW_HOURS", "99999"),
        ("CUSTOMER_TENANTS", "none"),
        ("CUSTOMER_TENANTS", "contoso.example"),
        (
            "CUSTOMER_TENANTS",
            "all,be9c1b6e-0000-4000-8000-c0ffee000002",
        ),
        ("CUSTOMER_LOOKUP_SECONDS", "31"),
        ("SILENCE_CHECK_MINUTES", "61"),
        ("SUBSCRIPTION_ACCESS", "user"),
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
        let errors = errors(name, value);
        assert_eq!(errors.len(), 1, "{name}={value}");
        assert_eq!(errors[0].name, name);
        assert!(!errors[0].to_string().contains(value), "{name}={value}");
    }
}

/// An id that ends with this digit.
fn id(last: u8) -> String {
    format!("5c0f1a0e-0b2a-4a39-8a35-00000000000{last}")
}

#[test]
fn support_accounts_of_both_kinds_stand_side_by_side() {
    let (a, b, agent) = (id(1), id(2), id(3));
    let value = format!("desk={a}, robot={b}@{}", agent.to_uppercase());
    let settings = with(&[("SUPPORT_ACCOUNTS", &value)]).expect("good settings");
    let kinds: Vec<_> = settings
        .support_accounts
        .iter()
        .map(|it| (it.name.as_str(), it.user.as_str(), &it.kind))
        .collect();
    let agent = AccountKind::AgentUser(agent);
    assert_eq!(
        kinds,
        [
            ("desk", a.as_str(), &AccountKind::SignedIn),
            ("robot", b.as_str(), &agent)
        ]
    );
}

#[test]
fn a_wrong_entry_of_an_agent_user_is_named() {
    let (a, b, c, d) = (id(1), id(2), id(3), id(4));
    for (value, problem) in [
        (
            format!("desk={a},robot={b}@"),
            "without a GUID after `@` in entry 2",
        ),
        (
            format!("robot={b}@robot"),
            "without a GUID after `@` in entry 1",
        ),
        (
            format!("robot={b}@{c}@{d}"),
            "without a GUID after `@` in entry 1",
        ),
        (
            format!("robot=@{c}"),
            "without a GUID after the name in entry 1",
        ),
        (
            format!("robot@{c}={b}"),
            "using a name outside a-z, 0-9 and - in entry 1",
        ),
        (
            format!("robot={a}@{c},desk={a}"),
            "naming an account twice in entry 2",
        ),
        (
            format!("robot={a}@{c},other={b}@{c}"),
            "naming an account twice in entry 2",
        ),
    ] {
        let errors = errors("SUPPORT_ACCOUNTS", &value);
        assert_eq!(
            (errors.len(), errors[0].problem.as_str()),
            (1, problem),
            "{value}"
        );
        let line = errors[0].to_string();
        assert!(
            line.starts_with("setting SUPPORT_ACCOUNTS is ") && !line.contains('\n'),
            "{line}"
        );
    }
}

#[test]
fn an_agent_user_needs_the_blueprint() {
    let value = format!("robot={}@{}", id(1), id(2));
    let without = with(&[
        ("SUPPORT_ACCOUNTS", &value),
        ("AGENT_BLUEPRINT_CLIENT_ID", ""),
    ]);
    let errors = without.expect_err("no blueprint");
    assert_eq!(
        (errors.len(), errors[0].name),
        (1, "AGENT_BLUEPRINT_CLIENT_ID")
    );
    assert!(
        errors[0]
            .to_string()
            .contains("although SUPPORT_ACCOUNTS names an agent user")
    );
    let settings = with(&[("AGENT_BLUEPRINT_CLIENT_ID", "")]).expect("nobody needs it");
    assert_eq!(settings.agent_blueprint, None);
}

#[test]
fn a_new_genesys_region_needs_both_endpoints() {
    let domain = ("GENESYS_DOMAIN", "brand.new.cloud");
    let unknown = with(&[domain, ("GENESYS_API_ENDPOINT", "")]);
    assert_eq!(unknown.expect_err("unknown")[0].name, "GENESYS_DOMAIN");
    let given = ("GENESYS_API_ENDPOINT", "https://api.brand.new.cloud/");
    let settings = with(&[domain, given]).expect("both endpoints given");
    assert_eq!(settings.genesys_api_endpoint, "https://api.brand.new.cloud");
}

#[test]
fn links_must_not_outlive_their_files() {
    let errors = errors("ATTACHMENT_RETENTION_DAYS", "5");
    assert_eq!(
        (errors.len(), errors[0].name),
        (1, "ATTACHMENT_RETENTION_DAYS")
    );
    assert!(errors[0].to_string().contains("ATTACHMENT_LINK_HOURS"));
}

#[test]
fn a_thread_is_not_forgotten_within_its_window() {
    let window = ("THREAD_WINDOW_HOURS", "719");
    let short = with(&[window, ("CHAT_RETENTION_DAYS", "31")]).expect_err("too short");
    assert_eq!((short.len(), short[0].name), (1, "CHAT_RETENTION_DAYS"));
    assert!(short[0].to_string().contains("THREAD_WINDOW_HOURS"));
    with(&[window, ("CHAT_RETENTION_DAYS", "32")]).expect("long enough");
}

#[test]
fn several_genesys_clients_are_a_list() {
    let (one, two, three) = (id(1), id(2), id(3));
    let several = format!("{one}, {two}");
    let settings = with(&[
        ("GENESYS_CLIENT_ID", &several),
        ("GENESYS_SPARE_CLIENT_ID", &three),
    ]);
    let clients = settings.expect("good settings").genesys_clients;
    assert_eq!(clients, [one.clone(), two.clone()]);
    let many: Vec<String> = (10..31)
        .map(|last| format!("5c0f1a0e-0b2a-4a39-8a35-0000000000{last}"))
        .collect();
    for value in [
        format!("{one},"),
        format!("{one},other"),
        format!("{one},{one}"),
        many.join(","),
    ] {
        assert_eq!(errors("GENESYS_CLIENT_ID", &value).len(), 1, "{value}");
    }
    let shared = with(&[
        ("GENESYS_CLIENT_ID", &several),
        ("GENESYS_SPARE_CLIENT_ID", &two),
    ]);
    let errors = shared.expect_err("one secret for two uses");
    assert_eq!(errors[0].name, "GENESYS_SPARE_CLIENT_ID");
}

#[test]
fn ids_that_are_not_known_yet_are_told_from_an_id_of_zeros_and_a_digit() {
    let nil = "00000000-0000-0000-0000-000000000000";
    let placeholder = |changed: &[(&str, &str)]| {
        let settings = with(changed).expect("good settings");
        let unset = settings.unset.iter().map(|setting| setting.name);
        unset.collect::<Vec<_>>()
    };
    assert_eq!(placeholder(&[]), [""; 0]);
    let all = [
        "GRAPH_CLIENT_ID",
        "GENESYS_INTEGRATION_ID",
        "GENESYS_CLIENT_ID",
    ];
    assert_eq!(placeholder(&all.map(|name| (name, " "))), all);
    let account = format!("a={nil}");
    let agent = format!("a={}@{nil}", id(1));
    for (name, value) in [
        ("TENANT_ID", nil),
        ("GRAPH_CLIENT_ID", nil),
        ("GENESYS_INTEGRATION_ID", nil),
        ("GENESYS_CLIENT_ID", nil),
        ("SUPPORT_ACCOUNTS", &account),
        ("SUPPORT_ACCOUNTS", &agent),
        ("AGENT_BLUEPRINT_CLIENT_ID", nil),
    ] {
        assert_eq!(placeholder(&[(name, value)]), [name]);
    }
    // What no template puts there does not even start.
    for (name, texts) in [
        (
            "GENESYS_CLIENT_ID",
            ["<client id>", "your-client-id", "changeme"],
        ),
        (
            "SUPPORT_ACCOUNTS",
            ["support=", "support=<user id>", "support"],
        ),
    ] {
        for text in texts {
            assert_eq!(errors(name, text).len(), 1, "{text}");
        }
    }
}

#[test]
fn files_come_from_the_endpoints_and_from_genesys_downloads_by_default() {
    for (named, origins) in [
        (
            "",
            [
                "https://graph.microsoft.com:443",
                "https://api.mypurecloud.de:443",
                "https://api-downloads.mypurecloud.de:443",
            ],
        ),
        (
            "https://media.example:8443",
            [
                "https://media.example:8443",
                "https://graph.microsoft.com:443",
                "https://api.mypurecloud.de:443",
            ],
        ),
    ] {
        let settings = with(&[
            ("FILE_ORIGINS", named),
            ("BOT_APP_ID", ""),
            ("GENESYS_DOMAIN", "mypurecloud.de"),
            ("GENESYS_API_ENDPOINT", ""),
            ("GENESYS_LOGIN_ENDPOINT", ""),
            ("GRAPH_ENDPOINT", "https://graph.microsoft.com"),
        ]);
        let found = settings.expect("good settings").file_origins;
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, origins);
    }
}

#[test]
fn only_the_local_platform_makes_time_pass_faster() {
    let faster = ("LOCAL_CLOCK", "86400@2026-12-01T03:17:00Z");
    let local = ("WEBSITE_HOSTNAME", "127.0.0.1:7071");
    with(&[faster, local]).expect("good settings");
    let deployed = ("WEBSITE_HOSTNAME", "app.azurewebsites.net");
    for further in [&[deployed][..], &[]] {
        let errors = with(&[&[faster], further].concat()).expect_err("refused");
        let names: Vec<_> = errors.iter().map(|it| it.name).collect();
        assert_eq!(names, ["LOCAL_CLOCK"]);
    }
}

#[test]
fn the_platform_tells_the_address() {
    for (host, address) in [
        (
            "app.azurewebsites.net",
            Some("https://app.azurewebsites.net"),
        ),
        ("localhost:7071", Some("http://localhost:7071")),
        ("127.0.0.1:7071", Some("http://127.0.0.1:7071")),
        ("localhost.example", Some("https://localhost.example")),
        ("", None),
        ("host/path", None),
    ] {
        let settings = with(&[("WEBSITE_HOSTNAME", host)]).expect("good settings");
        assert_eq!(settings.own_address().ok(), address, "{host}");
    }
}
