//! `infra/scripts/publish.sh`, run with stand-ins for `az` and `func`: what it publishes, and what it refuses.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::inputs::root;
use crate::tool::{self, left_out, printed};

/// A folder with a package as a folder and as a zip with its checksum, and the stand-ins in `bin`.
fn stage() -> TempDir {
    let stage = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: &str| {
        let path = stage.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, text).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("permissions");
    };
    write("bin/az", "#!/bin/sh\n");
    // As Core Tools refuse it (`Helpers/GlobalCoreToolsSettings.cs`).
    let func = "#!/bin/sh\n[ -f local.settings.json ] || case \" $* \" in *' --custom '*) ;; *) echo \"Worker runtime cannot be 'None'. Please set a valid runtime.\"; exit 1;; esac\necho \"func $* from\" $(ls)\n";
    write("bin/func", func);
    write("package/host.json", "{}");
    write("package/handler", "program");
    write("incomplete/host.json", "{}");
    stage
}

/// Runs a line in the stage's folder.
fn shell(stage: &Path, line: &str) -> (bool, String) {
    let path = env::var("PATH").unwrap_or_default();
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("cd '{}' && {line}", stage.display())])
        .env("PATH", format!("{}:{path}", stage.join("bin").display()))
        .env("PUBLISH", root().join("infra/scripts/publish.sh"))
        .env_remove("PACKAGE")
        .env_remove("functionAppName");
    let output = tool::run(&mut command);
    (output.status.success(), printed(&output))
}

#[test]
fn a_package_is_published_when_it_is_what_was_released() {
    let stage = stage();
    let zip = "(cd package && python3 -m zipfile -c ../released.zip host.json handler) && \
               sha256sum released.zip > released.zip.sha256 && cp released.zip other.zip && \
               cp released.zip forged.zip && sed 's/^./x/' released.zip.sha256 > forged.zip.sha256 && \
               command -v unzip";
    if !shell(stage.path(), zip).0 {
        return left_out("infra/scripts/publish.sh", "no python3, sha256sum or unzip");
    }
    let published = "func azure functionapp publish app --custom --no-build from handler host.json";
    for (line, expected) in [
        ("sh \"$PUBLISH\" --package package app", Ok(published)),
        ("sh \"$PUBLISH\" --package released.zip app", Ok(published)),
        (
            "PACKAGE=released.zip functionAppName=app sh \"$PUBLISH\"",
            Ok(published),
        ),
        (
            "sh \"$PUBLISH\" --package other.zip app",
            Err("other.zip.sha256 is missing"),
        ),
        (
            "sh \"$PUBLISH\" --package forged.zip app",
            Err("forged.zip is not what was released"),
        ),
        (
            "sh \"$PUBLISH\" --package incomplete app",
            Err("incomplete holds no handler"),
        ),
        (
            "sh \"$PUBLISH\" --package nowhere app",
            Err("there is no nowhere"),
        ),
        ("sh \"$PUBLISH\" --package", Err("wants a zip or a folder")),
        (
            "sh \"$PUBLISH\" --package package",
            Err("which Function App"),
        ),
        (
            "sh \"$PUBLISH\" --package package app other",
            Err("one name is enough"),
        ),
    ] {
        let (success, words) = shell(stage.path(), line);
        assert_eq!(success, expected.is_ok(), "{line}:\n{words}");
        let expected = expected.unwrap_or_else(|it| it);
        assert!(words.contains(expected), "{line}:\n{words}");
        let was_published = words.contains("func azure");
        assert_eq!(was_published, success, "{line}:\n{words}");
    }
}
