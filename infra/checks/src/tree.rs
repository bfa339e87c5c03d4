//! The repository's files as text, read once; a copy with changes is cheap.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Folders and files that the rules read. Everything else of the repository is none of their business.
const ROOTS: &[&str] = &[
    ".github",
    "azure.yaml",
    "bridge/src",
    "functions",
    "handler/src",
    "host.json",
    "infra",
    "local.settings.json",
    "services/src",
];

/// The checks themselves: their examples of mistakes are no mistakes of the repository. Terraform's folder of downloaded
/// providers is not the repository's either.
const LEFT_OUT: &[&str] = &["infra/checks", "infra/genesys/.terraform"];

const EXTENSIONS: &[&str] = &[
    "bicep",
    "bicepparam",
    "example",
    "hcl",
    "json",
    "md",
    "ps1",
    "rs",
    "sh",
    "tf",
    "yaml",
    "yml",
];

/// Files by their path below the repository's root, with slashes.
#[derive(Clone, Default)]
pub struct Tree {
    files: BTreeMap<String, Arc<str>>,
}

/// Why a text could not be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplaceError {
    /// There is no such file.
    NoFile(String),
    /// The text is not in the file exactly once.
    Occurrences {
        /// The file.
        file: String,
        /// How often the text is in it.
        count: usize,
    },
}

impl fmt::Display for ReplaceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFile(file) => write!(formatter, "there is no file {file}"),
            Self::Occurrences { file, count } => {
                write!(formatter, "the text is {count} times in {file}, not once")
            }
        }
    }
}

impl std::error::Error for ReplaceError {}

impl Tree {
    /// Reads the files of the repository at `root`.
    ///
    /// # Errors
    /// A folder or file cannot be read, or is not UTF-8.
    pub fn read(root: &Path) -> io::Result<Self> {
        let mut tree = Self::default();
        for name in ROOTS {
            tree.read_below(root, name)?;
        }
        Ok(tree)
    }

    /// A tree of the given files.
    #[must_use]
    pub fn of(files: &[(&str, &str)]) -> Self {
        Self {
            files: files
                .iter()
                .map(|(path, text)| ((*path).to_owned(), Arc::from(*text)))
                .collect(),
        }
    }

    fn read_below(&mut self, root: &Path, name: &str) -> io::Result<()> {
        let path = root.join(name);
        if LEFT_OUT.contains(&name) {
            return Ok(());
        }
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                let entry = entry?.file_name();
                self.read_below(root, &format!("{name}/{}", entry.to_string_lossy()))?;
            }
        } else if path.is_file()
            && path
                .extension()
                .is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known))
        {
            let text = fs::read_to_string(&path)?;
            self.files.insert(name.to_owned(), Arc::from(text));
        }
        Ok(())
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(AsRef::as_ref)
    }

    /// All files with their texts, by path.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_ref()))
    }

    /// The files below `folder` whose names end in `.{extension}`.
    pub fn below<'a>(
        &'a self,
        folder: &'a str,
        extension: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files().filter(move |(path, _)| {
            path.strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/'))
                && path
                    .rsplit_once('.')
                    .is_some_and(|(_, ending)| ending == extension)
        })
    }

    /// The tree with this file's text changed or added.
    #[must_use]
    pub fn with(&self, path: &str, text: &str) -> Self {
        let mut changed = self.clone();
        changed.files.insert(path.to_owned(), Arc::from(text));
        changed
    }

    /// The tree with one text replaced by another in a file.
    ///
    /// # Errors
    /// The text is not in the file exactly once: a replacement that hits nothing would prove nothing.
    pub fn replaced(&self, path: &str, from: &str, to: &str) -> Result<Self, ReplaceError> {
        let text = self
            .text(path)
            .ok_or_else(|| ReplaceError::NoFile(path.to_owned()))?;
        match text.matches(from).count() {
            1 => Ok(self.with(path, &text.replacen(from, to, 1))),
            count => Err(ReplaceError::Occurrences {
                file: path.to_owned(),
                count,
            }),
        }
    }

    /// The first line, from 1, of a file that holds the text; 0 when there is none.
    #[must_use]
    pub fn line_of(&self, path: &str, text: &str) -> usize {
        self.text(path)
            .and_then(|file| file.lines().position(|line| line.contains(text)))
            .map_or(0, |index| index + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_replaced_only_where_it_is_once() {
        let tree = Tree::of(&[("a/b.json", "one two two")]);
        let changed = tree.replaced("a/b.json", "one", "1").unwrap();
        assert_eq!(changed.text("a/b.json"), Some("1 two two"));
        assert_eq!(tree.text("a/b.json"), Some("one two two"));
        let occurrences = |count| {
            Some(ReplaceError::Occurrences {
                file: "a/b.json".to_owned(),
                count,
            })
        };
        assert_eq!(tree.replaced("a/b.json", "two", "2").err(), occurrences(2));
        assert_eq!(tree.replaced("a/b.json", "ten", "2").err(), occurrences(0));
        assert!(matches!(
            tree.replaced("b", "one", "1"),
            Err(ReplaceError::NoFile(_))
        ));
    }

    #[test]
    fn files_are_found_below_a_folder() {
        let tree = Tree::of(&[
            ("infra/a.tf", ""),
            ("infra/b.bicep", ""),
            ("infrared/c.tf", ""),
        ]);
        let found: Vec<&str> = tree.below("infra", "tf").map(|(path, _)| path).collect();
        assert_eq!(found, ["infra/a.tf"]);
    }
}
