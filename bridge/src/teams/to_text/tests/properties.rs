//! What holds for any HTML. The words are compared with those of html5ever's tree builder.

use html5ever::tendril::TendrilSink;
use html5ever::{Attribute, ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use proptest::prelude::*;

use super::*;

/// Elements that may stand anywhere in a text.
const ELEMENTS: &str = "p div b i u s del sup sub span li ul ol blockquote pre codeblock code h1 h2 at a \
    x-y dl dd em strike q section center font td tr textarea title";

/// Letters: nothing that we add has any, but for pictures and addresses, which are not generated.
fn word() -> impl Strategy<Value = String> {
    "[a-zA-Zäöüß日本語]{1,8}"
}

/// A small piece of HTML: text, a reference, a start tag, an end tag, a comment. No attribute has a letter, not even as a
/// reference: a class may become the name of a language.
fn piece() -> impl Strategy<Value = String> {
    let element = prop::sample::select(ELEMENTS.split(' ').collect::<Vec<_>>());
    prop_oneof![
        4 => word(),
        2 => word().prop_map(|word| format!(" {word} ")),
        2 => element.clone().prop_map(|name| format!("<{name}>")),
        2 => element.clone().prop_map(|name| format!("</{name}>")),
        1 => (element, "[0-9<>&' ;]{0,12}").prop_map(|(name, value)| format!("<{name} class=\"{value}\" href=\"{value}\">")),
        1 => prop::sample::select(vec![
            "<br>", "&nbsp;", "&eacute;", "&#x65E5;", "&notit;", "&amp", "<", ">", "<!-- unseen -->", "<!x>", "</>",
            "<script>hidden</script>", "<style>hidden</style>", "<hr>", "\n", "\t", "`", "```", "\u{2028}", "\u{200b}",
            "&#13;", "&#12;", "|", "~~",
        ]).prop_map(str::to_owned),
    ]
}

/// HTML whose elements end where they should, some of them hidden.
fn nested() -> impl Strategy<Value = String> {
    let names = "p div b i span ul ol blockquote code a x-y em section pre";
    let start = prop::sample::select(vec![
        "",
        "",
        " hidden",
        " style=\"color:red; DISPLAY : None\"",
    ]);
    word().prop_recursive(4, 40, 5, move |inner| {
        let name = prop::sample::select(names.split(' ').collect::<Vec<_>>());
        let element = (name, start.clone(), prop::collection::vec(inner, 0..4));
        element.prop_map(|(name, start, inner)| {
            // Browsers end a paragraph where a block starts in it, and a link where the next one starts.
            let name = if matches!(name, "p" | "a") && inner.concat().contains('<') {
                "div"
            } else {
                name
            };
            format!("<{name}{start}>{}</{name}>", inner.concat())
        })
    })
}

fn pieces(most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..most).prop_map(|pieces| pieces.concat())
}

/// Pieces that no tag of a table's parts is among, for cells.
fn cell() -> impl Strategy<Value = String> {
    prop::collection::vec(
        piece().prop_filter("no raw text", |piece| {
            !["td", "tr", "textarea", "title"]
                .iter()
                .any(|name| piece.contains(name))
        }),
        0..6,
    )
    .prop_map(|pieces| pieces.concat())
}

/// A table whose text is in cells. Text between cells, which browsers move before the table, is not generated: where exactly it
/// lands depends on elements that were left open before it.
fn table() -> impl Strategy<Value = String> {
    let attributes = prop::sample::select(vec!["", " colspan=2", " rowspan=2", " colspan=0"]);
    let name = prop::sample::select(vec!["td", "th"]);
    let cell = (name, attributes, cell(), any::<bool>()).prop_map(
        |(name, attributes, content, is_closed)| {
            let end = format!("</{name}>").repeat(usize::from(is_closed));
            format!("<{name}{attributes}>{content}{end}")
        },
    );
    let row = prop::collection::vec(cell.boxed(), 1..4)
        .prop_map(|cells| format!("<tr>{}", cells.concat()));
    prop::collection::vec(row, 1..4).prop_map(|rows| format!("<table>{}</table>", rows.concat()))
}

/// The letters of all text that a browser's tree holds, in its order.
fn letters_of_tree(html: &str) -> String {
    let mut options = ParseOpts::default();
    options.tree_builder.scripting_enabled = false;
    let tree = parse_document(RcDom::default(), options).one(html);
    let mut text = String::new();
    collect(&tree.document, &mut text);
    letters(&text)
}

fn collect(node: &Handle, text: &mut String) {
    match &node.data {
        NodeData::Text { contents } => text.push_str(&contents.borrow()),
        NodeData::Element { name, .. } if matches!(&*name.local, "script" | "style") => {}
        NodeData::Element { attrs, .. } if attrs.borrow().iter().any(is_hiding) => {}
        _ => {
            for child in node.children.borrow().iter() {
                collect(child, text);
            }
        }
    }
}

fn is_hiding(attribute: &Attribute) -> bool {
    match &*attribute.name.local {
        "hidden" => true,
        "style" => attribute.value.contains("DISPLAY : None"),
        _ => false,
    }
}

fn letters(text: &str) -> String {
    text.replace(|found: char| !found.is_alphabetic(), "")
}

/// What no output may have.
fn is_forbidden(character: char) -> bool {
    let is_line_break = matches!(character, '\u{2028}' | '\u{2029}');
    is_line_break || (character.is_control() && !"\n\t".contains(character))
}

/// Tabs stand in code only, which here means: in lines between fences.
fn tabs_are_in_code(text: &str) -> bool {
    let mut fence: Option<&str> = None;
    text.lines().all(|line| {
        let bare = line.trim_start_matches(|found| " >-.0123456789".contains(found));
        match fence {
            Some(open) if bare == open => fence = None,
            None if bare.starts_with("```") => {
                let end = bare
                    .find(|character| character != '`')
                    .unwrap_or(bare.len());
                fence = Some(&bare[..end]);
            }
            Some(_) => return true,
            None => {}
        }
        !line.contains('\t')
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn words_are_never_lost(html in pieces(40)) {
        let text = to_text(&html);
        prop_assert_eq!(letters(&text), letters_of_tree(&html), "{}", text);
    }

    #[test]
    fn only_hidden_words_are_left_out(html in nested()) {
        let text = to_text(&html);
        prop_assert_eq!(letters(&text), letters_of_tree(&html), "{}", text);
    }

    #[test]
    fn words_of_tables_are_never_lost(parts in prop::collection::vec((pieces(5), table()), 1..4)) {
        // Each part is in an element of its own, so that nothing of it reaches into the next.
        let html: String = parts.iter().map(|(before, table)| {
            let before: String = before.replace("<td", "<x").replace("<tr", "<x").replace("<textarea", "<x").replace("<title", "<x");
            format!("<div>{before}</div>{table}")
        }).collect();
        let text = to_text(&html);
        let mut ours: Vec<char> = letters(&text).chars().collect();
        let mut theirs: Vec<char> = letters_of_tree(&html).chars().collect();
        ours.sort_unstable();
        theirs.sort_unstable();
        prop_assert_eq!(ours, theirs, "{}", text);
    }

    #[test]
    fn nested_tables_lose_no_words(words in prop::collection::vec(word(), 9)) {
        let html = format!(
            "<table><tr><td>{}<table><tr><td>{}<td>{}<tr><td><table><tr><td>{}</table></table>{}<td>{}<tr><td>{}</table>{}<p>{}",
            words[0], words[1], words[2], words[3], words[4], words[5], words[6], words[7], words[8]
        );
        prop_assert_eq!(letters(&to_text(&html)), words.concat());
    }

    #[test]
    fn lines_are_clean(html in pieces(40)) {
        for text in [render(&html, ReplyContext::Quote).text, render(&html, ReplyContext::Strip).text, to_text(&html)] {
            prop_assert_eq!(text.trim_end(), &text);
            prop_assert!(!text.contains(is_forbidden), "{:?}", text);
            prop_assert!(!text.starts_with('\n'), "{:?}", text);
        }
    }

    #[test]
    fn tabs_stand_in_code_only(html in "(<pre>|</pre>|<p>|<code>|</code>|\t|&#9;|a|<br>|<ul><li>|</ul>|<blockquote>|</blockquote>|<table><tr><td>|<td>|</table>){0,40}") {
        let text = to_text(&html);
        prop_assert!(tabs_are_in_code(&text), "{:?}", text);
    }

    #[test]
    fn any_text_can_be_read(html in "(<|>|&|\"|'|/|=|!--|-->|script|pre|li|a href=|table|td|img src=/hostedContents/|blockquote itemtype=\"http://schema.skype.com/Reply\"|#x|;|\\PC){0,80}") {
        let text = render(&html, ReplyContext::Strip).text;
        prop_assert_eq!(text.trim_end(), &text);
        prop_assert!(!text.contains(is_forbidden), "{:?}", text);
    }

    #[test]
    fn any_characters_can_be_read(html in prop::collection::vec(any::<char>(), 0..60)) {
        let html: String = html.into_iter().collect();
        prop_assert!(!to_text(&html).contains(is_forbidden));
        let in_code = to_text(&format!("<pre>{html}"));
        prop_assert!(!in_code.contains(is_forbidden));
    }

    #[test]
    fn escaped_text_comes_back(text in "[a-z<>&;#\"']{0,40}") {
        let html: String = text.chars().map(|character| format!("&#{};", u32::from(character))).collect();
        prop_assert_eq!(to_text(&html), text);
    }
}
