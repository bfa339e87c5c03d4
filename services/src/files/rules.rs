//! Which addresses may be called at all.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// Scheme, host and port of an https address. `Debug` and `Display` show it: it names a service, no person.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    host: String,
    port: u16,
}

impl Origin {
    /// The origin of an https address; `None` for any other scheme.
    pub fn of(url: &Url) -> Option<Self> {
        if url.scheme() != "https" {
            return None;
        }
        Some(Self {
            host: url.host_str()?.to_ascii_lowercase(),
            port: url.port_or_known_default()?,
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "https://{}:{}", self.host, self.port)
    }
}

/// A text that is no origin or host pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRule {
    /// Not `https://host` or `https://host:port` alone.
    #[error("no https origin")]
    Origin,
    /// Not a host name of at least two labels, perhaps with `*.` before it.
    #[error("no host pattern")]
    Host,
}

impl FromStr for Origin {
    type Err = InvalidRule;

    fn from_str(text: &str) -> Result<Self, InvalidRule> {
        let url = Url::parse(text).map_err(|_| InvalidRule::Origin)?;
        let bare = matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        let origin = Self::of(&url).filter(|_| bare);
        origin.ok_or(InvalidRule::Origin)
    }
}

/// Hosts on the public Internet: `files.example` itself, or `*.example` for everything below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    name: String,
    below: bool,
}

impl HostPattern {
    fn matches(&self, host: &str) -> bool {
        if !self.below {
            return host == self.name;
        }
        let labels = host.strip_suffix(self.name.as_str());
        let labels = labels.and_then(|rest| rest.strip_suffix('.'));
        labels.is_some_and(|labels| !labels.is_empty())
    }
}

impl FromStr for HostPattern {
    type Err = InvalidRule;

    fn from_str(text: &str) -> Result<Self, InvalidRule> {
        let (name, below) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (text, false),
        };
        let is_name = matches!(Host::parse(name), Ok(Host::Domain(_)));
        let plain = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
        // `*.com` would be half the Internet; a single host without a dot is somebody's own network.
        if !is_name || !plain || (below && !name.contains('.')) {
            return Err(InvalidRule::Host);
        }
        Ok(Self {
            name: name.to_ascii_lowercase(),
            below,
        })
    }
}

/// Where files may come from.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Exactly these; they may lie in a private network.
    pub origins: Vec<Origin>,
    /// Hosts of these names on port 443, as long as they resolve to public addresses.
    pub hosts: Vec<HostPattern>,
}

/// How an origin may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The settings name it.
    Trusted,
    /// At public addresses only.
    Public,
}

impl Rules {
    pub(super) fn way_to(&self, origin: &Origin) -> Option<Way> {
        if self.origins.contains(origin) {
            return Some(Way::Trusted);
        }
        // A literal address is no name: no pattern matches it, and nothing would check where it leads.
        let is_name = matches!(Host::parse(&origin.host), Ok(Host::Domain(_)));
        let mut patterns = self.hosts.iter();
        let allowed =
            is_name && origin.port == 443 && patterns.any(|pattern| pattern.matches(&origin.host));
        allowed.then_some(Way::Public)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        Rules {
            origins: vec!["https://127.0.0.1:7443".parse().expect("an origin")],
            hosts: vec![
                "*.sharepoint.com".parse().expect("a pattern"),
                "files.example".parse().expect("a pattern"),
            ],
        }
    }

    /// How each of these addresses may be reached, if at all; what is no URL may not.
    fn expect(addresses: &str, way: Option<Way>) {
        for address in addresses.split_whitespace() {
            let url = Url::parse(address).ok();
            let origin = url.and_then(|url| Origin::of(&url));
            let found = origin.and_then(|origin| rules().way_to(&origin));
            assert_eq!(found, way, "{address}");
        }
    }

    #[test]
    fn named_origins_are_exact() {
        expect("https://127.0.0.1:7443/a?b", Some(Way::Trusted));
        let others = "https://127.0.0.1:7444/ https://127.0.0.1/ http://127.0.0.1:7443/
            https://localhost:7443/ https://127.0.0.1.sharepoint.com.evil.example:7443/";
        expect(others, None);
    }

    #[test]
    fn patterns_hold_names_below_them_on_443() {
        let allowed = "https://contoso-my.sharepoint.com/x https://A.B.SharePoint.com/x
            https://files.example/x";
        expect(allowed, Some(Way::Public));
        let others = "https://sharepoint.com/ https://.sharepoint.com/ https://evilsharepoint.com/
            https://contoso.sharepoint.com:8443/ https://contoso.sharepoint.com.evil.example/
            https://evil.example/?contoso.sharepoint.com https://a.files.example/
            http://contoso.sharepoint.com/ https://169.254.169.254/latest https://[::1]/
            ftp://contoso.sharepoint.com/";
        expect(others, None);
    }

    #[test]
    fn rules_are_read_strictly() {
        // Two spaces, and one at the end, hold an empty text between them.
        let good = "https://a.example https://a.example:8443/ https://[::1]:1";
        for origin in good.split(' ') {
            assert!(origin.parse::<Origin>().is_ok(), "{origin}");
        }
        let bad = "http://a.example https://a.example/x https://u@a.example a.example ";
        for origin in bad.split(' ') {
            let read = origin.parse::<Origin>();
            assert_eq!(read, Err(InvalidRule::Origin), "{origin}");
        }
        for host in "*.sharepoint.com localhost a-b.example".split(' ') {
            assert!(host.parse::<HostPattern>().is_ok(), "{host}");
        }
        let bad = "*.com *  *.*.com 127.0.0.1 10.1 [::1] a/b https://a.example";
        for host in bad.split(' ') {
            let read = host.parse::<HostPattern>();
            assert_eq!(read, Err(InvalidRule::Host), "{host}");
        }
    }
}
