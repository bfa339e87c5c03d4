//! DEPLOY.md is what its reader types: its commands are run, in its order, in one shell, with the local platform for the services
//! and stand-ins for the programs of others (`tests/stand-ins/bin`). What needs a cloud is marked in the page, with its reason.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use end_to_end::commands::{Walk, blocks};
use end_to_end::platform::IMPATIENT;
use end_to_end::{Platform, handler};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// A folder of the test's own, gone when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("page-{}", Uuid::new_v4().simple()));
        fs::create_dir_all(folder.join("repository")).expect("a folder");
        Self(folder)
    }

    /// A walk that begins here, with nothing but programs.
    fn walk(&self) -> Walk {
        let path = std::env::var("PATH").expect("a PATH");
        Walk {
            root: self.0.join("repository"),
            environment: vec![("PATH".to_owned(), path)],
            ..Walk::default()
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    let all = all.iter();
    all.map(|(one, other)| ((*one).to_owned(), (*other).to_owned()))
        .collect()
}

const PAGE: &str = "# A page

```
export NAME=…
greet() { echo \"hello $NAME\"; }
```

1. In a list:

   ```sh
   cp example.toml my.toml
   ```

<!-- a comment -->
<!-- cloud: there is none -->
```
exit 1
```

prints

```text
$ greet
```

```
greet > greeting
cat my.toml
```
";

#[test]
fn blocks_are_found_with_what_is_said_of_them() {
    let found = blocks(PAGE).expect("a good page");
    let lines: Vec<usize> = found.iter().map(|block| block.line).collect();
    assert_eq!(lines, [4, 11, 17, 27]);
    assert_eq!(found[1].text, "cp example.toml my.toml\n");
    let clouds = found.iter().map(|block| block.cloud.as_deref());
    assert_eq!(
        Vec::from_iter(clouds),
        [None, None, Some("there is none"), None]
    );
}

#[test]
fn a_page_that_says_something_amiss_is_refused() {
    for (page, expected) in [
        ("```\nls\n", "line 1: the block has no end"),
        (
            "<!-- cloud: -->\n```\nls\n```\n",
            "line 1: the mark says no reason",
        ),
        (
            "<!-- cloud: why -->\ntext\n```\nls\n```\n",
            "line 1: the mark stands before no block",
        ),
        (
            "<!-- cloud: why -->\n",
            "line 1: the mark stands before no block",
        ),
        (
            "<!-- cloud: why -->\n```text\nls\n```\n",
            "line 1: this block is not run in any case",
        ),
        (
            "```\n$ ls\n```\n",
            "line 1: the block shows a prompt: what is shown only is ```text",
        ),
    ] {
        assert_eq!(blocks(page).expect_err(page), expected);
    }
}

#[test]
fn blocks_are_run_in_one_shell_with_what_the_reader_does_between_them() {
    let scratch = Scratch::new();
    let walk = Walk {
        values: pairs(&[("NAME=…", "NAME=Anna")]),
        between: pairs(&[("cp example.toml", "echo 'mine = true' >> my.toml")]),
        ..scratch.walk()
    };
    fs::write(walk.root.join("example.toml"), "given = true\n").expect("a file");
    let blocks = blocks(PAGE).expect("a good page");
    let walked = walk.run(&blocks).expect("a page that can be followed");
    assert_eq!(walked.run, [4, 11, 27]);
    assert_eq!(walked.output, "given = true\nmine = true\n");
    let greeting = fs::read_to_string(walk.root.join("greeting"));
    assert_eq!(greeting.expect("a file"), "hello Anna\n");
}

#[test]
fn a_command_that_fails_is_told_with_its_block() {
    let scratch = Scratch::new();
    let page = "```\necho first\n```\n\n```\nfalse | cat\necho second\n```\n";
    let told = scratch.walk().run(&blocks(page).expect("a page"));
    let told = told.expect_err("a failure");
    assert!(
        told.starts_with("the block of line 6 ended with "),
        "{told}"
    );
    assert!(told.ends_with("first"), "{told}");

    let page = "```\nexit 0\n```\n\n```\necho never\n```\n";
    let told = scratch.walk().run(&blocks(page).expect("a page"));
    let told = told.expect_err("it ends too early");
    assert!(
        told.starts_with("the block of line 2 ended with "),
        "{told}"
    );
}

#[test]
fn what_is_left_out_and_what_does_not_occur_is_told() {
    let scratch = Scratch::new();
    let blocks = blocks("```\nexport A=…\n```\n").expect("a page");
    let told = scratch.walk().run(&blocks).expect_err("left out");
    assert_eq!(
        told,
        "line 2: nobody says what the reader puts in the place of …"
    );
    let walk = Walk {
        values: pairs(&[("A=…", "A=1"), ("B=…", "B=2")]),
        ..scratch.walk()
    };
    let told = walk.run(&blocks).expect_err("it does not occur");
    assert_eq!(told, "the page does not say: B=…");
}

/// What OPERATING.md has its reader type later, with the file and the login of step 1.
const LATER: &str = "```
handler status
handler rotate --dry-run
handler rotate --now genesys-client-secret
```
";

/// The stand-ins refuse what their programs refuse, or a page that is wrong would pass.
#[test]
fn stand_ins_refuse_what_they_do_not_know() {
    let scratch = Scratch::new();
    let walk = Walk {
        environment: environment(&scratch, &Map::new()),
        ..scratch.walk()
    };
    for command in [
        "az deployment sub create --parameters infra/main.bicepparam",
        "az deployment sub create --location x --parameters infra/absent.bicepparam",
        "az deployment foo",
        "az account get-access-token --scope x",
        "azd up",
        "func azure functionapp publish app",
        "terraform -chdir=infra/absent apply",
        "terraform output -raw x",
        "cargo build --release --package other",
    ] {
        let page = format!("```\n{command}\n```\n");
        let told = walk.run(&blocks(&page).expect("a page"));
        assert!(told.is_err(), "{command}");
    }
    let calls = fs::read_to_string(scratch.0.join("stand-ins/calls")).expect("calls");
    assert!(calls.contains("az deployment foo\n"), "{calls}");
}

/// What the shell of the reader has: the stand-ins before everything else, and of the platform's settings where its services are:
/// no cloud's own hosts, so a token goes there only because the environment says so. Whoever is at the keyboard is no managed
/// identity.
fn environment(scratch: &Scratch, settings: &Map<String, Value>) -> Vec<(String, String)> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let [notes, home] = ["stand-ins", "home"].map(|name| scratch.0.join(name));
    for folder in [&notes, &home] {
        fs::create_dir_all(folder).expect("a folder");
    }
    let setting = |name: &str| settings.get(name).and_then(Value::as_str);
    let own = std::env::var("PATH").expect("a PATH");
    let path = setting("PATH").unwrap_or(&own);
    let path = format!("{}:{path}", tests.join("stand-ins/bin").display());
    let mut all = vec![
        ("PATH".to_owned(), path),
        ("HOME".to_owned(), home.display().to_string()),
        ("STAND_INS".to_owned(), notes.display().to_string()),
        ("HANDLER".to_owned(), handler().display().to_string()),
    ];
    let is_address = |name: &str| match name {
        "IDENTITY_ENDPOINT" => false,
        "KEY_VAULT_URL" | "ServiceBus__fullyQualifiedNamespace" => true,
        _ => name.ends_with("_ENDPOINT"),
    };
    for (name, value) in settings {
        if is_address(name) || name == "SSL_CERT_FILE" {
            let value = value.as_str().expect("a text");
            all.push((name.clone(), value.to_owned()));
        }
    }
    all
}

/// The reader's own copy of the repository.
fn clone_into(folder: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    for entry in fs::read_dir(root.expect("a parent")).expect("the repository") {
        let entry = entry.expect("an entry");
        if entry.file_name() != "target" && entry.file_name() != ".git" {
            let copied = Command::new("cp")
                .arg("-R")
                .arg(entry.path())
                .arg(folder)
                .status();
            assert!(copied.expect("cp").success());
        }
    }
    fs::create_dir(folder.join("target")).expect("a folder");
}

/// What a deployment puts out, as Resource Manager writes it.
fn outputs(deployed: &Value) -> Value {
    let all = deployed["outputs"].as_object().expect("outputs").iter();
    let value = |value: &Value| json!({ "type": "String", "value": value });
    Value::Object(all.map(|(name, it)| (name.clone(), value(it))).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_deploy_md_can_be_followed() {
    let platform = Platform::start(IMPATIENT).await;
    for timer in [
        "subscription-renewal",
        "catch-up",
        "spool-forwarding",
        "secret-rotation",
    ] {
        let fired = platform
            .post(&format!("/local/timers/{timer}"), json!({}))
            .await;
        assert_eq!(fired["outcome"], "200", "{timer}");
    }
    let told = platform.get("/local/settings").await;
    let settings = told["settings"].as_object().expect("settings");
    let scratch = Scratch::new();
    let person = json!({ "person": true, "without": [] });
    let person = platform.post("/local/genesys/clients", person).await;
    let token = person["token"].as_str().expect("a token");
    let walk = Walk {
        environment: environment(&scratch, settings),
        values: pairs(&[(
            "read -rs GENESYSCLOUD_ACCESS_TOKEN && export GENESYSCLOUD_ACCESS_TOKEN",
            &format!("export GENESYSCLOUD_ACCESS_TOKEN={token}"),
        )]),
        between: pairs(&[(
            "cp graph-to-open.example.toml graph-to-open.toml",
            "cp \"$STAND_INS/installation.toml\" graph-to-open.toml",
        )]),
        ..scratch.walk()
    };
    clone_into(&walk.root);
    // What the reader fills in, what the deployment gives out, and what Terraform makes, with the client that the platform's own
    // handler is.
    let note = |name: &str, text: &[u8]| {
        fs::write(scratch.0.join("stand-ins").join(name), text).expect("a file");
    };
    let address = format!("{}/local/resource-manager/installation", platform.address);
    note("installation.toml", &platform.fetch(&address).await.2);
    let shown = platform.get("/local/resource-manager").await;
    note(
        "outputs.json",
        outputs(&shown["deployed"]).to_string().as_bytes(),
    );
    let mut made = platform
        .post("/local/genesys/organisation", json!({}))
        .await;
    made["oauth_client_id"]["value"] = settings["GENESYS_CLIENT_ID"].clone();
    note("made.json", made.to_string().as_bytes());
    let page = fs::read_to_string(walk.root.join("DEPLOY.md")).expect("the page");
    let mut all = blocks(&page).unwrap_or_else(|problem| panic!("DEPLOY.md: {problem}"));
    let removal = all.iter().position(|it| it.text.contains("setup remove"));
    let removal = removal.expect("a block that removes everything");
    all.splice(removal..removal, blocks(LATER).expect("a page"));
    let noted = "```\ngrep 'recover_key_vault = true' graph-to-open.toml\n```\n";
    all.extend(blocks(noted).expect("a page"));
    let walked = tokio::task::spawn_blocking(move || walk.run(&all)).await;
    let walked = walked.expect("an end");
    let walked = walked.unwrap_or_else(|problem| panic!("DEPLOY.md: {problem}"));
    for line in [
        "set     the file: graph_client_id",
        "set     message flow",
        "ok      health: ok",
        "ok      the file and the app: the app's ids are those of the file",
        "ok      queue: 1 of 1 members take conversations of it",
        "left to do: nothing: the one before is still accepted",
    ] {
        assert!(walked.output.contains(line), "{line}: {}", walked.output);
    }
    assert!(!walked.output.contains("FAILED"), "{}", walked.output);
    let (_, removed) = walked
        .output
        .rsplit_once("would remove resource group")
        .expect("told before");
    for line in [
        "removed app registration",
        "removed resource group: rg-local",
    ] {
        assert!(removed.contains(line), "{line}: {removed}");
    }
    let left = platform.get("/local/resource-manager").await;
    assert_eq!(left["deployed"]["is_gone"], true);
}
