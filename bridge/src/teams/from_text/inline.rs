//! What stands within a line: text, code, links.

use std::collections::BTreeMap;

use super::escape::{Html, cost};
use super::links::links;

const CODE_TAGS: usize = "<code></code>".len();
/// Bytes of a link's tags besides the address, which stands there twice.
const LINK_TAGS: usize = r#"<a href=""></a>"#.len();

pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    /// Code and links, in order; the rest is plain.
    spans: Vec<Span>,
}

/// Code, with the backticks around it, or a link.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    /// The part of code that is shown; a link has none.
    code: Option<(usize, usize)>,
}

impl<'a> Line<'a> {
    /// A line in which nothing has a meaning.
    pub(super) fn raw(text: &'a str) -> Self {
        let spans = Vec::new();
        Self { text, spans }
    }

    /// Reads a line without its line break.
    pub(super) fn read(text: &'a str) -> Self {
        let mut spans = Vec::new();
        let mut plain = 0;
        let link = |start, end| Span {
            start,
            end,
            code: None,
        };
        let behind = link(text.len(), text.len());
        for code in code_spans(text).into_iter().chain([behind]) {
            let links = links(&text[plain..code.start]);
            spans.extend(links.map(|(start, end)| link(plain + start, plain + end)));
            spans.push(code);
            plain = code.end;
        }
        spans.pop();
        Self { text, spans }
    }

    /// Makes plain text of the links that take more than `most` bytes: half a link would lead elsewhere.
    pub(super) fn drop_longer_links(&mut self, most: usize) {
        let text = self.text;
        self.spans.retain(|span| {
            let address = text[span.start..span.end].chars();
            span.code.is_some() || LINK_TAGS + 2 * address.map(cost).sum::<usize>() <= most
        });
    }

    /// Writes a part of the line, until the output is longer than `most`.
    pub(super) fn write(&self, html: &mut Html, from: usize, to: usize, most: usize) {
        let first = self.spans.partition_point(|span| span.end <= from);
        let mut plain = from;
        for span in &self.spans[first..] {
            if span.start >= to || html.output.len() > most {
                break;
            }
            html.text(&self.text[plain..span.start.max(plain)], most);
            plain = span.end.min(to);
            match span.code {
                None if span.start >= from && span.end <= to => {
                    html.link(&self.text[span.start..span.end]);
                }
                None => html.text(&self.text[span.start.max(from)..plain], most),
                Some((start, end)) => {
                    let shown = start.max(from)..end.min(to);
                    if !shown.is_empty() {
                        html.tag("<code>");
                        html.text(&self.text[shown], most);
                        html.tag("</code>");
                    }
                }
            }
        }
        html.text(&self.text[plain..to], most);
    }

    /// What must not be torn between two places: links, and the backticks of code from its first and last character.
    pub(super) fn barriers(&self, from: usize, to: usize) -> impl Iterator<Item = (usize, usize)> {
        let first = self.spans.partition_point(|span| span.end <= from);
        let spans = self.spans[first..].iter();
        spans
            .take_while(move |span| span.start <= to)
            .flat_map(|span| match span.code {
                None => [(span.start, span.end), (span.end, span.end)],
                Some((start, end)) => [(span.start, start + 1), (end - 1, span.end)],
            })
    }

    /// Most bytes that the character at an index takes, at least one.
    pub(super) fn cost(&self, index: usize, character: char) -> usize {
        let Some(span) = self.span_at(index) else {
            return self.text_cost(index, character);
        };
        let first = index == span.start;
        match span.code {
            None => 2 * cost(character) + if first { LINK_TAGS } else { 0 },
            Some(_) if first => CODE_TAGS,
            Some((start, end)) if index < start || index >= end => 1,
            Some(_) => self.text_cost(index, character),
        }
    }

    /// Bytes that a rest of the line takes besides its characters.
    pub(super) fn reopening(&self, index: usize) -> usize {
        match self.span_at(index) {
            Some(span) if index > span.start => CODE_TAGS,
            _ => 0,
        }
    }

    fn span_at(&self, index: usize) -> Option<&Span> {
        let behind = self.spans.partition_point(|span| span.start <= index);
        self.spans[..behind].last().filter(|span| index < span.end)
    }

    /// A space between two words takes one byte. Backticks may not be shown, so that what stands before them counts.
    fn text_cost(&self, index: usize, character: char) -> usize {
        let before = self.text[..index].chars().next_back();
        let in_word = |before: char| !before.is_whitespace() && before != '`';
        match character {
            ' ' | '\t' if before.is_some_and(in_word) => 1,
            _ => cost(character),
        }
    }
}

/// Code in backticks (CommonMark specification, "Code spans", within one line): as many backticks behind it as before. Blank
/// code is text.
fn code_spans(text: &str) -> Vec<Span> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (index, _) in text.match_indices('`') {
        match runs.last_mut() {
            Some((_, end)) if *end == index => *end += 1,
            _ => runs.push((index, index + 1)),
        }
    }
    // For each run the next one of its length, found from behind to keep the time linear.
    let mut next = vec![None; runs.len()];
    let mut known = BTreeMap::new();
    for (index, (start, end)) in runs.iter().enumerate().rev() {
        next[index] = known.insert(end - start, index);
    }
    let mut spans = Vec::new();
    let mut index = 0;
    while let Some((start, inner)) = runs.get(index).copied() {
        index += 1;
        let Some(closing) = next[index - 1] else {
            continue;
        };
        let (inner_end, end) = runs[closing];
        let code = &text[inner..inner_end];
        if code.trim().is_empty() {
            continue;
        }
        // One space on each side is there to keep backticks apart.
        let padding = usize::from(code.starts_with(' ') && code.ends_with(' '));
        spans.push(Span {
            start,
            end,
            code: Some((inner + padding, inner_end - padding)),
        });
        index = closing + 1;
    }
    spans
}
