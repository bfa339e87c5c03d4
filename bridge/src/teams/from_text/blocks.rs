//! Reads plain text: lines of text, blocks of code, items of lists.

use super::inline::Line;
use super::lists::{Candidate, List, depths};
use crate::text::split::fences::Opening;
use crate::text::{LONGEST_LANGUAGE, is_of_language};

/// A line of the text, with what it is part of.
pub(super) struct Row<'a> {
    pub(super) line: Line<'a>,
    pub(super) kind: Kind<'a>,
}

pub(super) enum Kind<'a> {
    Text,
    /// A line of code.
    Code {
        /// Which block of the text.
        block: usize,
        /// A clean word, or nothing.
        language: &'a str,
    },
    /// An item of a list.
    Item {
        /// Which block of the text.
        block: usize,
        depth: usize,
        list: List,
    },
}

impl Row<'_> {
    /// Whether nothing is to be seen.
    pub(super) fn is_blank(&self) -> bool {
        self.line.text.trim().is_empty()
    }

    /// The block of code or the list that it is part of.
    pub(super) fn block(&self) -> Option<usize> {
        match self.kind {
            Kind::Text => None,
            Kind::Code { block, .. } | Kind::Item { block, .. } => Some(block),
        }
    }
}

/// Reads a normalised text.
pub(super) fn rows(text: &str) -> Vec<Row<'_>> {
    let lines: Vec<&str> = text.split('\n').collect();
    let mut rows = Vec::with_capacity(lines.len());
    let mut next = 0;
    let mut block = 0;
    while let Some(line) = lines.get(next).copied() {
        block += 1;
        let rest = &lines[next..];
        if let Some(opening) = Opening::read(line) {
            next += code(&opening, rest, block, &mut rows);
            continue;
        }
        let candidates: Vec<_> = rest
            .iter()
            .map_while(|line| Candidate::read(line))
            .collect();
        if candidates.is_empty() {
            rows.push(text_row(line));
            next += 1;
        }
        for (candidate, depth) in candidates.iter().zip(depths(&candidates)) {
            rows.push(match depth {
                None => text_row(lines[next]),
                Some(depth) => Row {
                    line: Line::read(candidate.content),
                    kind: Kind::Item {
                        block,
                        depth,
                        list: candidate.list,
                    },
                },
            });
            next += 1;
        }
    }
    rows
}

fn text_row(line: &str) -> Row<'_> {
    Row {
        line: Line::read(line),
        kind: Kind::Text,
    }
}

/// Adds the block of code that the first line starts, and returns how many lines it has. A block without anything in it stays
/// text: there would be nothing to see.
fn code<'a>(
    opening: &Opening<'a>,
    lines: &[&'a str],
    block: usize,
    rows: &mut Vec<Row<'a>>,
) -> usize {
    let closing = lines[1..]
        .iter()
        .position(|line| opening.is_closed_by(line));
    let (mut body, length) = match closing {
        Some(length) => (&lines[1..=length], length + 2),
        None => (&lines[1..], lines.len()),
    };
    if let (None, Some((last, before))) = (closing, body.split_last())
        && last.is_empty()
    {
        body = before;
    }
    let (language, first) = language(opening.info);
    let first = first.into_iter();
    if first.len() == 0 && body.iter().all(|line| line.trim().is_empty()) {
        rows.extend(lines[..length].iter().copied().map(text_row));
        return length;
    }
    rows.extend(first.chain(body.iter().copied()).map(|line| Row {
        line: Line::raw(line),
        kind: Kind::Code { block, language },
    }));
    length
}

/// The language that a fence names, or what stands behind the fence if that is no name: people start their code there, too,
/// and no word of theirs may be lost.
fn language(info: &str) -> (&str, Option<&str>) {
    if info.len() <= LONGEST_LANGUAGE && info.chars().all(|found| is_of_language(&found)) {
        (info, None)
    } else {
        ("", Some(info))
    }
}
