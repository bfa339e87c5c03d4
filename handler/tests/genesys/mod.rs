//! `handler genesys …` as an administrator runs it, against an organisation that answers over TLS.

mod organisation;

use serde_json::json;
use tokio::process::Command;

use self::organisation::{CLIENT_ID, CLIENT_SECRET, FLOW, INTEGRATION, OTHER_FLOW, Organisation};
use crate::tls::Authority;

/// What a command printed and how it ended.
struct Outcome {
    good: bool,
    out: String,
    err: String,
}

impl Outcome {
    /// Asserts that it failed with one line that says all of this and gives no secret away.
    fn failed(&self, says: &[&str]) {
        assert!(!self.good && self.out.is_empty(), "{}", self.out);
        assert_eq!(self.err.lines().count(), 1, "{}", self.err);
        assert!(!self.err.contains(CLIENT_SECRET), "{}", self.err);
        for part in says {
            assert!(self.err.contains(part), "{part}: {}", self.err);
        }
    }

    /// The one line of a success.
    fn line(&self) -> &str {
        assert!(self.good && self.err.is_empty(), "{}", self.err);
        assert_eq!(self.out.lines().count(), 1, "{}", self.out);
        self.out.trim_end()
    }
}

struct Setting {
    authority: Authority,
    organisation: Organisation,
}

impl Setting {
    async fn new() -> Self {
        let authority = Authority::new();
        let organisation = Organisation::start(&authority).await;
        Self {
            authority,
            organisation,
        }
    }

    async fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_with(arguments, &[]).await
    }

    /// Runs a command with these variables on top; an empty one counts as absent.
    async fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Outcome {
        let output = Command::new(env!("CARGO_BIN_EXE_handler"))
            .arg("genesys")
            .args(arguments)
            .env_clear()
            .env("SSL_CERT_FILE", self.authority.file())
            .env("GENESYS_DOMAIN", "mypurecloud.de")
            .env("GENESYS_API_ENDPOINT", &self.organisation.base)
            .env("GENESYS_LOGIN_ENDPOINT", &self.organisation.base)
            .env("GENESYS_INTEGRATION_ID", INTEGRATION)
            .env("GENESYS_ADMIN_CLIENT_ID", CLIENT_ID)
            .env("GENESYS_ADMIN_CLIENT_SECRET", CLIENT_SECRET)
            .envs(variables.iter().copied())
            .output()
            .await
            .expect("the handler can be started");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Outcome {
            good: output.status.success(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

#[tokio::test]
async fn a_flow_is_bound_once() {
    let setting = Setting::new().await;
    let bind = ["bind-flow", "--flow", FLOW];
    let first = setting.run(&bind).await;
    assert!(first.line().starts_with("bound: "), "{}", first.out);
    assert!(first.line().contains(FLOW) && first.line().contains(INTEGRATION));
    let second = setting.run(&bind).await;
    assert!(
        second.line().starts_with("bound already: "),
        "{}",
        second.out
    );
    assert_eq!(
        setting.organisation.written(),
        [(
            "/api/v2/routing/message/recipients/r-1".to_owned(),
            json!({"flow": {"id": FLOW}})
        )]
    );

    let other = setting.run(&["bind-flow", "--flow", OTHER_FLOW]).await;
    assert!(
        other
            .line()
            .ends_with(&format!("in the place of flow {FLOW}")),
        "{}",
        other.out
    );
    assert_eq!(setting.organisation.written().len(), 2);
}

#[tokio::test]
async fn an_integration_that_is_being_made_is_waited_for() {
    let setting = Setting::new().await;
    setting.organisation.creating(2);
    let outcome = setting.run(&["bind-flow", "--flow", FLOW]).await;
    assert!(outcome.line().starts_with("bound: "));

    setting.organisation.creating(usize::MAX);
    let outcome = setting
        .run(&["bind-flow", "--flow", FLOW, "--wait", "0"])
        .await;
    outcome.failed(&["still making the integration", "--wait"]);

    setting.organisation.creation_failed();
    let outcome = setting.run(&["bind-flow", "--flow", FLOW]).await;
    outcome.failed(&["could not make the integration"]);
}

#[tokio::test]
async fn what_cannot_be_bound_is_named() {
    let setting = Setting::new().await;
    let unknown = "00000000-0000-4000-8000-0000000000ff";
    setting
        .run(&["bind-flow", "--flow", unknown])
        .await
        .failed(&[unknown, "published inbound message flow"]);
    setting
        .run(&["bind-flow", "--flow", FLOW, "--integration", unknown])
        .await
        .failed(&[unknown, "no open messaging integration"]);
    let nobody = [("GENESYS_INTEGRATION_ID", "")];
    setting
        .run_with(&["bind-flow", "--flow", FLOW], &nobody)
        .await
        .failed(&["--integration", "GENESYS_INTEGRATION_ID"]);
    assert!(setting.organisation.written().is_empty());
}

#[tokio::test]
async fn the_timeline_of_open_messaging_is_set_once() {
    let setting = Setting::new().await;
    let set = ["threading-timeline", "--minutes", "1440"];
    let first = setting.run(&set).await;
    assert!(first.line().starts_with("set: "), "{}", first.out);
    assert!(first.line().contains("1440") && first.line().contains("4320"));
    assert!(setting.run(&set).await.line().starts_with("set already: "));
    let settings = json!([
        {"messengerType": "whatsapp", "timeoutInMinutes": 60},
        {"messengerType": "open", "timeoutInMinutes": 1440},
    ]);
    assert_eq!(
        setting.organisation.written(),
        [(
            "/api/v2/conversations/messaging/threadingtimeline".to_owned(),
            json!({"settings": settings, "defaultTimeoutMinutes": 4320})
        )]
    );
    let outcome = setting
        .run(&["threading-timeline", "--minutes", "4321"])
        .await;
    assert!(
        !outcome.good && outcome.err.contains("4320"),
        "{}",
        outcome.err
    );
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let bind: &[&str] = &["bind-flow", "--flow", FLOW];
    let timeline: &[&str] = &["threading-timeline", "--minutes", "1440"];
    for (command, permission) in [
        (bind, "messaging:integration:view"),
        (bind, "routing:message:manage"),
        (timeline, "conversation:threadingTimeline:view"),
        (timeline, "conversation:threadingTimeline:edit"),
    ] {
        let setting = Setting::new().await;
        setting.organisation.forbid(permission);
        setting.run(command).await.failed(&[permission, "c-403"]);
        assert!(setting.organisation.written().is_empty());
    }
}

#[tokio::test]
async fn who_cannot_sign_in_learns_why() {
    let setting = Setting::new().await;
    let timeline = ["threading-timeline", "--minutes", "1440"];
    let wrong = [("GENESYS_ADMIN_CLIENT_ID", "somebody")];
    setting
        .run_with(&timeline, &wrong)
        .await
        .failed(&["GENESYS_ADMIN_CLIENT_ID", "GENESYS_ADMIN_CLIENT_SECRET"]);
    let absent = [("GENESYS_ADMIN_CLIENT_SECRET", "")];
    setting
        .run_with(&timeline, &absent)
        .await
        .failed(&["GENESYS_ADMIN_CLIENT_SECRET is missing"]);
    let closed = [("GENESYS_LOGIN_ENDPOINT", "https://127.0.0.1:1")];
    setting
        .run_with(&timeline, &closed)
        .await
        .failed(&["could not be reached", "GENESYS_DOMAIN"]);
}
