//! Rows in parts of limited size.

use super::blocks::{Kind, Row};
use super::escape::WIDEST;
use super::writer::{CODE_BLOCK_TAGS, LIST_TAGS, Writer};
use crate::text::split::{Barriers, Material, Place, after_gap, cut};

/// A place in the rows: before a character of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    row: usize,
    index: usize,
}

impl Position {
    fn before(row: usize) -> Self {
        Self { row, index: 0 }
    }

    /// Where this row goes on behind the place.
    fn index_in(self, row: usize) -> usize {
        if row == self.row { self.index } else { 0 }
    }
}

/// Writes rows in parts of at most `limit` bytes; no part is blank.
pub(super) fn parts(mut rows: Vec<Row<'_>>, limit: usize) -> Vec<String> {
    for row in &mut rows {
        fit(row, limit);
    }
    let mut parts = Vec::new();
    let mut from = Position::before(0);
    while from.row < rows.len() {
        let end = end_of_part(&rows, from, limit);
        if let Some(part) = written(&rows, from, end) {
            parts.push(part);
        }
        from = next_start(&rows, end, limit);
    }
    parts
}

/// Takes away what a part would have no room for: long links, and the tags of code whose part would hold nothing else.
fn fit(row: &mut Row<'_>, limit: usize) {
    if let Kind::Code { language, .. } = &row.kind
        && CODE_BLOCK_TAGS + language.len() + WIDEST > limit
    {
        row.kind = Kind::Text;
    }
    let room = limit.saturating_sub(tags(row));
    row.line.drop_longer_links(room);
}

/// Most bytes of the tags around a row that stands alone.
fn tags(row: &Row<'_>) -> usize {
    match &row.kind {
        Kind::Text => 0,
        Kind::Code { language, .. } => CODE_BLOCK_TAGS + language.len(),
        Kind::Item { .. } => LIST_TAGS,
    }
}

/// Where the part ends that starts here: the last row when it fits, else at the best place in the second half. A block that
/// fits into a part is not cut.
fn end_of_part(rows: &[Row<'_>], from: Position, limit: usize) -> Position {
    let mut writer = Writer::new();
    let mut best: Option<(Place, usize)> = None;
    for (index, row) in rows.iter().enumerate().skip(from.row) {
        let length = writer.length();
        if index > from.row && length * 2 >= limit {
            let place = place_before(rows, index);
            if best.is_none_or(|(known, _)| place >= known) {
                best = Some((place, index));
            }
        }
        writer.push(row, from.index_in(index), row.line.text.len(), limit);
        if writer.length() > limit {
            let block = block_start(rows, from, index);
            return match (block, best) {
                (Some(block), _) if block_fits(rows, block, limit) => Position::before(block),
                (_, Some((_, row))) => Position::before(row),
                _ => within(rows, from, index, limit),
            };
        }
    }
    Position::before(rows.len())
}

/// How good a place there is between a row and the one before.
fn place_before(rows: &[Row<'_>], index: usize) -> Place {
    let (before, row) = (&rows[index - 1], &rows[index]);
    if before.block() != row.block() {
        return Place::Paragraph;
    }
    match row.kind {
        Kind::Text if before.is_blank() || row.is_blank() => Place::Paragraph,
        Kind::Text | Kind::Item { depth: 1, .. } => Place::Line,
        Kind::Code { .. } if before.is_blank() => Place::Line,
        Kind::Code { .. } | Kind::Item { .. } => Place::Sentence,
    }
}

/// Where the block of a row starts, unless that is where the part starts.
fn block_start(rows: &[Row<'_>], from: Position, index: usize) -> Option<usize> {
    let block = rows[index].block()?;
    let start = (from.row..index)
        .rev()
        .find(|before| rows[*before].block() != Some(block))?;
    Some(start + 1)
}

fn block_fits(rows: &[Row<'_>], start: usize, limit: usize) -> bool {
    let block = rows[start].block();
    let mut writer = Writer::new();
    for row in &rows[start..] {
        if row.block() != block || writer.length() > limit {
            break;
        }
        writer.push(row, 0, row.line.text.len(), limit);
    }
    writer.length() <= limit
}

/// Where a part ends within a row that does not fit, or before it when a part of its own takes more of it.
fn within(rows: &[Row<'_>], from: Position, index: usize, limit: usize) -> Position {
    let mut writer = Writer::new();
    for (index, row) in rows.iter().enumerate().take(index).skip(from.row) {
        writer.push(row, from.index_in(index), row.line.text.len(), limit);
    }
    let row = &rows[index];
    let start = from.index_in(index);
    writer.push(row, start, start, limit);
    let taken = writer.length() + row.line.reopening(start);
    let room = limit.saturating_sub(taken);
    let mut barriers = Barriers::default();
    for (start, end) in row.line.barriers(start, start + 3 * limit) {
        barriers.add(start, end);
    }
    let material = RowMaterial {
        row,
        limit,
        barriers: barriers.sorted(),
        alone: (index == from.row).then_some((start, room)),
    };
    let end = cut(row.line.text, start, room, &material);
    Position {
        row: index,
        index: end,
    }
}

struct RowMaterial<'a> {
    row: &'a Row<'a>,
    limit: usize,
    barriers: Barriers,
    /// Start and room of the piece, when nothing stands before it in its part.
    alone: Option<(usize, usize)>,
}

impl Material for RowMaterial<'_> {
    fn cost(&self, index: usize, grapheme: &str) -> usize {
        let is_code = matches!(self.row.kind, Kind::Code { .. });
        let cost = |(offset, character)| match character {
            '\t' if is_code => WIDEST,
            _ => self.row.line.cost(index + offset, character),
        };
        grapheme.char_indices().map(cost).sum()
    }

    fn is_barred(&self, index: usize) -> bool {
        self.barriers.contains(index)
    }

    fn fresh_room(&self, index: usize) -> usize {
        if let Some((start, room)) = self.alone
            && start == index
        {
            return room;
        }
        let is_rest = matches!(self.row.kind, Kind::Item { .. }) && index > 0;
        let tags = if is_rest { 0 } else { tags(self.row) };
        self.limit
            .saturating_sub(tags + self.row.line.reopening(index))
    }
}

/// The HTML from one place to another, without empty lines at its end; `None` when there is nothing to see.
fn written(rows: &[Row<'_>], from: Position, to: Position) -> Option<String> {
    let behind = (to.row + usize::from(to.index > 0)).min(rows.len());
    let shown = |index: usize| {
        let line = rows[index].line.text;
        let start = from.index_in(index);
        let end = if index == to.row {
            to.index
        } else {
            line.len()
        };
        (start, end, line[start..end].trim_end().len())
    };
    let last = (from.row..behind).rev().find(|index| shown(*index).2 > 0)?;
    let mut writer = Writer::new();
    for (index, row) in rows.iter().enumerate().take(last + 1).skip(from.row) {
        let (start, end, visible) = shown(index);
        let end = if index == last { start + visible } else { end };
        writer.push(row, start, end, usize::MAX);
    }
    Some(writer.finish())
}

/// Where the next part starts: behind white space and empty lines, but with the indentation of a line.
fn next_start(rows: &[Row<'_>], end: Position, most: usize) -> Position {
    let mut next = end;
    if let Some(row) = rows.get(end.row)
        && end.index > 0
    {
        next.index = after_gap(row.line.text, end.index, most);
        if next.index == row.line.text.len() {
            next = Position::before(end.row + 1);
        }
    }
    while next.index == 0 && rows.get(next.row).is_some_and(Row::is_blank) {
        next.row += 1;
    }
    next
}
