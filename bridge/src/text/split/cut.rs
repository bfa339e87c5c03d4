//! Finds the place where a piece of a text ends.

use unicode_segmentation::UnicodeSegmentation;

use super::places::{Context, Place};

/// What a text costs, and where it had better not be cut.
pub(crate) trait Material {
    /// What the grapheme at this index costs, at least one per character.
    fn cost(&self, index: usize, grapheme: &str) -> usize;

    /// Whether a cut at this index would tear something that belongs together.
    fn is_barred(&self, index: usize) -> bool;

    /// What has to be added to a piece that ends at this index.
    fn closing(&self, _index: usize) -> usize {
        0
    }

    /// The room of a fresh piece that starts at this index.
    fn fresh_room(&self, index: usize) -> usize;
}

/// Where the piece ends that starts at `from` and may cost `room`: the end of the text when it fits, else the best of the last
/// places in the second half of what fits. The second half only, so that pieces stay few and the time linear.
///
/// Two places in the first half count, too: the last one before a word (or an address) that would have to be torn here but
/// fits into a fresh piece, and `from` itself when a fresh piece has more room than this one. The end is behind `from` in all
/// other cases.
pub(crate) fn cut(text: &str, from: usize, room: usize, material: &impl Material) -> usize {
    let window = window(text, from, room);
    let mut places = Places::default();
    if room < material.fresh_room(from) {
        places.early_word = Some(from);
        places.early = Some(from);
    }
    let mut context = Context::default();
    let mut spent = 0;
    for (offset, grapheme) in window.grapheme_indices(true) {
        let index = from + offset;
        if offset > 0 && spent + material.closing(index) <= room {
            let place = (!material.is_barred(index)).then(|| context.place(grapheme));
            places.add(index, place, spent * 2 >= room);
        }
        spent += material.cost(index, grapheme);
        if spent > room {
            return places
                .choose(text, material)
                .unwrap_or_else(|| inside(window, from, room, material));
        }
        context.push(grapheme);
    }
    from + window.len()
}

/// What a piece with this room can take, and one character more than that: whether a grapheme that ends the window goes on
/// behind it is then of no matter. Windows keep the time linear where a single grapheme is as long as the text.
fn window(text: &str, from: usize, room: usize) -> &str {
    let rest = &text[from..];
    rest.char_indices()
        .nth(room + 1)
        .map_or(rest, |(end, _)| &rest[..end])
}

/// The places met so far.
#[derive(Default)]
struct Places {
    /// The best of the second half.
    best: Option<(Place, usize)>,
    /// The last of the first half that tears no word.
    early_word: Option<usize>,
    /// The last of the first half.
    early: Option<usize>,
    /// The last between two graphemes, even if it is barred.
    last: Option<usize>,
}

impl Places {
    fn add(&mut self, index: usize, place: Option<Place>, second_half: bool) {
        self.last = Some(index);
        let Some(place) = place else {
            return;
        };
        if second_half {
            if self.best.is_none_or(|(known, _)| place >= known) {
                self.best = Some((place, index));
            }
        } else {
            self.early = Some(index);
            if place > Place::Grapheme {
                self.early_word = Some(index);
            }
        }
    }

    fn choose(&self, text: &str, material: &impl Material) -> Option<usize> {
        let whole_word = |index: &usize| fits_fresh(text, *index, Place::Word, material);
        let whole = |index: &usize| fits_fresh(text, *index, Place::Grapheme, material);
        match self.best {
            Some((place, index)) if place > Place::Grapheme => Some(index),
            Some((_, index)) => self.early_word.filter(whole_word).or(Some(index)),
            None => self
                .early_word
                .filter(whole_word)
                .or(self.early.filter(whole))
                .or(self.last),
        }
    }
}

/// Whether a fresh piece takes everything from `start` to the next place that is at least so good.
fn fits_fresh(text: &str, start: usize, least: Place, material: &impl Material) -> bool {
    let room = material.fresh_room(start);
    let mut context = Context::default();
    let mut spent = 0;
    for (offset, grapheme) in window(text, start, room).grapheme_indices(true) {
        let index = start + offset;
        if offset > 0 && !material.is_barred(index) && context.place(grapheme) >= least {
            return spent + material.closing(index) <= room;
        }
        spent += material.cost(index, grapheme);
        if spent > room {
            return false;
        }
        context.push(grapheme);
    }
    true
}

/// Where the first grapheme of a piece is cut that does not fit into it: after as many characters as fit, at least one; not at
/// all when a fresh piece has more room.
fn inside(window: &str, from: usize, room: usize, material: &impl Material) -> usize {
    if room < material.fresh_room(from) {
        return from;
    }
    let grapheme = window.graphemes(true).next().unwrap_or_default();
    let mut spent = 0;
    let mut end = from;
    for (offset, character) in grapheme.char_indices() {
        let next = offset + character.len_utf8();
        spent += material.cost(from + offset, &grapheme[offset..next]);
        if end > from && spent + material.closing(from + next) > room {
            break;
        }
        end = from + next;
    }
    end
}

/// Where a piece starts that follows a cut at `end`: white space is dropped, but the indentation of a line is kept. At most so
/// many characters are looked at.
pub(crate) fn after_gap(text: &str, end: usize, most: usize) -> usize {
    let mut gap = end;
    let mut line_start = text[..end].ends_with('\n').then_some(end);
    for (offset, grapheme) in window(text, end, most).grapheme_indices(true) {
        if !grapheme.trim().is_empty() {
            break;
        }
        gap = end + offset + grapheme.len();
        if grapheme.ends_with('\n') {
            line_start = Some(gap);
        }
    }
    line_start.unwrap_or(gap)
}
