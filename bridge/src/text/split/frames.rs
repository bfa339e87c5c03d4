//! Blocks of code and quotes in plain text: what a part needs at its end and the next at its start when they are cut.

use super::barriers::Barriers;
use super::cut::Material;
use super::fences::Opening;

/// The blocks of code and the quoted lines of a text, as far as their marks are short enough to be repeated, and what no cut
/// should tear.
pub(super) struct Frames<'a> {
    fences: Vec<Fence<'a>>,
    quotes: Vec<Quote<'a>>,
    barriers: Barriers,
    /// Characters of a part.
    budget: usize,
}

/// A block of code.
struct Fence<'a> {
    /// Where its first line starts, and where that line's fence ends.
    start: usize,
    fence_end: usize,
    /// Where its last line's fence ends; without one, where the text ends.
    end: usize,
    /// Its first line, with the quote marks before it.
    opening: &'a str,
    /// The line that ends it.
    closing: &'a str,
    /// Quote marks before each of its lines.
    levels: usize,
    read: Opening<'a>,
}

/// A line that is part of a quote.
struct Quote<'a> {
    start: usize,
    end: usize,
    /// What is repeated.
    mark: &'a str,
}

impl<'a> Frames<'a> {
    /// Finds them.
    pub(super) fn new(text: &'a str, budget: usize) -> Self {
        let mut frames = Self {
            fences: Vec::new(),
            quotes: Vec::new(),
            barriers: Barriers::default(),
            budget,
        };
        frames.barriers.add_addresses(text);
        let mut open: Option<Fence<'a>> = None;
        let mut start = 0;
        let mut visible_end = 0;
        for whole in text.split_inclusive('\n') {
            let line = whole.trim_end();
            let end = start + line.len();
            if let Some(fence) = open.take() {
                let mark = quote_mark(line, fence.levels);
                if mark.levels < fence.levels {
                    // The quote that the block is part of has ended.
                    frames.close(fence, visible_end);
                } else if fence.read.is_closed_by(&line[mark.end..]) {
                    frames.barriers.add(visible_end, end);
                    frames.close(fence, end);
                    start += whole.len();
                    visible_end = end;
                    continue;
                } else {
                    open = Some(fence);
                }
            }
            let levels = open.as_ref().map_or(usize::MAX, |fence| fence.levels);
            let mark = quote_mark(line, levels);
            if mark.levels > 0 {
                frames.quote(whole, start, mark);
            }
            if open.is_none() {
                open = fence(line, start, mark, budget);
                if open.is_some() {
                    frames.barriers.add(start, start + whole.len() + 1);
                }
            }
            start += whole.len();
            if !line.is_empty() {
                visible_end = end;
            }
        }
        if let Some(fence) = open {
            frames.close(fence, text.len());
        }
        frames.barriers = frames.barriers.sorted();
        frames
    }

    /// What a part that starts here needs before it.
    pub(super) fn opening(&self, index: usize) -> String {
        let (fence, mark) = self.before(index);
        match fence {
            Some(fence) => format!("{fence}\n{mark}"),
            None => mark.to_owned(),
        }
    }

    /// The line that a part which ends here needs behind it.
    pub(super) fn closing_line(&self, index: usize) -> Option<&'a str> {
        self.fence_at(index).map(|fence| fence.closing)
    }

    /// Whether a block of code or a line of a quote starts here.
    pub(super) fn starts(&self, index: usize) -> bool {
        let fence = self
            .fences
            .binary_search_by_key(&index, |fence| fence.start);
        let quote = self
            .quotes
            .binary_search_by_key(&index, |quote| quote.start);
        fence.is_ok() || quote.is_ok()
    }

    fn before(&self, index: usize) -> (Option<&'a str>, &'a str) {
        let fence = self.fence_at(index).map(|fence| fence.opening);
        let behind = self.quotes.partition_point(|quote| quote.start < index);
        let mark = self.quotes[..behind]
            .last()
            .filter(|quote| index < quote.end)
            .map_or("", |quote| quote.mark);
        (fence, mark)
    }

    fn fence_at(&self, index: usize) -> Option<&Fence<'a>> {
        let behind = self
            .fences
            .partition_point(|fence| fence.fence_end <= index);
        self.fences[..behind]
            .last()
            .filter(|fence| index < fence.end)
    }

    fn close(&mut self, mut fence: Fence<'a>, end: usize) {
        fence.end = end;
        self.fences.push(fence);
    }

    fn quote(&mut self, whole: &'a str, start: usize, mark: Mark) {
        self.barriers.add(start, start + mark.end + 1);
        let mark = repeated(&whole[..mark.end], longest_mark(self.budget));
        if !mark.is_empty() {
            let end = start + whole.len();
            self.quotes.push(Quote { start, end, mark });
        }
    }
}

impl Material for Frames<'_> {
    fn cost(&self, _index: usize, grapheme: &str) -> usize {
        grapheme.chars().count()
    }

    fn is_barred(&self, index: usize) -> bool {
        self.barriers.contains(index)
    }

    fn closing(&self, index: usize) -> usize {
        self.closing_line(index)
            .map_or(0, |line| "\n".len() + line.chars().count())
    }

    fn fresh_room(&self, index: usize) -> usize {
        let (fence, mark) = self.before(index);
        let fence = fence.map_or(0, |fence| fence.chars().count() + "\n".len());
        self.budget.saturating_sub(fence + mark.len())
    }
}

/// The block of code that a line starts.
fn fence<'a>(line: &'a str, start: usize, mark: Mark, budget: usize) -> Option<Fence<'a>> {
    let read = Opening::read(&line[mark.end..])?;
    if line.chars().count() > budget / 4 || mark.end > longest_mark(budget) {
        return None;
    }
    let fence = line.len() - line[mark.end..].trim_start().len() + read.fence.len();
    Some(Fence {
        start,
        fence_end: start + line.len(),
        end: start + line.len(),
        opening: line,
        closing: &line[..fence],
        levels: mark.levels,
        read,
    })
}

/// Most characters of quote marks that are repeated. With a fence before and one behind, a third of the part is left.
fn longest_mark(budget: usize) -> usize {
    budget / 6
}

/// The quote marks at the start of a line.
#[derive(Clone, Copy)]
struct Mark {
    levels: usize,
    /// Where they end, with the space behind them.
    end: usize,
}

/// Reads at most so many quote marks: `> `, nested ones as `> > ` or `>> `, and a bare `>` for an empty line.
fn quote_mark(line: &str, most: usize) -> Mark {
    let mut mark = Mark { levels: 0, end: 0 };
    let mut levels = 0;
    let mut rest = line.trim_start_matches([' ', '\t']);
    while levels < most {
        let Some(behind) = rest.strip_prefix('>') else {
            break;
        };
        levels += 1;
        let spaced = behind.strip_prefix(' ');
        rest = spaced.unwrap_or(behind);
        if spaced.is_some() || rest.is_empty() || (levels == most && rest.starts_with('>')) {
            let end = line.len() - rest.len();
            mark = Mark { levels, end };
        }
    }
    mark
}

/// As many whole quote marks as fit.
fn repeated(mark: &str, most: usize) -> &str {
    if mark.len() <= most {
        return mark;
    }
    mark[..most]
        .rfind("> ")
        .map_or("", |last| &mark[..last + "> ".len()])
}
