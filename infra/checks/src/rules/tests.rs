//! Each rule on small examples: one that is right, and the same with one mistake.

mod azure;
mod genesys;
mod key_vault;
mod language;
mod repository;
mod service_bus;

use super::all;
use crate::Tree;

/// The files of an example, the rule, and what makes the example wrong.
struct Example<'a> {
    files: &'a [(&'a str, &'a str)],
    rule: &'a str,
}

impl Example<'_> {
    /// The rule has nothing to say about the example, and reports it once `from` is `to` in the first file.
    fn breaks(&self, from: &str, to: &str) {
        self.breaks_in(self.files[0].0, from, to);
    }

    fn breaks_in(&self, file: &str, from: &str, to: &str) {
        let right = Tree::of(self.files);
        assert_eq!(
            self.found(&right),
            [""; 0],
            "{} in the right example",
            self.rule
        );
        let wrong = right.replaced(file, from, to).expect("a replacement");
        assert!(
            !self.found(&wrong).is_empty(),
            "{} does not find {to:?}",
            self.rule
        );
    }

    fn found(&self, tree: &Tree) -> Vec<String> {
        all(tree)
            .iter()
            .filter(|problem| problem.rule == self.rule)
            .map(ToString::to_string)
            .collect()
    }
}

/// An example of one template.
fn template(rule: &str, text: &str, check: impl FnOnce(Example<'_>)) {
    check(Example {
        files: &[("infra/main.bicep", text)],
        rule,
    });
}
