//! Building addresses from endpoints and outside ids.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// An endpoint without its trailing slash.
pub(crate) fn base(endpoint: &str) -> String {
    endpoint.trim().trim_end_matches('/').to_owned()
}

/// An id as exactly one segment of a path.
///
/// # Errors
/// `Rejected` for an id that no encoding keeps from changing the path: empty, `.` and `..` (WHATWG URL Standard, 4.4 treats
/// even `%2e` as a dot).
pub(crate) fn segment(service: Service, id: &str) -> Result<String> {
    if matches!(id, "" | "." | "..") {
        return Err(ServiceError::new(service, ErrorKind::Rejected, Sent::No));
    }
    Ok(utf8_percent_encode(id, RESERVED).to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    #[test]
    fn ids_that_would_climb_are_refused() {
        for id in ["", ".", ".."] {
            let error = segment(Service::Graph, id).expect_err("no segment");
            assert_eq!((error.kind, error.sent), (ErrorKind::Rejected, Sent::No));
        }
    }

    proptest! {
        #[test]
        fn an_id_stays_one_segment(id in ".{1,40}") {
            prop_assume!(id != "." && id != "..");
            let segment = segment(Service::Graph, &id).expect("a segment");
            let url = Url::parse(&format!("https://host/a/{segment}/b")).expect("a URL");
            let segments: Vec<_> = url.path_segments().expect("segments").collect();
            prop_assert_eq!(segments.len(), 3);
            let decoded = percent_encoding::percent_decode_str(segments[1]).decode_utf8().expect("text");
            prop_assert_eq!(decoded.as_ref(), id.as_str());
        }
    }
}
