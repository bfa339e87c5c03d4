//! `handler check --deep`, as an operator runs it: what is well, what is missing and who can give it, and a message that is followed
//! through the whole chain.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use end_to_end::platform::IMPATIENT;
use end_to_end::{Platform, Talk, handler, view};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio::time::timeout;

const MANAGER: &str = "/local/resource-manager";

/// Longest wait for a line of a command.
const PATIENCE: Duration = Duration::from_secs(60);

/// An installation with its file, and its administrator at Genesys Cloud.
struct Scene {
    platform: Platform,
    folder: TempDir,
    administrator: Value,
}

impl Scene {
    /// One that is set up as far as Azure goes.
    async fn start() -> Self {
        let platform = Platform::start(IMPATIENT).await;
        let folder = tempfile::tempdir().expect("a folder");
        let (_, _, text) = platform
            .fetch(&format!("{}{MANAGER}/installation", platform.address))
            .await;
        fs::write(folder.path().join("graph-to-open.toml"), text).expect("a file");
        let person = json!({ "person": true, "without": [] });
        let person = platform.post("/local/genesys/clients", person).await;
        Self {
            administrator: json!({ "GENESYSCLOUD_ACCESS_TOKEN": person["token"] }),
            platform,
            folder,
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("graph-to-open.toml")
    }

    /// Runs a command with the file; its exit code and what it printed.
    async fn run(&self, words: &[&str], environment: &Value) -> (i64, String) {
        let file = self.file();
        let file = file.to_str().expect("text");
        let arguments = [words, &["--file", file]].concat();
        let order = json!({ "arguments": arguments, "environment": environment });
        let ended = self.platform.post("/local/handler/commands", order).await;
        let printed = [view::text(&ended, "stdout"), view::text(&ended, "stderr")].concat();
        (ended["code"].as_i64().expect("a code"), printed)
    }

    /// Changes what Resource Manager shows.
    async fn put(&self, what: &str, body: &Value) {
        let path = format!("{MANAGER}/{what}");
        self.platform.call(Method::PUT, &path, Some(body)).await;
    }

    /// Runs a command as a person at a keyboard, with these of the platform's addresses left out of the environment. There is an
    /// identity of the machine, as in Cloud Shell, which nobody has named.
    async fn typed(
        &self,
        words: &[&str],
        without: &[&str],
        machine: &str,
    ) -> (Option<i32>, String) {
        let told = self.platform.get("/local/settings").await;
        let settings = told["settings"].as_object().expect("settings");
        let settings = settings
            .iter()
            .filter_map(|(name, value)| Some((name, value.as_str()?)))
            .filter(|(name, _)| *name != "AZURE_CLIENT_ID" && !without.contains(&name.as_str()));
        let ended = Command::new(handler())
            .args(words)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(settings)
            .env("IDENTITY_ENDPOINT", format!("http://{machine}"))
            .env("GENESYSCLOUD_ACCESS_TOKEN", "an administrator's")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let ended = timeout(PATIENCE, ended).await.expect("it ends");
        let ended = ended.expect("a command");
        let printed = [ended.stdout, ended.stderr].concat();
        (
            ended.status.code(),
            String::from_utf8_lossy(&printed).into_owned(),
        )
    }

    async fn checked(&self, environment: &Value, code: i64, says: &[&str]) {
        let (ended, printed) = self.run(&["check", "--deep"], environment).await;
        assert_eq!(ended, code, "{printed}");
        for says in says {
            assert!(printed.contains(says), "{says}: {printed}");
        }
    }

    /// What the other two steps leave: the ids in the file, a flow that has the messages, and timers that have run.
    async fn set_up(&self) {
        let shown = self.platform.get(MANAGER).await;
        let settings = &shown["deployed"]["settings"];
        let made = self
            .platform
            .post("/local/genesys/organisation", json!({}))
            .await;
        let mut text = fs::read_to_string(self.file()).expect("the file");
        for (key, value) in [
            (
                "genesys_integration_id",
                made["integration_id"]["value"].clone(),
            ),
            ("genesys_client_ids", json!([settings["GENESYS_CLIENT_ID"]])),
            ("genesys_media_types", json!(["*/*"])),
            ("genesys_flow_id", made["flow_id"]["value"].clone()),
            ("genesys_queue_id", made["queue_id"]["value"].clone()),
        ] {
            text.push_str(&format!("{key} = {value}\n"));
        }
        fs::write(self.file(), text).expect("written");
        let (code, printed) = self.run(&["setup", "graph"], &json!({})).await;
        assert_eq!(code, 0, "{printed}");
        let words = ["setup", "genesys", "--no-terraform"];
        let (code, printed) = self.run(&words, &self.administrator).await;
        assert_eq!(code, 0, "{printed}");
        for timer in [
            "subscription-renewal",
            "catch-up",
            "spool-forwarding",
            "secret-rotation",
        ] {
            let fired = self
                .platform
                .post(&format!("/local/timers/{timer}"), json!({}))
                .await;
            assert_eq!(fired["outcome"], "200", "{timer}");
        }
        self.platform.until_idle().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_is_ok_or_says_what_is_missing() {
    let scene = Scene::start().await;
    let nobody = json!({});
    let missing = [
        "no graph_client_id yet: an administrator of Entra ID runs handler setup graph",
        "no genesys_integration_id, genesys_client_ids, genesys_flow_id, genesys_queue_id yet",
        "handler setup genesys has not put their ids into the file yet",
    ];
    scene.checked(&nobody, 1, &missing).await;
    scene.set_up().await;
    let well = [
        "ok      settings: all are readable",
        "ok      the file and the app: the app's ids are those of the file",
        "ok      Graph handshake",
        "ok      Blob storage, container state: readable",
        "ok      Genesys Cloud: answers",
        "ok      integration and flow: flow",
        "ok      queue: 1 of 1 members take conversations of it",
        "ok      subscription support: application access",
    ];
    scene.checked(&scene.administrator, 0, &well).await;
    // Whoever is no administrator of Genesys Cloud checks the rest.
    let rest = [
        "missing integration, flow and queue: not looked at",
        "GENESYSCLOUD_ACCESS_TOKEN",
    ];
    scene.checked(&nobody, 0, &rest).await;

    // Another id in the app, and an operator who may not see its settings.
    let other = json!({ "GRAPH_CLIENT_ID": "00000000-0000-4000-8000-0000000000ff" });
    scene
        .platform
        .call(Method::PUT, &format!("{MANAGER}/settings"), Some(&other))
        .await;
    let differs = [
        "GRAPH_CLIENT_ID differ from the file",
        "handler setup settings",
    ];
    scene.checked(&nobody, 1, &differs).await;
    let rights = json!({ "read": true, "list_settings": false, "write_settings": false });
    scene
        .platform
        .call(Method::PUT, &format!("{MANAGER}/rights"), Some(&rights))
        .await;
    scene
        .checked(&nobody, 0, &["missing settings: not shown to you"])
        .await;

    // Genesys refuses the app: only the app itself can tell.
    scene
        .platform
        .faults(json!([{ "service": "genesys", "status": 403 }]))
        .await;
    scene.checked(&nobody, 1, &["FAILED  Genesys Cloud"]).await;
}

/// Waits for whoever comes to an address.
async fn listen() -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let came = tokio::spawn(async move {
        let _ = listener.accept().await;
    });
    (address, came)
}

/// Genesys Cloud's addresses, of which the environment of an operator has none.
const GENESYS: [&str; 3] = [
    "GENESYS_DOMAIN",
    "GENESYS_API_ENDPOINT",
    "GENESYS_LOGIN_ENDPOINT",
];

#[tokio::test(flavor = "multi_thread")]
async fn tokens_go_to_no_address_that_the_app_or_the_file_alone_names() {
    let scene = Scene::start().await;
    scene.set_up().await;
    let (evil, came) = listen().await;
    let whole = format!("https://{evil}");

    // Whoever may change the app's settings.
    let settings = json!({
        "GENESYS_API_ENDPOINT": whole, "GENESYS_LOGIN_ENDPOINT": whole, "GENESYS_DOMAIN": "new.example",
        "BLOB_ENDPOINT": whole, "KEY_VAULT_URL": whole, "ServiceBus__fullyQualifiedNamespace": evil,
        "GRAPH_ENDPOINT": whole, "ENTRA_ENDPOINT": whole,
        "AZURE_CLIENT_ID": "00000000-0000-4000-8000-0000000000ee",
    });
    scene.put("settings", &settings).await;
    let before = fs::read_to_string(scene.file()).expect("the file");
    let text = before.replace("mypurecloud.de", "other.example");
    fs::write(scene.file(), text).expect("written");
    let (code, printed) = scene.typed(&["check", "--deep"], &GENESYS, &evil).await;
    assert_eq!(code, Some(1), "{printed}");
    for says in [
        "BLOB_ENDPOINT of the app is not blob_endpoint of the file",
        "KEY_VAULT_URL of the app is not key_vault_url of the file",
        "ServiceBus__fullyQualifiedNamespace of the app is not service_bus_namespace",
        "GENESYS_DOMAIN of the app is not genesys_domain of the file",
        "ok      Blob storage, container state: readable",
        "only if GENESYS_API_ENDPOINT and GENESYS_LOGIN_ENDPOINT stand in the environment",
        "ok      subscription support: application access",
    ] {
        assert!(printed.contains(says), "{says}: {printed}");
    }
    let (code, printed) = scene.typed(&["rotate", "--dry-run"], &GENESYS, &evil).await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("GENESYS_DOMAIN"), "{printed}");

    // Whoever hands the file round, and whoever may deploy.
    for (key, variable, value) in [
        ("graph_endpoint", "GRAPH_ENDPOINT", &whole),
        ("entra_endpoint", "ENTRA_ENDPOINT", &whole),
        ("key_vault_url", "KEY_VAULT_URL", &whole),
        ("blob_endpoint", "BLOB_ENDPOINT", &whole),
        (
            "service_bus_namespace",
            "ServiceBus__fullyQualifiedNamespace",
            &evil,
        ),
    ] {
        let others = before.lines().filter(|line| !line.starts_with(key));
        let text: Vec<&str> = others.collect();
        let text = format!("{}\n{key} = \"{value}\"\n", text.join("\n"));
        fs::write(scene.file(), &text).expect("written");
        let says = format!("{key} of the file names {evil}");
        for words in [
            &["check", "--deep"][..],
            &["setup", "graph"],
            &["setup", "genesys"],
            &["status"],
            &["sign-out", "support"],
            &["failed", "list"],
        ] {
            let (code, printed) = scene.typed(words, &[variable], &evil).await;
            assert_eq!(code, Some(1), "{words:?}: {printed}");
            assert!(printed.contains(&says), "{words:?}: {printed}");
            assert!(printed.contains(variable), "{words:?}: {printed}");
        }
    }
    fs::write(scene.file(), &before).expect("written");
    let outputs = json!({ "state": "Succeeded", "outputs": { "keyVaultUrl": whole } });
    scene.put("deployment", &outputs).await;
    let text: Vec<&str> = before
        .lines()
        .filter(|line| !line.starts_with("key_vault_url"))
        .collect();
    fs::write(scene.file(), text.join("\n")).expect("written");
    let words = ["setup", "settings"];
    let (code, printed) = scene.typed(&words, &["KEY_VAULT_URL"], &evil).await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(
        printed.contains("key_vault_url of the file names"),
        "{printed}"
    );
    let kept = fs::read_to_string(scene.file()).expect("the file");
    assert_eq!(kept, text.join("\n"), "nothing of it is learnt");
    assert!(!came.is_finished(), "somebody went there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marked_message_is_followed_there_and_back() {
    let scene = Scene::start().await;
    scene.set_up().await;
    let talk = Talk::begun(&scene.platform, "Anna").await;
    let told = scene.platform.get("/local/settings").await;
    let settings = told["settings"].as_object().expect("settings");
    let settings = settings
        .iter()
        .filter_map(|(name, value)| Some((name, value.as_str()?)));
    let mut command = Command::new(handler())
        .args(["check", "--deep", "--send", "--file"])
        .arg(scene.file())
        .env_clear()
        .envs(settings)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("a command");
    let mut lines = BufReader::new(command.stdout.take().expect("its output")).lines();
    let mut shown = String::new();
    let mut until = async |words: &str| loop {
        let line = timeout(PATIENCE, lines.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("no {words}: {shown}"));
        let Ok(Some(line)) = line else {
            panic!("no {words}: {shown}");
        };
        shown.push_str(&line);
        shown.push('\n');
        if line.contains(words) {
            return line;
        }
    };
    let asked = until("Write these words").await;
    let mark = asked.rsplit(' ').next().expect("a mark").to_owned();
    assert!(mark.starts_with("BRIDGE-CHECK-"), "{asked}");
    talk.writes(&format!("<p>{mark}</p>")).await;
    until("ok      from Teams to the agent: the bridge was told").await;
    until("answer with the same words").await;
    talk.agent_writes(&format!("I see {}", mark.to_lowercase()))
        .await;
    until("ok      from the agent to Teams: the bridge was told").await;
    let ended = timeout(PATIENCE, command.wait()).await;
    let ended = ended.expect("it ends").expect("an end");
    assert!(ended.success(), "{shown}");
    let blobs = scene.platform.get("/local/blobs").await;
    assert!(
        !blobs.to_string().contains("checks/"),
        "nothing is left: {blobs}"
    );
}
