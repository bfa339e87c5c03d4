//! An administrator sets the Graph app up: from nothing, again, killed half way, without a right, for people who come and go, and
//! where the tenant forbids client secrets.

use std::path::PathBuf;
use std::time::Duration;

use end_to_end::{Platform, view};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;
use uuid::Uuid;

pub const REGISTRATIONS: &str = "/local/graph/registrations";
pub const MANAGER: &str = "/local/resource-manager";
const OPERATOR: &str = "/local/entra/operator";
const GRAPH_CLIENT: &str = "GRAPH_CLIENT_ID";

/// An installation that somebody sets up, with its file.
pub struct Setup {
    pub platform: Platform,
    file: PathBuf,
}

impl Drop for Setup {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

impl Setup {
    /// A platform and the file as the person who deployed it filled it in.
    pub async fn start(arguments: &[&str]) -> Self {
        let platform = Platform::start(arguments).await;
        let (status, _, text) = platform.fetch(&format!("{MANAGER}/installation")).await;
        assert!(status.is_success());
        let name = format!("graph-to-open-{}.toml", Uuid::new_v4());
        let file = std::env::temp_dir().join(name);
        std::fs::write(&file, text).expect("a file");
        Self { platform, file }
    }

    /// The same in a tenant in which nobody has set the bridge up.
    pub async fn fresh(arguments: &[&str]) -> Self {
        let setup = Self::start(arguments).await;
        setup
            .platform
            .call(Method::DELETE, REGISTRATIONS, None)
            .await;
        setup
            .put(&format!("{MANAGER}/settings"), json!({ GRAPH_CLIENT: "" }))
            .await;
        setup
    }

    pub async fn put(&self, path: &str, body: Value) {
        self.platform.call(Method::PUT, path, Some(&body)).await;
    }

    pub async fn hold(&self, roles: &[&str]) {
        self.put(OPERATOR, json!({ "roles": roles })).await;
    }

    /// Runs a step; its exit code, and what it printed.
    pub async fn run(&self, words: &[&str]) -> (Value, String) {
        let file = self.file.to_str().expect("text");
        let arguments = [&["setup", "--file", file], words].concat();
        let order = json!({ "arguments": arguments });
        let ended = self.platform.post("/local/handler/commands", order).await;
        let printed = [view::text(&ended, "stdout"), view::text(&ended, "stderr")].concat();
        (ended["code"].clone(), printed)
    }

    /// Runs a step that is to succeed.
    pub async fn done(&self, words: &[&str]) -> String {
        let (code, printed) = self.run(words).await;
        assert_eq!(code, 0, "{printed}");
        printed
    }

    /// Runs a step that leaves something to somebody else.
    pub async fn left(&self, words: &[&str], says: &[&str]) {
        let (code, printed) = self.run(words).await;
        assert_eq!(code, 1, "{printed}");
        for says in says {
            assert!(printed.contains(says), "{says}: {printed}");
        }
    }

    pub fn text(&self) -> String {
        std::fs::read_to_string(&self.file).expect("the file")
    }

    /// Changes the file as a person does.
    pub fn edit(&self, change: impl FnOnce(String) -> String) {
        std::fs::write(&self.file, change(self.text())).expect("written");
    }

    /// The value of a key in the file.
    pub fn known(&self, key: &str) -> Option<Value> {
        let text = self.text();
        let mut lines = text.lines().filter_map(|line| line.split_once(" = "));
        let (_, value) = lines.find(|(name, _)| *name == key)?;
        Some(serde_json::from_str(value).expect("a value"))
    }

    pub async fn registered(&self) -> Value {
        self.platform.get(REGISTRATIONS).await
    }

    pub async fn setting(&self, name: &str) -> Value {
        let shown = self.platform.get(MANAGER).await;
        shown["deployed"]["settings"][name].clone()
    }

    /// Sees that there is one of everything, for these people.
    pub async fn assert_complete(&self, users: &[&str]) {
        let all = self.registered().await;
        let count = |name: &str| all[name].as_array().map_or(0, Vec::len);
        assert_eq!(count("applications"), 1, "{all}");
        let app = &all["applications"][0];
        assert_eq!(Some(&app["appId"]), self.known("graph_client_id").as_ref());
        assert_eq!(self.setting(GRAPH_CLIENT).await, app["appId"]);
        let uris = app["fields"]["web"]["redirectUris"].to_string();
        assert!(uris.contains("/api/sign-in"), "{uris}");
        assert_eq!(
            count("principals"),
            3,
            "the app, the managed identity and Graph: {all}"
        );
        let people = all["grants"].as_array().into_iter().flatten();
        let mut people: Vec<&str> = people.map(|it| view::text(it, "principalId")).collect();
        people.sort_unstable();
        assert_eq!(people, users, "{all}");
    }
}

pub const SUPPORT: &str = "00000000-0000-0000-0000-000000000004";

#[tokio::test(flavor = "multi_thread")]
async fn the_app_is_set_up_once_and_follows_the_people_who_come_and_go() {
    let setup = Setup::fresh(&[]).await;
    setup.put(REGISTRATIONS, json!({ "lag": 2 })).await;
    let before = (setup.text(), setup.registered().await["writes"].clone());
    let plan = setup.done(&["graph", "--plan"]).await;
    for line in [
        "would make app registration: Graph-to-Open (rg-local)",
        "would make federated credential",
        "would make service principal",
        "would make delegated permissions of support: openid profile Chat.ReadWrite",
        "would make Chat.Read.All of the app",
        "nothing changed",
    ] {
        assert!(plan.contains(line), "{line}: {plan}");
    }
    let settings = plan.matches("settings of the Function App").count();
    assert_eq!(settings, 1, "one line for one thing: {plan}");
    let after = (setup.text(), setup.registered().await["writes"].clone());
    assert_eq!(before, after, "a plan changes nothing");
    let printed = setup.done(&["graph"]).await;
    assert!(printed.contains("made    app registration"), "{printed}");
    setup.assert_complete(&[SUPPORT]).await;
    let writes = setup.registered().await["writes"].clone();
    let again = setup.done(&["graph"]).await;
    assert!(again.ends_with("nothing to do\n"), "{again}");
    assert_eq!(setup.registered().await["writes"], writes);
    // Two people come, one of whom nobody knows yet, and an agent user, who needs nothing here.
    let [second, third, agent] = [31, 32, 33].map(|it: u128| Uuid::from_u128(it).to_string());
    let known = json!({ "upn": "second@contoso.example" });
    setup
        .put(&format!("/local/graph/users/{second}"), known)
        .await;
    let accounts = |all: &[String]| format!("support_accounts = {}", json!(all));
    let old = accounts(&[format!("support={SUPPORT}")]);
    let more = accounts(&[
        format!("support={SUPPORT}"),
        format!("second={second}"),
        format!("third={third}"),
        format!("robot={agent}@{}", Uuid::from_u128(34)),
    ]);
    setup.edit(|text| text.replace(&old, &more));
    setup
        .left(
            &["graph"],
            &["made    delegated permissions of second", "no user", &third],
        )
        .await;
    let known = json!({ "upn": "third@contoso.example" });
    setup
        .put(&format!("/local/graph/users/{third}"), known)
        .await;
    setup.done(&["graph"]).await;
    setup.assert_complete(&[SUPPORT, &second, &third]).await;
    // And one leaves.
    let less = accounts(&[format!("second={second}"), format!("third={third}")]);
    setup.edit(|text| text.replace(&more, &less));
    let printed = setup.done(&["graph"]).await;
    assert!(
        printed.contains(&format!("removed delegated permissions of {SUPPORT}")),
        "{printed}"
    );
    setup.assert_complete(&[&second, &third]).await;
    // Where the Support Users' own right serves, the app's goes.
    setup.edit(|text| format!("{text}subscription_access = \"delegated\"\n"));
    let printed = setup.done(&["graph"]).await;
    assert!(
        printed.contains("removed Chat.Read.All of the app"),
        "{printed}"
    );
    assert_eq!(setup.registered().await["assignments"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_lacks_a_right_does_the_rest_and_is_told_who_can() {
    let setup = Setup::start(&[]).await;
    // One that was there before there was a file is found by the app's own setting.
    let printed = setup.done(&["graph"]).await;
    assert!(
        printed.contains("ok      app registration: Graph-to-Open (local)"),
        "{printed}"
    );
    setup.assert_complete(&[SUPPORT]).await;
    assert_eq!(setup.registered().await["writes"], 0);
    setup
        .platform
        .call(Method::DELETE, REGISTRATIONS, None)
        .await;
    let says = ["which your tenant does not have", "take the line out"];
    setup.left(&["graph"], &says).await;
    setup.edit(|text| {
        let lines = text
            .lines()
            .filter(|line| !line.starts_with("graph_client_id"));
        lines.map(|line| format!("{line}\n")).collect()
    });
    setup
        .put(&format!("{MANAGER}/settings"), json!({ GRAPH_CLIENT: "" }))
        .await;
    // Each right in turn.
    setup.hold(&[]).await;
    setup
        .left(
            &["graph"],
            &["ACT     app registration", "Application Administrator"],
        )
        .await;
    setup.hold(&["Application Administrator"]).await;
    let rights = json!({ "write_settings": false });
    setup.put(&format!("{MANAGER}/rights"), rights).await;
    let says = [
        "made    delegated permissions of support",
        "ACT     Chat.Read.All of the app",
        "Privileged Role Administrator",
        "ACT     settings of the Function App: GRAPH_CLIENT_ID wait",
        "Website Contributor",
    ];
    setup.left(&["graph"], &says).await;
    assert_eq!(setup.setting(GRAPH_CLIENT).await, "");
    setup.hold(&["Privileged Role Administrator"]).await;
    let nothing = json!({ "read": false, "list_settings": false, "write_settings": false });
    setup.put(&format!("{MANAGER}/rights"), nothing).await;
    // With the file of the one before, no right in Azure is needed for the rest.
    let says = [
        "made    Chat.Read.All of the app",
        "taken from the file; not shown to you",
        "handler setup settings",
    ];
    setup.left(&["graph"], &says).await;
    setup.hold(&[]).await;
    setup.put(&format!("{MANAGER}/rights"), json!({})).await;
    let printed = setup.done(&["settings", "--plan"]).await;
    assert!(
        printed.contains("would set settings of the Function App: GRAPH_CLIENT_ID"),
        "{printed}"
    );
    setup.done(&["settings"]).await;
    setup.assert_complete(&[SUPPORT]).await;
    let again = setup.done(&["settings"]).await;
    assert!(again.ends_with("nothing to do\n"), "{again}");
    let shown = setup.platform.get(MANAGER).await;
    assert_eq!(shown["deployed"]["writes"], 1);
    let others = shown["deployed"]["settings"]
        .as_object()
        .map_or(0, |all| all.len());
    assert!(others > 50, "all other settings stay: {others}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_deployed_yet_is_said_and_nothing_is_guessed() {
    let setup = Setup::start(&[]).await;
    let deployment = format!("{MANAGER}/deployment");
    for (changed, says) in [
        (
            json!({ "state": null }),
            "nothing was deployed there under this name",
        ),
        (json!({ "state": "Running" }), "still at work"),
        (json!({ "state": "Failed" }), "did not succeed"),
        (
            json!({ "state": "Succeeded", "outputs": { "keyVaultUrl": null } }),
            "no output for key_vault_url",
        ),
    ] {
        setup.put(&deployment, changed).await;
        setup.left(&["graph"], &[says]).await;
    }
    // A second installation that names the first one's resource group.
    let whole =
        json!({ "state": "Succeeded", "outputs": { "keyVaultUrl": "https://127.0.0.1:9" } });
    setup.put(&deployment, whole).await;
    let before = setup.text();
    let (own, others) = (
        "environment = \"local\"\n",
        "environment = \"second\"\nresource_group = \"rg-local\"\n",
    );
    setup.edit(|text| text.replace(own, others));
    let second = setup.text();
    let says = "that of the environment local, and the file's is second";
    for step in ["graph", "genesys", "settings"] {
        setup.left(&[step], &[says]).await;
    }
    assert_eq!(setup.text(), second);
    setup.edit(|_| before);
    let rights = json!({ "read": false });
    setup.put(&format!("{MANAGER}/rights"), rights).await;
    setup
        .left(&["settings"], &["role Reader on rg-local"])
        .await;
    for (from, to, says) in [
        (
            "\"00000000-0000-4000-8000-0000000000b1\"",
            "\"00000000-0000-4000-8000-0000000000b2\"",
            "no subscription",
        ),
        (
            "tenant_id = \"00000000-0000-0000-0000-000000000002\"",
            "tenant_id = \"00000000-0000-0000-0000-000000000009\"",
            "az login --tenant",
        ),
        ("tenant_id", "tenant_id = 3 #", "line 4: "),
    ] {
        let before = setup.text();
        setup.edit(|text| text.replace(from, to));
        setup.left(&["settings"], &[says]).await;
        setup.edit(|_| before);
    }
    assert_eq!(setup.registered().await["writes"], 0);
}

/// Kills the command while this call is at work, before it has an effect.
async fn kill_at(setup: &Setup, (service, method, path): (&str, &str, &str)) {
    let hold = json!({ "service": service, "method": method, "path": path, "delay_ms": 600_000 });
    let platform = &setup.platform;
    let fault = platform
        .post("/local/faults", json!({ "rules": [hold] }))
        .await;
    let fault = format!("/local/faults/{}", fault["id"]);
    let kill = async {
        while platform.get(&fault).await["strikes"] == json!([0]) {
            tokio::task::yield_now().await;
        }
        platform
            .call(Method::DELETE, "/local/handler/commands", None)
            .await;
    };
    let both = async { tokio::join!(setup.run(&["graph"]), kill) };
    let ended = timeout(Duration::from_secs(60), both).await;
    let ((code, printed), ()) = ended.unwrap_or_else(|_| panic!("{path} was never called"));
    assert_eq!(code, Value::Null, "{path}: {printed}");
    platform.call(Method::DELETE, &fault, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_at_any_step_is_finished_by_the_next() {
    let setup = Setup::fresh(&[]).await;
    setup.put(REGISTRATIONS, json!({ "lag": 1 })).await;
    for step in [
        ("graph", "PATCH", "/applications(uniqueName="),
        ("graph", "POST", "/federatedIdentityCredentials"),
        ("graph", "POST", "/servicePrincipals"),
        ("graph", "POST", "/oauth2PermissionGrants"),
        ("graph", "POST", "/appRoleAssignedTo"),
        ("resource-manager", "PUT", "/config/appsettings"),
    ] {
        kill_at(&setup, step).await;
    }
    let printed = setup.done(&["graph"]).await;
    assert!(printed.contains("ok      app registration"), "{printed}");
    setup.assert_complete(&[SUPPORT]).await;
    // An answer that gets lost is as good as one that came, also while nobody knows yet what it was about.
    let setup = Setup::fresh(&[]).await;
    setup.put(REGISTRATIONS, json!({ "lag": 2 })).await;
    let lost = |path: &str| json!({ "service": "graph", "method": "POST", "path": path, "drop": "after", "times": 1 });
    let rules = [
        "/servicePrincipals",
        "/oauth2PermissionGrants",
        "/appRoleAssignedTo",
    ]
    .map(lost);
    setup.platform.faults(json!(rules)).await;
    setup.done(&["graph"]).await;
    setup.assert_complete(&[SUPPORT]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_secret_goes_straight_into_the_vault_unless_the_tenant_forbids_it() {
    let vault = "/local/key-vault/secrets/graph-client-secret";
    let setup = Setup::fresh(&["--no-secret=graph-client-secret"]).await;
    setup.edit(|text| format!("{text}graph_client_authentication = \"secret\"\n"));
    setup
        .put(REGISTRATIONS, json!({ "no_passwords": true }))
        .await;
    let says = [
        "made    Application.ReadWrite.OwnedBy of the managed identity",
        "ACT     Key Vault, secret graph-client-secret",
        "graph_client_authentication = \"federated\"",
    ];
    setup.left(&["graph"], &says).await;
    assert_eq!(setup.platform.get(vault).await["value"], "none");
    setup
        .put(REGISTRATIONS, json!({ "no_passwords": false }))
        .await;
    let printed = setup.done(&["graph"]).await;
    let secret = setup.platform.get(vault).await;
    let secret = view::text(&secret, "value");
    assert!(secret.len() > 20 && !printed.contains(secret) && !setup.text().contains(secret));
    let app = setup.registered().await["applications"][0].clone();
    assert_eq!(
        (&app["secrets"], &app["credentials"]),
        (&json!(1), &json!([]))
    );
    let again = setup.done(&["graph"]).await;
    assert!(again.ends_with("nothing to do\n"), "{again}");
    // Back to the managed identity as the credential: it owns the app no longer, and no secret of ours counts once the app that runs
    // does without.
    setup.edit(|text| text.replace("= \"secret\"", "= \"federated\""));
    let mode = |mode: &str| json!({ "GRAPH_CLIENT_AUTHENTICATION": mode });
    let settings = format!("{MANAGER}/settings");
    setup.put(&settings, mode("secret")).await;
    let says = ["ACT     client secrets of the registration", "deploy with"];
    setup.left(&["graph", "--plan"], &says).await;
    setup.put(&settings, mode("federated")).await;
    let printed = setup.done(&["graph"]).await;
    assert!(
        printed.contains("removed Application.ReadWrite.OwnedBy"),
        "{printed}"
    );
    assert!(
        printed.contains("removed client secrets of the registration"),
        "{printed}"
    );
    let app = setup.registered().await["applications"][0].clone();
    assert_eq!((&app["owners"], &app["secrets"]), (&json!([]), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_file_knows_serves_where_azure_does_not_tell_and_is_not_written_over() {
    let setup = Setup::start(&[]).await;
    let deployment = format!("{MANAGER}/deployment");
    let place = json!({
        "terraformStateResourceGroup": "rg-local", "terraformStateAccount": "stdata",
        "terraformStateContainer": "terraform-state",
    });
    let place = json!({ "state": "Succeeded", "outputs": place });
    setup.put(&deployment, place).await;
    let own = "terraform_state_account = \"own\"\n";
    setup.edit(|text| text + own);
    setup.done(&["settings"]).await;
    assert_eq!(setup.known("terraform_state_account"), Some(json!("own")));
    assert_eq!(
        setup.known("terraform_state_container"),
        None,
        "of another account"
    );
    setup.edit(|text| text.replace(own, ""));
    setup.done(&["settings"]).await;
    assert_eq!(
        setup.known("terraform_state_account"),
        Some(json!("stdata"))
    );
    // A deployment that failed later takes nothing away.
    setup.put(&deployment, json!({ "state": "Failed" })).await;
    let printed = setup.done(&["graph"]).await;
    assert!(
        printed.contains("the last deployment is Failed"),
        "{printed}"
    );
}
