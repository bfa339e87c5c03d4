use std::time::{Duration, Instant};

use super::*;

/// How much longer than the HTML the text may be.
const MOST_GROWTH: usize = 8;

/// Renders within a deadline that only quadratic work misses: on a megabyte it takes minutes.
fn withstands(html: &str) -> String {
    let start = Instant::now();
    let text = render(html, ReplyContext::Quote).text;
    let (time, given, length) = (start.elapsed(), html.len(), text.len());
    let beginning: String = html.chars().take(40).collect();
    assert!(time < Duration::from_secs(60), "{beginning}: {time:?}");
    assert!(
        length <= given * MOST_GROWTH + 8192,
        "{beginning}: {given}, {length}"
    );
    text
}

#[test]
fn deep_nesting_costs_nothing() {
    let names = "div blockquote ul ol table b a pre code s sup sub q td li h1 codeblock textarea select svg";
    for name in names.split(' ') {
        let open = format!("<{name}>").repeat(100_000);
        let close = format!("</{name}>").repeat(50_000);
        // Half of them are never closed.
        let text = withstands(&format!("{open}x{close}y"));
        assert!(text.contains('x') && text.contains('y'), "{name}");
    }
}

#[test]
fn nested_structures_cost_nothing() {
    for opening in [
        "<blockquote><ul><li>",
        "<table><tr><td>",
        "<table><tr><td>a<td>",
        "<table><tr><th>",
        "<table><table>",
        "<a href=https://x.example>",
        "<ul><li>x<br>",
        "<ol start=2147483647><li>x",
        "<blockquote>x<br>y",
        "<s>x<br>",
        "<s><code>x<br>",
        "<sup>x</sup>",
        "x<sup>+-</sup>",
        "<h1>x",
        "<pre>x\n</pre>",
        "<code>`</code>",
        "<pre><div></pre>",
        "<a href=\"https://x.example\">&nbsp;",
        "&nbsp;<br>",
        "<blockquote itemtype=http://schema.skype.com/Reply>x",
        "<blockquote itemtype=http://schema.skype.com/Reply>x</blockquote>",
        "<img src=/hostedContents/>",
        "<table><tr><td><img src=/hostedContents/><td>",
    ] {
        withstands(&(opening.repeat(20_000) + "x"));
    }
}

#[test]
fn marks_of_many_lines_stay_bounded() {
    let deep = "<blockquote>".repeat(8) + &"<ul><li>".repeat(8);
    for line in [
        "x<br>",
        "<li>x",
        "<s>x<br></s>",
        "<p>x",
        "<table><tr><th>x<th>y</table>",
    ] {
        withstands(&(deep.clone() + &line.repeat(100_000)));
    }
    withstands(&(deep.clone() + "<pre>" + &"x\n".repeat(500_000)));
    withstands(&(deep + "<pre>" + &"\n".repeat(1_000_000)));
}

#[test]
fn a_tag_of_a_megabyte_is_read_once() {
    let different: String = (0..1 << 17).map(|number| format!(" a{number}")).collect();
    let quote = "\"".repeat(1 << 20);
    for attributes in [
        different,
        " href=x".repeat(1 << 17),
        " title".repeat(1 << 17),
        format!(" title=\"{}\"", "y".repeat(1 << 20)),
        format!(" href=\"{}\"", "&amp;".repeat(1 << 18)),
        format!(" {}=1", "n".repeat(1 << 20)),
        "/".repeat(1 << 20),
        quote,
    ] {
        for name in ["p", "a", "img", "ol"] {
            assert!(withstands(&format!("<{name}{attributes}>x")).ends_with('x'));
        }
    }
    assert_eq!(withstands(&format!("<{}>x", "n".repeat(1 << 20))), "x");
    withstands(&format!("x</p{}", " a".repeat(1 << 19)));
}

#[test]
fn unfinished_pieces_are_read_once() {
    for html in [
        "<".repeat(1 << 20) + " x",
        "</".repeat(1 << 19) + "x>x",
        "<!--".repeat(1 << 18) + "-->x",
        "<!".repeat(1 << 19) + ">x",
        "<script>".repeat(1 << 17) + "</script>x",
        "<textarea></text".repeat(1 << 16) + "</textarea>x",
        "&".repeat(1 << 20) + "x",
        "&#".repeat(1 << 19) + "x",
        "&#x".repeat(1 << 18) + "x",
        "&CounterClockwiseContourIntegra".repeat(1 << 15) + "x",
        format!("&#{};x", "9".repeat(1 << 20)),
        "\u{0}".repeat(1 << 20) + "x",
        "`".repeat(1 << 20) + "x",
        format!("<code>{}</code>x", "`".repeat(1 << 20)),
        format!("<pre>{}</pre>x", "`".repeat(1 << 20)),
    ] {
        let text = withstands(&html);
        assert!(text.ends_with('x'));
    }
    for html in [
        "<!--".repeat(1 << 18),
        "<!-- ".to_owned() + &"- ".repeat(1 << 19),
        "<![CDATA[".repeat(1 << 17),
        "<p title='".repeat(1 << 17),
        "<script><!--".repeat(1 << 17),
    ] {
        withstands(&html);
    }
}

#[test]
fn tables_of_any_shape_are_laid_out_once() {
    let long = "x".repeat(100_000);
    for cells in [
        "<tr>".to_owned() + &"<td>x".repeat(100_000),
        "<tr>".to_owned() + &"<td>".repeat(100_000) + "x",
        "<tr>".to_owned() + &"<th>x".repeat(100_000) + "<tr><td>y",
        "<tr><td>x".repeat(100_000),
        "<tr><td>x<td>y".repeat(100_000),
        "<tr>".repeat(100_000),
        format!("<tr><td>{long}<td>{long}").repeat(5),
        format!("<tr><td>{long}") + &"<tr><td>x<td>y".repeat(50_000),
        format!("<tr><td>{}<td>y", "x".repeat(110)) + &"<tr><td>x<td>y".repeat(100_000),
        "<tr><td colspan=1000>x<td>y".repeat(30_000),
        "<tr><td rowspan=1000>x<td>y".repeat(30_000),
        "<tr>".to_owned() + &"<td rowspan=1000>x".repeat(40) + &"<tr><td>y".repeat(50_000),
        "<tr><td><ul><li>x<td>y".repeat(40_000),
    ] {
        assert!(
            withstands(&format!("<table>{cells}</table>")).contains('x') || !cells.contains('x')
        );
    }
    let narrow_and_wide =
        format!("<table><tr><td>{}<td>y", "x".repeat(110)) + &"<tr><td><td>z".repeat(30);
    withstands(&(narrow_and_wide + "</table>").repeat(1000));
}
