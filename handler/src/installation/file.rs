//! `graph-to-open.toml`: what an installation is, in one file that the templates and Terraform read too.
//!
//! It is flat TOML of which every value is JSON as well: one `key = value` a line, comments on lines of their own, no tables. So
//! each of its readers needs a few words only, and a line can be changed without touching the others. No secret belongs in it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use serde_json::Value;

use super::keys::{self, Key};

/// What stands before the keys that the program adds.
const LEARNT: &str = "# Learnt by handler setup.";

/// The file as it was read, and what is to be changed in it.
#[derive(Debug)]
pub struct InstallationFile {
    path: PathBuf,
    values: BTreeMap<String, Value>,
    changed: BTreeMap<&'static str, Value>,
}

impl InstallationFile {
    /// Reads the file at this path.
    ///
    /// # Errors
    /// It is not there, or a line is wrong: a line for each, with its number and what is expected.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => bail!(
                "there is no {shown}: copy graph-to-open.example.toml to it and fill in the first half, or name yours by --file"
            ),
            Err(error) => return Err(anyhow!(error).context(format!("{shown} cannot be read"))),
        };
        let values = parsed(&text).map_err(|problems| {
            let lines = problems
                .into_iter()
                .map(|(number, problem)| format!("{shown}, line {number}: {problem}"));
            anyhow!(lines.collect::<Vec<_>>().join("\n"))
        })?;
        Ok(Self {
            path: path.to_owned(),
            values,
            changed: BTreeMap::new(),
        })
    }

    /// A file that is nowhere, of this text.
    #[cfg(test)]
    pub fn of_text(text: &str) -> Self {
        Self {
            path: PathBuf::new(),
            values: parsed(text).expect("a right file"),
            changed: BTreeMap::new(),
        }
    }

    /// The text of a key; `None` when it is absent or empty.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        let text = self.value(key)?.as_str()?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// What a setting of the app is by this file, so that an operator's commands need no environment variable for it.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<String> {
        let (_, key) = keys::key_of(name)?;
        let value = match self.text(key) {
            Some(text) => text.to_owned(),
            None => self.list(key).join(","),
        };
        (!value.is_empty()).then_some(value)
    }

    /// The texts of a key's array; none when it is absent.
    #[must_use]
    pub fn list(&self, key: &str) -> Vec<&str> {
        let all = self.value(key).and_then(Value::as_array);
        let all = all.into_iter().flatten().filter_map(Value::as_str);
        all.map(str::trim).collect()
    }

    /// The number of a key; `None` when it is absent.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<u64> {
        self.value(key)?.as_u64()
    }

    /// Whether a key says `true`; absent, it does not.
    #[must_use]
    pub fn flag(&self, key: &str) -> bool {
        self.value(key).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The keys that neither templates nor Terraform nor any command read, each with the one that may be meant.
    pub fn unread(&self) -> impl Iterator<Item = (&str, Option<&'static str>)> {
        let names = self.values.keys().map(String::as_str);
        let unread = names.filter(|name| !keys::is_read(name));
        unread.map(|name| (name, keys::meant(name)))
    }

    /// The text of a key that a command cannot do without.
    ///
    /// # Errors
    /// It is absent; the error says what belongs there.
    pub fn required(&self, key: &'static str) -> anyhow::Result<&str> {
        let path = self.path.display();
        self.text(key).with_context(|| {
            let expects = keys::of(key).map_or("its value", |key| key.expects);
            format!("{path} has no {key}: put {expects} there")
        })
    }

    /// Learns a value; tells whether it is another than before. [`Self::save`] writes it.
    pub fn learn(&mut self, key: &'static str, value: impl Into<Value>) -> bool {
        let value = value.into();
        if self.value(key) == Some(&value) {
            return false;
        }
        self.changed.insert(key, value);
        true
    }

    /// Writes what was learnt into the file as it is by now, so that nothing is lost that somebody else wrote meanwhile. Other
    /// lines, their order and their ends stay as they are. It takes the place of the old file at once or not at all.
    ///
    /// # Errors
    /// The file is wrong by now, or cannot be written.
    pub fn save(&mut self) -> anyhow::Result<()> {
        if self.changed.is_empty() {
            return Ok(());
        }
        // A link stays a link.
        let target = self.path.canonicalize()?;
        let unwritten = || format!("{} cannot be written", self.path.display());
        // Until the end: whoever saves at the same time reads only what is there then.
        let _lock = lock(&target).with_context(unwritten)?;
        let now = Self::read(&self.path)?;
        let text = fs::read_to_string(&self.path)?;
        let text = rewritten(&text, &self.changed);
        replace(&target, &text).with_context(unwritten)?;
        self.values = now.values;
        let changed = std::mem::take(&mut self.changed).into_iter();
        self.values
            .extend(changed.map(|(key, value)| (key.to_owned(), value)));
        Ok(())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.changed.get(key).or_else(|| self.values.get(key))
    }
}

/// What one line says.
enum Line<'a> {
    Empty,
    Entry(&'a str, Value),
}

/// The values of a file, or the numbers of its wrong lines and what is wrong with them.
fn parsed(text: &str) -> Result<BTreeMap<String, Value>, Vec<(usize, String)>> {
    let mut values = BTreeMap::new();
    let mut problems = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        match line_of(line) {
            Ok(Line::Empty) => {}
            Ok(Line::Entry(key, value)) => {
                if values.insert(key.to_owned(), value).is_some() {
                    problems.push((
                        number,
                        format!("{key} stands here a second time: leave it once"),
                    ));
                }
            }
            Err(problem) => problems.push((number, problem)),
        }
    }
    match problems.is_empty() {
        true => Ok(values),
        false => Err(problems),
    }
}

fn line_of(line: &str) -> Result<Line<'_>, String> {
    // Some editors put a mark before the first line.
    let line = line.trim_start_matches('\u{feff}').trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(Line::Empty);
    }
    if line.starts_with('[') {
        return Err("it has no tables: put key = value there".to_owned());
    }
    let Some((key, value)) = line.split_once('=') else {
        return Err("put key = value there, or # before a comment".to_owned());
    };
    let (key, value) = (key.trim_end(), value.trim_start());
    let is_bare = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if key.is_empty() || !key.bytes().all(is_bare) {
        return Err("a key has the letters a-z, digits and _ alone".to_owned());
    }
    let known = keys::of(key);
    let expects = || {
        known.map_or(
            "a text in double quotes, a number, true, false, or texts in brackets",
            |key| key.expects,
        )
    };
    let Ok(found) = serde_json::from_str::<Value>(value) else {
        let hint = match value.contains('#') {
            true => "; a comment stands on a line of its own",
            false => "",
        };
        return Err(format!(
            "{key} has no value that can be read: put {} there, on this one line{hint}",
            expects()
        ));
    };
    let is_text = |value: &Value| value.is_string();
    let is_plain = match &found {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => true,
        Value::Array(all) => all.iter().all(is_text),
        Value::Null | Value::Object(_) => false,
    };
    let is_right = is_plain && known.is_none_or(|key| key.takes(&found));
    match is_right {
        true => Ok(Line::Entry(key, found)),
        false => Err(format!(
            "{key} is something else than expected: put {} there",
            expects()
        )),
    }
}

/// The text with these values: in the place of the key's line, or at the end.
fn rewritten(text: &str, changed: &BTreeMap<&'static str, Value>) -> String {
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut left = changed.clone();
    let mut written = String::with_capacity(text.len() + 256);
    for line in text.split_inclusive('\n') {
        let found = match line_of(line) {
            Ok(Line::Entry(key, _)) => left.remove_entry(key),
            _ => None,
        };
        match found {
            Some((key, value)) => written.push_str(&format!("{key} = {value}{end}")),
            None => written.push_str(line),
        }
    }
    if left.is_empty() {
        return written;
    }
    if !written.is_empty() && !written.ends_with('\n') {
        written.push_str(end);
    }
    if !text.lines().any(|line| line.trim() == LEARNT) {
        written.push_str(&format!("{end}{LEARNT}{end}"));
    }
    // In the order in which the keys are known, so that two machines write the same.
    for Key { name, .. } in keys::ALL {
        if let Some(value) = left.get(name) {
            written.push_str(&format!("{name} = {value}{end}"));
        }
    }
    written
}

/// Waits until nobody else saves this file, and keeps others from it as long as what is returned lives. The lock is on a file of its
/// own beside it, which stays: the file itself is another one after each save.
fn lock(target: &Path) -> std::io::Result<fs::File> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let beside = target.with_file_name(format!(".{name}.lock"));
    let mut options = fs::OpenOptions::new();
    let file = options.create(true).append(true).open(beside)?;
    file.lock()?;
    Ok(file)
}

/// Puts a new file into the place of the old one, with the same permissions.
fn replace(target: &Path, text: &str) -> std::io::Result<()> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let fresh = target.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let write = || {
        let mut file = fs::File::create(&fresh)?;
        file.set_permissions(fs::metadata(target)?.permissions())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, target)
    };
    let written = write();
    if written.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    written
}

#[cfg(test)]
mod tests;
