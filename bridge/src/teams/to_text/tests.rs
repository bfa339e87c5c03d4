mod corpus;
mod hostile;
mod pictures;
mod properties;
mod replies;
mod tokens;

use super::*;
use crate::text::tests::rules_hold;

fn expect(html: &str, text: &str) {
    assert_eq!(to_text(html), text, "{html}");
}

#[test]
fn each_rule_of_the_text_holds() {
    let rules = include_str!("../../../fixtures/html_to_text.json");
    rules_hold(rules, |given: String| to_text(&given));
}

#[test]
fn the_language_of_code_is_short() {
    expect(
        &format!("<codeblock class={}>x", "y".repeat(1000)),
        &format!("```{}\nx\n```", "y".repeat(32)),
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
