use super::*;

/// Each token as a line.
fn cut(html: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    read(html, |token| {
        tokens.push(match token {
            Token::Text(text) => format!("text {text}"),
            Token::Start(tag) => format!("start {}", tag.name),
            Token::End(name) => format!("end {name}"),
        });
    });
    tokens
}

fn attribute(html: &str, name: &str) -> Option<String> {
    let mut found = None;
    read(html, |token| {
        if let Token::Start(tag) = token {
            found = tag.attribute(name).map(|value| value.into_owned());
        }
    });
    found
}

#[test]
fn text_is_one_token_between_tags() {
    assert_eq!(
        cut("a&amp;b<!-- x -->c<P>d</p x>é<é"),
        ["text a&bc", "start p", "text d", "end p", "text é<é"]
    );
    assert!(cut("").is_empty());
    assert_eq!(cut("<b"), Vec::<String>::new());
}

#[test]
fn raw_text_ends_with_its_own_end_tag() {
    assert_eq!(
        cut("<script>a</style><b></script>c"),
        ["start script", "end script", "text c"]
    );
    assert_eq!(
        cut("<title>a<b>&lt;</titles></title>c"),
        ["start title", "text a<b><</titles>", "end title", "text c"]
    );
}

#[test]
fn the_first_attribute_of_a_name_counts() {
    for (html, name, value) in [
        ("<a x=1 HREF='a&amp;b' href=c>", "href", Some("a&b")),
        ("<img alt src=x alt=y>", "alt", Some("")),
        ("<img altered=y al=z>", "alt", None),
        ("<img itemtypes=a itemtype=\"日\"/>", "itemtype", Some("日")),
        ("<a href=x title=\"a\" class=b>", "class", Some("b")),
    ] {
        assert_eq!(attribute(html, name).as_deref(), value, "{html}");
    }
}
