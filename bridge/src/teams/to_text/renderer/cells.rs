//! Tables inside of a message. Tables inside of their cells are flattened.

use super::Renderer;
use crate::teams::to_text::lines::Lines;
use crate::teams::to_text::tables::{Cell, Table, span};
use crate::teams::to_text::tokens::Tag;

/// A table with columns.
#[derive(Default)]
pub(super) struct OpenTable {
    cells: Table,
    cell: Option<OpenCell>,
    /// Tables that are open inside of the cell.
    nested: usize,
    /// The innermost of them had a row before.
    after_row: bool,
    /// The innermost of them had a cell before in this row.
    after_cell: bool,
}

/// The cell that is being read.
pub(super) struct OpenCell {
    /// The lines outside of the table.
    outside: Lines,
    /// Lists that are open outside.
    pub(super) outer_lists: usize,
    cell: Cell,
}

impl OpenTable {
    fn start_nested(&mut self) {
        self.nested += 1;
        self.after_row = false;
        self.after_cell = false;
    }

    /// Ends the innermost table; false when that is the outermost.
    fn end_nested(&mut self) -> bool {
        let was_nested = self.nested > 0;
        self.nested = self.nested.saturating_sub(1);
        // Whatever comes next stands in a cell of the table around it.
        self.after_row = true;
        self.after_cell = true;
        was_nested
    }

    /// Parts the rows and cells of a table inside of the cell.
    fn start_in_nested(&mut self, name: &str, lines: &mut Lines) {
        match name {
            "tr" => {
                if self.after_row {
                    lines.separator = Some("; ");
                }
                self.after_row = true;
                self.after_cell = false;
            }
            "td" | "th" => {
                if self.after_cell {
                    lines.separator.get_or_insert(" | ");
                }
                self.after_cell = true;
            }
            _ => {}
        }
    }
}

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
        if table.nested > 0 {
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
        } else if table.nested == 0 {
            self.close_cell();
        }
    }

    fn open_cell(&mut self, tag: &Tag<'_>) {
        self.close_pieces();
        if let Some(table) = &mut self.table {
            table.cell = Some(OpenCell {
                outside: std::mem::replace(&mut self.lines, Lines::flow()),
                outer_lists: self.lists.len(),
                cell: Cell {
                    columns: span(tag, "colspan"),
                    rows: span(tag, "rowspan"),
                    is_header: tag.name == "th",
                    ..Cell::default()
                },
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
        let Some(open) = table.cell.take() else {
            return;
        };
        table.nested = 0;
        self.lists.truncate(open.outer_lists);
        let lines = std::mem::replace(&mut self.lines, open.outside);
        table.cells.push(Cell {
            only_notices: lines.has_only_notices(),
            text: lines.finish(true).trim().to_owned(),
            ..open.cell
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
