//! Which lines of plain text are items of lists.

/// Deepest nesting; what is deeper is shown at this depth.
const DEEPEST: usize = 5;
/// Spaces that make an item part of the one before.
const NESTED: usize = 2;
/// Columns of a tab.
const TAB: usize = 4;

/// What stands before an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Bullets,
    Number(u32),
}

/// A line that looks like an item.
pub(super) struct Candidate<'a> {
    /// What stands before it.
    pub(super) list: List,
    /// What follows the number.
    delimiter: char,
    indentation: usize,
    /// Its text.
    pub(super) content: &'a str,
}

impl<'a> Candidate<'a> {
    /// Reads a line: `- x`, `* x`, `• x`, `1. x` or `1) x`.
    pub(super) fn read(line: &'a str) -> Option<Self> {
        let rest = line.trim_start_matches([' ', '\t']);
        let indentation = line[..line.len() - rest.len()]
            .chars()
            .map(|blank| if blank == '\t' { TAB } else { 1 })
            .sum();
        let (list, delimiter, rest) = match rest.strip_prefix(['-', '*', '•']) {
            Some(rest) => (List::Bullets, ' ', rest),
            None => {
                let behind = rest.trim_start_matches(|found: char| found.is_ascii_digit());
                let digits = &rest[..rest.len() - behind.len()];
                // A number with zeros before it would be shown without them.
                let number = (!digits.starts_with('0')).then(|| digits.parse().ok())??;
                let delimiter = behind
                    .chars()
                    .next()
                    .filter(|found| ".)".contains(*found))?;
                (List::Number(number), delimiter, &behind[1..])
            }
        };
        let content = rest.trim_start();
        let is_item = rest.starts_with([' ', '\t']) && !is_ruler(content);
        is_item.then_some(Self {
            list,
            delimiter,
            indentation,
            content,
        })
    }

    fn is_numbered(&self) -> bool {
        matches!(self.list, List::Number(_))
    }
}

/// Whether there is nothing but marks: a line that separates, `* * *`, or no item at all.
fn is_ruler(content: &str) -> bool {
    content
        .chars()
        .all(|character| character.is_whitespace() || matches!(character, '-' | '*' | '•'))
}

/// The depth, from 1, of each line that is an item of a list, for consecutive lines that look like items.
///
/// Numbers are items only when they count up from 1 and there are at least two of them, because HTML counts on its own. If
/// any in a top-level list do not, all numbered lines of that list stay text.
pub(super) fn depths(lines: &[Candidate<'_>]) -> Vec<Option<usize>> {
    let nested = nesting(lines);
    let wrong = wrong_numbers(lines, &nested);
    let mut depths: Vec<Option<usize>> = nested.iter().copied().map(Some).collect();
    let mut start = 0;
    while start < lines.len() {
        let end = top_level_end(lines, &nested, start);
        if wrong[start..end].contains(&true) {
            bullets_only(&lines[start..end], &mut depths[start..end]);
        }
        start = end;
    }
    depths
}

/// Depth of each line by its indentation.
fn nesting(lines: &[Candidate<'_>]) -> Vec<usize> {
    let mut open: Vec<usize> = Vec::with_capacity(DEEPEST);
    let depth = |line: &Candidate<'_>| {
        while open.len() > 1 && open.last().is_some_and(|last| line.indentation < *last) {
            open.pop();
        }
        let is_deepest = open.len() == DEEPEST;
        match open.last_mut() {
            Some(last) if line.indentation < *last => *last = line.indentation,
            Some(last) if is_deepest || line.indentation < *last + NESTED => {}
            _ => open.push(line.indentation),
        }
        open.len()
    };
    lines.iter().map(depth).collect()
}

/// Which lines have numbers that a list would change.
fn wrong_numbers(lines: &[Candidate<'_>], depths: &[usize]) -> Vec<bool> {
    let mut wrong = vec![false; lines.len()];
    // The last item of the list that is open at each depth, and how many it has.
    let mut open: Vec<(usize, u32)> = Vec::with_capacity(DEEPEST);
    let mut close = |open: &mut Vec<(usize, u32)>, depth: usize| {
        for (last, count) in open.drain(depth.min(open.len())..) {
            if count == 1 && lines[last].is_numbered() {
                wrong[last] = true;
            }
        }
    };
    let mut miscounted = Vec::new();
    for (index, (line, depth)) in lines.iter().zip(depths).enumerate() {
        close(&mut open, *depth);
        let before = open.get(depth - 1).copied();
        let before = before.filter(|(last, _)| is_same_kind(&lines[*last], line));
        let count = before.map_or(1, |(_, count)| count + 1);
        if before.is_none() {
            close(&mut open, depth - 1);
        }
        if let List::Number(number) = line.list {
            let same_delimiter =
                before.is_none_or(|(last, _)| lines[last].delimiter == line.delimiter);
            if number != count || !same_delimiter {
                miscounted.push(index);
            }
        }
        open.truncate(depth - 1);
        open.push((index, count));
    }
    close(&mut open, 0);
    for index in miscounted {
        wrong[index] = true;
    }
    wrong
}

fn is_same_kind(one: &Candidate<'_>, other: &Candidate<'_>) -> bool {
    one.is_numbered() == other.is_numbered()
}

/// Where the list ends that starts at the top level.
fn top_level_end(lines: &[Candidate<'_>], depths: &[usize], start: usize) -> usize {
    let ends = |index: &usize| depths[*index] == 1 && !is_same_kind(&lines[start], &lines[*index]);
    (start + 1..lines.len()).find(ends).unwrap_or(lines.len())
}

/// Takes the numbered lines out, and nests what is left between them.
fn bullets_only(lines: &[Candidate<'_>], depths: &mut [Option<usize>]) {
    let mut next = depths.iter_mut();
    for lines in lines.split_inclusive(Candidate::is_numbered) {
        let bullets = lines
            .split(Candidate::is_numbered)
            .next()
            .unwrap_or_default();
        let nested = nesting(bullets).into_iter().map(Some);
        // The numbered line, if there is one, is the last.
        for (depth, nested) in next.by_ref().zip(nested.chain([None])).take(lines.len()) {
            *depth = nested;
        }
    }
}
