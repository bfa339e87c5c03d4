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

    fn head(name: &str) -> &'static [u8] {
        match name {
            "png" => b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            "gif" => b"GIF89a\x01\0",
            "jpeg" => b"\xff\xd8\xff\xe0\0\x10JFIF",
            "bmp" => b"BM\x10\0\0\0",
            "pdf" => b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
            "zip" => b"PK\x03\x04\x14\0\0\0\0\0",
            "exe" => b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0",
            "page" => b"<!DOCTYPE html><html><head><title>Virus</title></head></html>",
            "svg" => b"<svg xmlns='x'/>",
            _ => b"just text",
        }
    }

    /// What is sent, the type that its host claims, its name, and the type it is taken for.
    const FILES: &str = "
        png   image/png                  a.png       image/png
        png   text/plain;charset=utf-8   a.txt       image/png
        png   -                          a           image/png
        pdf   image/png                  a.png       application/pdf
        pdf   application/octet-stream   a.pdf       application/pdf
        exe   image/jpeg                 a.jpg       application/vnd.microsoft.portable-executable
        text  image/png                  a.png       application/octet-stream
        text  application/pdf            a.pdf       application/octet-stream
        text  application/octet-stream   a.png       application/octet-stream
        text  -                          a.png       application/octet-stream
        text  text/csv                   a.csv       text/csv
        text  application/octet-stream   a.CSV       text/csv
        text  -                          a           application/octet-stream
        text  notype                     a           application/octet-stream
        zip   application/epub+zip       a.epub      application/epub+zip
        zip   application/octet-stream   a.odt       application/vnd.oasis.opendocument.text
        zip   image/png                  a.png       application/zip
        svg   image/svg+xml              a.svg       image/svg+xml
        page  text/html                  a.pdf       -
        page  text/html;charset=utf-8    a.txt       -
        page  application/pdf            a.pdf       -
        page  -                          a.docx      -
        page  application/octet-stream   a.png       -
        page  text/html                  a.html      text/html
        page  text/plain                 README.md   text/plain
        page  text/xml                   a.xml       text/xml
        page  application/vnd.ms-excel   export.xls  application/vnd.ms-excel
        page  application/octet-stream   a.vue       text/html
        page  -                          notes.txt   text/plain";

    /// Signatures win over claims; without one the claim counts, then the name's ending. A page is no file unless a page, or a
    /// text that may begin like one, was sent.
    #[test]
    fn a_file_is_what_it_begins_like() {
        for line in FILES.lines().skip(1) {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let claimed = Some(columns[1]).filter(|claimed| *claimed != "-");
            let kind = identify(head(columns[0]), claimed, columns[2]);
            let media_type = kind.as_ref().map_or("-", |kind| &kind.media_type);
            assert_eq!(media_type, columns[3], "{line}");
        }
    }

    #[test]
    fn pictures_are_told_by_their_signature() {
        for (name, genesys, in_teams) in [
            ("png", "Image", true),
            ("gif", "Image", true),
            ("jpeg", "Image", true),
            ("bmp", "Image", false),
            ("pdf", "File", false),
            // Scalable pictures can hold scripts: a file, never shown in place.
            ("svg", "File", false),
        ] {
            let claimed = Some("image/svg+xml").filter(|_| name == "svg");
            let kind = identify(head(name), claimed, "a").expect("a kind");
            assert_eq!(
                (kind.genesys(), kind.is_inline_in_teams()),
                (genesys, in_teams),
                "{name}"
            );
        }
    }
}
