//! Lists of media types, as Genesys' content profiles have them.

use std::str::FromStr;

/// Media types that are let through: `image/png`, `image/*` or `*/*` (Genesys Cloud Platform API, `MediaTypeAccess`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaTypes(Vec<(String, String)>);

impl Default for MediaTypes {
    /// Every type.
    fn default() -> Self {
        Self(vec![("*".to_owned(), "*".to_owned())])
    }
}

/// A text that is no list of media types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("entry {0} is no media type")]
pub struct InvalidMediaTypes(usize);

impl MediaTypes {
    /// Whether a media type (without parameters) is in the list.
    #[must_use]
    pub fn allow(&self, media_type: &str) -> bool {
        let Some((main, sub)) = media_type.split_once('/') else {
            return false;
        };
        self.0.iter().any(|(allowed_main, allowed_sub)| {
            (allowed_main == "*" || allowed_main.eq_ignore_ascii_case(main))
                && (allowed_sub == "*" || allowed_sub.eq_ignore_ascii_case(sub))
        })
    }
}

impl FromStr for MediaTypes {
    type Err = InvalidMediaTypes;

    fn from_str(text: &str) -> Result<Self, InvalidMediaTypes> {
        let mut types = Vec::new();
        for (index, entry) in text.split(',').enumerate() {
            let invalid = InvalidMediaTypes(index + 1);
            let (main, sub) = entry.trim().split_once('/').ok_or(invalid)?;
            let sound = match (main, sub) {
                ("*", sub) => sub == "*",
                (main, "*") => is_token(main),
                (main, sub) => is_token(main) && is_token(sub),
            };
            if !sound {
                return Err(invalid);
            }
            types.push((main.to_ascii_lowercase(), sub.to_ascii_lowercase()));
        }
        Ok(Self(types))
    }
}

/// Whether a text can be one of the two parts of a media type (RFC 6838, section 4.2).
pub(super) fn is_token(part: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
    !part.is_empty() && part.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_whole_parts() {
        let types: MediaTypes = "image/*, application/pdf".parse().expect("a list");
        for allowed in ["image/png", "IMAGE/WebP", "application/pdf"] {
            assert!(types.allow(allowed), "{allowed}");
        }
        for refused in ["application/zip", "text/plain", "imagex/png", "image", ""] {
            assert!(!types.allow(refused), "{refused}");
        }
        let all: MediaTypes = "*/*".parse().expect("a list");
        assert!(all.allow("anything/at-all"));
    }

    #[test]
    fn a_bad_entry_is_named() {
        for (text, entry) in [
            ("", 1),
            ("image", 1),
            ("image/*,", 2),
            ("*/png", 1),
            ("image/*, a b/c", 2),
            ("image/", 1),
        ] {
            assert_eq!(
                text.parse::<MediaTypes>(),
                Err(InvalidMediaTypes(entry)),
                "{text}"
            );
        }
    }
}
