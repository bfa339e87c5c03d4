use super::*;

/// A picture that Graph keeps.
fn picture(number: usize, alt: &str) -> String {
    format!("<img alt=\"{alt}\" src=\"{}\">", source(number))
}

fn source(number: usize) -> String {
    format!("https://graph.microsoft.com/v1.0/chats/1/messages/2/hostedContents/{number}/$value")
}

/// The text, and the descriptions of the pictures; their addresses are checked.
fn rendered(html: &str) -> (String, Vec<Option<String>>) {
    let rendered = render(html, ReplyContext::Quote);
    for (index, image) in rendered.images.iter().enumerate() {
        assert_eq!(image.source, source(index + 1));
    }
    let descriptions = rendered.images.into_iter().map(|image| image.description);
    (rendered.text, descriptions.collect())
}

/// A message with pictures without a description.
fn expect_pictures(html: &str, text: &str, count: usize) {
    assert_eq!(
        rendered(html),
        (text.to_owned(), vec![None; count]),
        "{html}"
    );
}

#[test]
fn pictures_leave_a_notice_in_previews() {
    let source = source(1);
    for (html, text) in [
        (
            format!("<p>See <img src={source} alt=image></p>"),
            "See [image]",
        ),
        (
            format!("<img src={source} alt='A \"plan\"'>"),
            "[image: A \"plan\"]",
        ),
        (format!("<video src={source}></video>"), "[video]"),
        (picture(1, "a") + &picture(2, "b"), "[image: a][image: b]"),
    ] {
        expect(&html, text);
    }
}

#[test]
fn only_several_pictures_are_numbered() {
    let html = format!("<p>See {} there</p>", picture(1, "image"));
    expect_pictures(&html, "See [image] there", 1);
    let html = format!(
        "<p>a {} b {} c</p>",
        picture(1, ""),
        picture(2, "floor\n  plan")
    );
    let text = "a [image 1] b [image 2: floor plan] c".to_owned();
    assert_eq!(
        rendered(&html),
        (text, vec![None, Some("floor plan".to_owned())])
    );
}

#[test]
fn notices_at_the_end_are_left_out() {
    let html = format!(
        "<p>a {} b</p><p>{}</p><ul><li>{}&nbsp;</li></ul><p>&nbsp;</p>",
        picture(1, ""),
        picture(2, "x"),
        picture(3, "")
    );
    assert_eq!(rendered(&html).0, "a [image 1] b");
    let html = format!("<p>See: {}<br></p>", picture(1, "x"));
    assert_eq!(rendered(&html).0, "See:");
    let html = format!("日&nbsp;&nbsp;&nbsp;<br>{}", picture(1, "本"));
    assert_eq!(rendered(&html).0, "日");
}

#[test]
fn a_message_of_pictures_has_no_text() {
    for around in [
        "<p>1</p>\n<p>2</p>",
        "<blockquote>1</blockquote><s>2</s>",
        "<table><tr><td>1</td></tr><tr><td>2</td></tr></table>",
        "<table><tr><td>1</td><td>2</td></tr></table>",
    ] {
        let html = around.replace('1', "{}").replace('2', &picture(2, ""));
        expect_pictures(&html.replace("{}", &picture(1, "")), "", 2);
    }
}

#[test]
fn what_is_visible_keeps_the_notice() {
    for (around, text) in [
        ("{}.", "[image]."),
        (
            "<a href=\"https://x.example\">{}</a>",
            "[image] (https://x.example)",
        ),
        ("{}<table><tr><td>a<td>b</table>", "[image]\na | b"),
        ("<table><tr><td>a<td>{}</table>", "a | [image]"),
        ("{}<pre>x</pre>", "[image]\n```\nx\n```"),
        ("<pre>{}</pre>", "```\n[image]\n```"),
        ("<code>{}</code>", "`[image]`"),
    ] {
        expect_pictures(&around.replace("{}", &picture(1, "")), text, 1);
    }
}

#[test]
fn other_pictures_are_not_collected() {
    let html = concat!(
        "<img alt=\"Cat\" src=\"https://media.example/cat.gif\"> ",
        "<img src=\"data:image/png;base64,AAAA\"> <img alt=plan src=\"cid:1\"> <img>"
    );
    let text = "[image: Cat] (https://media.example/cat.gif) [image] [image: plan] [image]";
    expect_pictures(html, text, 0);
    expect(html, text);
    let emoji = format!(
        "<img itemtype=\"http://schema.skype.com/Emoji\" alt=\"😀\" src=\"{}\">",
        source(1)
    );
    expect_pictures(&emoji, "😀", 0);
}

#[test]
fn sound_and_film_are_collected_when_graph_keeps_them() {
    let html = format!(
        "<video src=\"{}\"></video><audio src=\"{}\"></audio>end <video src=\"https://x.example/a\"></video>",
        source(1),
        source(2)
    );
    expect_pictures(
        &html,
        "[video 1][audio 2]end [video] (https://x.example/a)",
        2,
    );
}

#[test]
fn a_wrong_first_count_is_corrected() {
    let hidden = picture(1, "").replace("/hosted", "&#47;hosted") + "a";
    expect_pictures(&hidden, "[image]a", 1);
    let two = hidden + &picture(2, "").replace("/hosted", "&#47;hosted") + "b";
    assert_eq!(rendered(&two).0, "[image 1]a[image 2]b");
    let mentioned = format!("{} /hostedContents/", picture(1, ""));
    assert_eq!(rendered(&mentioned).0, "[image] /hostedContents/");
}

#[test]
fn debug_output_shows_nothing_of_the_message() {
    let html = format!("Secret {}", picture(1, "plan"));
    let rendered = render(&html, ReplyContext::Quote);
    let shown = format!("{rendered:?} {:?}", rendered.images);
    for hidden in ["Secret", "graph", "plan"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}
