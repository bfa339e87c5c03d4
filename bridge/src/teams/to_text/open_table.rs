//! The table that is being read. Tables inside of its cells are flattened.

use super::lines::Lines;
use super::tables::Table;

/// A table with columns.
#[derive(Default)]
pub(super) struct OpenTable {
    pub(super) cells: Table,
    pub(super) cell: Option<OpenCell>,
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
    pub(super) outside: Lines,
    /// Lists that are open outside.
    pub(super) lists: usize,
    pub(super) columns: usize,
    pub(super) rows: usize,
    pub(super) is_header: bool,
}

impl OpenTable {
    pub(super) fn is_nested(&self) -> bool {
        self.nested > 0
    }

    pub(super) fn start_nested(&mut self) {
        self.nested += 1;
        self.after_row = false;
        self.after_cell = false;
    }

    /// Ends the innermost table; false when that is the outermost.
    pub(super) fn end_nested(&mut self) -> bool {
        let was_nested = self.nested > 0;
        self.nested = self.nested.saturating_sub(1);
        // Whatever comes next stands in a cell of the table around it.
        self.after_row = true;
        self.after_cell = true;
        was_nested
    }

    pub(super) fn leave_nested(&mut self) {
        self.nested = 0;
    }

    /// Parts the rows and cells of a table inside of the cell.
    pub(super) fn start_in_nested(&mut self, name: &str, lines: &mut Lines) {
        match name {
            "tr" => {
                if self.after_row {
                    lines.separate("; ");
                }
                self.after_row = true;
                self.after_cell = false;
            }
            "td" | "th" => {
                if self.after_cell && !lines.is_separated() {
                    lines.separate(" | ");
                }
                self.after_cell = true;
            }
            _ => {}
        }
    }
}
