//! Finding and running the real tools.

use std::collections::BTreeSet;
use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

use crate::inputs::root;

/// A tool by the variable that names it, else from the PATH, else from another place where it may be.
pub fn find(variable: &str, names: &[&str], elsewhere: Option<PathBuf>) -> Option<PathBuf> {
    if let Some(path) = env::var_os(variable) {
        return Some(path.into());
    }
    let folders: Vec<PathBuf> =
        env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    let on_the_path = names
        .iter()
        .flat_map(|name| folders.iter().map(move |it| it.join(name)));
    on_the_path.chain(elsewhere).find(|it| it.is_file())
}

/// Says, once, that a check is left out; where tools are required, that is a failure.
pub fn left_out(what: &str, why: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    assert!(!required(), "{what} must be checked here: {why}");
    let line = format!("left out: {what} ({why})");
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if said.insert(line.clone()) {
        // Past the test harness, which keeps what a successful test prints to itself.
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}

/// Whether nothing may be left out.
pub fn required() -> bool {
    env::var_os("REQUIRE_TOOLS").is_some_and(|it| it == "1")
}

/// Runs a command in the repository's root.
pub fn run(command: &mut Command) -> Output {
    let shown = format!("{command:?}");
    command
        .current_dir(root())
        .output()
        .unwrap_or_else(|error| panic!("{shown}: {error}"))
}

/// What a command printed, both ways.
pub fn printed(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|it| String::from_utf8_lossy(it))
        .concat()
}
