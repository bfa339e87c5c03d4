//! Pictures in `data:` addresses: at most 1 MB and 1024 × 1024 pixels, nothing that moves (msteams-docs, "Messages in bot
//! conversations", picture messages).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const LARGEST: usize = 1024 * 1024;
const LONGEST_SIDE: u16 = 1024;

/// Refuses what is no such picture of this media type; the error says why.
pub fn check(kind: &str, url: &str) -> Result<(), String> {
    let start = format!("data:{kind};base64,");
    let data = url.strip_prefix(&start);
    let bytes = data.and_then(|data| STANDARD.decode(data).ok());
    let bytes = bytes.ok_or("contentUrl is neither https nor data of the contentType")?;
    let size = match kind {
        "image/png" => png(&bytes),
        "image/gif" => gif(&bytes),
        _ => jpeg(&bytes),
    };
    let (width, height) = size.ok_or("the picture is none of its contentType")?;
    if bytes.len() > LARGEST || width > LONGEST_SIDE || height > LONGEST_SIDE {
        return Err("a picture has at most 1 MB and 1024 x 1024 pixels".to_owned());
    }
    Ok(())
}

/// The IHDR chunk comes first (PNG specification, section 5.6).
fn png(bytes: &[u8]) -> Option<(u16, u16)> {
    let side = |at: usize| {
        let four = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(u16::try_from(u32::from_be_bytes(four)).unwrap_or(u16::MAX))
    };
    let is_png = bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.get(12..16)? == b"IHDR";
    is_png.then_some((side(16)?, side(20)?))
}

/// The logical screen (GIF89a, section 18). The extension that repeats pictures stands for all that move.
fn gif(bytes: &[u8]) -> Option<(u16, u16)> {
    let side = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let moves = bytes.windows(11).any(|part| part == b"NETSCAPE2.0");
    let is_gif = bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a");
    (is_gif && !moves).then_some((side(6)?, side(8)?))
}

/// The frame header, behind segments that tell their length (ITU-T T.81, annex B).
fn jpeg(bytes: &[u8]) -> Option<(u16, u16)> {
    let two = |at: usize| Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let mut at = 2;
    if two(0)? != 0xffd8 {
        return None;
    }
    loop {
        let [0xff, marker] = *bytes.get(at..at + 2)? else {
            return None;
        };
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            return Some((two(at + 7)?, two(at + 5)?));
        }
        at += 2 + usize::from(two(at + 2)?);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(kind: &str, bytes: &[u8]) -> String {
        format!("data:{kind};base64,{}", STANDARD.encode(bytes))
    }

    fn png(width: u32, more: usize) -> Vec<u8> {
        let start = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
        let mut bytes = start.to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(1_u32.to_be_bytes());
        bytes.resize(bytes.len() + more, 0);
        bytes
    }

    #[test]
    fn size_kind_and_content_must_agree() {
        let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x0b\x08\x04\x00\x02\x00\x01";
        let tall = b"\xff\xd8\xff\xc2\0\x0b\x08\x04\x01\x02\x00\x01";
        let still = b"GIF89a\x00\x04\x00\x04";
        let moving = b"GIF89a\x01\0\x01\0!\xff\x0bNETSCAPE2.0";
        for (is_good, kind, bytes) in [
            (true, "image/png", &png(1024, 0)[..]),
            (false, "image/png", &png(1025, 0)),
            (false, "image/png", &png(70_000, 0)),
            (false, "image/png", &png(1, LARGEST)),
            (false, "image/jpeg", &png(1, 0)),
            (true, "image/jpeg", jpeg),
            (false, "image/jpeg", tall),
            (false, "image/jpeg", &jpeg[..10]),
            (true, "image/gif", still),
            (false, "image/gif", moving),
            (false, "image/gif", b""),
        ] {
            let problem = check(kind, &url(kind, bytes));
            assert_eq!(problem.is_ok(), is_good, "{kind} {problem:?}");
        }
        assert!(check("image/png", &url("image/gif", still)).is_err());
        assert!(check("image/png", "http://a.example/a.png").is_err());
    }
}
