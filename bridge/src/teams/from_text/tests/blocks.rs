//! Code and lists.

use super::super::*;

fn expect(text: &str, html: &str) {
    assert_eq!(from_text(text), html, "{text:?}");
}

#[test]
fn fenced_code_is_a_block() {
    expect(
        "``` C#\na\n```",
        r#"<codeblock class="C#"><code>a</code></codeblock>"#,
    );
}

#[test]
fn what_is_no_language_is_code() {
    for first in [
        "several words",
        "print(1);",
        "https://example.com",
        &"x".repeat(40),
    ] {
        expect(
            &format!("~~~ {first}\na\n~~~"),
            &format!(r#"<codeblock class=""><code>{first}<br>a</code></codeblock>"#),
        );
    }
    expect(
        "```ru\"><b>st\na\n```",
        r#"<codeblock class=""><code>ru&quot;&gt;&lt;b&gt;st<br>a</code></codeblock>"#,
    );
}

#[test]
fn a_block_with_nothing_in_it_stays_text() {
    expect("```", "```");
    expect("```\n\n```\na", "```<br><br>```<br>a");
    expect("``\na\n``", "``<br>a<br>``");
}

#[test]
fn blocks_behind_each_other_stay_apart() {
    expect(
        "```\na\n```\n```\nb\n```",
        concat!(
            r#"<codeblock class=""><code>a</code></codeblock>"#,
            r#"<codeblock class=""><code>b</code></codeblock>"#
        ),
    );
}

#[test]
fn code_within_a_line() {
    expect("run `ls -l` now", "run <code>ls -l</code> now");
    expect("`` a`b ``", "<code>a`b</code>");
    expect("```a```", "<code>a</code>");
    expect("a ` b", "a ` b");
    expect("`a``", "`a``");
    expect("`a\nb`", "`a<br>b`");
    expect("`` ` ` ``", "<code>` `</code>");
    expect("` `", "` `");
    expect("- `a`", "<ul><li><code>a</code></li></ul>");
}

#[test]
fn bullets_are_a_list() {
    expect(
        "a\n- b\n* c <\n• d\ne",
        "a<ul><li>b</li><li>c &lt;</li><li>d</li></ul>e",
    );
    expect("- a", "<ul><li>a</li></ul>");
    expect("-\ta  b", "<ul><li>a &nbsp;b</li></ul>");
}

#[test]
fn empty_lines_around_blocks_are_kept() {
    expect("a\n\n- b\n\nc", "a<br><br><ul><li>b</li></ul><br>c");
    expect(
        "\n- a\n\n- b\n",
        "<br><ul><li>a</li></ul><br><ul><li>b</li></ul>",
    );
}

#[test]
fn deeper_items_are_nested() {
    expect(
        "- a\n  - b\n    * c\n  - d\n- e",
        "<ul><li>a<ul><li>b<ul><li>c</li></ul></li><li>d</li></ul></li><li>e</li></ul>",
    );
    expect(
        "1. a\n   - b\n2. c\n\t1) d\n\t2) e",
        "<ol><li>a<ul><li>b</li></ul></li><li>c<ol><li>d</li><li>e</li></ol></li></ol>",
    );
    expect("- a\n - b", "<ul><li>a</li><li>b</li></ul>");
    expect("  - a\n- b", "<ul><li>a</li><li>b</li></ul>");
}

#[test]
fn five_levels_are_the_deepest() {
    let text: Vec<String> = (0..8)
        .map(|depth| format!("{}- x", "  ".repeat(depth)))
        .collect();
    let html = from_text(&text.join("\n"));
    assert_eq!(html.matches("<ul>").count(), 5);
    assert_eq!(html.matches("<li>").count(), 8);
}

#[test]
fn numbers_that_count_up_are_a_list() {
    expect("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>");
    expect(
        "1) a\n2) b\n3) c",
        "<ol><li>a</li><li>b</li><li>c</li></ol>",
    );
    let long: Vec<String> = (1..=12).map(|number| format!("{number}. x")).collect();
    assert_eq!(from_text(&long.join("\n")).matches("<li>").count(), 12);
}

#[test]
fn all_other_numbers_stay_text() {
    for text in [
        "1. a",
        "1. a\n\n2. b",
        "2. a\n3. b",
        "0. a\n1. b",
        "1. a\n3. b",
        "1. a\n1. b",
        "1. a\n2. b\n4. c",
        "1. a\n2. b\n1. c\n2. d",
        "1. a\n2) b",
        "01. a\n02. b",
        "1.a\n2.b",
        "1. \n2. ",
        "99999999999999999999. a\n1. b",
        "24. 12. 2026\n25. 12. 2026",
        "24.12.2026",
        "3. Mai",
        "a 1. b\n2. c",
    ] {
        expect(text, &text.replace('\n', "<br>"));
    }
}

#[test]
fn a_wrong_number_leaves_the_bullets() {
    expect(
        "- a\n  3. b\n- c",
        "<ul><li>a</li></ul>&nbsp;&nbsp;3. b<ul><li>c</li></ul>",
    );
    expect(
        "1. a\n2. b\n- c\n5. d",
        "<ol><li>a</li><li>b</li></ol><ul><li>c</li></ul>5. d",
    );
    expect("1. a\n  - b\nc", "1. a<ul><li>b</li></ul>c");
}

#[test]
fn what_only_looks_like_a_list_stays_text() {
    for text in [
        "-5",
        "-a",
        "a - b",
        "**bold** text",
        "*a*",
        "-",
        "- ",
        "* * *",
        "- - -",
        "---",
        "-- a",
        "–5",
        "•a",
    ] {
        expect(text, text);
    }
}
