//! `handler setup genesys` with the real Terraform provider, where it stands beside OpenTofu: everything is one command.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use end_to_end::view;
use reqwest::Method;
use serde_json::{Value, json};

use crate::setup_genesys::{ENDED, SECRET, Scene, out};

/// Terraform's own program with the provider that stands beside it; nothing, with a line that says so, where there is none.
fn tofu(folder: &Path) -> Option<PathBuf> {
    let beside = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .map(|it| it.join("opentofu"))
        .find(|it| it.join("terraform-provider-genesyscloud").is_file());
    let Some(beside) = beside else {
        if std::env::var("REQUIRE_TOOLS").is_ok_and(|it| it == "1") {
            // With the provider of the registry.
            return Some(PathBuf::from("terraform"));
        }
        eprintln!(
            "left out: handler setup genesys with Terraform (no OpenTofu with the provider beside it)"
        );
        return None;
    };
    for registry in ["registry.opentofu.org", "registry.terraform.io"] {
        let place = format!("mirror/{registry}/mypurecloud/genesyscloud/1.84.1/linux_amd64");
        let place = folder.join(place);
        fs::create_dir_all(&place).expect("a folder");
        let provider = "terraform-provider-genesyscloud";
        std::os::unix::fs::symlink(beside.join(provider), place.join(provider)).expect("a link");
    }
    let (settings, program) = (folder.join("tofurc"), folder.join("terraform"));
    let mirror = folder.join("mirror");
    let text = format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
        mirror.display()
    );
    fs::write(&settings, text).expect("a file");
    let text = format!(
        "#!/bin/sh\nTF_CLI_CONFIG_FILE={} CHECKPOINT_DISABLE=1 exec {}/tofu \"$@\"\n",
        settings.display(),
        beside.display()
    );
    fs::write(&program, text).expect("a file");
    let mode = fs::Permissions::from_mode(0o700);
    fs::set_permissions(&program, mode).expect("a program");
    Some(program)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = entry.file_name();
        let is_work = name.to_string_lossy().contains("tfstate") || name == ".terraform";
        match entry.path().is_dir() {
            _ if is_work => {}
            true => copy(&entry.path(), &to.join(name)),
            false => drop(fs::copy(entry.path(), to.join(name)).expect("a copy")),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_terraform_everything_is_one_command() {
    let tools = tempfile::tempdir().expect("a folder");
    let Some(program) = tofu(tools.path()) else {
        return;
    };
    let mut scene = Scene::new().await;
    let folder = scene.path("infra/genesys");
    copy(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/genesys"),
        &folder,
    );
    let app = scene.platform.get("/local/resource-manager").await;
    let api = view::text(&app["deployed"]["settings"], "GENESYS_API_ENDPOINT");
    let api = reqwest::Url::parse(api).expect("an address");
    let gateway = format!(
        "terraform {{\n  backend \"local\" {{}}\n}}\nprovider \"genesyscloud\" {{\n  gateway {{\n    host = \"127.0.0.1\"\n    port = \"{}\"\n    protocol = \"https\"\n  }}\n}}\n",
        api.port().expect("a port")
    );
    fs::write(folder.join("local_override.tf"), gateway).expect("a file");
    let person = scene.person(&[]).await;
    let program = program.to_string_lossy().into_owned();
    let run = ["--terraform", &program];

    let planned = scene.run(&person, &[&run[..], &["--plan"]].concat()).await;
    assert_eq!(planned["code"], 0, "{planned}");
    assert!(out(&planned).contains("8 to add"), "{planned}");
    let organisation = scene.platform.get("/local/genesys/organisation").await;
    assert_eq!(organisation["made"], json!([]));

    let ended = scene.run(&person, &[&run[..], &["--yes"]].concat()).await;
    assert_eq!(ended["code"], 0, "{ended}");
    let again = scene.run(&person, &run).await;
    assert_eq!(again["code"], 0, "{again}");
    assert!(out(&again).ends_with("nothing to do\n"), "{again}");
    let state = fs::read_to_string(folder.join("terraform.tfstate")).expect("a state");
    let state: Value = serde_json::from_str(&state).expect("JSON");
    scene.outputs = state["outputs"].clone();
    scene.assert_set_up(1440).await;
    let secret = scene.secret(SECRET).await;
    assert!(
        !state.to_string().contains(&secret),
        "the client's secret is in no state"
    );

    // From then on a pipeline's client does, with its role and the bridge's.
    let role = fs::read_to_string(folder.join("terraform-role.json")).expect("a role");
    let role: Value = serde_json::from_str(&role).expect("JSON");
    let helper = json!({ "rights": rights_of(&role), "roles": ["Teams bridge"] });
    let client = scene.platform.post("/local/genesys/clients", helper).await;
    let client = json!({
        "GENESYSCLOUD_OAUTHCLIENT_ID": client["id"], "GENESYSCLOUD_OAUTHCLIENT_SECRET": client["secret"],
    });
    let again = scene.run(&client, &run).await;
    assert!(out(&again).ends_with("nothing to do\n"), "{again}");
    let text = format!("{}thread_window_hours = 48\n", scene.file());
    fs::write(scene.path("graph-to-open.toml"), text).expect("a file");
    let ended = scene
        .run(&client, &[&run[..], &["--new-secret"]].concat())
        .await;
    assert_eq!(ended["code"], 0, "{ended}");
    scene.assert_set_up(2880).await;

    // A line more, and Genesys tells of ends: what calls need for that, nobody carries.
    let host = "func-local.azurewebsites.net";
    let outputs = json!({ "state": "Succeeded", "outputs": { "functionAppHostName": host } });
    let path = "/local/resource-manager/deployment";
    let deploy = scene.platform.call(Method::PUT, path, Some(&outputs));
    deploy.await;
    let text = format!("{}conversation_ended = true\n", scene.file());
    fs::write(scene.path("graph-to-open.toml"), text).expect("a file");
    let may_see_keys = async |may: bool| {
        let rights = json!({ "list_keys": may });
        let path = "/local/resource-manager/rights";
        scene.platform.call(Method::PUT, path, Some(&rights)).await;
    };
    may_see_keys(false).await;
    let refused = scene.run(&person, &[&run[..], &["--plan"]].concat()).await;
    let told = view::text(&refused, "stderr");
    assert!(
        told.contains("whoever has the role Website Contributor"),
        "{refused}"
    );
    may_see_keys(true).await;
    let planned = scene.run(&person, &[&run[..], &["--plan"]].concat()).await;
    assert_eq!(planned["code"], 0, "{planned}");
    assert!(
        out(&planned).contains(&format!("would make {ENDED}")),
        "{planned}"
    );
    assert_eq!(scene.secret(ENDED).await, "none");
    let ended = scene.run(&person, &[&run[..], &["--yes"]].concat()).await;
    assert_eq!(ended["code"], 0, "{ended}");
    let again = scene.run(&person, &run).await;
    assert!(out(&again).ends_with("nothing to do\n"), "{again}");
    let state = fs::read_to_string(folder.join("terraform.tfstate")).expect("a state");
    let app = scene.platform.get("/local/resource-manager").await;
    let key = view::text(&app["deployed"]["keys"], "conversation-ended");
    let address = format!("https://{host}/api/genesys/conversation-ended");
    for part in [key, &scene.secret(ENDED).await, &address] {
        assert!(state.contains(part), "{part}");
    }

    // And the end of it, for which the vault may be gone.
    let gone = json!([{ "service": "key-vault", "method": "GET", "path": "/secrets/genesys-", "status": 403 }]);
    let gone = json!({ "rules": gone });
    let fault = scene.platform.post("/local/faults", gone).await;
    let ended = scene
        .run(&person, &[&run[..], &["--remove", "--yes"]].concat())
        .await;
    let fault = format!("/local/faults/{}", fault["id"]);
    scene.platform.call(Method::DELETE, &fault, None).await;
    assert_eq!(ended["code"], 0, "{ended}");
    let organisation = scene.platform.get("/local/genesys/organisation").await;
    assert_eq!(organisation["made"], json!([]));
    for line in ["genesys_integration_id = \"\"", "genesys_client_ids = []"] {
        assert!(scene.file().contains(line), "{line}: {}", scene.file());
    }
    let again = scene
        .run(&person, &[&run[..], &["--remove"]].concat())
        .await;
    assert!(out(&again).ends_with("nothing to do\n"), "{again}");
}

/// A role's permissions, each as `domain:entity:action`.
fn rights_of(role: &Value) -> Vec<String> {
    let policies = view::list(role.clone(), "permissionPolicies");
    let policies = policies.into_iter().flat_map(|policy| {
        let actions = view::list(policy.clone(), "actionSet").into_iter();
        let area = [&policy["domain"], &policy["entityName"]].map(Value::as_str);
        let area = area.map(Option::unwrap_or_default).join(":");
        actions.map(move |action| format!("{area}:{}", action.as_str().unwrap_or_default()))
    });
    policies.collect()
}
