//! What stops the handler's start, and what its plain commands print.

use crate::program::{handler, local_settings};

#[tokio::test]
async fn a_missing_setting_stops_the_start_with_one_line_that_names_it() {
    let mut settings = local_settings();
    settings.retain(|(name, _)| name != "TENANT_ID");
    let outcome = handler(&[], &settings).await;
    assert_eq!((outcome.code, outcome.out.as_str()), (Some(1), ""));
    assert_eq!(outcome.err.lines().count(), 1, "{}", outcome.err);
    let says = "setting TENANT_ID is missing: put ";
    assert!(outcome.err.starts_with(says), "{}", outcome.err);
}

#[tokio::test]
async fn a_missing_port_is_named_too() {
    let outcome = handler(&[], &local_settings()).await;
    assert_eq!(outcome.code, Some(1));
    let named = outcome.err.contains("FUNCTIONS_CUSTOMHANDLER_PORT");
    assert!(named, "{}", outcome.err);
}

#[tokio::test]
async fn check_shows_every_setting_and_what_is_wrong() {
    let mut settings = local_settings();
    settings.retain(|(name, _)| name != "TENANT_ID" && name != "LOG_LEVEL");
    let outcome = handler(&["check"], &settings).await;
    assert_eq!(outcome.code, Some(1));
    for (name, says) in [
        ("TENANT_ID", "WRONG    missing: put "),
        ("LOG_LEVEL", "default  info"),
        ("GENESYS_DOMAIN", "set      mypurecloud.de"),
        ("Services", "were not tried"),
    ] {
        let line = outcome.out.lines().find(|line| line.contains(name));
        let line = line.unwrap_or_default();
        assert!(line.contains(says), "{}", outcome.out);
    }
}

#[tokio::test]
async fn correlate_prints_the_id_that_logs_use() {
    let none: [(&str, &str); 0] = [];
    let (chat, id) = ("19:a@thread.v2", "1700000000000");
    let of_teams = handler(&["correlate", "--chat", chat, "--message", id], &none).await;
    let of_genesys = handler(&["correlate", "--genesys-message", "g-1"], &none).await;
    for outcome in [&of_teams, &of_genesys] {
        assert!(outcome.is_good());
        assert_eq!(outcome.out.trim().len(), 36, "{}", outcome.out);
    }
    assert_ne!(of_teams.out, of_genesys.out);
    assert!(!handler(&["correlate"], &none).await.is_good());
}

#[tokio::test]
async fn sign_in_and_sign_out_say_what_is_missing() {
    let accounts = (
        "SUPPORT_ACCOUNTS",
        "support=00000000-0000-0000-0000-000000000004",
    );
    let agent = (
        "SUPPORT_ACCOUNTS",
        "robot=00000000-0000-0000-0000-000000000004@00000000-0000-0000-0000-000000000008",
    );
    let blobs = ("BLOB_ENDPOINT", "https://127.0.0.1:9");
    let vault = ("KEY_VAULT_URL", "https://127.0.0.1:9");
    let app = "--app=https://app.example";
    for (arguments, variables, says) in [
        (
            vec!["sign-in", "support", app],
            vec![blobs],
            "SUPPORT_ACCOUNTS is missing",
        ),
        (
            vec!["sign-in", "desk", app],
            vec![accounts, blobs],
            "holds no account desk",
        ),
        (
            vec!["sign-in", "support", app],
            vec![accounts],
            "BLOB_ENDPOINT is missing",
        ),
        (
            vec!["sign-in", "support"],
            vec![accounts, blobs],
            "give --app",
        ),
        (
            vec!["sign-in", "support", "--app=http://app.example"],
            vec![],
            "https://",
        ),
        (vec!["sign-in", "Support", app], vec![accounts], "Support"),
        (
            vec!["sign-out", "support"],
            vec![accounts],
            "KEY_VAULT_URL is missing",
        ),
        (
            vec!["sign-in", "robot", app],
            vec![agent, blobs],
            "nobody needs to sign in",
        ),
        (
            vec!["sign-out", "robot"],
            vec![agent, vault],
            "no token to forget",
        ),
    ] {
        let outcome = handler(&arguments, &variables).await;
        assert!(!outcome.is_good(), "{arguments:?}");
        assert!(outcome.err.contains(says), "{arguments:?}: {}", outcome.err);
    }
}

#[tokio::test]
async fn rotate_names_the_secrets_that_it_renews() {
    let outcome = handler(&["rotate", "graph-client-secret"], &local_settings()).await;
    assert_eq!((outcome.code, outcome.out.as_str()), (Some(1), ""));
    let says = "no such secret is renewed here: put genesys there, or one of genesys-client-secret, graph-client-state, graph-notification-key, genesys-webhook-secret, graph-refresh-token-support";
    assert_eq!(outcome.err.trim(), says);
    let mut settings = local_settings();
    settings.retain(|(name, _)| name != "GRAPH_CLIENT_AUTHENTICATION");
    settings.push((
        "GRAPH_CLIENT_AUTHENTICATION".to_owned(),
        "secret".to_owned(),
    ));
    let agent = "robot=00000000-0000-0000-0000-000000000004@00000000-0000-0000-0000-000000000008";
    let mut of_an_agent = local_settings();
    of_an_agent.retain(|(name, _)| name != "SUPPORT_ACCOUNTS");
    of_an_agent.push(("SUPPORT_ACCOUNTS".to_owned(), agent.to_owned()));
    let outcome = handler(&["rotate", "graph-refresh-token-robot"], &of_an_agent).await;
    let is_named = outcome.err.contains("graph-refresh-token");
    assert!(!outcome.is_good() && !is_named, "{}", outcome.err);
    let outcome = handler(&["rotate", "nothing"], &settings).await;
    let names = "graph-client-secret, genesys-client-secret, graph-client-state";
    assert!(outcome.err.contains(names), "{}", outcome.err);
}
