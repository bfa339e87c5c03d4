use proptest::prelude::*;

use super::*;
use crate::html::to_text;

#[test]
fn special_characters_are_escaped() {
    assert_eq!(
        from_text("<script>alert('1 & \"2\"')</script>"),
        "&lt;script&gt;alert(&#39;1 &amp; &quot;2&quot;&#39;)&lt;/script&gt;"
    );
}

#[test]
fn line_breaks_and_spaces_are_kept() {
    assert_eq!(from_text("a\nb\r\nc\rd"), "a<br>b<br>c<br>d");
    assert_eq!(
        from_text("a\n\n  b   c"),
        "a<br><br>&nbsp;&nbsp;b &nbsp;&nbsp;c"
    );
    assert_eq!(from_text("a\u{0}\u{7}b"), "ab");
}

#[test]
fn addresses_become_links() {
    assert_eq!(
        from_text("see https://example.com/a?b=1&c=2."),
        r#"see <a href="https://example.com/a?b=1&amp;c=2">https://example.com/a?b=1&amp;c=2</a>."#
    );
    assert_eq!(
        from_text("(HTTP://example.com/x_(y))"),
        r#"(<a href="HTTP://example.com/x_(y)">HTTP://example.com/x_(y)</a>)"#
    );
}

#[test]
fn only_web_addresses_become_links() {
    for text in [
        "javascript://x",
        "ftp://x",
        "xhttp://x",
        "http://",
        "https:// x",
        "http:/x",
        "://",
    ] {
        assert_eq!(from_text(text), text);
    }
}

#[test]
fn an_address_ends_before_what_could_disguise_it() {
    for end in ["<", ">", "\"", " ", "\n", "\u{202e}", "\u{200b}", "|"] {
        let html = from_text(&format!("https://example.com/{end}x"));
        assert!(
            html.starts_with(r#"<a href="https://example.com/">https://example.com/</a>"#),
            "{html}"
        );
    }
}

#[test]
fn quotes_cannot_leave_the_attribute() {
    let html = from_text("https://example.com/'onmouseover='x");
    assert!(!html.contains('\''), "{html}");
}

#[test]
fn short_text_is_one_part() {
    assert_eq!(split_for_teams("a\nb", TEAMS_BODY_LIMIT), ["a<br>b"]);
    assert!(split_for_teams(" \n ", TEAMS_BODY_LIMIT).is_empty());
}

#[test]
fn a_few_addresses_cost_no_extra_parts() {
    let text = format!(
        "https://example.com/{} {}",
        "x".repeat(100),
        "word ".repeat(4_900)
    );
    assert_eq!(split_for_teams(&text, TEAMS_BODY_LIMIT).len(), 2);
}

#[test]
fn the_time_is_linear() {
    for text in [
        "http://".repeat(1 << 14),
        "http://a ".repeat(1 << 14),
        "http://a)".repeat(1 << 14),
        "://".repeat(1 << 15),
        "&".repeat(1 << 17),
    ] {
        let parts = split_for_teams(&text, TEAMS_BODY_LIMIT);
        assert!(parts.iter().all(|part| part.len() <= TEAMS_BODY_LIMIT));
    }
}

/// What an agent may type, addresses included.
fn agent_text() -> impl Strategy<Value = String> {
    "(\\PC|\n| |[a-z]{1,9} |https?://[a-z]{1,9}(\\.[a-z]{2}|[/?=&'\")(,])+ ?|👩‍🚀){0,200}"
}

proptest! {
    #[test]
    fn no_markup_but_our_own(text in "\\PC*") {
        let html = from_text(&text);
        let left = html.replace("</a>", "").replace("<br>", "");
        let left: Vec<&str> = left.split(r#"<a href="http"#).collect();
        prop_assert!(left.iter().all(|piece| !piece.contains('<')));
    }

    #[test]
    fn the_text_comes_back(text in agent_text()) {
        let visible = |text: &str| -> String {
            text.chars().filter(|character| !character.is_whitespace() && !character.is_control()).collect()
        };
        // A carriage return, an invisible mark or a soft hyphen does not.
        let text: String = text.chars().filter(|character| !matches!(character, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}')).collect();
        prop_assert_eq!(visible(&to_text(&from_text(&text))), visible(&text));
    }

    #[test]
    fn parts_fit_and_lose_nothing(text in agent_text(), limit in 64_usize..400) {
        let visible = |text: &str| -> String {
            text.chars().filter(|character| !character.is_whitespace() && !character.is_control()).collect()
        };
        let parts = split_for_teams(&text, limit);
        prop_assert!(parts.iter().all(|part| part.len() <= limit));
        let joined: String = parts.iter().map(|part| part.replace("<br>", "").replace("&nbsp;", "")).collect();
        let shown: String = joined.split("<a href=\"").enumerate().map(|(index, piece)| {
            if index == 0 { piece } else { piece.split_once("\">").map_or("", |(_, shown)| shown) }
        }).collect::<String>().replace("</a>", "");
        let mut escaped = Html { output: String::new(), after_space: false };
        escaped.plain(&visible(&text));
        prop_assert_eq!(visible(&shown), escaped.output);
    }
}
