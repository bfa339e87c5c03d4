//! `handler check --deployed`: against the handler itself, and against apps that answer as none of ours should.

mod double;
mod real;

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;

use self::double::{Call, Double, Reply, decoded};
use self::real::Real;
use crate::tls::Authority;

/// Titles of the lines, in their order.
const CHECKS: [&str; 5] = [
    "Graph handshake",
    "health",
    "forged notification",
    "Genesys webhook, unsigned",
    "Genesys webhook, wrong signature",
];

/// What the command printed and how it ended.
struct Outcome {
    good: bool,
    text: String,
}

impl Outcome {
    /// The line of a check, which must be the only one.
    fn line(&self, check: &str) -> &str {
        let mut lines = self
            .text
            .lines()
            .filter(|line| line.contains(&format!("  {check}: ")));
        let line = lines
            .next()
            .unwrap_or_else(|| panic!("{check}: {}", self.text));
        assert!(lines.next().is_none(), "{}", self.text);
        line.trim_start()
    }

    /// Asserts that this check alone failed, and that its line says all of this.
    fn only_failure(&self, check: &str, says: &[&str]) {
        assert!(!self.good, "{}", self.text);
        for title in CHECKS {
            let expected = if title == check { "FAILED" } else { "ok" };
            assert!(self.line(title).starts_with(expected), "{}", self.text);
        }
        for part in says {
            assert!(self.line(check).contains(part), "{part}: {}", self.text);
        }
    }
}

async fn check(arguments: &[&str], authority: Option<&Authority>) -> Outcome {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handler"));
    command
        .arg("check")
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .kill_on_drop(true);
    if let Some(authority) = authority {
        command.env("SSL_CERT_FILE", authority.file());
    }
    let output = tokio::time::timeout(Duration::from_secs(60), command.output())
        .await
        .expect("the check ends")
        .expect("the handler can be started");
    Outcome {
        good: output.status.code() == Some(0),
        text: String::from_utf8(output.stdout).expect("UTF-8")
            + &String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// Checks a double that gives these answers and is otherwise well.
async fn check_double(ordered: &[(Call, Reply)], wait: &str) -> (Outcome, Double) {
    let authority = Authority::new();
    let double = Double::start(&authority, ordered).await;
    let arguments = ["--deployed", &double.base, "--wait", wait];
    let outcome = check(&arguments, Some(&authority)).await;
    (outcome, double)
}

#[tokio::test]
async fn the_handler_with_its_secrets_passes() {
    let authority = Authority::new();
    let secrets = [
        ("graph-client-state", "one secret"),
        ("genesys-webhook-secret", "another secret"),
    ];
    let app = Real::start(&authority, &secrets).await;
    let outcome = check(&["--deployed", &app.base], Some(&authority)).await;
    assert!(outcome.good, "{}", outcome.text);
    for title in CHECKS {
        assert!(outcome.line(title).starts_with("ok"), "{}", outcome.text);
    }
    assert!(
        outcome.line("health").contains(env!("CARGO_PKG_VERSION")),
        "{}",
        outcome.text
    );
}

#[tokio::test]
async fn the_handler_without_secrets_fails_and_names_them() {
    let authority = Authority::new();
    let app = Real::start(&authority, &[]).await;
    let arguments = ["--deployed", &app.base, "--wait", "0"];
    let outcome = check(&arguments, Some(&authority)).await;
    assert!(!outcome.good);
    let failed = |title: &str, secret: &str| {
        let line = outcome.line(title);
        assert!(line.starts_with("FAILED"), "{line}");
        assert!(
            line.contains(secret) && line.contains("Key Vault"),
            "{line}"
        );
    };
    assert!(outcome.line("Graph handshake").starts_with("ok"));
    failed("health", "graph-client-state");
    failed("forged notification", "graph-client-state");
    assert!(outcome.line("Genesys webhook, unsigned").starts_with("ok"));
    failed("Genesys webhook, wrong signature", "genesys-webhook-secret");
}

#[tokio::test]
async fn what_is_sent_is_harmless_and_shows_nobody() {
    let (outcome, double) = check_double(&[], "0").await;
    assert!(outcome.good, "{}", outcome.text);
    let seen = double.seen();
    let calls: Vec<Call> = seen.iter().map(|it| it.call).collect();
    assert_eq!(
        calls,
        [
            Call::Handshake,
            Call::Handshake,
            Call::Health,
            Call::Notification,
            Call::Unsigned,
            Call::WronglySigned
        ]
    );
    for one in &seen {
        assert!(!one.headers.contains_key("authorization"));
        assert!(!one.headers.contains_key("cookie"));
    }
    let tokens: Vec<String> = seen[..2].iter().map(|it| decoded(&it.query)).collect();
    assert_ne!(tokens[0], tokens[1], "an answer from a cache would pass");
    for (one, token) in seen[..2].iter().zip(&tokens) {
        assert!(token.contains(['+', '&', '%', ' ']), "{token}");
        assert!(!one.query.contains(token.as_str()), "it needs decoding");
    }
    let notification: Value = serde_json::from_slice(&seen[3].body).expect("JSON");
    let item = &notification["value"][0];
    assert_eq!(
        item["tenantId"],
        json!("00000000-0000-0000-0000-000000000000")
    );
    assert_eq!(notification["value"].as_array().map(Vec::len), Some(1));
    assert_eq!(seen[4].body, b"{}");
    assert_eq!(seen[5].body, b"{}");
}

#[tokio::test]
async fn a_handshake_that_graph_would_not_take_fails() {
    for (reply, says) in [
        (Reply::text(200, "another token"), "not the decoded token"),
        (
            Reply {
                content_type: "text/html; charset=utf-8",
                ..Reply::text(200, "")
            },
            "text/html instead of text/plain",
        ),
        (Reply::text(202, ""), "202 instead of 200"),
        (Reply::text(404, ""), "there is no such function"),
        (Reply::text(403, ""), "refuses callers before the handler"),
        (Reply::text(302, ""), "redirects"),
        (
            Reply::text(503, "Function host is not running."),
            "is not up",
        ),
        (
            Reply::text(200, &"x".repeat(100_000)),
            "another app answers at this address",
        ),
    ] {
        let (outcome, _) = check_double(&[(Call::Handshake, reply)], "0").await;
        outcome.only_failure("Graph handshake", &[says]);
    }
}

#[tokio::test]
async fn an_encoded_token_fails() {
    let authority = Authority::new();
    let encoded = axum::Router::new().fallback(|request: axum::extract::Request| async move {
        let query = request.uri().query().unwrap_or_default().to_owned();
        query.trim_start_matches("validationToken=").to_owned()
    });
    let base = authority.serve(encoded).await;
    let outcome = check(&["--deployed", &base, "--wait", "0"], Some(&authority)).await;
    let line = outcome.line("Graph handshake");
    assert!(
        line.starts_with("FAILED") && line.contains("not the decoded token"),
        "{line}"
    );
}

#[tokio::test]
async fn a_handler_that_is_starting_gets_time_to_finish() {
    let starting = Reply::json(
        200,
        &json!({"status": "starting", "reasons": ["Key Vault secret genesys-webhook-secret is not loaded yet"]}),
    );
    let well = Reply::json(200, &json!({"status": "ok", "reasons": [], "version": "1"}));
    let ordered = [(Call::Health, starting.clone()), (Call::Health, well)];
    let (outcome, _) = check_double(&ordered, "30").await;
    assert!(outcome.good, "{}", outcome.text);

    let (outcome, _) = check_double(&[(Call::Health, starting)], "0").await;
    outcome.only_failure(
        "health",
        &[
            "still starting",
            "genesys-webhook-secret",
            "Key Vault Secrets User",
        ],
    );
}

#[tokio::test]
async fn a_handler_that_is_not_well_fails_with_its_reasons() {
    let degraded = json!({"status": "degraded", "reasons": ["Graph does not answer\u{1b}[2J"], "version": "1"});
    for (reply, says) in [
        (
            Reply::json(200, &degraded),
            ["degraded: Graph does not answer[2J:", "mend that first"],
        ),
        (
            Reply::json(200, &json!({"status": "asleep"})),
            ["asleep", "as new as"],
        ),
        (
            Reply::text(200, "<html>hello</html>"),
            ["not this handler's", "another app"],
        ),
        (Reply::text(404, ""), ["404", "target/package"]),
        (Reply::text(502, ""), ["502", "log stream"]),
    ] {
        let (outcome, _) = check_double(&[(Call::Health, reply)], "0").await;
        outcome.only_failure("health", &says);
    }
}

#[tokio::test]
async fn a_forged_notification_that_is_not_dropped_silently_fails() {
    for (reply, says) in [
        (
            Reply::refusal(503, "starting, please retry"),
            ["graph-client-state", "is not loaded"],
        ),
        (
            Reply::refusal(503, "a setting holds a placeholder"),
            ["a setting holds a placeholder", "health names"],
        ),
        (Reply::text(202, "dropped"), ["202 with a body", "forger"]),
        (Reply::text(200, ""), ["200 instead of 202", "another app"]),
        (Reply::text(401, ""), ["401 instead of 202", "anonymous"]),
        (Reply::text(503, ""), ["503 instead of 202", "is not up"]),
    ] {
        let (outcome, _) = check_double(&[(Call::Notification, reply)], "0").await;
        outcome.only_failure("forged notification", &says);
    }
}

#[tokio::test]
async fn a_webhook_that_nobody_signed_must_be_refused_by_the_handler() {
    for (reply, says) in [
        (
            Reply::text(200, ""),
            ["nobody signed it", "functionapp stop"],
        ),
        (Reply::text(401, ""), ["401 instead of 401", "anonymous"]),
        (Reply::text(404, ""), ["404", "no such function"]),
        (
            Reply::refusal(503, "starting, please retry"),
            ["genesys-webhook-secret", "is not loaded"],
        ),
        (
            Reply::refusal(503, "a setting holds a placeholder"),
            ["a setting holds a placeholder", "health names"],
        ),
    ] {
        let (outcome, _) = check_double(&[(Call::Unsigned, reply.clone())], "0").await;
        outcome.only_failure("Genesys webhook, unsigned", &says);
        let (outcome, _) = check_double(&[(Call::WronglySigned, reply)], "0").await;
        outcome.only_failure("Genesys webhook, wrong signature", &says);
    }
}

#[tokio::test]
async fn an_app_that_cannot_be_reached_or_trusted_fails_every_check() {
    let authority = Authority::new();
    let double = Double::start(&authority, &[]).await;
    let untrusted = check(&["--deployed", &double.base, "--wait", "0"], None).await;
    drop(double);
    let absent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let base = format!("https://{}", absent.local_addr().expect("an address"));
    drop(absent);
    let absent = check(&["--deployed", &base, "--wait", "0"], None).await;
    for outcome in [untrusted, absent] {
        assert!(!outcome.good);
        for title in CHECKS {
            let line = outcome.line(title);
            assert!(
                line.starts_with("FAILED") && line.contains("could not be reached"),
                "{line}"
            );
        }
    }
}

#[tokio::test]
async fn a_wrong_address_is_refused_before_anything_is_called() {
    for (wrong, says) in [
        ("http://app.example", "must begin with https://"),
        ("https://app.example/api/health", "without a path"),
        ("my-app", "put the whole address there"),
    ] {
        let outcome = check(&["--deployed", wrong], None).await;
        assert!(
            !outcome.good && outcome.text.contains(says),
            "{}",
            outcome.text
        );
    }
    assert!(
        !check(&["--wait", "3"], None).await.good,
        "it is for --deployed only"
    );
}
