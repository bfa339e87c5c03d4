//! A plain page: a heading and paragraphs, no script, nothing from elsewhere.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const STYLE: &str = "body{font:1.1em/1.5 system-ui,sans-serif;max-width:40em;margin:4em auto;padding:0 1em;color:#222;background:#fff}\
h1{font-size:1.4em}code{background:#eee;padding:.1em .3em}";

/// What the page may load and do: its own style, and nothing else (Content Security Policy Level 3).
pub(super) fn policy() -> String {
    let style = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// The page. Of the texts, what stands between backticks is shown as code; all is escaped.
pub(super) fn page(title: &str, paragraphs: &[String]) -> String {
    let title = escaped(title);
    let paragraphs = paragraphs.iter().map(|text| {
        let pieces = text.split('`').enumerate();
        let pieces = pieces.map(|(number, piece)| match number % 2 {
            1 => format!("<code>{}</code>", escaped(piece)),
            _ => escaped(piece),
        });
        format!("<p>{}</p>\n", pieces.collect::<String>())
    });
    let paragraphs: String = paragraphs.collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n{paragraphs}</body>\n</html>\n"
    )
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
