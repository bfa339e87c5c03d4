//! Addresses in plain text that become links.

/// Start and end of each address in a text, in order.
pub(super) fn links(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let start = from + text[from..].find("://")?;
            let searched = from;
            from = start + "://".len();
            let Some(scheme) = ["https", "http"]
                .iter()
                .find_map(|scheme| scheme_before(text, searched, start, scheme))
            else {
                continue;
            };
            if starts_host(&text[from..]) {
                from = address_end(text, from);
                return Some((scheme, from));
            }
        }
    })
}

/// Where the scheme that ends at `end` starts, when it is this one and no letter or digit goes before it.
fn scheme_before(text: &str, searched: usize, end: usize, scheme: &str) -> Option<usize> {
    let start = end
        .checked_sub(scheme.len())
        .filter(|start| *start >= searched)?;
    let found = text.get(start..end)?.eq_ignore_ascii_case(scheme);
    (found && !text[searched..start].ends_with(char::is_alphanumeric)).then_some(start)
}

/// Where the address ends whose host starts at `host`: before white space or a character that no address holds, punctuation at
/// the end left out. A closing bracket belongs to the address when its opening one does.
fn address_end(text: &str, host: usize) -> usize {
    const ENDS: [char; 9] = ['<', '>', '"', '`', '{', '}', '|', '\\', '^'];
    let ends = |found: char| is_foreign(found) || ENDS.contains(&found);
    let address = &text[host..];
    let address = &address[..address.find(ends).unwrap_or(address.len())];
    let count = |wanted: char| address.matches(wanted).count();
    let mut spare_round = count(')').saturating_sub(count('('));
    let mut spare_square = count(']').saturating_sub(count('['));
    let mut end = address.len();
    for (index, character) in address.char_indices().rev() {
        let punctuation = match character {
            ')' if spare_round > 0 => {
                spare_round -= 1;
                true
            }
            ']' if spare_square > 0 => {
                spare_square -= 1;
                true
            }
            '\u{2018}'..='\u{201f}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' => true,
            character => ".,:;!?'*_~…«»！（），．：；？".contains(character),
        };
        if !punctuation {
            break;
        }
        end = index;
    }
    host + end
}

/// Whether no address holds this character: white space, and marks of direction and of width, which can make an address look
/// like another one.
fn is_foreign(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Whether all of a text is a web address.
pub(super) fn is_web_address(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    is_web && starts_host(rest) && !rest.contains(is_foreign)
}

fn starts_host(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphanumeric() || first == '[')
}
