//! `cargo xtask func` with a stand-in for Core Tools: what it asks, what it notices, and that nothing is left of it. Microsoft's host
//! itself shows only where it can be had.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use end_to_end::core_tools::Trial;
use end_to_end::handler;

/// A staged package with a handler of the development build, and a `func` with these faults; gone when dropped.
struct Stage(PathBuf);

impl Stage {
    fn new(name: &str, faults: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        let package = directory.join("package");
        fs::create_dir_all(&package).expect("a directory");
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = tests.parent().expect("a parent");
        fs::copy(root.join("host.json"), package.join("host.json")).expect("a copy");
        for entry in fs::read_dir(root.join("functions")).expect("functions") {
            let function = entry.expect("an entry");
            let source = function.path().join("function.json");
            if source.is_file() {
                let folder = package.join(function.file_name());
                fs::create_dir(&folder).expect("a folder");
                fs::copy(source, folder.join("function.json")).expect("a copy");
            }
        }
        symlink(handler(), package.join("handler")).expect("a link");
        let func = tests.join("stand-ins/func.mjs");
        let script = format!(
            "#!/bin/sh\nFAULTS={faults} exec '{}' \"$@\"\n",
            func.display()
        );
        let wrapper = directory.join("func");
        fs::write(&wrapper, script).expect("a script");
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).expect("a program");
        Self(directory)
    }

    /// Whether all is well, and the lines without what they found.
    async fn run(&self) -> (bool, Vec<String>) {
        let trial = Trial {
            func: self.0.join("func"),
            package: self.0.join("package"),
        };
        let mut lines = Vec::new();
        let is_well = trial.run(|line| lines.push(line.to_owned())).await;
        println!("{}", lines.join("\n"));
        let judged = lines.iter().filter_map(|line| line.split_once(": "));
        let judged = judged.map(|(what, _)| what.split_whitespace().collect::<Vec<_>>().join(" "));
        let is_check = |what: &String| what.starts_with("ok ") || what.starts_with("FAILED ");
        (is_well, judged.filter(is_check).collect())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn a_host_that_does_what_it_should_passes() {
    let (is_well, lines) = Stage::new("core-tools", "none").run().await;
    assert_eq!(
        lines,
        [
            "ok the host",
            "ok functions",
            "ok their bindings",
            "ok Graph handshake",
            "ok health",
            "ok a timer, called by hand",
            "ok the subscription, by a timer",
            "ok genuine notification",
            "ok forged notification",
            "ok genuine webhook",
            "ok forged webhook",
            "ok the end",
        ]
    );
    assert!(is_well);
}

#[tokio::test]
async fn what_a_host_does_wrong_is_noticed() {
    let (is_well, lines) = Stage::new("core-tools-wrong", "list,chunks,lingers")
        .run()
        .await;
    let failed: Vec<&str> = lines
        .iter()
        .filter_map(|it| it.strip_prefix("FAILED "))
        .collect();
    assert_eq!(failed, ["functions", "genuine webhook", "the end"]);
    assert!(!is_well);
}

#[tokio::test]
async fn a_host_that_ends_is_not_waited_for() {
    let (is_well, lines) = Stage::new("core-tools-ends", "ends").run().await;
    assert_eq!(lines, ["FAILED the host", "ok the end"]);
    assert!(!is_well);
}
