//! Tables of allowed property names: `types/*.txt`, read into trees.
//!
//! A line without indentation names a type, an indented one a property: its path with dots between, `!` after a name that must
//! be there, `[]` after a name whose value is an array, then the kind of value. Kinds: `string`, `int`, `bool`, `duration`
//! (ISO 8601), `object` (its members follow), `map` (any members), `any`, or the allowed strings with bars between. A name
//! that holds a dot stands in single quotes.

use std::collections::BTreeMap;

/// What a property's value may be.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Allowed {
    /// An object with the members of the node.
    #[default]
    Object,
    /// A string.
    Text,
    /// A whole number.
    Number,
    /// A boolean.
    Bool,
    /// An ISO 8601 duration.
    Duration,
    /// An object with any members.
    Map,
    /// Anything.
    Any,
    /// One of these strings.
    OneOf(Vec<String>),
}

/// A type or a property.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// Whether the object around it is incomplete without it.
    pub required: bool,
    /// Whether the value is an array of what the rest describes.
    pub array: bool,
    /// What the value, or each item, may be.
    pub allowed: Allowed,
    /// The members of an object.
    pub members: BTreeMap<String, Node>,
}

/// Reads a table: each type's name with its tree.
///
/// # Panics
/// The table is part of this crate; a line in it that cannot be read is a mistake here.
#[must_use]
pub fn read(text: &str) -> BTreeMap<String, Node> {
    let mut types = BTreeMap::new();
    let mut current: Option<(String, Node)> = None;
    for line in text.lines() {
        let words = line.trim();
        if words.is_empty() || words.starts_with('#') {
            continue;
        }
        if !line.starts_with(' ') {
            types.extend(current.take());
            current = Some((words.to_owned(), Node::default()));
            continue;
        }
        let (path, kind) = words.rsplit_once(' ').unwrap_or((words, ""));
        match &mut current {
            Some((_, node)) if !kind.is_empty() => insert(node, path.trim(), kind),
            _ => panic!("the table has an unreadable line: {line}"),
        }
    }
    types.extend(current);
    types
}

fn insert(root: &mut Node, path: &str, kind: &str) {
    let mut node = root;
    for segment in segments(path) {
        // `name![]` and `name[]!` mean the same.
        let name = segment.trim_end_matches(['!', '[', ']']);
        let (required, array) = (
            segment[name.len()..].contains('!'),
            segment[name.len()..].contains("[]"),
        );
        node = node.members.entry(name.to_owned()).or_default();
        node.required |= required;
        node.array |= array;
    }
    node.allowed = match kind {
        "object" => Allowed::Object,
        "string" => Allowed::Text,
        "int" => Allowed::Number,
        "bool" => Allowed::Bool,
        "duration" => Allowed::Duration,
        "map" => Allowed::Map,
        "any" => Allowed::Any,
        words => Allowed::OneOf(words.split('|').map(str::to_owned).collect()),
    };
}

/// The path's names, cut at dots outside of quotes.
fn segments(path: &str) -> Vec<String> {
    let mut segments = vec![String::new()];
    let mut quoted = false;
    for character in path.chars() {
        match character {
            '\'' => quoted = !quoted,
            '.' if !quoted => segments.push(String::new()),
            other => {
                if let Some(last) = segments.last_mut() {
                    last.push(other);
                }
            }
        }
    }
    segments
}

/// Whether the text is an ISO 8601 duration without years and months, as Azure takes them, e.g. `PT1M` or `P14D`.
#[must_use]
pub fn is_duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('P') else {
        return false;
    };
    let (days, time) = match rest.split_once('T') {
        Some((days, time)) => (days, Some(time)),
        None => (rest, None),
    };
    let counted = |mut text: &str, units: &str| -> bool {
        let mut left = units;
        while !text.is_empty() {
            let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let Some(unit) = text[digits..].chars().next() else {
                return false;
            };
            let Some(place) = left.find(unit) else {
                return false;
            };
            if digits == 0 {
                return false;
            }
            left = &left[place + 1..];
            text = &text[digits + 1..];
        }
        true
    };
    (!days.is_empty() || time.is_some())
        && counted(days, "WD")
        && time.is_none_or(|time| !time.is_empty() && counted(time, "HMS"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_becomes_a_tree() {
        let types = read(
            "# comment\nA/b@1\n  name! string\n  properties.logs[].enabled! bool\n  properties.'odata.type' X|Y\n  properties.ids[] string\nC@2\n  tags map\n",
        );
        let node = &types["A/b@1"];
        assert!(node.members["name"].required);
        let properties = &node.members["properties"];
        assert!(!properties.required);
        assert_eq!(
            properties.members["odata.type"].allowed,
            Allowed::OneOf(vec!["X".to_owned(), "Y".to_owned()])
        );
        let logs = &properties.members["logs"];
        assert!(logs.array && logs.members["enabled"].required);
        assert_eq!(logs.members["enabled"].allowed, Allowed::Bool);
        assert!(properties.members["ids"].array);
        assert_eq!(types["C@2"].members["tags"].allowed, Allowed::Map);
    }

    #[test]
    fn durations() {
        for good in ["PT1M", "P14D", "PT6H", "PT5S", "P1DT2H30M", "P2W"] {
            assert!(is_duration(good), "{good}");
        }
        for bad in [
            "", "P", "PT", "1M", "PT1", "PTM", "P1H", "PT5M1H", "PT1.5S", "P1DT",
        ] {
            assert!(!is_duration(bad), "{bad}");
        }
    }
}
