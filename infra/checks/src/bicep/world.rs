//! The templates of a folder, and how they name each other.

use std::collections::BTreeMap;

use super::model::Template;
use super::parse::{SyntaxError, parse};
use crate::Tree;

/// The files, and the templates among them.
pub struct World<'a> {
    tree: &'a Tree,
    templates: BTreeMap<&'a str, Template>,
    errors: Vec<(&'a str, SyntaxError)>,
}

impl<'a> World<'a> {
    /// The templates below a folder.
    #[must_use]
    pub fn of(tree: &'a Tree, folder: &'a str) -> Self {
        let mut world = Self {
            tree,
            templates: BTreeMap::new(),
            errors: Vec::new(),
        };
        for (file, text) in tree.below(folder, "bicep") {
            let (template, errors) = parse(text);
            world.templates.insert(file, template);
            world
                .errors
                .extend(errors.into_iter().map(|error| (file, error)));
        }
        world
    }

    /// The text of any file of the repository.
    pub(super) fn text(&self, path: &str) -> Option<&'a str> {
        self.tree.text(path)
    }

    /// What the grammar could not read, with the files.
    #[must_use]
    pub fn errors(&self) -> &[(&'a str, SyntaxError)] {
        &self.errors
    }

    /// The templates by their files.
    #[must_use]
    pub fn templates(&self) -> &BTreeMap<&'a str, Template> {
        &self.templates
    }
}

/// The path, from the repository's root, of a file named in another.
#[must_use]
pub fn relative(file: &str, path: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}
