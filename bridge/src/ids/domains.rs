//! Names of domains: what of an address a tenant can own.

use std::fmt;

use super::Digest;

text_id!(
    /// A domain's name in lower case, as the DNS writes it (RFC 1035, 2.3.1: labels of letters, digits and hyphens, at most 63
    /// characters each and 253 in all); names in other scripts stand in their `xn--` form. `Debug` shows a digest.
    DomainName,
    "domain name",
    domain
);

impl fmt::Debug for DomainName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = Digest::of("domain name", &self.0);
        write!(formatter, "DomainName(#{})", &digest.as_str()[..8])
    }
}

impl DomainName {
    /// The domain of a mail address or user principal name; `None` where there is none that a tenant could own.
    #[must_use]
    pub fn of_address(address: &str) -> Option<Self> {
        let (name, domain) = address.trim().rsplit_once('@')?;
        (!name.is_empty()).then(|| domain.parse().ok())?
    }
}

fn domain(text: &str) -> Option<String> {
    let is_label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let hyphens = label.starts_with('-') || label.ends_with('-');
        (1..=63).contains(&label.len()) && !hyphens && label.bytes().all(allowed)
    };
    let is_name = text.len() <= 253 && text.contains('.') && text.split('.').all(is_label);
    is_name.then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_of_addresses() {
        for (address, domain) in [
            ("anna@customer.example", Some("customer.example")),
            (" Anna@Customer.Example ", Some("customer.example")),
            ("a@b@customer.example", Some("customer.example")),
            ("anna@xn--mller-kva.example", Some("xn--mller-kva.example")),
            ("anna@müller.example", None),
            ("@customer.example", None),
            ("anna@", None),
            ("anna@localhost", None),
            ("anna@customer..example", None),
            ("anna@customer.example.", None),
            ("anna@-customer.example", None),
            ("anna@customer.example')/users('x", None),
            ("anna@customer.example\n", Some("customer.example")),
            ("anna@customer .example", None),
            ("anna", None),
            ("", None),
        ] {
            let found = DomainName::of_address(address);
            let found = found.as_ref().map(DomainName::as_str);
            assert_eq!(found, domain, "{address:?}");
        }
        let long = format!("a@{}.example", "a".repeat(64));
        assert_eq!(DomainName::of_address(&long), None);
        let shown = format!("{:?}", DomainName::of_address("a@customer.example"));
        assert!(!shown.contains("customer"), "{shown}");
    }
}
