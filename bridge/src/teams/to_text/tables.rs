//! Tables as lines of text: columns side by side, if they fit.

use unicode_width::UnicodeWidthStr;

use super::tokens::{Tag, Token, read};

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
    /// The first column that it takes, once they are placed.
    pub(super) column: usize,
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
pub(super) fn span(tag: &Tag<'_>, name: &str) -> usize {
    let span = tag
        .attribute(name)
        .and_then(|span| span.trim().parse().ok());
    span.unwrap_or(1).clamp(1, WIDEST_SPAN)
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
    pub(super) fn write(mut self, mut write: impl FnMut(&str, bool)) {
        let starts = self.place();
        let is_header = |row: &&Vec<Cell>| row.iter().all(|cell| cell.is_header);
        let headers = self.rows.iter().take_while(is_header).count();
        let mut header_due = false;
        for (number, row) in self.rows.iter().enumerate() {
            let line = match &starts {
                Some(starts) => aligned(row, starts),
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
                let dashes = starts.as_deref().map_or("---".to_owned(), dashes);
                write(&dashes, false);
            }
        }
    }

    /// Gives each cell its column, and tells where the columns start, and where one behind them would; `None` when they do not
    /// fit, or when aligning them takes too much room.
    fn place(&mut self) -> Option<Vec<usize>> {
        let mut widths: Vec<usize> = Vec::new();
        // For each column, how many rows a cell from above still takes.
        let mut taken: Vec<usize> = Vec::new();
        for row in &mut self.rows {
            let mut column = 0;
            for cell in row {
                while taken.get(column).is_some_and(|rows| *rows > 0) {
                    column += 1;
                }
                cell.column = column;
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
            for rows in &mut taken {
                *rows = rows.saturating_sub(1);
            }
        }
        let mut starts = vec![0];
        let mut next = 0;
        starts.extend(widths.iter().map(|width| {
            next += width + BETWEEN.len();
            next
        }));
        let last_cells = self.rows.iter().filter_map(|row| shown(row).last());
        let padding: usize = last_cells.map(|cell| starts[cell.column]).sum();
        let text: usize = self.rows.iter().flatten().map(|cell| cell.text.len()).sum();
        let fits = next <= WIDEST + BETWEEN.len() && padding <= PADDING * text + SOME_PADDING;
        fits.then_some(starts)
    }
}

/// The cells of a row without the empty ones at its end.
fn shown(row: &[Cell]) -> &[Cell] {
    let end = row.iter().rposition(|cell| !cell.text.is_empty());
    &row[..end.map_or(0, |last| last + 1)]
}

/// A row whose cells stand where their columns start.
fn aligned(row: &[Cell], starts: &[usize]) -> String {
    let mut line = String::new();
    let mut width = 0;
    for (index, cell) in shown(row).iter().enumerate() {
        let mut is_parted = index == 0 && cell.column == 0;
        // A cell from above, or one that takes several columns, leaves some empty; each has its mark.
        for start in &starts[1..=cell.column] {
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

/// A line below the headers.
fn dashes(starts: &[usize]) -> String {
    let widths = starts
        .windows(2)
        .map(|ends| ends[1] - ends[0] - BETWEEN.len());
    let columns: Vec<String> = widths.map(|width| "-".repeat(width.max(1))).collect();
    columns.join(BETWEEN)
}
