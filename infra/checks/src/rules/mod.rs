//! The rules, one module for each family. Each rule is a function from the tree to what is wrong.

mod app_settings;
mod data_actions;
mod decorators;
mod documents;
mod flow;
mod functions;
mod key_vault;
mod modules;
mod monitoring;
mod names;
mod properties;
mod queries;
mod queues;
mod roles;
mod secrets;
mod site;
mod storage;
mod syntax;
mod terraform;
mod terraform_resources;
#[cfg(test)]
mod tests;
mod workflow;

use crate::bicep::{Deployed, Template, Value, World, deployments};
use crate::terraform::Configuration;
use crate::{Problem, Tree};

/// Where the infrastructure lies.
pub const FOLDER: &str = "infra";

/// What most rules look at: the tree, its templates and what they would deploy.
pub(crate) struct View<'a> {
    tree: &'a Tree,
    world: &'a World<'a>,
    deployed: Vec<Deployed>,
    terraform: Configuration<'a>,
}

impl<'a> View<'a> {
    pub(crate) fn of(tree: &'a Tree, world: &'a World<'a>) -> Self {
        Self {
            tree,
            world,
            deployed: deployments(world),
            terraform: Configuration::read(tree, terraform::FOLDER),
        }
    }

    fn templates(&self) -> impl Iterator<Item = (&'a str, &'a Template)> {
        self.world
            .templates()
            .iter()
            .map(|(file, template)| (*file, template))
    }

    /// The resources of a type that are made, not only referred to.
    fn made<'b>(&'b self, of: &'b str) -> impl Iterator<Item = &'b Deployed> {
        self.deployed
            .iter()
            .filter(move |resource| resource.of == of && !resource.existing)
    }
}

/// What every rule finds.
#[must_use]
pub fn all(tree: &Tree) -> Vec<Problem> {
    let world = World::of(tree, FOLDER);
    let view = View::of(tree, &world);
    let rules: &[fn(&View<'_>) -> Vec<Problem>] = &[
        syntax::check,
        decorators::check,
        modules::check,
        names::check,
        properties::check,
        storage::check,
        queues::check,
        key_vault::check,
        site::check,
        monitoring::check,
        roles::check,
        app_settings::check,
        functions::check,
        secrets::check,
        queries::check,
        terraform::check,
        data_actions::check,
        flow::check,
        documents::check,
        workflow::check,
    ];
    rules.iter().flat_map(|rule| rule(&view)).collect()
}

/// Whether two lists hold the same names; what is missing and what is too much otherwise.
fn difference<'a>(
    expected: impl IntoIterator<Item = &'a str>,
    found: impl IntoIterator<Item = &'a str>,
) -> (Vec<&'a str>, Vec<&'a str>) {
    use std::collections::BTreeSet;
    let expected: BTreeSet<&str> = expected.into_iter().collect();
    let found: BTreeSet<&str> = found.into_iter().collect();
    (
        expected.difference(&found).copied().collect(),
        found.difference(&expected).copied().collect(),
    )
}

/// Reports a property that is not known to have the right value. A property that is missing is not right either: defaults
/// change with the API version, so what matters is written down.
fn must_be(
    resource: &Deployed,
    rule: &'static str,
    path: &str,
    right: &Value,
    problems: &mut Vec<Problem>,
) {
    let found = resource.at(path);
    if found == Some(right) {
        return;
    }
    problems.push(Problem::new(
        rule,
        &resource.file,
        resource.line_of(path),
        format!(
            "{path} of {} must be {}, it is {}",
            resource.symbol,
            right.shown(),
            found.map_or_else(|| "missing".to_owned(), Value::shown)
        ),
    ));
}
