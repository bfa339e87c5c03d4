//! Messages as Teams clients write them, and what an agent reads of them.

use super::*;

/// The text, and below it the pictures.
fn shown(html: &str, replies: ReplyContext) -> String {
    let rendered = render(html, replies);
    let mut shown = rendered.text;
    for image in rendered.images {
        shown.push_str(&format!(
            "\n~ {} {:?}",
            image.source,
            image.description.unwrap_or_default()
        ));
    }
    shown
}

macro_rules! messages {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                let html = include_str!(concat!("../../../../fixtures/html/", stringify!($name), ".html"));
                insta::assert_snapshot!(stringify!($name), shown(html, ReplyContext::Quote));
            }
        )*

        /// Names of the messages that have a test.
        const TESTED: &[&str] = &[$(stringify!($name)),*];
    };
}

messages![
    plain,
    formatted,
    lines,
    lists,
    table,
    table_wide,
    reply,
    quote,
    mentions,
    code_block,
    code_in_list,
    image,
    images,
    links,
    marker_only,
    loop_component,
    system,
    headings,
    outlook_paste,
    long_mail,
];

#[test]
fn every_message_is_tested() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/html");
    let mut found = 0;
    for entry in std::fs::read_dir(folder).expect("the folder of messages") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|name| name.to_str());
        assert!(TESTED.contains(&name.expect("a name")), "{path:?}");
        found += 1;
    }
    assert_eq!(found, TESTED.len());
}

#[test]
fn an_answer_without_what_it_answers() {
    let html = include_str!("../../../../fixtures/html/reply.html");
    assert_eq!(
        shown(html, ReplyContext::Strip),
        "Yes, it is here. Thank you!"
    );
}
