//! Tables as lines of text: columns side by side, if they fit.

use unicode_width::UnicodeWidthStr;

use super::tokens::{Token, read};

/// Widest line with aligned columns, in columns of a fixed-width font.
const WIDEST: usize = 120;
/// What parts two cells.
const BETWEEN: &str = " | ";
/// More columns than these are wider than [`WIDEST`] whatever is in them.
const MOST_COLUMNS: usize = WIDEST / BETWEEN.len() + 1;
/// How much longer the padding may make a table: this many times its text, and [`SOME_PADDING`].
const PADDING: usize = 3;
/// Bytes of padding that any table may have.
const SOME_PADDING: usize = 1 << 11;
/// Most columns or rows that one cell spans (WHATWG HTML, section "The table element").
const WIDEST_SPAN: usize = 1000;

/// Whether each table of a text has columns, in the order of their start tags. One without them is a box around something, and
/// its contents are read as if it were not there.
pub(super) fn with_columns(html: &str) -> Vec<bool> {
    let mut tables = Vec::new();
    let has_table = html.match_indices('<').any(|(index, _)| {
        html.as_bytes()[index + 1..]
            .get(..5)
            .is_some_and(|name| name.eq_ignore_ascii_case(b"table"))
    });
    if !has_table {
        return tables;
    }
    let mut open: Vec<Scan> = Vec::new();
    read(html, |token| match (token, open.last_mut()) {
        (Token::Start(tag), _) if tag.name == "table" => {
            open.pop_if(|table| !table.in_cell);
            open.push(Scan {
                table: tables.len(),
                ..Scan::default()
            });
            tables.push(false);
        }
        (Token::End("table"), _) => {
            open.pop();
        }
        (Token::Start(tag), Some(table)) => match tag.name {
            "tr" => {
                table.cells = 0;
                table.in_cell = false;
            }
            "td" | "th" => {
                table.cells += 1;
                table.in_cell = true;
                tables[table.table] |= table.cells > 1 || tag.name == "th";
            }
            _ => {}
        },
        (Token::End("td" | "th" | "tr" | "tbody" | "thead" | "tfoot"), Some(table)) => {
            table.in_cell = false;
        }
        _ => {}
    });
    tables
}

/// A table that is being looked through.
#[derive(Default)]
struct Scan {
    table: usize,
    cells: usize,
    in_cell: bool,
}

/// A table's cells as they were read.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Vec<Cell>>,
}

/// A table's cell.
#[derive(Default)]
pub(super) struct Cell {
    /// On one line.
    pub(super) text: String,
    /// Columns that it takes.
    pub(super) columns: usize,
    /// Rows that it takes.
    pub(super) rows: usize,
    /// Whether it names its column or row.
    pub(super) is_header: bool,
    /// Whether there is nothing in it but pictures' notices, if anything.
    pub(super) only_notices: bool,
}

/// A `colspan` or `rowspan`.
pub(super) fn span(attribute: Option<&str>) -> usize {
    attribute
        .and_then(|span| span.trim().parse::<usize>().ok())
        .unwrap_or(1)
        .clamp(1, WIDEST_SPAN)
}

impl Table {
    pub(super) fn start_row(&mut self) {
        if self.rows.last().is_none_or(|row| !row.is_empty()) {
            self.rows.push(Vec::new());
        }
    }

    pub(super) fn push(&mut self, cell: Cell) {
        if self.rows.is_empty() {
            self.rows.push(Vec::new());
        }
        if let Some(row) = self.rows.last_mut() {
            row.push(cell);
        }
    }

    /// Hands each line to `write`, and whether it holds pictures' notices only. Rows without text are left out.
    pub(super) fn write(&self, mut write: impl FnMut(&str, bool)) {
        let headers = self
            .rows
            .iter()
            .take_while(|row| row.iter().all(|cell| cell.is_header))
            .count();
        let columns = self.columns();
        let mut header_due = false;
        for (number, row) in self.rows.iter().enumerate() {
            let line = match &columns {
                Some(columns) => columns.line(row, &columns.places[number]),
                None => {
                    let cells: Vec<&str> = shown(row).iter().map(|cell| &*cell.text).collect();
                    cells.join(BETWEEN)
                }
            };
            if !line.is_empty() {
                write(&line, row.iter().all(|cell| cell.only_notices));
                header_due |= number < headers;
            }
            if header_due && number + 1 == headers && headers < self.rows.len() {
                let dashes = columns.as_ref().map_or("---".to_owned(), Columns::dashes);
                write(&dashes, false);
            }
        }
    }

    /// Where the columns stand; none when they do not fit, or when aligning them takes too much room.
    fn columns(&self) -> Option<Columns> {
        let mut widths: Vec<usize> = Vec::new();
        let mut places = Vec::with_capacity(self.rows.len());
        // For each column, how many rows a cell from above still takes.
        let mut taken: Vec<usize> = Vec::new();
        for row in &self.rows {
            let mut column = 0;
            let mut row_places = Vec::with_capacity(row.len());
            for cell in row {
                while taken.get(column).is_some_and(|rows| *rows > 0) {
                    column += 1;
                }
                row_places.push(column);
                let end = column + cell.columns;
                if end > MOST_COLUMNS {
                    return None;
                }
                if widths.len() < end {
                    widths.resize(end, 0);
                    taken.resize(end, 0);
                }
                if cell.columns == 1 {
                    widths[column] = widths[column].max(cell.text.width());
                }
                taken[column..end].fill(cell.rows);
                column = end;
            }
            places.push(row_places);
            for rows in &mut taken {
                *rows = rows.saturating_sub(1);
            }
        }
        let starts: Vec<usize> = widths
            .iter()
            .scan(0, |next, width| {
                let start = *next;
                *next += width + BETWEEN.len();
                Some(start)
            })
            .collect();
        let columns = Columns {
            widths,
            starts,
            places,
        };
        (columns.width() <= WIDEST && columns.padding(&self.rows) <= self.room()).then_some(columns)
    }

    fn room(&self) -> usize {
        let text: usize = self.rows.iter().flatten().map(|cell| cell.text.len()).sum();
        PADDING * text + SOME_PADDING
    }
}

/// The cells of a row without the empty ones at its end.
fn shown(row: &[Cell]) -> &[Cell] {
    let end = row.iter().rposition(|cell| !cell.text.is_empty());
    &row[..end.map_or(0, |last| last + 1)]
}

/// Columns with their widths.
struct Columns {
    widths: Vec<usize>,
    starts: Vec<usize>,
    /// The column of each cell, row by row.
    places: Vec<Vec<usize>>,
}

impl Columns {
    fn width(&self) -> usize {
        match (self.starts.last(), self.widths.last()) {
            (Some(start), Some(width)) => start + width,
            _ => 0,
        }
    }

    /// Bytes of padding, at most.
    fn padding(&self, rows: &[Vec<Cell>]) -> usize {
        rows.iter()
            .zip(&self.places)
            .filter_map(|(row, places)| {
                let last = shown(row).len().checked_sub(1)?;
                Some(self.starts[places[last]])
            })
            .sum()
    }

    fn line(&self, row: &[Cell], places: &[usize]) -> String {
        let mut line = String::new();
        let mut width = 0;
        for (index, cell) in shown(row).iter().enumerate() {
            let place = places[index];
            let mut is_parted = index == 0 && place == 0;
            // A cell from above, or one that takes several columns, leaves some empty; each has its mark.
            for start in &self.starts[1..=place] {
                if let Some(padding) = (start - BETWEEN.len()).checked_sub(width) {
                    line.extend(std::iter::repeat_n(' ', padding));
                    line.push_str(BETWEEN);
                    width = *start;
                    is_parted = true;
                }
            }
            if !is_parted {
                line.push_str(BETWEEN);
                width += BETWEEN.len();
            }
            line.push_str(&cell.text);
            width += cell.text.width();
        }
        line
    }

    fn dashes(&self) -> String {
        let columns: Vec<String> = self
            .widths
            .iter()
            .map(|width| "-".repeat((*width).max(1)))
            .collect();
        columns.join(BETWEEN)
    }
}
