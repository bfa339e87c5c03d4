//! `handler check --deployed`: against the router itself, and against apps that answer as none of ours should.

use std::sync::Arc;

use functions::app::App;
use functions::settings::Settings;
use serde_json::json;
use services::error::Service;
use services::testing::{Reply, Seen, World, serve_tls};

use crate::program::{Outcome, authority, handler, local_settings};

/// Titles of the lines, in their order.
const CHECKS: [&str; 6] = [
    "Graph handshake",
    "health",
    "forged notification",
    "Genesys webhook, unsigned",
    "Genesys webhook, wrong signature",
    "the bot, without a token",
];

/// Which check a call belongs to.
fn check_of(seen: &Seen) -> &'static str {
    match (seen.method.as_str(), seen.path()) {
        ("GET", "/api/health") => "health",
        ("POST", "/api/graph/notifications") if seen.target.contains('?') => "Graph handshake",
        ("POST", "/api/graph/notifications") => "forged notification",
        ("POST", "/api/genesys/webhook") => match seen.header("x-hub-signature-256") {
            "" => "Genesys webhook, unsigned",
            _ => "Genesys webhook, wrong signature",
        },
        ("POST", "/api/messages") => "the bot, without a token",
        (method, path) => panic!("{method} {path} belongs to no function"),
    }
}

/// The validation token as Graph means it.
fn token(seen: &Seen) -> String {
    let url = reqwest::Url::parse(&format!("https://app.example{}", seen.target));
    let url = url.expect("an address");
    let mut query = url.query_pairs();
    let token = query.find(|(name, _)| name == "validationToken");
    token.expect("a validation token").1.into_owned()
}

fn text(status: u16, text: &str) -> Reply {
    Reply::new(status, text).header("content-type", "text/plain")
}

/// What the app answers to the calls of a check from now on, in this order; the last of it again and again.
fn order(app: &World, check: &'static str, replies: &[Reply]) {
    let mut replies = replies.to_vec();
    let method = if check == "health" { "GET" } else { "POST" };
    app.answer_with(method, "", move |seen| {
        (check_of(seen) == check).then(|| match replies.len() {
            1 => replies[0].clone(),
            _ => replies.remove(0),
        })
    });
}

/// A Function App that answers as the handler does when all is well.
async fn app() -> World {
    let app = World::start().await;
    let well = json!({"status": "ok", "reasons": [], "version": "9.8.7", "counters": {}});
    app.answer("GET", "/api/health", Reply::json(200, &well));
    let refusal = Reply::json(401, &json!({"error": "the signature does not match"}));
    app.answer("POST", "/api/genesys/webhook", refusal);
    let refusal = Reply::json(401, &json!({"error": "there is no token"}));
    app.answer("POST", "/api/messages", refusal);
    app.answer_with("POST", "/api/graph/notifications", |seen| {
        Some(match check_of(seen) {
            "Graph handshake" => text(200, &token(seen)),
            _ => Reply::new(202, ""),
        })
    });
    app
}

/// The router of the handler itself, on this world.
async fn router_on(world: &World) -> String {
    let (local, blobs) = (local_settings(), world.blob_endpoint());
    let settings = Settings::from_lookup(|name| match name {
        "KEY_VAULT_URL" | "ENTRA_ENDPOINT" => Some(world.base().to_owned()),
        "ServiceBus__fullyQualifiedNamespace" => Some(world.authority().to_owned()),
        "BLOB_ENDPOINT" => Some(blobs.clone()),
        _ => local
            .iter()
            .find(|(it, _)| it == name)
            .map(|it| it.1.clone()),
    });
    let settings = settings.expect("good settings");
    let app = App::build_with(settings, world.client(), world.identity());
    let app = Arc::new(app.expect("clients"));
    functions::start::in_background(&app);
    serve_tls(functions::router(app)).await.0
}

/// Checks what is at this address; a handler that is starting gets so many seconds.
async fn check(address: &str, wait: &str) -> Outcome {
    let variables = [("SSL_CERT_FILE", authority().await)];
    let arguments = ["check", "--deployed", address, "--wait", wait];
    handler(&arguments, &variables).await
}

/// The line of a check, which must be the only one.
fn line<'a>(outcome: &'a Outcome, check: &str) -> &'a str {
    let title = format!("  {check}: ");
    let lines = outcome.out.lines().filter(|line| line.contains(&title));
    let lines: Vec<&str> = lines.collect();
    assert_eq!(lines.len(), 1, "{check}: {} {}", outcome.out, outcome.err);
    lines[0].trim_start()
}

fn all_ok(outcome: &Outcome) {
    assert!(outcome.is_good(), "{} {}", outcome.out, outcome.err);
    for check in CHECKS {
        assert!(line(outcome, check).starts_with("ok"), "{}", outcome.out);
    }
}

/// Asserts that these checks alone failed, and that the line of each says all of this.
fn only_failed(outcome: &Outcome, failed: &[(&str, &[&str])]) {
    assert!(!outcome.is_good(), "{}", outcome.out);
    for check in CHECKS {
        let says = failed.iter().find(|(failed, _)| *failed == check);
        let begins = if says.is_some() { "FAILED" } else { "ok" };
        let line = line(outcome, check);
        assert!(line.starts_with(begins), "{check}: {}", outcome.out);
        for part in says.into_iter().flat_map(|(_, says)| *says) {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
}

#[tokio::test]
async fn the_handler_with_its_secrets_passes() {
    let world = World::start().await;
    let outcome = check(&router_on(&world).await, "30").await;
    all_ok(&outcome);
    assert!(line(&outcome, "health").contains(env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn the_handler_without_secrets_fails_and_names_them() {
    let world = World::start().await;
    for secret in ["graph-client-state", "genesys-webhook-secret"] {
        world.remove_secret(secret);
    }
    // Otherwise the app would make them.
    world.answer("PUT", "/secrets/", Reply::new(403, ""));
    let outcome = check(&router_on(&world).await, "0").await;
    let graph: &[&str] = &["graph-client-state", "Key Vault"];
    let genesys: &[&str] = &["genesys-webhook-secret", "Key Vault"];
    let failed = [
        ("health", graph),
        ("forged notification", graph),
        ("Genesys webhook, wrong signature", genesys),
    ];
    only_failed(&outcome, &failed);
}

#[tokio::test]
async fn what_is_sent_is_harmless_and_shows_nobody() {
    let app = app().await;
    all_ok(&check(app.base(), "0").await);
    let seen = app.seen(Service::Files);
    let calls: Vec<&str> = seen.iter().map(check_of).collect();
    assert_eq!(calls, [&CHECKS[..1], &CHECKS[..]].concat());
    for one in &seen {
        assert_eq!(
            (one.header("authorization"), one.header("cookie")),
            ("", "")
        );
    }
    let tokens = [token(&seen[0]), token(&seen[1])];
    assert_ne!(tokens[0], tokens[1], "an answer from a cache would pass");
    for (one, token) in seen.iter().zip(&tokens) {
        assert!(token.contains(['+', '&', '%', ' ']), "{token}");
        assert!(!one.target.contains(token.as_str()), "it needs decoding");
    }
    let items = seen[3].json()["value"].clone();
    let nobody = json!("00000000-0000-0000-0000-000000000000");
    assert_eq!(items[0]["tenantId"], nobody);
    assert_eq!(items.as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&seen[4].body[..], &seen[5].body[..]),
        (&b"{}"[..], &b"{}"[..])
    );
}

/// Answers that none of ours should give: to which check or checks, status, body, and what the line says.
const WRONG: &str = r#"
Graph handshake     | 200 | another token                             | not the decoded token
Graph handshake     | 200 | <html></html>                             | text/html instead of text/plain
Graph handshake     | 202 |                                           | 202 instead of 200
Graph handshake     | 404 |                                           | there is no such function
Graph handshake     | 403 |                                           | refuses callers before the handler
Graph handshake     | 302 |                                           | redirects
Graph handshake     | 503 | Function host is not running.             | is not up
health              | 200 | {"status": "asleep"}                      | asleep; as new as
health              | 200 | <html>hello</html>                        | not this handler's; another app
health              | 404 |                                           | 404; target/package
health              | 502 |                                           | 502; log stream
forged notification | 503 | {"error": "starting, please retry"}       | graph-client-state; is not loaded
forged notification | 503 | {"error": "the app is not set up yet"} | not set up yet; health names
forged notification | 202 | dropped                                   | 202 with a body; forger
forged notification | 200 |                                           | 200 instead of 202; another app
forged notification | 401 |                                           | 401 instead of 202; anonymous
forged notification | 503 |                                           | 503 instead of 202; is not up
Genesys webhook     | 200 |                                           | nobody signed it; functionapp stop
Genesys webhook     | 401 |                                           | 401 instead of 401; anonymous
Genesys webhook     | 404 |                                           | 404; no such function
Genesys webhook     | 503 | {"error": "starting, please retry"}       | genesys-webhook-secret; is not loaded
Genesys webhook     | 503 | {"error": "the app is not set up yet"} | not set up yet; health names
"#;

#[tokio::test]
async fn an_answer_that_none_of_ours_should_give_fails_its_check_alone() {
    for row in WRONG.trim().lines() {
        let columns: Vec<&str> = row.split('|').map(str::trim).collect();
        let [checks, status, body, says] = columns[..] else {
            panic!("{row}");
        };
        let content_type = match body.chars().next() {
            Some('{') => "application/json",
            Some('<') => "text/html; charset=utf-8",
            _ => "text/plain",
        };
        let reply = Reply::new(status.parse().expect("a status"), body);
        let reply = reply.header("content-type", content_type);
        let says: Vec<&str> = says.split("; ").collect();
        for check_name in CHECKS.into_iter().filter(|it| it.starts_with(checks)) {
            let app = app().await;
            order(&app, check_name, std::slice::from_ref(&reply));
            only_failed(&check(app.base(), "0").await, &[(check_name, &says)]);
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_encoded_or_does_not_end_fails() {
    let handshake = "Graph handshake";
    let app = app().await;
    app.answer_with("POST", "?validationToken=", |seen| {
        let (_, encoded) = seen.target.split_once('=').unwrap_or_default();
        Some(text(200, encoded))
    });
    let outcome = check(app.base(), "0").await;
    only_failed(&outcome, &[(handshake, &["not the decoded token"])]);
    order(&app, handshake, &[text(200, &"x".repeat(100_000))]);
    let outcome = check(app.base(), "0").await;
    only_failed(&outcome, &[(handshake, &["another app answers at this"])]);
}

#[tokio::test]
async fn a_handler_that_is_not_ready_gets_time_and_then_fails_with_its_reasons() {
    let says = |status: &str, reason: &str| -> Reply {
        Reply::json(
            200,
            &json!({"status": status, "reasons": [reason], "version": "1"}),
        )
    };
    let starting = says(
        "starting",
        "Key Vault secret genesys-webhook-secret is not loaded yet",
    );
    let app = app().await;
    order(&app, "health", &[starting.clone(), says("ok", "")]);
    all_ok(&check(app.base(), "30").await);
    order(&app, "health", &[starting]);
    let expected = [
        "still starting",
        "genesys-webhook-secret",
        "Key Vault Secrets User",
    ];
    only_failed(&check(app.base(), "0").await, &[("health", &expected)]);
    order(
        &app,
        "health",
        &[says("degraded", "Graph does not answer\u{1b}[2J")],
    );
    let expected = ["degraded: Graph does not answer[2J:", "mend that first"];
    only_failed(&check(app.base(), "0").await, &[("health", &expected)]);
}

#[tokio::test]
async fn an_app_that_cannot_be_reached_or_trusted_fails_every_check() {
    let app = app().await;
    let arguments = ["check", "--deployed", app.base()];
    let untrusted = handler(&arguments, &[("LOG_LEVEL", "info")]).await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let nobody = format!("https://{}", port.local_addr().expect("an address"));
    drop(port);
    let absent = check(&nobody, "0").await;
    for outcome in [untrusted, absent] {
        let unreachable: &[&str] = &["could not be reached"];
        only_failed(&outcome, &CHECKS.map(|check| (check, unreachable)));
    }
}

#[tokio::test]
async fn a_wrong_address_is_refused_before_anything_is_called() {
    for (arguments, says) in [
        (
            ["--deployed", "http://app.example"],
            "must begin with https://",
        ),
        (
            ["--deployed", "https://app.example/api/health"],
            "without a path",
        ),
        (["--deployed", "my-app"], "put the whole address there"),
        (["--wait", "3"], "--deployed"),
    ] {
        let none: [(&str, &str); 0] = [];
        let outcome = handler(&[&["check"], &arguments[..]].concat(), &none).await;
        assert!(
            !outcome.is_good() && outcome.err.contains(says),
            "{}",
            outcome.err
        );
    }
}
