use serde_json::json;

use super::*;

/// A directory of one test, gone with it.
struct Place(PathBuf);

impl Place {
    fn with(text: &str) -> (Self, PathBuf) {
        let place = std::env::temp_dir().join(format!("setup-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&place).expect("a directory");
        let file = place.join("graph-to-open.toml");
        fs::write(&file, text).expect("a file");
        (Self(place), file)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const ID: &str = "5f0c1111-2222-4333-8444-555566667777";

#[test]
fn what_is_learnt_changes_its_own_line_alone() {
    for end in ["\n", "\r\n"] {
        let text = [
            "# ours",
            "environment = \"prod\"",
            "",
            "graph_client_id = \"\"",
            "  odd_one   =   [\"a\", \"b\"]",
            "# last",
            "bot_enabled=true",
        ]
        .join(end);
        let (_place, path) = Place::with(&text);
        let mut file = InstallationFile::read(&path).expect("right");
        assert_eq!(file.text("environment"), Some("prod"));
        assert_eq!(file.text("graph_client_id"), None, "an empty text is none");
        assert!(file.learn("graph_client_id", ID));
        assert!(file.learn("key_vault_url", "https://kv"));
        assert!(file.learn("genesys_client_ids", json!([ID])));
        assert!(!file.learn("environment", "prod"), "as it was");
        // Somebody else writes in between.
        let meanwhile = text.replace("bot_enabled=true", "bot_enabled=false");
        fs::write(&path, meanwhile).expect("written");
        file.save().expect("saved");
        let expected = [
            "# ours",
            "environment = \"prod\"",
            "",
            &format!("graph_client_id = \"{ID}\""),
            "  odd_one   =   [\"a\", \"b\"]",
            "# last",
            "bot_enabled=false",
            "",
            LEARNT,
            "key_vault_url = \"https://kv\"",
            &format!("genesys_client_ids = [\"{ID}\"]"),
            "",
        ]
        .join(end);
        assert_eq!(fs::read_to_string(&path).expect("read"), expected);
        assert!(!file.learn("graph_client_id", ID), "known by now");
        assert_eq!(file.list("genesys_client_ids"), [ID]);
        // Further ones follow the same comment.
        file.learn("blob_endpoint", "https://b");
        file.save().expect("saved");
        let text = fs::read_to_string(&path).expect("read");
        assert_eq!(text.matches(LEARNT).count(), 1);
        // Besides the lock nothing is left beside it.
        let left = fs::read_dir(path.parent().expect("a directory"));
        assert_eq!(left.expect("listed").count(), 2);
    }
}

#[test]
fn a_wrong_line_is_named_with_what_is_expected() {
    for (line, says) in [
        ("[table]", "no tables"),
        ("environment", "key = value"),
        ("environment: \"a\"", "key = value"),
        ("Environment = \"a\"", "a-z"),
        ("environment = 'a'", "environment has no value"),
        ("environment = \"a\" # why", "a line of its own"),
        ("environment = 3", "put a short name"),
        ("environment = null", "put a short name"),
        (
            "tenant_id = \"mine\"",
            "put the GUID of your Microsoft Entra tenant",
        ),
        (
            "tenant_id = \"00000000-0000-0000-0000-000000000000\"",
            "put the GUID",
        ),
        ("support_accounts = \"support=5f0c\"", "brackets"),
        ("support_accounts = [1]", "brackets"),
        ("support_accounts = [", "brackets"),
        ("alert_email = {}", "alert_email is something else"),
        ("other = {\"a\": 1}", "other is something else"),
    ] {
        let (_place, path) = Place::with(&format!("# first\nlocation = \"westeurope\"\n{line}\n"));
        let said = InstallationFile::read(&path).expect_err(line).to_string();
        assert!(
            said.contains(", line 3: ") && said.contains(says),
            "{line}: {said}"
        );
        assert_eq!(said.lines().count(), 1);
    }
    let (_place, path) = Place::with("location = \"a\"\nlocation = \"b\"\nx\n");
    let said = InstallationFile::read(&path).expect_err("two").to_string();
    assert!(
        said.contains("line 2: location stands here a second time") && said.contains("line 3: ")
    );
    let said = InstallationFile::read(Path::new("/nowhere/x.toml")).expect_err("none");
    assert!(said.to_string().contains("graph-to-open.example.toml"));
}

#[test]
fn what_is_needed_and_absent_is_asked_for() {
    let (_place, path) = Place::with("\u{feff}environment = \"prod\"\n");
    let file = InstallationFile::read(&path).expect("right");
    assert_eq!(file.required("environment").expect("there"), "prod");
    let said = file
        .required("subscription_id")
        .expect_err("absent")
        .to_string();
    assert!(
        said.contains("has no subscription_id: put the GUID"),
        "{said}"
    );
}

#[test]
fn commands_that_save_at_the_same_time_lose_no_line() {
    let (_place, path) = Place::with("environment = \"prod\"\n");
    let learnt = ["graph_client_id", "genesys_flow_id", "genesys_queue_id"];
    for round in 0..20 {
        let id = |number: usize| format!("5f0c1111-2222-4333-8444-{round:08}{number:04}");
        std::thread::scope(|scope| {
            for (number, key) in learnt.into_iter().enumerate() {
                let mut file = InstallationFile::read(&path).expect("right");
                scope.spawn(move || {
                    assert!(file.learn(key, id(number)));
                    file.save().expect("saved");
                });
            }
        });
        let file = InstallationFile::read(&path).expect("right");
        for (number, key) in learnt.into_iter().enumerate() {
            assert_eq!(file.text(key), Some(id(number).as_str()), "{key}");
        }
    }
}
