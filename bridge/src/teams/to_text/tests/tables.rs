use super::*;

#[test]
fn columns_stand_side_by_side() {
    expect(
        concat!(
            "<table><tbody>\n<tr><th><p>A</p></th> <th>B</th></tr>\n",
            "<tr><td>1<br>2</td><td></td><td>3</td></tr></tbody></table>x"
        ),
        "A   | B\n--- | - | -\n1 2 |   | 3\nx",
    );
    expect(
        "a<table><tr><td>long name<td>1<tr><td>x<td>22</table>",
        "a\nlong name | 1\nx         | 22",
    );
    expect(
        "<table><tr><td>日本<td>a<tr><td>abc<td>🙂",
        "日本 | a\nabc  | 🙂",
    );
}

#[test]
fn headers_are_underlined_only_above_rows() {
    expect("<table><tr><th>Only", "Only");
    expect("<table><tr><th>One<tr><td>two", "One\n---\ntwo");
    expect("<table><tr><th>a<td>1<tr><th>b<td>2", "a | 1\nb | 2");
    expect(
        "<table><thead><tr><th>a<th>b<tr><th>c<th>d</thead><tr><td>1<td>2",
        "a | b\nc | d\n- | -\n1 | 2",
    );
}

#[test]
fn a_table_without_columns_is_a_box() {
    expect(
        "<table><tr><td><p>One</p><ul><li>two</li></ul></td></tr><tr><td>three</td></tr></table>four",
        "One\n- two\nthree\nfour",
    );
    expect(
        "<table><tr><td><table><tr><td>a</td><td>b</td></tr></table></td></tr></table>",
        "a | b",
    );
}

#[test]
fn cells_that_take_several_columns_or_rows_keep_the_others_in_place() {
    expect(
        "<table><tr><td colspan=2>a long title<td>z<tr><td>a<td>b<td>c</table>",
        "a long title | z\na | b | c",
    );
    expect(
        "<table><tr><td colspan=2>t<td>z<tr><td>aa<td>bb<td>c</table>",
        "t  |    | z\naa | bb | c",
    );
    expect(
        "<table><tr><td rowspan=2>a<td>b<tr><td>c<tr><td>d<td>e</table>",
        "a | b\n  | c\nd | e",
    );
    expect(
        "<table><tr><td colspan=100000>a<td>b<tr><td>c<td>d</table>",
        "a | b\nc | d",
    );
}

#[test]
fn what_is_too_wide_is_not_aligned() {
    let long = "x".repeat(130);
    expect(
        &format!("<table><tr><th>a<th>b<tr><td>{long}<td>c<tr><td>d<td><td></table>"),
        &format!("a | b\n---\n{long} | c\nd"),
    );
    let columns = "<td>x".repeat(50);
    expect(
        &format!("<table><tr>{columns}<tr><td>long<td>y</table>"),
        &format!("{}\nlong | y", ["x"; 50].join(" | ")),
    );
}

#[test]
fn cells_are_one_line_and_lose_nothing() {
    expect(
        concat!(
            "<table><tr><td><ul><li>a</li><li>b<ol><li>c</li></ol></li></ul><td><pre>x\n  y</pre>",
            "<tr><td><blockquote>q</blockquote><h1>h</h1><hr>i<td><code>a</td></tr></table><li>z"
        ),
        "- a - b 1. c | `x y`\nq h i        | `a`\n- z",
    );
    expect(
        "<table><tr><td>a<table><tr><td>b<td>c<tr><td>d</table>e<td>f</table>g",
        "a b | c; d e | f\ng",
    );
    expect(
        "<table><tr><td><a href=\"https://x.example\">y<td>z</table>",
        "y (https://x.example) | z",
    );
    expect("<table><tr><td><s>a<td>b</table>", "~~a~~ | b");
}

#[test]
fn text_between_cells_stands_before_the_table() {
    expect(
        "<table><caption>Title</caption>stray<tr>more<td>a<td>b</tr>end</table>",
        "Title\nstray\nmore\nend\na | b",
    );
    expect("a<td>b<tr>c</table>", "a\nb\nc");
    expect("<table><tr><td>a<td>b", "a | b");
    expect(
        "<table><tr><td>a<td>b<tr><table><tr><td>c<td>d",
        "a | b\nc | d",
    );
}

#[test]
fn tables_stand_in_quotes_and_lists() {
    expect(
        "<blockquote><table><tr><td>a<td>b<tr><td>c<td>d</table></blockquote>e",
        "> a | b\n> c | d\ne",
    );
    expect(
        "<ul><li><table><tr><td>a<td>b<tr><td>c<td>d</table></li><li>e</li></ul>",
        "- a | b\n  c | d\n- e",
    );
    expect("<table><tr><td><td></table>x", "x");
}
