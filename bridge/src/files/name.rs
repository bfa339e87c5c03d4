//! File names that came from outside, made safe to show and to send.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::FileKind;
use crate::text::is_hidden;

/// Most characters of a name; the ending is kept.
const LONGEST_NAME: usize = 120;

/// Most characters of what counts as a name's ending, its dot included.
const LONGEST_ENDING: usize = 16;

/// Characters of `filename*` that need no encoding (RFC 8187, `attr-char`, the alphanumeric ones aside).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// A name on one line of at most 120 characters that no file system takes for a path: slashes and what Windows forbids become
/// `_`; control characters, marks that turn the direction of text and leading dots vanish. The ending stays where there is
/// one. Never empty: a name of nothing is `file`.
#[must_use]
pub fn clean_name(name: &str) -> String {
    let mut clean = String::with_capacity(name.len().min(4 * LONGEST_NAME));
    for character in name.chars() {
        match character {
            character if is_hidden(character) => {}
            character if character.is_whitespace() => {
                if !clean.ends_with(' ') {
                    clean.push(' ');
                }
            }
            character if character.is_control() => {}
            '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => clean.push('_'),
            character => clean.push(character),
        }
    }
    let clean = clean.trim_matches(['.', ' ']);
    if clean.is_empty() {
        return "file".to_owned();
    }
    shortened(clean)
}

fn shortened(name: &str) -> String {
    let count = name.chars().count();
    if count <= LONGEST_NAME {
        return name.to_owned();
    }
    let ending = name
        .rfind('.')
        .map(|dot| &name[dot..])
        .filter(|ending| ending.chars().count() <= LONGEST_ENDING)
        .unwrap_or_default();
    let kept = LONGEST_NAME - 1 - ending.chars().count();
    let start: String = name.chars().take(kept).collect();
    format!("{}…{ending}", start.trim_end())
}

/// A name for a file that came without one: the stem, and the ending that its type has.
#[must_use]
pub fn file_name_for(stem: &str, kind: &FileKind) -> String {
    let ending = match kind.media_type.as_str() {
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/gif" => "gif",
        "image/webp" => "webp",
        "image/bmp" => "bmp",
        "image/avif" => "avif",
        "video/mp4" => "mp4",
        "audio/mpeg" => "mp3",
        "application/pdf" => "pdf",
        "text/plain" => "txt",
        _ => return stem.to_owned(),
    };
    format!("{stem}.{ending}")
}

/// `Content-Disposition` for a name (RFC 6266): the name in ASCII for old clients, and as it is for all others.
#[must_use]
pub fn content_disposition(inline: bool, name: &str) -> String {
    let kind = if inline { "inline" } else { "attachment" };
    let name = clean_name(name);
    let is_special = |found: char| "%;".contains(found) || !(' '..='~').contains(&found);
    let ascii = name.replace(is_special, "_");
    let encoded = utf8_percent_encode(&name, ENCODED);
    format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

/// A size as people read it: `812 bytes`, `1.4 MB`.
#[must_use]
pub fn readable_size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    // In tenths, so that whole numbers do.
    let mut tenths = bytes.saturating_mul(10) / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    if tenths >= 100 {
        format!("{} {}", tenths / 10, UNITS[unit])
    } else {
        format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_lose_what_is_dangerous_and_keep_the_rest() {
        for (name, clean) in [
            ("Invoice 4711.pdf", "Invoice 4711.pdf"),
            ("Grüße 🎉.png", "Grüße 🎉.png"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("C:\\temp\\a.txt", "C__temp_a.txt"),
            // The mark that would show `invoice_fdp.exe` as `invoice_exe.pdf`.
            ("invoice_\u{202e}fdp.exe", "invoice_fdp.exe"),
            ("a\r\nb\u{2028}c\0d.txt", "a b cd.txt"),
            (".htaccess", "htaccess"),
            ("...", "file"),
            ("", "file"),
            ("\u{200f} \u{feff}", "file"),
            ("report.", "report"),
        ] {
            assert_eq!(clean_name(name), clean, "{name:?}");
        }
    }

    #[test]
    fn long_names_keep_their_ending() {
        let long = format!("{}.pdf", "n".repeat(300));
        let clean = clean_name(&long);
        assert_eq!(clean.chars().count(), LONGEST_NAME);
        assert!(clean.ends_with("n….pdf"));
        let odd = format!("a.{}", "b".repeat(300));
        assert_eq!(clean_name(&odd).chars().count(), LONGEST_NAME);
    }

    #[test]
    fn dispositions_carry_any_name() {
        assert_eq!(
            content_disposition(false, "Angebot für \"Müller\"; 100 %.pdf"),
            "attachment; filename=\"Angebot f_r _M_ller__ 100 _.pdf\"; filename*=UTF-8''Angebot%20f%C3%BCr%20_M%C3%BCller_%3B%20100%20%25.pdf"
        );
        assert_eq!(
            content_disposition(true, "a.png"),
            "inline; filename=\"a.png\"; filename*=UTF-8''a.png"
        );
    }

    #[test]
    fn sizes_are_readable() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1024, "1.0 KB"),
            (1536, "1.5 KB"),
            (25 * 1024 * 1024, "25 MB"),
            (3 * 1024 * 1024 * 1024, "3.0 GB"),
            (u64::MAX, "1677721 TB"),
        ] {
            assert_eq!(readable_size(bytes), text);
        }
    }

    proptest! {
        #[test]
        fn any_name_becomes_a_safe_one(name in any::<String>()) {
            let clean = clean_name(&name);
            prop_assert!(!clean.is_empty() && clean.chars().count() <= LONGEST_NAME);
            prop_assert!(!clean.contains(['/', '\\', '"', '<', '>']) && !clean.starts_with('.'));
            let hidden = |character: char| character.is_control() || is_hidden(character);
            let line_breaks = ['\n', '\u{2028}', '\u{2029}'];
            prop_assert!(!clean.contains(hidden) && !clean.contains(line_breaks));
            // Cleaning twice changes nothing more.
            prop_assert_eq!(clean_name(&clean), clean);
        }

        #[test]
        fn any_disposition_is_a_header_value(name in any::<String>()) {
            let value = content_disposition(false, &name);
            prop_assert!(value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()));
            prop_assert_eq!(value.matches('"').count(), 2);
        }
    }
}
