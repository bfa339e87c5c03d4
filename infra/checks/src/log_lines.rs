//! The log lines that the program writes, read from its sources: which events there are and which fields each has.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::Tree;

/// Fields that every line has (`handler/src/logging.rs`); `message` is the line's text, where it has one.
const OF_EVERY_LINE: &[&str] = &["timestamp", "level", "target", "message", "event"];

/// Folders whose crates log.
const SOURCES: &[&str] = &["bridge/src", "functions", "handler/src", "services/src"];

/// The events with their fields.
#[derive(Debug, Default)]
pub struct LogLines {
    events: BTreeMap<String, BTreeSet<String>>,
    spans: BTreeSet<String>,
}

impl LogLines {
    /// Reads all sources of the tree, tests left out.
    #[must_use]
    pub fn read(tree: &Tree) -> Self {
        let mut lines = Self::default();
        for folder in SOURCES {
            for (path, text) in tree.below(folder, "rs") {
                // Most sources log nothing; parsing them would only take time.
                if !is_test(path)
                    && text.contains("tracing::")
                    && let Ok(tokens) = text.parse::<TokenStream>()
                {
                    lines.walk(tokens);
                }
            }
        }
        lines
    }

    /// Whether some line has this event.
    #[must_use]
    pub fn has_event(&self, event: &str) -> bool {
        self.events.contains_key(event)
    }

    /// Whether lines of this event, or of any event without one, can have the field.
    #[must_use]
    pub fn has_field(&self, event: Option<&str>, field: &str) -> bool {
        OF_EVERY_LINE.contains(&field)
            || self.spans.contains(field)
            || match event {
                Some(event) => self
                    .events
                    .get(event)
                    .is_some_and(|fields| fields.contains(field)),
                None => self.events.values().any(|fields| fields.contains(field)),
            }
    }

    fn walk(&mut self, tokens: TokenStream) {
        let mut rest = tokens.into_iter().peekable();
        while let Some(token) = rest.next() {
            match token {
                TokenTree::Ident(ident) if ident == "mod" => skip_tests(&mut rest),
                TokenTree::Ident(ident) if ident == "tracing" => self.call(&mut rest),
                TokenTree::Group(group) => self.walk(group.stream()),
                _ => {}
            }
        }
    }

    /// What follows the word `tracing`: `::name!(…)` or something else.
    fn call(&mut self, rest: &mut Peekable<impl Iterator<Item = TokenTree>>) {
        let is = |token: Option<&TokenTree>, mark: char| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == mark);
        for _ in 0..2 {
            if !is(rest.peek(), ':') {
                return;
            }
            rest.next();
        }
        let Some(TokenTree::Ident(name)) = rest.next() else {
            return;
        };
        if !is(rest.peek(), '!') {
            return;
        }
        rest.next();
        let name = name.to_string();
        let is_span = name.ends_with("span");
        if !is_span
            && !matches!(
                name.as_str(),
                "error" | "warn" | "info" | "debug" | "trace" | "event"
            )
        {
            return;
        }
        if let Some(TokenTree::Group(group)) = rest.next()
            && group.delimiter() == Delimiter::Parenthesis
        {
            self.note(is_span, group.stream());
        }
    }

    fn note(&mut self, is_span: bool, arguments: TokenStream) {
        let mut fields = BTreeSet::new();
        let mut event = None;
        for argument in split(arguments) {
            let Some((name, value)) = field(&argument) else {
                continue;
            };
            if name == "event" && value.is_some() {
                event = value;
            }
            fields.insert(name);
        }
        if is_span {
            self.spans.extend(fields);
        } else if let Some(event) = event {
            self.events.entry(event).or_default().extend(fields);
        }
    }
}

fn is_test(path: &str) -> bool {
    path.split('/').any(|part| {
        matches!(part, "tests" | "tests.rs" | "testing.rs") || part.ends_with("_tests.rs")
    })
}

fn skip_tests(rest: &mut Peekable<impl Iterator<Item = TokenTree>>) {
    if matches!(rest.peek(), Some(TokenTree::Ident(name)) if name == "tests") {
        rest.next();
        if matches!(rest.peek(), Some(TokenTree::Group(_))) {
            rest.next();
        }
    }
}

/// The arguments between the commas.
fn split(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut arguments = vec![Vec::new()];
    for token in tokens {
        match &token {
            TokenTree::Punct(punct) if punct.as_char() == ',' => arguments.push(Vec::new()),
            _ => {
                if let Some(last) = arguments.last_mut() {
                    last.push(token);
                }
            }
        }
    }
    arguments
}

/// The name of a field, and its value where that is a string literal: `name = value`, `name`, `%name` or `?name`.
fn field(argument: &[TokenTree]) -> Option<(String, Option<String>)> {
    let mut rest = argument.iter();
    let mut first = rest.next()?;
    if matches!(first, TokenTree::Punct(punct) if matches!(punct.as_char(), '%' | '?')) {
        first = rest.next()?;
    }
    let TokenTree::Ident(name) = first else {
        return None;
    };
    match rest.next() {
        None => Some((name.to_string(), None)),
        Some(TokenTree::Punct(punct)) if punct.as_char() == '=' => {
            let value = match rest.next() {
                Some(TokenTree::Literal(literal)) => literal
                    .to_string()
                    .strip_prefix('"')
                    .and_then(|text| text.strip_suffix('"'))
                    .map(str::to_owned),
                _ => None,
            };
            Some((name.to_string(), value))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> LogLines {
        LogLines::read(&Tree::of(&[("functions/src/a.rs", source)]))
    }

    #[test]
    fn events_have_their_fields_and_those_of_spans() {
        let lines = read(
            r#"fn a() {
                let span = tracing::info_span!("invocation", function, lane = tracing::field::Empty);
                if b { tracing::error!(event = "sent", kind = error.kind.label(), %status, "text, with = sign"); }
                tracing::warn!(event = "lost", age_s);
            }"#,
        );
        assert!(lines.has_event("sent") && lines.has_event("lost"));
        for field in ["kind", "status", "function", "lane", "level"] {
            assert!(lines.has_field(Some("sent"), field), "{field}");
        }
        assert!(!lines.has_field(Some("sent"), "age_s"));
        assert!(lines.has_field(None, "age_s"));
        assert!(!lines.has_field(None, "text"));
    }

    #[test]
    fn tests_emit_nothing() {
        let lines = read(
            r#"mod tests { fn a() { tracing::info!(event = "fake"); } } fn b() { tracing::debug!(event = "true") }"#,
        );
        assert!(!lines.has_event("fake"));
        assert!(lines.has_event("true"));
    }
}
