//! The events of the log, which `EVENTS.md` lists with what each of them means.

/// The name of every event: what the field `event` of a line can say.
pub fn names() -> impl Iterator<Item = &'static str> {
    rows().map(|(name, _)| name)
}

/// What an event means, with the names of its line's further fields; nothing for a name that is no event's.
pub fn meaning(event: &str) -> Option<&'static str> {
    rows().find_map(|(name, meaning)| (name == event).then_some(meaning))
}

/// Names and meanings.
fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    let rows = include_str!("../EVENTS.md").lines();
    rows.filter_map(|row| row.strip_prefix("| `")?.split_once("` | "))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The names of all events that the sources below a folder log; tests are left out.
    fn logged(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            if path.is_dir() && name != "tests" && name != "target" {
                logged(&path, found);
            } else if path.extension().is_some_and(|it| it == "rs") && name != "tests" {
                let text = fs::read_to_string(&path).expect("a source file");
                for before in ["event = \"", "handed_back(\""] {
                    let names = text.split(before).skip(1);
                    found.extend(names.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
                }
            }
        }
    }

    #[test]
    fn the_list_is_what_the_program_logs_sorted_and_explained() {
        let mut found = BTreeSet::new();
        for part in ["functions", "services/src", "handler/src"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(part);
            logged(&folder, &mut found);
        }
        // This file splits sources at the very words that it looks for.
        found.retain(|name| {
            name.bytes()
                .all(|it| it == b'_' || it.is_ascii_alphanumeric())
        });
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(
            names().collect::<Vec<_>>(),
            found,
            "EVENTS.md, what is logged"
        );
        assert!(rows().all(|(_, meaning)| meaning.len() > 15));
    }
}
