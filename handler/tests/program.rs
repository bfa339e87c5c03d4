//! The program as the host and the operator start it.

use std::process::Stdio;
use std::time::Duration;

use services::testing::serve_tls;
use tokio::process::Command;
use tokio::sync::OnceCell;

/// What it printed and how it ended.
pub struct Outcome {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Outcome {
    pub fn is_good(&self) -> bool {
        self.code == Some(0)
    }
}

/// Runs the handler with nothing in its environment but these variables.
pub async fn handler<V: AsRef<str>>(arguments: &[&str], variables: &[(V, V)]) -> Outcome {
    let variables = variables.iter();
    let mut command = Command::new(env!("CARGO_BIN_EXE_handler"));
    command
        .args(arguments)
        .env_clear()
        .envs(variables.map(|(name, value)| (name.as_ref(), value.as_ref())))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(60), command.output())
        .await
        .expect("the handler ends")
        .expect("the handler can be started");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Outcome {
        code: output.status.code(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// The file for `SSL_CERT_FILE` with the authority of all doubles, written once.
pub async fn authority() -> &'static str {
    static FILE: OnceCell<String> = OnceCell::const_new();
    let write = || async {
        let (_, authority) = serve_tls(axum::Router::new()).await;
        let folder = env!("CARGO_TARGET_TMPDIR");
        let file = format!("{folder}/authority-{}.pem", std::process::id());
        std::fs::write(&file, authority).expect("a file");
        file
    };
    FILE.get_or_init(write).await
}

/// Every setting of `local.settings.json`.
pub fn local_settings() -> Vec<(String, String)> {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../local.settings.json")).expect("valid JSON");
    let settings = file["Values"].as_object().expect("an object").iter();
    settings
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}
