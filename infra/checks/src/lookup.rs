//! The look-ups of the CRM kit, run: their request templates are filled with hostile input, and the query that comes out must be
//! the harmless one with another text in the place of the input.
//!
//! The templates are filled by the local platform's engine, which knows what they use of Velocity and of Genesys' macros; anything
//! else fails the test. What a CRM reads is stated here once more.

use local::crm::template::{Values, filled};
use percent_encoding::percent_decode_str;
use proptest::prelude::*;

use crate::inputs::json;

/// Inputs of a data action by their names.
type Input<'a> = [(&'a str, &'a str)];

fn values(input: &Input<'_>) -> Values {
    let owned = |(name, value): &(&str, &str)| (format!("input.{name}"), (*value).to_owned());
    input.iter().map(owned).collect()
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
    let url = filled(template.expect("a template"), &values(input)).expect("known macros");
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
            let plain: Vec<_> = names.iter().map(|name| (*name, "x")).collect();
            let (shape, before) = read(&query(&file, &plain), backslash).expect("a sound query");
            for (place, name) in names.iter().enumerate() {
                let mut input = plain.clone();
                input[place] = (name, hostile);
                let (found, texts) = read(&query(&file, &input), backslash)
                    .unwrap_or_else(|| panic!("{file}: {hostile:?} breaks it"));
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
        "\\/' OR Email != null OR Email = '/\\",
        "\u{1F600}'\u{2019}",
    ] {
        assert_harmless(hostile);
    }
}

/// A mistake in a template is found: the wrong macro, or the right ones the wrong way round.
#[test]
fn the_wrong_macros_are_found() {
    let input = values(&[("x", "' or '/' eq '/")]);
    for (template, backslash) in [
        ("$esc.url(\"a = '$esc.sql(${input.x})'\")", true),
        ("$esc.url(\"a = '$esc.javascript(${input.x})'\")", true),
        (
            "$esc.url(\"a = '$esc.javascript(${input.x}).replace('\\', '')'\")",
            true,
        ),
        ("a%20eq%20'$esc.url($esc.javascript(${input.x}))'", false),
        ("a%20eq%20'$esc.sql($esc.url(${input.x}))'", false),
    ] {
        let query = filled(template, &input).expect("known macros");
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
    fn no_text_at_all_changes_a_query(hostile in "[ -~]{1,20}|\\PC{1,20}|['\\\\/%&#$x]{1,12}") {
        assert_harmless(&hostile);
    }
}
