//! The queries, judged by Microsoft's Kusto language service.

use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::inputs::{Inputs, root};
use crate::queries;
use crate::tool::{left_out, printed};

/// Where `cargo xtask` installs the language service.
fn folder() -> PathBuf {
    env::var_os("KUSTO_DIR").map_or_else(|| root().join("target/tools/kusto"), PathBuf::from)
}

#[test]
fn no_query_is_refused() {
    let folder = folder();
    if !folder.join("node_modules").is_dir() {
        return left_out(
            "the queries",
            "no Kusto language service: cargo xtask test installs it",
        );
    }
    // Production has every alert.
    let queries = queries::all(&Inputs::read("main"));
    assert!(queries.len() > 30, "{} queries", queries.len());
    let json: Vec<Value> = queries.iter().map(queries::Query::to_json).collect();
    let mut node = Command::new("node")
        .arg(root().join("infra/checks/kusto.mjs"))
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Node.js starts");
    let mut input = node.stdin.take().expect("a pipe");
    input
        .write_all(Value::from(json).to_string().as_bytes())
        .expect("the script reads");
    drop(input);
    let output = node.wait_with_output().expect("the script ends");
    let words = printed(&output);
    assert!(
        words == format!("{} queries\n", queries.len()),
        "the language service objects:\n{words}"
    );
}
