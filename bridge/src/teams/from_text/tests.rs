mod dom;
mod parts;

use dom::{Dom, words};
use proptest::prelude::*;

use super::*;
use crate::teams::to_text::to_text;
use crate::text::tests::rules_hold;

#[test]
fn each_rule_of_the_html_holds() {
    let rules = include_str!("../../../fixtures/text_to_html.json");
    rules_hold(rules, |given: String| from_text(&given));
}

#[test]
fn names_of_files_are_escaped() {
    assert_eq!(
        escaped("- `a`  <b>\u{7}\n.pdf"),
        "- `a` &nbsp;&lt;b&gt;.pdf"
    );
    assert_eq!(escaped("https://example.com"), "https://example.com");
}

#[test]
fn links_show_another_text() {
    assert_eq!(
        link("https://example.com/?a=1&b=\"2\"", "<1>.pdf").as_deref(),
        Some(r#"<a href="https://example.com/?a=1&amp;b=&quot;2&quot;">&lt;1&gt;.pdf</a>"#)
    );
    assert_eq!(
        link("HTTP://example.com", " ").as_deref(),
        Some(r#"<a href="HTTP://example.com">HTTP://example.com</a>"#)
    );
}

#[test]
fn only_web_addresses_are_linked() {
    for address in [
        "javascript:alert(1)",
        "javascript://example.com",
        "data:text/html,x",
        "ftp://example.com",
        "mailto:a@example.com",
        "/relative",
        "",
        "https:",
        "https://",
        "https:///x",
        " https://example.com",
        "https://example.com/a b",
        "https://example.com/\u{202e}x",
    ] {
        assert_eq!(link(address, "x"), None, "{address}");
    }
}

/// What an agent may type, and what only looks like it.
pub(super) fn agent_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-zäöü]{1,9}[.!?]? ",
        3 => "\n",
        1 => "(\\PC){1,8}",
        1 => "( |\t){1,4}",
        1 => "\r\n|\u{2028}|\u{0}|\u{b}",
        2 => "https?://[a-z]{1,9}(\\.[a-z]{2}|[/?=&'\")(,]){1,9} ?",
        1 => "(👩‍🚀|e\u{301}|🇩🇪){1,9}",
        2 => "\n {0,6}[-*•] ",
        2 => "\n {0,6}[0-9]{1,2}[.)] ",
        1 => "(\n1[.)] [a-z]{1,9}(\n  - x)?\n2[.)] [a-z]{1,9}){1,2}",
        1 => "`{1,4}",
        1 => "`[a-z<&\"]{1,9}`",
        1 => "\n(```|~~~|````|~~~~~)(rust|c)?\n",
        1 => "[<>&\"']{1,4}",
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn only_our_elements_and_all_words(text in agent_text()) {
        let dom = Dom::parse(&from_text(&text));
        prop_assert_eq!(dom.words(), words(&text));
    }

    #[test]
    fn whatever_it_is_only_our_elements(text in "(?s).{0,200}") {
        let dom = Dom::parse(&from_text(&text));
        prop_assert!(dom.is_ours());
        let dom = Dom::parse(&escaped(&text));
        prop_assert_eq!(dom.elements(), 0);
        if let Some(link) = link(&text, &text) {
            prop_assert_eq!(Dom::parse(&link).elements(), 1);
        }
    }

    #[test]
    fn markup_stays_text(text in "(<[a-z]{1,6}( on[a-z]{1,5}=\"?[a-z]\"?)?>|</[a-z]{1,4}>|<!--|-->|&[a-z]{2,4};|`|\n|```|- |javascript:|https://a|\"|'|[a-z ]){0,60}") {
        let dom = Dom::parse(&from_text(&text));
        prop_assert!(dom.is_ours());
    }

    #[test]
    fn the_text_comes_back(text in agent_text()) {
        // An invisible mark, a soft hyphen and a block's language do not.
        let text = text.replace("```", " ").replace("~~~", " ").replace(['\u{ad}', '\u{200b}', '\u{2060}', '\u{feff}'], "");
        prop_assert_eq!(words(&to_text(&from_text(&text))), words(&text));
    }
}
