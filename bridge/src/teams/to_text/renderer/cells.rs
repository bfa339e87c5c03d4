//! Tables inside of a message.

use super::Renderer;
use crate::teams::to_text::lines::Lines;
use crate::teams::to_text::open_table::{OpenCell, OpenTable};
use crate::teams::to_text::tables::{Cell, span};
use crate::teams::to_text::tokens::Tag;

impl Renderer<'_> {
    pub(super) fn cell(&self) -> Option<&OpenCell> {
        self.table.as_ref()?.cell.as_ref()
    }

    pub(super) fn in_cell(&self) -> bool {
        self.cell().is_some()
    }

    pub(super) fn start_table(&mut self, has_columns: bool) {
        self.boundary();
        match &mut self.table {
            Some(table) if table.cell.is_some() => {
                table.start_nested();
                return;
            }
            Some(_) => self.finish_table(),
            None => {}
        }
        if has_columns {
            self.close_pieces();
            self.table = Some(OpenTable::default());
        }
    }

    pub(super) fn start_in_table(&mut self, tag: &Tag<'_>) {
        let is_cell = matches!(tag.name, "td" | "th");
        let Some(table) = &mut self.table else {
            if is_cell {
                self.boundary();
            }
            return;
        };
        if table.is_nested() {
            table.start_in_nested(tag.name, &mut self.lines);
            return;
        }
        self.close_cell();
        if is_cell {
            self.open_cell(tag);
        } else if tag.name == "tr"
            && let Some(table) = &mut self.table
        {
            table.cells.start_row();
        }
    }

    pub(super) fn end_in_table(&mut self, name: &str) {
        let Some(table) = &mut self.table else {
            return;
        };
        if name == "table" {
            if !table.end_nested() {
                self.finish_table();
            }
        } else if !table.is_nested() {
            self.close_cell();
        }
    }

    fn open_cell(&mut self, tag: &Tag<'_>) {
        self.close_pieces();
        if let Some(table) = &mut self.table {
            table.cell = Some(OpenCell {
                outside: std::mem::replace(&mut self.lines, Lines::flow()),
                lists: self.lists.len(),
                columns: span(tag.attribute("colspan").as_deref()),
                rows: span(tag.attribute("rowspan").as_deref()),
                is_header: tag.name == "th",
            });
        }
    }

    fn close_cell(&mut self) {
        if !self.in_cell() {
            return;
        }
        self.close_pieces();
        let Some(table) = &mut self.table else {
            return;
        };
        let Some(cell) = table.cell.take() else {
            return;
        };
        table.leave_nested();
        self.lists.truncate(cell.lists);
        let lines = std::mem::replace(&mut self.lines, cell.outside);
        let only_notices = lines.has_only_notices();
        let text = lines.finish();
        table.cells.push(Cell {
            text: text.trim().to_owned(),
            columns: cell.columns,
            rows: cell.rows,
            is_header: cell.is_header,
            only_notices,
        });
    }

    pub(super) fn finish_table(&mut self) {
        self.close_cell();
        if let Some(table) = self.table.take() {
            self.close_pieces();
            let lines = &mut self.lines;
            table
                .cells
                .write(|line, only_notices| lines.whole_line(line, only_notices));
        }
    }
}
