use proptest::prelude::*;
use time::Duration;

use super::*;
use crate::teams::from_text::{escaped, from_text};

const START: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn user(digit: char) -> UserId {
    format!("00000000-0000-4000-8000-00000000000{digit}")
        .parse()
        .expect("a GUID")
}

fn id(text: &str) -> TeamsMessageId {
    text.parse().expect("an id")
}

fn candidate(name: &str, second: i64, html: &str) -> Candidate {
    Candidate {
        id: id(name),
        created: START + Duration::seconds(second),
        sender: Some(user('1')),
        html: html.to_owned(),
        by_hand: false,
    }
}

fn found(candidates: &[Candidate], taken: &[TeamsMessageId]) -> Option<TeamsMessageId> {
    let wanted = fingerprint_html("Hello");
    recognise(candidates, &wanted, START, taken, &user('1'))
}

#[test]
fn what_teams_does_to_html_changes_nothing() {
    let ours = from_text("Hello  \"you\" & me 🙂\nhttps://example.com/?a=1&b=2 ok");
    let rewritten = concat!(
        "<div itemprop='copy-paste-block'>\n<p>Hello&nbsp; &#34;you&#34; &amp; me ",
        "<emoji id=\"smile\" alt=\"🙂\" title=\"Smile\"></emoji><br/>\n",
        "<a HREF=\"https://example.com/?a=1&amp;b=2\" rel=\"noreferrer noopener\" title=\"x > y\" target=_blank>",
        "https://example.com/?a=1&amp;b=2</a>\u{200b} ok</p></div>",
    );
    assert_eq!(fingerprint_html(&ours), fingerprint_html(rewritten));
}

#[test]
fn other_texts_have_other_fingerprints() {
    assert_ne!(fingerprint_html("Hello"), fingerprint_html("Hello!"));
    assert_ne!(fingerprint_html("1 &lt; 2"), fingerprint_html("1 &gt; 2"));
}

#[test]
fn the_oldest_message_of_ours_is_taken() {
    let candidates = [
        candidate("c", 3, "Hello"),
        candidate("b", 2, "<p>Hello</p>"),
        candidate("a", 2, "Bye"),
    ];
    assert_eq!(found(&candidates, &[]), Some(id("b")));
    assert_eq!(found(&candidates, &[id("b")]), Some(id("c")));
    assert_eq!(found(&candidates, &[id("b"), id("c")]), None);
}

#[test]
fn what_is_earlier_or_of_others_or_has_attachments_is_not_ours() {
    let ours = candidate("a", 0, "Hello");
    assert_eq!(found(std::slice::from_ref(&ours), &[]), Some(id("a")));
    let earlier = candidate("a", -1, "Hello");
    let mut others = ours.clone();
    others.sender = Some(user('2'));
    let mut unknown = ours.clone();
    unknown.sender = None;
    let mut with_file = ours;
    with_file.by_hand = true;
    assert_eq!(found(&[earlier, others, unknown, with_file], &[]), None);
}

proptest! {
    #[test]
    fn wrapping_and_entities_change_nothing(text in "\\PC*") {
        let html = escaped(&text);
        let wrapped = format!("<div>\n<p class=\"x\">{}</p>\n</div>", html.replace("<br>", "</p>\n<p>").replace("&#39;", "'"));
        prop_assert_eq!(fingerprint_html(&html), fingerprint_html(&wrapped));
        let numeric: String = text.chars().filter(|character| !character.is_control()).map(|character| format!("&#{};", u32::from(character))).collect();
        prop_assert_eq!(fingerprint_html(&html), fingerprint_html(&numeric));
    }
}

#[test]
fn pictures_count_whatever_teams_makes_of_them() {
    let ours = "<img src=\"../hostedContents/1/$value\" alt=\"plan.png\">";
    let theirs = "<p><img alt=\"image\" src=\"https://graph.example/x/hostedContents/y/$value\" itemid=\"y\"></p>";
    assert_eq!(fingerprint_html(ours), fingerprint_html(theirs));
    assert_ne!(fingerprint_html(ours), fingerprint_html(""));
    assert_ne!(
        fingerprint_html(ours),
        fingerprint_html(&format!("{ours}{ours}"))
    );
    let emoji = "<img itemtype=\"http://schema.skype.com/Emoji\" alt=\"🙂\">";
    assert_eq!(fingerprint_html(emoji), fingerprint_html("🙂"));
}
