//! A storage account in memory, with the rules that the client relies on (Azure Storage REST API, "Put Blob", "Put Block",
//! "Put Block List", "Get Blob", "Delete Blob", "List Blobs", "Get User Delegation Key").

use std::collections::HashMap;

use bytes::Bytes;

use super::{Reply, Seen};

/// The account's name, the first part of each path, as Azurite has it.
pub(super) const ACCOUNT: &str = "account";

/// Most names of one page of a listing; the real service's page has 5,000.
const LISTED: usize = 2;

/// The containers that there are.
const CONTAINERS: [&str; 3] = ["state", "attachments", "failed"];

/// The blobs by `{container}/{name}`, and blocks that are not part of one yet.
#[derive(Default)]
pub(super) struct Storage {
    blobs: HashMap<String, Blob>,
    staged: HashMap<(String, String), Bytes>,
    writes: u32,
}

struct Blob {
    body: Bytes,
    version: u32,
}

impl Storage {
    /// The names of a container's blobs, sorted.
    pub(super) fn names(&self, container: &str) -> Vec<String> {
        let in_container =
            |path: &String| Some(path.strip_prefix(container)?.strip_prefix('/')?.to_owned());
        let mut names: Vec<_> = self.blobs.keys().filter_map(in_container).collect();
        names.sort();
        names
    }

    pub(super) fn body(&self, container: &str, name: &str) -> Option<Bytes> {
        let blob = self.blobs.get(&format!("{container}/{name}"))?;
        Some(blob.body.clone())
    }

    pub(super) fn put(&mut self, container: &str, name: &str, body: Bytes) {
        self.write(format!("{container}/{name}"), body);
    }

    pub(super) fn answer(&mut self, seen: &Seen) -> Reply {
        let path = percent_encoding::percent_decode_str(seen.path());
        let path = path.decode_utf8_lossy().into_owned();
        let path = path.trim_start_matches('/').strip_prefix(ACCOUNT);
        let path = path.unwrap_or_default().trim_start_matches('/').to_owned();
        let query = seen.target.split_once('?').unwrap_or_default().1;
        let query = url::form_urlencoded::parse(query.as_bytes());
        let query: HashMap<_, _> = query.into_owned().collect();
        let operation = query.get("comp").map(String::as_str);
        if operation == Some("userdelegationkey") {
            return delegation_key();
        }
        if !CONTAINERS.contains(&path.split('/').next().unwrap_or_default()) {
            return refusal(404, "ContainerNotFound");
        }
        match (seen.method.as_str(), operation) {
            ("GET", Some("list")) => self.list(&path, &query),
            ("GET", None) => self.read(&path, seen),
            ("DELETE", None) => self.delete(&path, seen),
            ("PUT", Some("block")) => {
                let id = query.get("blockid").cloned().unwrap_or_default();
                self.staged.insert((path, id), seen.body.clone());
                Reply::new(201, "")
            }
            ("PUT", None | Some("blocklist")) => self.write_if(path, seen, operation.is_some()),
            _ => refusal(405, "UnsupportedHttpVerb"),
        }
    }

    /// Names from the marker on, which here is the first of them.
    fn list(&self, container: &str, query: &HashMap<String, String>) -> Reply {
        let text = |name: &str| query.get(name).map_or("", String::as_str);
        let (prefix, marker) = (text("prefix"), text("marker"));
        let most = text("maxresults").parse().unwrap_or(LISTED).min(LISTED);
        let mut names = self.names(container);
        names.retain(|name| name.starts_with(prefix) && name.as_str() >= marker);
        let next = names.get(most).cloned().unwrap_or_default();
        names.truncate(most);
        let blobs: Vec<String> = names
            .iter()
            .map(|name| format!("<Blob><Name>{name}</Name><Properties/></Blob>"))
            .collect();
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ContainerName=\"{container}\">\
            <Blobs>{}</Blobs><NextMarker>{next}</NextMarker></EnumerationResults>",
            blobs.concat()
        );
        Reply::new(200, body).header("content-type", "application/xml")
    }

    fn read(&self, path: &str, seen: &Seen) -> Reply {
        let Some(blob) = self.blobs.get(path) else {
            return refusal(404, "BlobNotFound");
        };
        let length = blob.body.len();
        let range = ["x-ms-range", "range"].map(|name| seen.header(name));
        let reply = match range.iter().find_map(|range| range.strip_prefix("bytes=")) {
            None => Reply::new(200, blob.body.to_vec()),
            Some(range) => {
                let (first, last) = range.split_once('-').unwrap_or_default();
                let first: usize = first.parse().unwrap_or_default();
                if first >= length {
                    return refusal(416, "InvalidRange");
                }
                let last = last.parse().unwrap_or(usize::MAX).min(length - 1);
                Reply::new(206, blob.body[first..=last].to_vec())
                    .header("content-range", format!("bytes {first}-{last}/{length}"))
            }
        };
        reply.header("etag", etag(blob.version))
    }

    /// The names of a container's blobs, two at a time; the marker is the name that comes next.
    fn delete(&mut self, path: &str, seen: &Seen) -> Reply {
        let Some(blob) = self.blobs.get(path) else {
            return refusal(404, "BlobNotFound");
        };
        let expected = seen.headers.get("if-match");
        if expected.is_some() && etag(blob.version) != seen.header("if-match") {
            return refusal(412, "ConditionNotMet");
        }
        self.blobs.remove(path);
        Reply::new(202, "")
    }

    fn write_if(&mut self, path: String, seen: &Seen, is_list: bool) -> Reply {
        let current = self.blobs.get(&path).map(|blob| etag(blob.version));
        if seen.header("if-none-match") == "*" && current.is_some() {
            return refusal(409, "BlobAlreadyExists");
        }
        let expected = seen.headers.get("if-match");
        if expected.is_some() && current.as_deref() != Some(seen.header("if-match")) {
            return refusal(412, "ConditionNotMet");
        }
        let body = match is_list.then(|| self.listed(&path, &seen.body)) {
            Some(None) => return refusal(400, "InvalidBlockList"),
            Some(Some(body)) => body,
            None => seen.body.clone(),
        };
        let version = self.write(path, body);
        Reply::new(201, "").header("etag", etag(version))
    }

    /// The blocks that a list names, in its order.
    fn listed(&self, path: &str, list: &[u8]) -> Option<Bytes> {
        let list = String::from_utf8_lossy(list);
        let ids = list.split("<Uncommitted>").skip(1);
        let blocks = ids.map(|id| {
            let id = id.split('<').next().unwrap_or_default();
            self.staged.get(&(path.to_owned(), id.to_owned()))
        });
        let blocks: Option<Vec<_>> = blocks.map(|block| block.map(|it| &it[..])).collect();
        Some(Bytes::from(blocks?.concat()))
    }

    fn write(&mut self, path: String, body: Bytes) -> u32 {
        self.writes += 1;
        let version = self.writes;
        self.blobs.insert(path, Blob { body, version });
        version
    }
}

fn etag(version: u32) -> String {
    format!("\"0x{version}\"")
}

fn delegation_key() -> Reply {
    let key = "<?xml version=\"1.0\" encoding=\"utf-8\"?><UserDelegationKey><SignedOid>o</SignedOid>\
        <SignedTid>t</SignedTid><SignedStart>2026-11-03T00:00:00Z</SignedStart>\
        <SignedExpiry>2026-11-09T00:00:00Z</SignedExpiry><SignedService>b</SignedService>\
        <SignedVersion>2026-04-06</SignedVersion><Value>c2VjcmV0</Value></UserDelegationKey>";
    Reply::new(200, key).header("content-type", "application/xml")
}

fn refusal(status: u16, code: &str) -> Reply {
    let body = format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
    Reply::new(status, body)
        .header("x-ms-error-code", code)
        .header("x-ms-request-id", "r-1")
        .header("content-type", "application/xml")
}
