//! `handler setup genesys` as an administrator of Genesys Cloud runs it: twice, killed at each of its steps, and with each right
//! missing in turn.

use std::fs;
use std::path::PathBuf;

use end_to_end::{Platform, view};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

pub const SECRET: &str = "genesys-client-secret";
const WEBHOOK: &str = "genesys-webhook-secret";
pub const ENDED: &str = "genesys-ended-secret";

/// An installation whose Genesys side is to be set up.
pub struct Scene {
    pub platform: Platform,
    folder: TempDir,
    /// What Terraform has made, where it is not run.
    pub outputs: Value,
}

/// How somebody signs in to Genesys Cloud: variables of the command's environment.
pub type Who = Value;

impl Scene {
    pub async fn new() -> Self {
        let arguments = [
            "--no-secret=genesys-client-secret",
            "--no-secret=genesys-ended-secret",
            "--subscribe=false",
            "--genesys-rate-limit=3000",
        ];
        let platform = Platform::start(&arguments).await;
        let folder = tempfile::tempdir().expect("a folder");
        let (_, _, text) = platform
            .fetch(&format!(
                "{}/local/resource-manager/installation",
                platform.address
            ))
            .await;
        fs::write(folder.path().join("graph-to-open.toml"), text).expect("a file");
        // Genesys Cloud calls no other port than that of https.
        let webhook = "https://func-local.azurewebsites.net/api/genesys/webhook";
        let outputs = json!({ "state": "Succeeded", "outputs": { "genesysWebhookUrl": webhook } });
        let path = "/local/resource-manager/deployment";
        platform.call(Method::PUT, path, Some(&outputs)).await;
        Self {
            platform,
            folder,
            outputs: Value::Null,
        }
    }

    /// The same, with what Terraform makes there already.
    async fn applied() -> Self {
        let mut scene = Self::new().await;
        let made = scene
            .platform
            .post("/local/genesys/organisation", json!({}))
            .await;
        fs::write(scene.path("outputs.json"), made.to_string()).expect("a file");
        scene.outputs = made;
        scene
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn file(&self) -> String {
        fs::read_to_string(self.path("graph-to-open.toml")).expect("a file")
    }

    fn made(&self, name: &str) -> &str {
        view::text(&self.outputs[name], "value")
    }

    /// The ids of the clients that have a secret each.
    fn clients(&self) -> Vec<&str> {
        self.made("oauth_client_id").split(',').collect()
    }

    /// A person at Genesys Cloud who may do everything but this.
    pub async fn person(&self, without: &[&str]) -> Who {
        let helper = json!({ "person": true, "without": without });
        let person = self.platform.post("/local/genesys/clients", helper).await;
        json!({ "GENESYSCLOUD_ACCESS_TOKEN": person["token"] })
    }

    pub async fn run(&self, who: &Who, further: &[&str]) -> Value {
        let file = self.path("graph-to-open.toml");
        let file = file.to_string_lossy();
        let outputs = self.path("outputs.json");
        let outputs = outputs.to_string_lossy();
        let mut arguments = vec!["setup", "--file", &file, "genesys"];
        let is_told = |it: &&str| ["--no-terraform", "--terraform"].contains(it);
        if self.outputs != Value::Null && !further.iter().any(is_told) {
            arguments.extend(["--outputs", &outputs]);
        }
        arguments.extend(further);
        let order = json!({ "arguments": arguments, "environment": who });
        let ended = self.platform.post("/local/handler/commands", order).await;
        self.assert_discreet(&ended).await;
        ended
    }

    /// No secret is shown, and none is in the file.
    async fn assert_discreet(&self, ended: &Value) {
        let shown = format!("{ended}{}", self.file());
        for name in [SECRET, WEBHOOK, ENDED] {
            let secret = self.secret(name).await;
            assert!(secret == "none" || !shown.contains(&secret), "{name}");
        }
    }

    pub async fn secret(&self, name: &str) -> String {
        crate::genesys_secrets::secret(&self.platform, name).await
    }

    /// Name in the vault of each client's secret.
    fn names(&self) -> Vec<String> {
        let clients = self.clients();
        let further = clients.iter().skip(1).map(|id| format!("{SECRET}-{id}"));
        [SECRET.to_owned()].into_iter().chain(further).collect()
    }

    /// Everything is as it shall be.
    pub async fn assert_set_up(&self, minutes: u32) {
        let all = self.platform.get("/local/genesys/clients").await;
        for (name, id) in self.names().iter().zip(self.clients()) {
            let all = all["all"].as_array().expect("clients");
            let client = all.iter().find(|it| it["id"] == id).expect("the client");
            assert_eq!(client["secret"], self.secret(name).await, "{name}");
            let versions = format!("/local/key-vault/secrets/{name}/versions");
            let versions = view::list(self.platform.get(&versions).await, "versions");
            let newest = versions.last().expect("a version");
            assert_eq!(newest["tags"]["key-id"], id, "whose secret it is");
        }
        let organisation = self.platform.get("/local/genesys/organisation").await;
        let recipients = organisation["recipients"].as_array().expect("recipients");
        let integration = self.made("integration_id");
        let ours = recipients.iter().find(|it| it["id"] == integration);
        assert_eq!(ours.expect("ours")["flow"]["id"], self.made("flow_id"));
        let open = json!({ "messengerType": "open", "timeoutInMinutes": minutes });
        assert_eq!(organisation["timeline"]["settings"], json!([open]));
        let app = self.platform.get("/local/resource-manager").await;
        let settings = &app["deployed"]["settings"];
        assert_eq!(settings["GENESYS_INTEGRATION_ID"], integration);
        assert_eq!(settings["GENESYS_CLIENT_ID"], self.made("oauth_client_id"));
        let file = self.file();
        for name in [
            "integration_id",
            "flow_id",
            "queue_id",
            "spare_oauth_client_id",
        ] {
            assert!(file.contains(self.made(name)), "{name}: {file}");
        }
    }
}

pub fn out(ended: &Value) -> &str {
    view::text(ended, "stdout")
}

/// The line about this.
fn line<'a>(ended: &'a Value, what: &str) -> &'a str {
    let line = out(ended)
        .lines()
        .find(|it| it.contains(&format!(" {what}: ")));
    line.unwrap_or_else(|| panic!("no line about {what}: {ended}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_set_up_once_and_a_plan_changes_nothing() {
    let scene = Scene::applied().await;
    let person = scene.person(&[]).await;
    let (file, before) = (
        scene.file(),
        scene.platform.get("/local/genesys/organisation").await,
    );
    let app = scene.platform.get("/local/resource-manager").await;
    let planned = scene.run(&person, &["--plan"]).await;
    assert_eq!(planned["code"], 0, "{planned}");
    for what in [SECRET, "message flow", "threading timeline"] {
        assert!(line(&planned, what).contains("would "), "{planned}");
    }
    assert!(out(&planned).contains("nothing changed"), "{planned}");
    assert_eq!(scene.file(), file);
    assert_eq!(
        scene.platform.get("/local/genesys/organisation").await,
        before
    );
    assert_eq!(scene.platform.get("/local/resource-manager").await, app);
    assert_eq!(scene.secret(SECRET).await, "none");

    let ended = scene.run(&person, &[]).await;
    assert_eq!(ended["code"], 0, "{ended}");
    scene.assert_set_up(1440).await;
    let (file, secret) = (scene.file(), scene.secret(SECRET).await);
    // By what the file has learnt, as well.
    for further in [&[][..], &["--plan"], &["--no-terraform"]] {
        let again = scene.run(&person, further).await;
        assert_eq!(again["code"], 0, "{again}");
        assert!(out(&again).ends_with("nothing to do\n"), "{again}");
    }
    assert_eq!(
        (scene.file(), scene.secret(SECRET).await),
        (file, secret.clone())
    );

    // A longer window than Genesys has, and new secrets on purpose.
    let text = format!(
        "{}thread_window_hours = 100\nagent_nam = \"full\"\n",
        scene.file()
    );
    fs::write(scene.path("graph-to-open.toml"), text).expect("a file");
    let ended = scene.run(&person, &["--new-secret"]).await;
    assert_eq!(ended["code"], 0, "{ended}");
    assert!(
        line(&ended, "threading timeline").contains("the longest"),
        "{ended}"
    );
    let told = out(&ended).lines().next();
    assert!(
        told.is_some_and(|it| it.ends_with("nothing reads it; agent_name may be meant")),
        "{ended}"
    );
    scene.assert_set_up(4320).await;
    assert_ne!(scene.secret(SECRET).await, secret);
}

/// Starts the command and kills it while this call of it waits.
async fn kill_at(
    scene: &Scene,
    who: &Who,
    further: &[&str],
    (service, method, path): (&str, &str, &str),
) {
    let platform = &scene.platform;
    let hold = json!({ "service": service, "method": method, "path": path, "delay_ms": 600_000 });
    let fault = platform
        .post("/local/faults", json!({ "rules": [hold] }))
        .await;
    let fault = format!("/local/faults/{}", fault["id"]);
    let kill = async {
        platform
            .until(&format!("{method} {path}"), async || {
                let strikes = platform.get(&fault).await["strikes"].clone();
                (strikes != json!([0])).then_some(())
            })
            .await;
        platform
            .call(Method::DELETE, "/local/handler/commands", None)
            .await;
    };
    let (ended, ()) = tokio::join!(scene.run(who, further), kill);
    assert_eq!(ended["code"], Value::Null, "{path}: {ended}");
    platform.call(Method::DELETE, &fault, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_step_the_next_run_takes_it_up() {
    let scene = Scene::applied().await;
    let person = scene.person(&[]).await;
    let further = format!("/secrets/{SECRET}-");
    for place in [
        ("genesys", "POST", "/secret"),
        ("key-vault", "PUT", "/secrets/genesys-client-secret?"),
        ("key-vault", "PUT", further.as_str()),
        ("genesys", "PUT", "/routing/message/recipients/"),
        ("genesys", "PUT", "/threadingtimeline"),
        ("resource-manager", "PUT", "/config/appsettings"),
    ] {
        kill_at(&scene, &person, &[], place).await;
    }
    let ended = scene.run(&person, &[]).await;
    assert_eq!(ended["code"], 0, "{ended}");
    scene.assert_set_up(1440).await;
    // Even where there was one before, and it works no longer.
    let place = ("genesys", "POST", "/secret");
    kill_at(&scene, &person, &["--new-secret"], place).await;
    assert_eq!(scene.secret(SECRET).await, "none");
    let ended = scene.run(&person, &[]).await;
    assert_eq!(ended["code"], 0, "{ended}");
    scene.assert_set_up(1440).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_right_that_is_missing_is_named_and_the_rest_is_done() {
    let scene = Scene::applied().await;
    let platform = &scene.platform;
    let able = scene.person(&[]).await;
    // The vault's first, so that no secret is lost to it.
    for (method, name) in [("GET", "none"), ("PUT", "none")] {
        let refuse = json!({
            "service": "key-vault", "method": method, "path": format!("/secrets/{SECRET}"), "status": 403, "code": "Forbidden",
        });
        let fault = platform
            .post("/local/faults", json!({ "rules": [refuse] }))
            .await;
        let ended = scene.run(&able, &[]).await;
        assert_eq!(ended["code"], 1, "{ended}");
        let told = line(&ended, SECRET);
        assert!(
            told.contains("ACT") && told.contains("Key Vault Secrets Officer"),
            "{told}"
        );
        let fault = format!("/local/faults/{}", fault["id"]);
        platform.call(Method::DELETE, &fault, None).await;
        assert_eq!(scene.secret(SECRET).await, name);
    }
    for (right, what) in [
        ("oauth:client:edit", SECRET),
        ("messaging:integration:view", "message flow"),
        ("routing:message:manage", "message flow"),
        ("conversation:threadingTimeline:view", "threading timeline"),
    ] {
        let person = scene.person(&[right]).await;
        let ended = scene.run(&person, &[]).await;
        assert_eq!(ended["code"], 1, "{ended}");
        let told = line(&ended, what);
        assert!(told.contains("ACT") && told.contains(right), "{told}");
        assert!(out(&ended).contains("see ACT above"), "{ended}");
    }
    let person = scene.person(&["conversation:threadingTimeline:edit"]).await;
    let before = scene.file();
    let text = format!("{before}thread_window_hours = 48\n");
    fs::write(scene.path("graph-to-open.toml"), text).expect("a file");
    let ended = scene.run(&person, &[]).await;
    let told = line(&ended, "threading timeline");
    assert!(
        told.contains("ACT") && told.contains("threadingTimeline:edit"),
        "{told}"
    );
    let ended = scene.run(&able, &[]).await;
    assert_eq!(ended["code"], 0, "{ended}");
    scene.assert_set_up(2880).await;

    // Whoever may not write the app's settings leaves them to somebody else.
    let wrong = json!({ "GENESYS_INTEGRATION_ID": "" });
    platform
        .call(
            Method::PUT,
            "/local/resource-manager/settings",
            Some(&wrong),
        )
        .await;
    let rights = json!({ "write_settings": false });
    platform
        .call(Method::PUT, "/local/resource-manager/rights", Some(&rights))
        .await;
    let ended = scene.run(&able, &[]).await;
    assert_eq!(ended["code"], 1, "{ended}");
    let told = line(&ended, "settings of the Function App");
    assert!(
        told.contains("Website Contributor") && told.contains("GENESYS_INTEGRATION_ID"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_there_stays_and_one_that_is_not_taken_is_told() {
    let scene = Scene::applied().await;
    let able = scene.person(&[]).await;
    let path = format!("/local/key-vault/secrets/{SECRET}");
    let wrong = json!({ "value": "of-another-organisation" });
    scene.platform.call(Method::PUT, &path, Some(&wrong)).await;
    let ended = scene.run(&able, &[]).await;
    assert_eq!(ended["code"], 1, "{ended}");
    let told = line(&ended, SECRET);
    assert!(
        told.contains("ACT") && told.contains("--new-secret"),
        "{told}"
    );
    assert_eq!(scene.secret(SECRET).await, "of-another-organisation");

    // Whoever may not make another leaves the one that works.
    let unable = scene.person(&["oauth:client:edit"]).await;
    let ended = scene.run(&unable, &["--new-secret"]).await;
    assert!(
        line(&ended, SECRET).contains("oauth:client:edit"),
        "{ended}"
    );
    assert_eq!(scene.secret(SECRET).await, "of-another-organisation");

    // That of a client which is no more is nobody's.
    let foreign = json!({ "value": "of-before", "tags": { "key-id": "00000000-0000-4000-8000-0000000000fe" } });
    scene
        .platform
        .call(Method::PUT, &path, Some(&foreign))
        .await;
    let ended = scene.run(&able, &[]).await;
    assert_eq!(ended["code"], 0, "{ended}");
    assert_ne!(scene.secret(SECRET).await, "of-before");

    // Nobody signs in, or with a token that has ended.
    for (who, says) in [
        (json!({}), "GENESYSCLOUD_ACCESS_TOKEN"),
        (json!({ "GENESYSCLOUD_ACCESS_TOKEN": "ended" }), "a new one"),
    ] {
        let ended = scene.run(&who, &[]).await;
        assert_eq!(ended["code"], 1, "{ended}");
        assert!(view::text(&ended, "stderr").contains(says), "{ended}");
    }
}
