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

#[test]
fn pictures_leave_a_notice_in_previews() {
    expect(
        &format!("<p>See {}</p>", picture(1, "image")),
        "See [image]",
    );
    expect(
        &format!("<img src=\"{}\" alt='A \"plan\"'>", source(1)),
        "[image: A \"plan\"]",
    );
    expect(
        "<img alt=\"Cat\" src=\"https://media.example/cat.gif\">",
        "[image: Cat] (https://media.example/cat.gif)",
    );
    expect("<img src=\"data:image/png;base64,AAAA\">", "[image]");
    expect(&format!("<video src=\"{}\"></video>", source(1)), "[video]");
    let two = picture(1, "a") + &picture(2, "b");
    expect(&two, "[image: a][image: b]");
}

#[test]
fn one_picture_needs_no_number() {
    let html = format!("<p>See {} there</p>", picture(1, "image"));
    assert_eq!(
        rendered(&html),
        ("See [image] there".to_owned(), vec![None])
    );
}

#[test]
fn several_pictures_are_numbered_in_order() {
    let html = format!(
        "<p>a {} b {} c</p>",
        picture(1, ""),
        picture(2, "floor\n  plan")
    );
    assert_eq!(
        rendered(&html),
        (
            "a [image 1] b [image 2: floor plan] c".to_owned(),
            vec![None, Some("floor plan".to_owned())]
        )
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
    for html in [
        format!("<p>{}</p>\n<p>{}</p>", picture(1, ""), picture(2, "x")),
        format!(
            "<blockquote>{}</blockquote><s>{}</s>",
            picture(1, ""),
            picture(2, "x")
        ),
        format!(
            "<table><tr><td>{}</td></tr><tr><td>{}</td></tr></table>",
            picture(1, ""),
            picture(2, "x")
        ),
        format!(
            "<table><tr><td>{}</td><td>{}</td></tr></table>",
            picture(1, ""),
            picture(2, "x")
        ),
    ] {
        assert_eq!(
            rendered(&html),
            (String::new(), vec![None, Some("x".to_owned())]),
            "{html}"
        );
    }
}

#[test]
fn what_is_visible_keeps_the_notice() {
    let image = picture(1, "");
    for (html, text) in [
        (format!("{image}."), "[image]."),
        (
            format!("<a href=\"https://x.example\">{image}</a>"),
            "[image] (https://x.example)",
        ),
        (
            format!("{image}<table><tr><td>a<td>b</table>"),
            "[image]\na | b",
        ),
        (
            format!("<table><tr><td>a<td>{image}</table>"),
            "a | [image]",
        ),
        (format!("{image}<pre>x</pre>"), "[image]\n```\nx\n```"),
        (format!("<pre>{image}</pre>"), "```\n[image]\n```"),
        (format!("<code>{image}</code>"), "`[image]`"),
    ] {
        assert_eq!(rendered(&html), (text.to_owned(), vec![None]), "{html}");
    }
}

#[test]
fn other_pictures_are_not_collected() {
    let html = concat!(
        "<img alt=\"Cat\" src=\"https://media.example/cat.gif\"> ",
        "<img src=\"data:image/png;base64,AAAA\"> <img alt=plan src=\"cid:1\"> <img>"
    );
    assert_eq!(
        rendered(html),
        (
            "[image: Cat] (https://media.example/cat.gif) [image] [image: plan] [image]".to_owned(),
            vec![]
        )
    );
    let emoji = format!(
        "<img itemtype=\"http://schema.skype.com/Emoji\" alt=\"😀\" src=\"{}\">",
        source(1)
    );
    assert_eq!(rendered(&emoji), ("😀".to_owned(), vec![]));
}

#[test]
fn sound_and_film_are_collected_when_graph_keeps_them() {
    let html = format!(
        "<video src=\"{}\"></video><audio src=\"{}\"></audio>end <video src=\"https://x.example/a\"></video>",
        source(1),
        source(2)
    );
    assert_eq!(
        rendered(&html),
        (
            "[video 1][audio 2]end [video] (https://x.example/a)".to_owned(),
            vec![None, None]
        )
    );
}

#[test]
fn a_wrong_first_count_is_corrected() {
    let hidden = picture(1, "").replace("/hosted", "&#47;hosted") + "a";
    assert_eq!(rendered(&hidden), ("[image]a".to_owned(), vec![None]));
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
