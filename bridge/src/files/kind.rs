//! What a file really is: its first bytes decide, not the type that its host claims.

use super::types::is_token;

/// What a file is treated as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileKind {
    /// Media type, without parameters, in lower case.
    pub media_type: String,
    /// A picture by its first bytes, which a browser may show in place.
    pub is_image: bool,
}

impl FileKind {
    /// Genesys' word for it (Platform API, `OpenContentAttachment.mediaType`).
    #[must_use]
    pub fn genesys(&self) -> &'static str {
        match self.media_type.split('/').next() {
            Some("image") if self.is_image => "Image",
            Some("video") => "Video",
            Some("audio") => "Audio",
            _ => "File",
        }
    }

    /// Whether a Teams message can show it in place (Microsoft Learn, "Send message with inline images").
    #[must_use]
    pub fn is_inline_in_teams(&self) -> bool {
        let shown = ["image/png", "image/jpeg", "image/gif"];
        self.is_image && shown.contains(&&*self.media_type)
    }
}

/// A file that is not what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// A web page in the place of a file: a sign-in page, or SharePoint's page about an infected file.
    #[error("the host sent a web page instead of the file")]
    WebPage,
}

/// What the file is treated as, after its first bytes (at least [`super::HEAD`] of them, or all), the type that its host
/// claims and its name.
///
/// Known signatures win over the claim. A claimed picture without a picture's signature is no picture. Without a signature
/// the claim counts, and where the host only says "bytes", the name's ending.
///
/// # Errors
/// The bytes are a web page, and the host says so or the name says that they cannot be.
pub fn identify(head: &[u8], claimed: Option<&str>, name: &str) -> Result<FileKind, Mismatch> {
    let claimed = claimed
        .map(|claimed| {
            let essence = claimed.split(';').next().unwrap_or_default();
            essence.trim().to_ascii_lowercase()
        })
        .filter(|claimed| is_media_type(claimed) && claimed != UNKNOWN);
    let by_name = type_of_ending(name);
    let found = infer::get(head).map(|found| found.mime_type());
    if found == Some("text/html") && by_name != Some("text/html") {
        let is_page = claimed.as_deref() == Some("text/html");
        // Code, notes and tables may begin like a page; a picture or a document cannot.
        if is_page || by_name.is_some_and(|by_name| has_signature(by_name) || is_zipped(by_name)) {
            return Err(Mismatch::WebPage);
        }
    }
    let believed = claimed.as_deref().or(by_name);
    let media_type = match (found, believed) {
        (Some(found), Some(believed)) if is_container_of(found, believed) => believed,
        (Some(found), _) => found,
        (None, Some(believed)) if !has_signature(believed) => believed,
        (None, _) => UNKNOWN,
    };
    let is_image = found
        .and_then(|found| found.strip_prefix("image/"))
        .is_some_and(|found| ["png", "jpeg", "gif", "webp", "bmp", "avif"].contains(&found));
    Ok(FileKind {
        media_type: media_type.to_owned(),
        is_image,
    })
}

/// Bytes of which nothing is known.
const UNKNOWN: &str = "application/octet-stream";

fn is_media_type(text: &str) -> bool {
    text.split_once('/')
        .is_some_and(|(main, sub)| is_token(main) && is_token(sub))
}

/// Whether a file of this type must show a signature: if it has none, it is something else. Scalable pictures are text.
fn has_signature(media_type: &str) -> bool {
    media_type == "application/pdf"
        || (media_type.starts_with("image/") && media_type != "image/svg+xml")
}

/// Whether files of this type are zip archives.
fn is_zipped(media_type: &str) -> bool {
    media_type == "application/zip"
        || media_type.ends_with("+zip")
        || media_type.contains("openxmlformats")
        || media_type.contains("opendocument")
}

/// Whether files of the claimed type are containers of the found kind, so that the signature does not contradict the claim.
fn is_container_of(found: &str, claimed: &str) -> bool {
    match found {
        // Office documents, e-books, archives of programs and many more.
        "application/zip" => {
            is_zipped(claimed)
                || matches!(
                    claimed,
                    "application/x-zip-compressed"
                        | "application/java-archive"
                        | "application/vnd.android.package-archive"
                        | "application/vnd.ms-visio.drawing"
                        | "application/vnd.ms-excel.sheet.binary.macroenabled.12"
                )
        }
        // The older binary documents, and Outlook's messages.
        "application/x-ole-storage" => {
            matches!(
                claimed,
                "application/msword" | "application/vnd.visio" | "application/x-msi"
            ) || claimed.starts_with("application/vnd.ms-")
        }
        "text/xml" | "application/xml" => claimed.ends_with("xml") || claimed.starts_with("text/"),
        // What begins like a page can be any text, and what spreadsheets export.
        "text/html" => {
            claimed.starts_with("text/")
                || claimed.ends_with("xml")
                || claimed == "application/vnd.ms-excel"
        }
        "video/mp4" => matches!(claimed, "audio/mp4" | "audio/x-m4a" | "video/quicktime"),
        "video/webm" => claimed == "audio/webm",
        "application/gzip" => claimed.contains("gzip") || claimed == "application/x-tgz",
        "text/x-shellscript" => claimed.starts_with("text/"),
        found => found == claimed,
    }
}

/// Media type by the name's ending, for hosts that call everything bytes.
fn type_of_ending(name: &str) -> Option<&'static str> {
    let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
    Some(match ending.as_str() {
        "txt" | "log" | "ini" | "md" => "text/plain",
        "csv" => "text/csv",
        "htm" | "html" => "text/html",
        "json" => "application/json",
        "xml" => "application/xml",
        "svg" => "image/svg+xml",
        "eml" => "message/rfc822",
        "ics" => "text/calendar",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "pdf" => "application/pdf",
        "doc" => "application/msword",
        "xls" => "application/vnd.ms-excel",
        "ppt" => "application/vnd.ms-powerpoint",
        "msg" => "application/vnd.ms-outlook",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "odt" => "application/vnd.oasis.opendocument.text",
        "ods" => "application/vnd.oasis.opendocument.spreadsheet",
        "odp" => "application/vnd.oasis.opendocument.presentation",
        "zip" => "application/zip",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    const PDF: &[u8] = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n";
    const ZIP: &[u8] = b"PK\x03\x04\x14\0\0\0\0\0";
    const EXE: &[u8] = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0";
    const PAGE: &[u8] = b"<!DOCTYPE html><html><head><title>Virus</title></head></html>";

    fn kind(head: &[u8], claimed: Option<&str>, name: &str) -> (String, &'static str) {
        let kind = identify(head, claimed, name).expect("a kind");
        (kind.media_type.clone(), kind.genesys())
    }

    #[test]
    fn signatures_win_over_claims() {
        let pairs = [
            (PNG, Some("image/png"), "a.png", "image/png", "Image"),
            (
                PNG,
                Some("text/plain; charset=utf-8"),
                "a.txt",
                "image/png",
                "Image",
            ),
            (PNG, None, "a", "image/png", "Image"),
            (PDF, Some("image/png"), "a.png", "application/pdf", "File"),
            (PDF, Some(UNKNOWN), "a.pdf", "application/pdf", "File"),
            (
                EXE,
                Some("image/jpeg"),
                "a.jpg",
                "application/vnd.microsoft.portable-executable",
                "File",
            ),
            // Claims that nothing bears out.
            (b"just text", Some("image/png"), "a.png", UNKNOWN, "File"),
            (
                b"just text",
                Some("application/pdf"),
                "a.pdf",
                UNKNOWN,
                "File",
            ),
            (b"just text", Some(UNKNOWN), "a.png", UNKNOWN, "File"),
            (b"just text", None, "a.png", UNKNOWN, "File"),
        ];
        for (head, claimed, name, media_type, genesys) in pairs {
            assert_eq!(
                kind(head, claimed, name),
                (media_type.to_owned(), genesys),
                "{claimed:?} {name}"
            );
        }
    }

    #[test]
    fn without_a_signature_the_claim_and_then_the_ending_count() {
        let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
        let pairs = [
            (&b"a,b"[..], Some("text/csv"), "a.csv", "text/csv"),
            (b"a,b", Some(UNKNOWN), "a.CSV", "text/csv"),
            (b"a,b", None, "a", UNKNOWN),
            (b"a,b", Some("no type"), "a", UNKNOWN),
            (ZIP, Some(docx), "a.docx", docx),
            (ZIP, Some(UNKNOWN), "a.docx", docx),
            (ZIP, Some("image/png"), "a.png", "application/zip"),
            (
                b"<svg xmlns='x'/>",
                Some("image/svg+xml"),
                "a.svg",
                "image/svg+xml",
            ),
        ];
        for (head, claimed, name, media_type) in pairs {
            assert_eq!(
                kind(head, claimed, name).0,
                media_type,
                "{claimed:?} {name}"
            );
        }
        // Scalable pictures can hold scripts: a file, never shown in place.
        assert_eq!(kind(b"<svg/>", Some("image/svg+xml"), "a.svg").1, "File");
    }

    #[test]
    fn a_page_is_no_file_unless_a_page_was_sent() {
        for (claimed, name) in [
            (Some("text/html"), "a.pdf"),
            (Some("text/html; charset=utf-8"), "a.txt"),
            (Some("application/pdf"), "a.pdf"),
            (None, "a.docx"),
            (Some(UNKNOWN), "a.png"),
        ] {
            assert_eq!(identify(PAGE, claimed, name), Err(Mismatch::WebPage));
        }
        assert_eq!(kind(PAGE, Some("text/html"), "a.html").0, "text/html");
        for (claimed, name, media_type) in [
            (Some("text/plain"), "README.md", "text/plain"),
            (Some("text/xml"), "a.xml", "text/xml"),
            (
                Some("application/vnd.ms-excel"),
                "export.xls",
                "application/vnd.ms-excel",
            ),
            (Some(UNKNOWN), "a.vue", "text/html"),
            (None, "notes.txt", "text/plain"),
        ] {
            assert_eq!(kind(PAGE, claimed, name).0, media_type, "{name}");
        }
    }

    #[test]
    fn teams_shows_three_kinds_of_pictures() {
        let inline = |head: &[u8]| {
            identify(head, None, "a")
                .expect("a kind")
                .is_inline_in_teams()
        };
        assert!(inline(PNG) && inline(b"GIF89a\x01\0") && inline(b"\xff\xd8\xff\xe0\0\x10JFIF"));
        assert!(!inline(b"BM\x10\0\0\0") && !inline(PDF));
    }
}
