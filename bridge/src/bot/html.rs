//! HTML cut into some of its tags and the rest, byte for byte: what is rewritten in it leaves all else as it was.

/// A piece of HTML.
pub(super) enum Piece<'a> {
    /// A start tag that was asked for.
    Tag(&'a str),
    /// Anything else.
    Other(&'a str),
}

/// What stands in the place of a tag that is taken out: without it, what was before and behind the tag could become one.
pub(super) const NOTHING: &str = "<!---->";

/// The pieces of HTML, in order; `is_wanted` gets a tag's name and the tag. A tag or comment that never ends is left out: nobody
/// shows it, and what is put behind it would be a part of it.
pub(super) fn pieces<'a>(
    html: &'a str,
    is_wanted: impl Fn(&str, &str) -> bool,
) -> impl Iterator<Item = Piece<'a>> {
    let mut left = html;
    let mut tag = None;
    std::iter::from_fn(move || {
        if let Some(tag) = tag.take() {
            return Some(Piece::Tag(tag));
        }
        let mut from = 0;
        let end = loop {
            let Some(found) = left.get(from..)?.find('<') else {
                break left.len();
            };
            let start = from + found;
            let Some(length) = length(&left[start..]) else {
                // It never ends.
                let before = &left[..start];
                left = "";
                return (!before.is_empty()).then_some(Piece::Other(before));
            };
            from = start + length;
            let found = &left[start..from];
            let name =
                found[1..].split(|sign: char| sign.is_ascii_whitespace() || "/>".contains(sign));
            if is_wanted(name.clone().next().unwrap_or_default(), found) {
                tag = Some(found);
                break start;
            }
        };
        let before = &left[..end];
        left = &left[end + tag.map_or(0, str::len)..];
        match before {
            "" => tag.take().map(Piece::Tag),
            before => Some(Piece::Other(before)),
        }
    })
}

/// The length of the tag or comment that begins here, or of a sign that begins none (WHATWG HTML, "Tokenization"). `None` where
/// it never ends.
fn length(html: &str) -> Option<usize> {
    if let Some(comment) = html.strip_prefix("<!--") {
        return Some(comment.find("-->")? + "<!--".len() + "-->".len());
    }
    match html.as_bytes().get(1) {
        Some(b'!' | b'?') => Some(html.find('>')? + 1),
        Some(b'/') | Some(b'a'..=b'z' | b'A'..=b'Z') => tag_length(html),
        _ => Some(1),
    }
}

fn tag_length(html: &str) -> Option<usize> {
    /// Where in a tag.
    enum At {
        Name,
        Between,
        Attribute,
        BehindAttribute,
        BehindSign,
        Value,
        Quoted(u8),
    }
    let mut at = At::Name;
    for (place, byte) in html.bytes().enumerate().skip(1) {
        let is_space = byte.is_ascii_whitespace();
        at = match (at, byte) {
            (At::Quoted(quote), byte) if byte == quote => At::Between,
            (At::Quoted(quote), _) => At::Quoted(quote),
            (_, b'>') => return Some(place + 1),
            (At::BehindSign, b'"' | b'\'') => At::Quoted(byte),
            (At::BehindSign, _) if is_space => At::BehindSign,
            (At::BehindSign, _) => At::Value,
            (At::Attribute | At::BehindAttribute, b'=') => At::BehindSign,
            (At::Attribute | At::BehindAttribute, _) if is_space => At::BehindAttribute,
            (At::Name | At::Value, _) if is_space => At::Between,
            (At::Between, _) if is_space => At::Between,
            (At::Name | At::Between | At::Attribute | At::BehindAttribute, b'/') => At::Between,
            (At::Name, _) => At::Name,
            (At::Value, _) => At::Value,
            (At::Between | At::Attribute | At::BehindAttribute, _) => At::Attribute,
        };
    }
    None
}
