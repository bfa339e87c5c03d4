//! The repository's own files keep every rule.

use std::path::Path;

use infra_checks::{Tree, check};

#[test]
fn the_repository_has_no_problem() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let tree = Tree::read(&root).expect("the repository can be read");
    assert!(
        tree.text("infra/main.bicep").is_some() && tree.text("host.json").is_some(),
        "this is not the repository"
    );
    let problems = check(&tree);
    let list: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(
        problems.is_empty(),
        "{} problems\n{}",
        list.len(),
        list.join("\n")
    );
}
