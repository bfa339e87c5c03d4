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
    #[must_use]
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
        bare.then(|| Self::of(&url))
            .flatten()
            .ok_or(InvalidRule::Origin)
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
        host.strip_suffix(self.name.as_str())
            .and_then(|rest| rest.strip_suffix('.'))
            .is_some_and(|labels| !labels.is_empty())
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
        let allowed = is_name
            && origin.port == 443
            && self
                .hosts
                .iter()
                .any(|pattern| pattern.matches(&origin.host));
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

    fn way(address: &str) -> Option<Way> {
        let url = Url::parse(address).expect("a URL");
        Origin::of(&url).and_then(|origin| rules().way_to(&origin))
    }

    #[test]
    fn named_origins_are_exact() {
        assert_eq!(way("https://127.0.0.1:7443/a?b"), Some(Way::Trusted));
        for other in [
            "https://127.0.0.1:7444/",
            "https://127.0.0.1/",
            "http://127.0.0.1:7443/",
            "https://localhost:7443/",
            "https://127.0.0.1.sharepoint.com.evil.example:7443/",
        ] {
            assert_eq!(way(other), None, "{other}");
        }
    }

    #[test]
    fn patterns_hold_names_below_them_on_443() {
        assert_eq!(
            way("https://contoso-my.sharepoint.com/x"),
            Some(Way::Public)
        );
        assert_eq!(way("https://A.B.SharePoint.com/x"), Some(Way::Public));
        assert_eq!(way("https://files.example/x"), Some(Way::Public));
        for other in [
            "https://sharepoint.com/",
            "https://.sharepoint.com/",
            "https://evilsharepoint.com/",
            "https://contoso.sharepoint.com:8443/",
            "https://contoso.sharepoint.com.evil.example/",
            "https://evil.example/?contoso.sharepoint.com",
            "https://a.files.example/",
            "http://contoso.sharepoint.com/",
            "https://169.254.169.254/latest",
            "https://[::1]/",
            "ftp://contoso.sharepoint.com/",
        ] {
            assert_eq!(
                Url::parse(other)
                    .ok()
                    .and_then(|url| Origin::of(&url))
                    .and_then(|origin| rules().way_to(&origin)),
                None,
                "{other}"
            );
        }
    }

    #[test]
    fn rules_are_read_strictly() {
        for origin in [
            "https://a.example",
            "https://a.example:8443/",
            "https://[::1]:1",
        ] {
            assert!(origin.parse::<Origin>().is_ok(), "{origin}");
        }
        for origin in [
            "http://a.example",
            "https://a.example/x",
            "https://u@a.example",
            "a.example",
            "",
        ] {
            assert_eq!(
                origin.parse::<Origin>(),
                Err(InvalidRule::Origin),
                "{origin}"
            );
        }
        for host in ["*.sharepoint.com", "localhost", "a-b.example"] {
            assert!(host.parse::<HostPattern>().is_ok(), "{host}");
        }
        for host in [
            "*.com",
            "*",
            "",
            "*.*.com",
            "127.0.0.1",
            "10.1",
            "[::1]",
            "a/b",
            "https://a.example",
        ] {
            assert_eq!(
                host.parse::<HostPattern>(),
                Err(InvalidRule::Host),
                "{host}"
            );
        }
    }
}
