//! Queries in the Kusto language (KQL), as far as the checks need them: which tables, which fields of our log lines, and which
//! events and other values they are compared with.

use std::collections::{BTreeMap, BTreeSet};

/// A piece of a query.
#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Text(String),
    Number,
    Mark(&'static str),
    Other(char),
}

/// What a query asks of our log lines.
#[derive(Debug, Default)]
pub struct Query {
    /// Names of the tables at its beginning, or of all in a `union`.
    pub tables: BTreeSet<String>,
    /// Fields of the log line's JSON object.
    pub fields: BTreeSet<String>,
    /// Strings that each field is compared with.
    pub compared: BTreeMap<String, BTreeSet<String>>,
    /// Every name that stands in it.
    pub names: BTreeSet<String>,
    /// What is wrong with its form.
    pub faults: Vec<String>,
}

const MARKS: &[&str] = &["==", "!=", "=~", "!~", "<=", ">=", "..", "=>"];

/// Functions that turn text into an object.
const PARSERS: &[&str] = &["parse_json", "todynamic"];

/// Functions that only change the type of a field.
const CASTS: &[&str] = &[
    "tostring",
    "toint",
    "tolong",
    "todouble",
    "toreal",
    "tobool",
    "todatetime",
    "tolower",
    "coalesce",
];

impl Query {
    /// Reads a query.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut query = Self::default();
        let tokens = tokens(text, &mut query.faults);
        query.balance(&tokens);
        query
            .names
            .extend(tokens.iter().filter_map(|token| match token {
                Token::Name(name) => Some(name.clone()),
                _ => None,
            }));
        query.tables(&tokens);
        let objects = objects(&tokens);
        let (at, aliases) = query.field_places(&tokens, &objects);
        query.comparisons(&tokens, &at, &aliases);
        query
    }

    fn balance(&mut self, tokens: &[Token]) {
        let mut open = Vec::new();
        for token in tokens {
            match token {
                Token::Other(mark @ ('(' | '[' | '{')) => open.push(*mark),
                Token::Other(mark @ (')' | ']' | '}')) => {
                    let right = match mark {
                        ')' => '(',
                        ']' => '[',
                        _ => '{',
                    };
                    if open.pop() != Some(right) {
                        self.faults.push(format!("`{mark}` closes nothing"));
                    }
                }
                _ => {}
            }
        }
        if let Some(mark) = open.pop() {
            self.faults.push(format!("`{mark}` is not closed"));
        }
        if tokens.is_empty() {
            self.faults.push("the query is empty".to_owned());
        }
    }

    /// Names at the beginning, after `union`, after `(` at the beginning of a union's part, and in joins.
    fn tables(&mut self, tokens: &[Token]) {
        let lets: BTreeSet<&str> = tokens
            .windows(2)
            .filter_map(|pair| match pair {
                [Token::Name(word), Token::Name(name)] if word == "let" => Some(name.as_str()),
                _ => None,
            })
            .collect();
        let mut begins = true;
        let mut in_union = false;
        for (index, token) in tokens.iter().enumerate() {
            match token {
                Token::Name(name) if begins => {
                    begins = false;
                    if name == "union" {
                        in_union = true;
                    } else if name != "let"
                        && name != "print"
                        && name != "range"
                        && !lets.contains(name.as_str())
                    {
                        self.tables.insert(name.clone());
                    }
                }
                Token::Name(name) if in_union => {
                    let option = matches!(tokens.get(index + 1), Some(Token::Other('=')))
                        || matches!(
                            index.checked_sub(1).and_then(|before| tokens.get(before)),
                            Some(Token::Other('='))
                        );
                    if !option && !lets.contains(name.as_str()) {
                        self.tables.insert(name.clone());
                    }
                }
                Token::Other('|') => in_union = false,
                Token::Other(';') => {
                    begins = true;
                    in_union = false;
                }
                _ => {}
            }
        }
    }

    /// Where a token is the last of `object.field`, with the field; and the columns that hold a field.
    fn field_places(
        &mut self,
        tokens: &[Token],
        objects: &BTreeSet<String>,
    ) -> (BTreeMap<usize, String>, BTreeMap<String, String>) {
        let mut at = BTreeMap::new();
        for index in 0..tokens.len() {
            let after_object = match &tokens[index] {
                Token::Name(name) => objects.contains(name) && !is_member(tokens, index),
                Token::Other(')') => closes_parser(tokens, index),
                _ => false,
            };
            if !after_object {
                continue;
            }
            let field = match (tokens.get(index + 1), tokens.get(index + 2)) {
                (Some(Token::Other('.')), Some(Token::Name(field)))
                | (Some(Token::Other('[')), Some(Token::Text(field))) => field.clone(),
                _ => continue,
            };
            let last = match tokens.get(index + 1) {
                Some(Token::Other('[')) => index + 3,
                _ => index + 2,
            };
            self.fields.insert(field.clone());
            at.insert(last, field);
        }
        let mut aliases = BTreeMap::new();
        for index in 0..tokens.len() {
            if let (Token::Name(alias), Some(Token::Other('='))) =
                (&tokens[index], tokens.get(index + 1))
                && let Some(field) = assigned(tokens, index + 2, &at)
            {
                aliases.insert(alias.clone(), field);
            }
        }
        (at, aliases)
    }

    fn comparisons(
        &mut self,
        tokens: &[Token],
        at: &BTreeMap<usize, String>,
        aliases: &BTreeMap<String, String>,
    ) {
        for index in 0..tokens.len() {
            let field = match (&tokens[index], at.get(&index)) {
                (_, Some(field)) => field.clone(),
                (Token::Name(name), None) if !is_member(tokens, index) => match aliases.get(name) {
                    Some(field) => field.clone(),
                    None => continue,
                },
                _ => continue,
            };
            let mut next = index + 1;
            while matches!(tokens.get(next), Some(Token::Other(')'))) {
                next += 1;
            }
            if matches!(tokens.get(next), Some(Token::Other('!'))) {
                next += 1;
            }
            let listed = match tokens.get(next) {
                Some(Token::Mark("==" | "!=" | "=~" | "!~")) => false,
                Some(Token::Name(word)) if word == "in" || word == "has_any" => true,
                _ => continue,
            };
            next += 1;
            if matches!(tokens.get(next), Some(Token::Other('~'))) {
                next += 1;
            }
            let values = self.compared.entry(field).or_default();
            if listed {
                for token in &tokens[(next + 1).min(tokens.len())..] {
                    match token {
                        Token::Text(text) => {
                            values.insert(text.clone());
                        }
                        Token::Other(',') => {}
                        _ => break,
                    }
                }
            } else if let Some(Token::Text(text)) = tokens.get(next) {
                values.insert(text.clone());
            }
        }
        // `message has '"event":"name"'` and `message has "\"event\":\"name\""`.
        for token in tokens {
            if let Token::Text(text) = token
                && let Some((_, rest)) = text.split_once("\"event\":\"")
                && let Some((event, _)) = rest.split_once('"')
            {
                self.fields.insert("event".to_owned());
                self.compared
                    .entry("event".to_owned())
                    .or_default()
                    .insert(event.to_owned());
            }
        }
    }
}

/// Whether the name at the index is itself a member of something.
fn is_member(tokens: &[Token], index: usize) -> bool {
    index
        .checked_sub(1)
        .is_some_and(|before| tokens[before] == Token::Other('.'))
}

/// Whether the bracket at the index ends `parse_json(…)`.
fn closes_parser(tokens: &[Token], index: usize) -> bool {
    let mut depth = 0;
    for before in (0..=index).rev() {
        match &tokens[before] {
            Token::Other(')') => depth += 1,
            Token::Other('(') => {
                depth -= 1;
                if depth == 0 {
                    return before.checked_sub(1).is_some_and(|name| {
                        matches!(&tokens[name], Token::Name(name) if PARSERS.contains(&name.as_str()))
                    });
                }
            }
            _ => {}
        }
    }
    false
}

/// Columns that hold a whole log line as an object: `name = parse_json(…)`, without a member taken from it.
fn objects(tokens: &[Token]) -> BTreeSet<String> {
    let mut objects = BTreeSet::new();
    for window in tokens.windows(4) {
        if let [
            Token::Name(name),
            Token::Other('='),
            Token::Name(function),
            Token::Other('('),
        ] = window
            && PARSERS.contains(&function.as_str())
        {
            objects.insert(name.clone());
        }
    }
    objects
}

/// The field that the expression at the index is, when it is nothing but a field or a cast of one.
fn assigned(tokens: &[Token], mut index: usize, at: &BTreeMap<usize, String>) -> Option<String> {
    while let (Some(Token::Name(name)), Some(Token::Other('('))) =
        (tokens.get(index), tokens.get(index + 1))
        && CASTS.contains(&name.as_str())
    {
        index += 2;
    }
    // The object's name, or `parse_json(…)`, and then the field.
    let end = at.range(index..).next()?;
    let between = &tokens[index..*end.0];
    let plain = !between
        .iter()
        .any(|token| matches!(token, Token::Other('|' | ',' | ';' | '+' | '-' | '*')));
    plain.then(|| end.1.clone())
}

fn tokens(text: &str, faults: &mut Vec<String>) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
        } else if let Some(comment) = rest.strip_prefix("//") {
            rest = comment.find('\n').map_or("", |end| &comment[end..]);
        } else if first == '"' || first == '\'' || rest.starts_with("@\"") || rest.starts_with("@'")
        {
            let (token, after) = string(rest, faults);
            tokens.push(token);
            rest = after;
        } else if first.is_alphabetic() || first == '_' || first == '$' {
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$')
                .unwrap_or(rest.len());
            tokens.push(Token::Name(rest[..end].to_owned()));
            rest = &rest[end..];
        } else if first.is_ascii_digit() {
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && c != '.')
                .unwrap_or(rest.len());
            // `1..5` is a range, and `1d` a time.
            tokens.push(Token::Number);
            rest = &rest[end..];
        } else if let Some(mark) = MARKS.iter().find(|mark| rest.starts_with(**mark)) {
            tokens.push(Token::Mark(mark));
            rest = &rest[mark.len()..];
        } else {
            tokens.push(Token::Other(first));
            rest = &rest[first.len_utf8()..];
        }
    }
    tokens
}

fn string<'a>(text: &'a str, faults: &mut Vec<String>) -> (Token, &'a str) {
    let verbatim = text.starts_with('@');
    let text = text.strip_prefix('@').unwrap_or(text);
    let quote = text.chars().next().unwrap_or('"');
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((index, character)) = characters.next() {
        match character {
            '\\' if !verbatim => value.extend(characters.next().map(|(_, escaped)| escaped)),
            _ if character == quote => {
                if verbatim && characters.peek().is_some_and(|(_, next)| *next == quote) {
                    characters.next();
                    value.push(quote);
                } else {
                    return (Token::Text(value), &text[index + quote.len_utf8()..]);
                }
            }
            other => value.push(other),
        }
    }
    faults.push("a string is not closed".to_owned());
    (Token::Text(value), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(set: &BTreeSet<String>) -> Vec<&str> {
        set.iter().map(String::as_str).collect()
    }

    #[test]
    fn events_and_fields_of_an_extended_column() {
        let query = Query::read(
            r#"traces | where message startswith "{" // our lines
            | extend entry = parse_json(message) | extend event = tostring(entry.event), age = tolong(entry["age_s"])
            | where event in ("settled", "handed_back") and tostring(entry.kind) == "throttled" or age > 5"#,
        );
        assert_eq!(strings(&query.tables), ["traces"]);
        assert_eq!(strings(&query.fields), ["age_s", "event", "kind"]);
        assert_eq!(
            strings(&query.compared["event"]),
            ["handed_back", "settled"]
        );
        assert_eq!(strings(&query.compared["kind"]), ["throttled"]);
        assert!(query.faults.is_empty());
    }

    #[test]
    fn fields_without_a_column_of_their_own() {
        let query = Query::read(
            "union isfuzzy=true traces, requests | where parse_json(message).event !in~ ('a') and todynamic(message)['event'] =~ @'b'",
        );
        assert_eq!(strings(&query.tables), ["requests", "traces"]);
        assert_eq!(strings(&query.compared["event"]), ["a", "b"]);
    }

    #[test]
    fn events_in_the_text_of_a_line() {
        let query = Query::read(r#"AppTraces | where Message has '"event":"panic"'"#);
        assert_eq!(strings(&query.compared["event"]), ["panic"]);
    }

    #[test]
    fn a_query_cut_short_is_found() {
        assert!(!Query::read("traces | where (a == 'b'").faults.is_empty());
        assert!(!Query::read("traces | where a == 'b").faults.is_empty());
        assert!(!Query::read("traces | where a)").faults.is_empty());
        assert!(!Query::read(" ").faults.is_empty());
    }
}
