//! `{{name}}` in texts: parameters of templates, dates of cards.

use std::borrow::Cow;

/// A text with a value in the place of each `{{name}}` that has one. Values are not filled in again. Each name that is looked up
/// is a part of the text of its own, so the time is linear in the text, whatever its braces.
pub(crate) fn filled<'a, V: AsRef<str>>(
    text: &'a str,
    mut value: impl FnMut(&'a str) -> Option<V>,
) -> Cow<'a, str> {
    let mut output = String::new();
    // What of the text is not in the output yet, and where to look for the next end of a name.
    let (mut kept, mut from) = (0, 0);
    while let Some(end) = text[from..].find("}}").map(|end| from + end) {
        // The name nearest to its end: `{{{name}}}` holds one as well.
        let start = text[from..end].rfind("{{").map(|start| from + start);
        from = end + 2;
        let Some((start, value)) = start.and_then(|at| Some((at, value(&text[at + 2..end])?)))
        else {
            continue;
        };
        output.push_str(&text[kept..start]);
        output.push_str(value.as_ref());
        kept = from;
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    output.push_str(&text[kept..]);
    Cow::Owned(output)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_have_a_value_are_filled_in() {
        let value = |name: &str| match name {
            "a" => Some("1"),
            "b" => Some("{{a}}"),
            _ => None,
        };
        for (text, shown) in [
            ("{{a}}, {{a}}{{b}}!", "1, 1{{a}}!"),
            ("{{{a}}} {{ {{a}} }}", "{1} {{ 1 }}"),
            ("{{x}} {{a} {{a}}", "{{x}} {{a} 1"),
            ("}}{{}}{{a", "}}{{}}{{a"),
            ("é{{a}}é", "é1é"),
            ("", ""),
        ] {
            assert_eq!(filled(text, value), shown, "{text}");
        }
    }

    /// A hostile text must not have its parts looked at again and again.
    fn looked_up(text: &str) -> usize {
        let mut looked_up = 0;
        filled(text, |name| {
            looked_up += name.len();
            None::<&str>
        });
        looked_up
    }

    #[test]
    fn braces_without_end_are_looked_at_once() {
        for text in ["{{", "{{}}", "{{a}}", "}}", "{", "}", "{{}", "{{ a }}}"] {
            let text = text.repeat(1000);
            for text in [format!("{text}}}}}"), format!("{{{{{text}"), text] {
                assert!(looked_up(&text) <= text.len());
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_looked_at_twice(text in "(\\{|\\}|\\{\\{|\\}\\}|[aé ]){0,60}") {
            prop_assert_eq!(filled(&text, |_| None::<&str>), &*text);
            prop_assert!(looked_up(&text) <= text.len());
            let same = filled(&text, |name| Some(format!("{{{{{name}}}}}")));
            prop_assert_eq!(&*same, &*text);
        }
    }
}
