//! Genesys Cloud's templates of data actions, as far as the shipped ones use them: `${input.x}`, `$!{x}`, `$esc.url`,
//! `$esc.javascript`, `$esc.sql`, `.replace('a', 'b')` behind one of these three, and `#if` on comparisons with `||`. Anything
//! else is an error, where Velocity would pass much of it through. Sources: Apache Velocity, "User Guide" and `EscapeTool`;
//! Genesys Cloud Resource Center, "Velocity macros for data actions" and there "Java string method macros".

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use thiserror::Error;

/// What references stand for, by their names: `input.userId`, `tier`. A value is never read as a template.
pub type Values = BTreeMap<String, String>;

/// Why a template cannot be filled.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TemplateError {
    /// Something that is not known here.
    #[error("the template has something unknown at {0:?}")]
    Unknown(String),
    /// Something that has no end.
    #[error("the template lacks {0:?}")]
    Lacks(&'static str),
    /// A reference that must stand for something and does not.
    #[error("there is no value for {0}")]
    NoValue(String),
}

/// Fills a template.
///
/// # Errors
/// When it has anything that is not known here, or a reference without a value.
pub fn filled(template: &str, values: &Values) -> Result<String, TemplateError> {
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['$', '#']) {
        out += &rest[..at];
        let special = &rest[at..];
        let (value, after) = match special.strip_prefix("#if(") {
            Some(condition) => choice(condition, values)?,
            None => reference(special, values)?,
        };
        out += &value;
        rest = after;
    }
    Ok(out + rest)
}

/// The value of the reference that a text begins with, and what follows it.
fn reference<'t>(text: &'t str, values: &Values) -> Result<(String, &'t str), TemplateError> {
    if let Some(rest) = text.strip_prefix("$!{") {
        let (name, rest) = until(rest, "}")?;
        return Ok((values.get(name).cloned().unwrap_or_default(), rest));
    }
    if let Some(rest) = text.strip_prefix("${") {
        let (name, rest) = until(rest, "}")?;
        let value = values.get(name).cloned();
        let value = value.ok_or_else(|| TemplateError::NoValue(name.to_owned()))?;
        return Ok((value, rest));
    }
    let Some(rest) = text.strip_prefix("$esc.") else {
        return Err(unknown(text));
    };
    let (name, rest) = until(rest, "(")?;
    let (argument, rest) = if rest.starts_with('"') {
        quoted(rest, values)?
    } else {
        reference(rest, values)?
    };
    let rest = after(rest, ")")?;
    replaced(escaped(name, &argument)?, rest)
}

/// A value with `.replace('a', 'b')` done where the text begins with it, and what follows it. Java's `String.replace` takes both
/// as they are, from left to right, and Velocity leaves a text in single quotes as it is.
fn replaced(value: String, text: &str) -> Result<(String, &str), TemplateError> {
    let Some(rest) = text.strip_prefix(".replace('") else {
        return Ok((value, text));
    };
    let (what, rest) = until(rest, "', '")?;
    let (by, rest) = until(rest, "')")?;
    if what.is_empty() || [what, by].iter().any(|it| it.contains('\'')) {
        return Err(unknown(text));
    }
    Ok((value.replace(what, by), rest))
}

/// A text in double quotes, filled, and what follows it. No template has a double quote inside one.
fn quoted<'t>(text: &'t str, values: &Values) -> Result<(String, &'t str), TemplateError> {
    let (inside, rest) = until(after(text, "\"")?, "\"")?;
    Ok((filled(inside, values)?, rest))
}

/// `#if(…)…#{else}…#end` from its condition on, and what follows it. No template has one inside another.
fn choice<'t>(text: &'t str, values: &Values) -> Result<(String, &'t str), TemplateError> {
    let mut is_true = false;
    let mut rest = text;
    loop {
        let (left, behind) = quoted(rest, values)?;
        let (right, behind) = quoted(after(behind, " == ")?, values)?;
        is_true |= left == right;
        match behind.strip_prefix(" || ") {
            Some(next) => rest = next,
            None => {
                rest = after(behind, ")")?;
                break;
            }
        }
    }
    let (then, rest) = until(rest, "#{else}")?;
    let (otherwise, rest) = until(rest, "#end")?;
    let chosen = if is_true { then } else { otherwise };
    Ok((filled(chosen, values)?, rest))
}

/// What stands before an end, and what behind it.
fn until<'t>(text: &'t str, end: &'static str) -> Result<(&'t str, &'t str), TemplateError> {
    text.split_once(end).ok_or(TemplateError::Lacks(end))
}

/// What stands behind something that must come here.
fn after<'t>(text: &'t str, what: &str) -> Result<&'t str, TemplateError> {
    text.strip_prefix(what).ok_or_else(|| unknown(text))
}

fn unknown(text: &str) -> TemplateError {
    TemplateError::Unknown(text.chars().take(20).collect())
}

/// Apache Velocity's EscapeTool, which Genesys Cloud names `$esc`.
fn escaped(with: &str, text: &str) -> Result<String, TemplateError> {
    Ok(match with {
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
        other => return Err(unknown(&format!("$esc.{other}"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(of: &[(&str, &str)]) -> Values {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        of.iter().map(owned).collect()
    }

    #[test]
    fn references_macros_and_choices_are_filled_and_values_are_not_templates() {
        let values = values(&[
            ("input.x", "$esc.url(${input.x})#end'"),
            ("input.y", "/"),
            ("tier", "\"Gold\""),
        ]);
        for (template, expected) in [
            ("a ${input.x}", "a $esc.url(${input.x})#end'"),
            ("$!{absent}-$!{tier}", "-\"Gold\""),
            ("$esc.sql(${input.x})", "$esc.url(${input.x})#end''"),
            ("$esc.url(\"a='$!{tier}'\")", "a%3D%27%22Gold%22%27"),
            ("$esc.javascript(\"é/\")", "\\u00E9\\/"),
            (
                r#"$esc.javascript("é/\/'/").replace('\/', '/').replace"#,
                r"\u00E9/\\/\'/.replace",
            ),
            (
                r#"$esc.url("'$esc.sql(${input.y}).replace('/', '')'")"#,
                "%27%27",
            ),
            ("#if(\"$!{absent}\" == \"\")1#{else}2#end", "1"),
            (
                "#if(\"x\" == \"y\" || \"$!{tier}\" == \"null\")\"\"#{else}$!{tier}#end!",
                "\"Gold\"!",
            ),
        ] {
            assert_eq!(filled(template, &values).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        for template in [
            "${input.absent}",
            "${input.x",
            "$esc.html(${input.x})",
            "$esc.url(x)",
            "$esc.url(${input.x}",
            "$esc.url(${input.x}).replace('', 'b')",
            "$esc.url(${input.x}).replace('a','b')",
            "$esc.url(${input.x}).replace('a'a', 'b')",
            "$esc.url(${input.x}).replace('a', 'b'",
            "$input.x",
            "#set($a = 1)",
            "#if($a)1#{else}2#end",
            "#if(\"a\" == \"a\")1#end",
            "#if(\"a\" == \"a\")1#{else}2",
            "a # b",
        ] {
            let values = values(&[("input.x", "x")]);
            assert!(filled(template, &values).is_err(), "{template}");
        }
    }
}
