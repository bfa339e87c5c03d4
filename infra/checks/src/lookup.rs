//! The look-ups of the CRM kit, run: their request templates are filled with hostile input, and the query that comes out must be
//! the harmless one with another text in the place of the input.
//!
//! Only what the templates use of Velocity and of Genesys' macros is known here: `${input.x}`, and `$esc.url`,
//! `$esc.javascript` and `$esc.sql` of Apache Velocity's EscapeTool; anything else fails the test.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use proptest::prelude::*;

use crate::inputs::json;

type Input<'a> = BTreeMap<&'a str, &'a str>;

/// Fills a template.
fn filled(template: &str, input: &Input<'_>) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['$']) {
        out += &rest[..at];
        let (value, after) = reference(&rest[at..], input);
        out += &value;
        rest = after;
    }
    out + rest
}

/// The value of the reference that a text begins with, and what follows it.
fn reference<'t>(text: &'t str, input: &Input<'_>) -> (String, &'t str) {
    if let Some(rest) = text.strip_prefix("${input.") {
        let (name, rest) = rest.split_once('}').expect("a closed reference");
        return (input[name].to_owned(), rest);
    }
    let rest = text.strip_prefix("$esc.").expect("a known macro");
    let (name, rest) = rest.split_once('(').expect("an argument");
    let (argument, rest) = if let Some(quoted) = rest.strip_prefix('"') {
        // No template has a double quote inside one.
        let (inside, rest) = quoted.split_once('"').expect("a closed text");
        (filled(inside, input), rest)
    } else {
        reference(rest, input)
    };
    let rest = rest.strip_prefix(')').expect("a closed argument");
    (escaped(name, &argument), rest)
}

/// Apache Velocity's EscapeTool, which Genesys Cloud names `$esc`.
fn escaped(with: &str, text: &str) -> String {
    match with {
        "url" => utf8_percent_encode(text, NON_ALPHANUMERIC).to_string(),
        "sql" => text.replace('\'', "''"),
        // StringEscapeUtils.escapeEcmaScript of Apache Commons.
        "javascript" => text.chars().fold(String::new(), |mut out, it| {
            match it {
                '\'' | '"' | '\\' | '/' => out.extend(['\\', it]),
                ' '..='~' => out.push(it),
                _ => {
                    for unit in it.encode_utf16(&mut [0; 2]) {
                        out += &format!("\\u{unit:04X}");
                    }
                }
            }
            out
        }),
        other => panic!("$esc.{other} is not known"),
    }
}

/// What the CRM reads: the query with `?` in the place of each text, and the texts. `None` where it is no sound query.
fn read(query: &str, backslash: bool) -> Option<(String, Vec<String>)> {
    let mut shape = String::new();
    let mut texts = Vec::new();
    let mut rest = query.chars().peekable();
    while let Some(it) = rest.next() {
        if it != '\'' {
            shape.push(it);
            continue;
        }
        let mut text = Vec::new();
        loop {
            match rest.next()? {
                '\'' if !backslash && rest.next_if_eq(&'\'').is_some() => {
                    text.push(u16::from(b'\''))
                }
                '\'' => break,
                '\\' if backslash => match rest.next()? {
                    'u' => {
                        let digits: String = rest.by_ref().take(4).collect();
                        text.push(u16::from_str_radix(&digits, 16).ok()?);
                    }
                    it @ ('\'' | '"' | '\\') => text.push(it as u16),
                    // SOQL knows no other escaped character that the macro makes, so it refuses the whole query.
                    _ => return None,
                },
                it => text.extend(it.encode_utf16(&mut [0; 2]).iter()),
            }
        }
        shape.push('?');
        texts.push(String::from_utf16(&text).ok()?);
    }
    Some((shape, texts))
}

/// The query that a CRM gets from a data action of this file, as it decodes it.
fn query(file: &str, input: &Input<'_>) -> String {
    let action = json(&format!("infra/genesys/data-actions/{file}.custom.json"));
    let template = action["config"]["request"]["requestUrlTemplate"].as_str();
    let url = filled(template.expect("a template"), input);
    let (_, query) = url.split_once('?').expect("a query");
    // What the input brings must begin no other option of the query, and end none.
    assert!(!query.contains('#'), "{query}");
    let decoded = |it: &str| percent_decode_str(it).decode_utf8_lossy().into_owned();
    let options: Vec<String> = query.split('&').map(decoded).collect();
    options.join("\u{0}")
}

/// What both kinds of look-up take.
const INPUTS: [(&str, &[&str]); 2] = [
    ("contact", &["userId", "email"]),
    ("account", &["tenantId", "domain"]),
];

/// Fails when one of these inputs changes more of a query than its own text.
fn assert_harmless(hostile: &str) {
    for (crm, backslash) in [("salesforce", true), ("dynamics", false)] {
        for (kind, names) in INPUTS {
            let file = format!("{crm}-{kind}");
            let plain: Input<'_> = names.iter().map(|name| (*name, "x")).collect();
            let (shape, before) = read(&query(&file, &plain), backslash).expect("a sound query");
            for name in names {
                let mut input = plain.clone();
                input.insert(name, hostile);
                let Some((found, texts)) = read(&query(&file, &input), backslash) else {
                    assert!(
                        backslash && hostile.contains('/'),
                        "{file}: {hostile:?} breaks it"
                    );
                    continue;
                };
                assert_eq!(found, shape, "{file}: {name} = {hostile:?}");
                let changed = before
                    .iter()
                    .zip(&texts)
                    .filter(|(before, now)| before != now);
                let ends = changed.clone().filter(|(_, now)| now.ends_with(hostile));
                assert!(
                    changed.count() == ends.count(),
                    "{file}: {name} = {hostile:?}: {texts:?}"
                );
                assert!(
                    texts.iter().any(|text| text == hostile),
                    "{file}: {name} = {hostile:?}"
                );
            }
        }
    }
}

#[test]
fn no_name_company_or_address_changes_a_query() {
    for hostile in [
        "anna.o'hara@customer.example",
        "' OR Email != '",
        "\\' OR Email != null OR Email = \\'",
        "\\",
        "x'' or 1 eq 1 or emailaddress1 eq ''",
        "x%27%20or%201%20eq%201",
        "a&$filter=1 eq 1#",
        "a+b@customer.example",
        "${input.userId}$esc.sql(x)#set($a = 1)",
        "Dänemark & Söhne \"GmbH\"",
        "x') UNION SELECT Id FROM User WHERE (Name = '",
        "50%_of\r\nthem",
        "http://evil.example/?q='",
        "\u{1F600}'\u{2019}",
    ] {
        assert_harmless(hostile);
    }
}

/// A mistake in a template is found: the wrong macro, or the right ones the wrong way round.
#[test]
fn the_wrong_macros_are_found() {
    let input = Input::from([("x", "' or 'a' eq 'a")]);
    for (template, backslash) in [
        ("$esc.url(\"a = '$esc.sql(${input.x})'\")", true),
        ("a%20eq%20'$esc.url($esc.javascript(${input.x}))'", false),
        ("a%20eq%20'$esc.sql($esc.url(${input.x}))'", false),
    ] {
        let query = filled(template, &input);
        let query = percent_decode_str(&query).decode_utf8_lossy().into_owned();
        let shape = read(&query, backslash).map(|(shape, _)| shape);
        assert!(
            !matches!(shape.as_deref(), Some("a = ?" | "a eq ?")),
            "{query}"
        );
    }
}

proptest! {
    #[test]
    fn no_text_at_all_changes_a_query(hostile in "[ -~]{1,20}|\\PC{1,20}|['\\\\%&#$x]{1,12}") {
        assert_harmless(&hostile);
    }
}
