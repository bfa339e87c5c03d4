//! What a registration holds that this command does not put there, and whose a registration is. Decided from what was read; nothing
//! is called.
//!
//! The unique name of an installation can be worked out by anybody who knows subscription and resource group, and in many tenants any
//! member may register apps. Whoever takes the name first, with a credential of their own, would be handed what the administrator
//! consents to.

use bridge::rotation::DISPLAY_NAME;
use services::graph::registration::{Application, FederatedCredential, Key};

use super::{Found, Wanted};

/// A kind of what can be there besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Client secrets.
    Secrets,
    /// Certificates.
    Certificates,
    /// Federated credentials.
    Credentials,
    /// Redirect addresses of a web app, of use only with a credential.
    WebAddresses,
    /// Redirect addresses that need no credential.
    OpenAddresses,
    /// Owners.
    Owners,
    /// Client secrets and certificates of the service principal.
    PrincipalKeys,
    /// Owners of the service principal.
    PrincipalOwners,
}

/// What is there of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// Its kind.
    pub kind: Kind,
    /// Each by an id or an address; never anything secret.
    pub ids: Vec<String>,
}

/// Most that are named of a kind: whoever prepared them chose how many there are.
const MOST_NAMED: usize = 5;

impl Kind {
    /// What they are, as the lines name them.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Secrets => "client secrets",
            Self::Certificates => "certificates",
            Self::Credentials => "federated credentials",
            Self::WebAddresses => "redirect addresses",
            Self::OpenAddresses => "redirect addresses that need no credential",
            Self::Owners => "owners",
            Self::PrincipalKeys => "credentials of the service principal",
            Self::PrincipalOwners => "owners of the service principal",
        }
    }
}

impl Foreign {
    /// How many there are, and which.
    pub fn told(&self) -> String {
        let named = self.ids.iter().take(MOST_NAMED);
        let named = named.map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = match self.ids.len().saturating_sub(MOST_NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{} {} ({named}{more})", self.ids.len(), self.kind.label())
    }
}

/// What is there that this command does not put there. A name proves nothing, for whoever adds a client secret chooses it: only in a
/// registration that the file names (`is_named`) do those that bear our name count as ours.
pub fn foreign(wanted: &Wanted, found: &Found, is_named: bool) -> Vec<Foreign> {
    let Some(app) = &found.application else {
        return Vec::new();
    };
    let ids = |keys: &[Key]| keys.iter().map(|it| it.key_id.clone()).collect::<Vec<_>>();
    let secrets = app.password_credentials.iter();
    let secrets = secrets.filter(|it| !(is_named && has_our_name(it)));
    let secrets = secrets.map(|it| it.key_id.clone()).collect();
    let credentials = found.credentials.iter();
    let credentials = credentials
        .filter(|it| !trusts(it, &wanted.identity, &wanted.issuer))
        .map(|it| format!("{} of {}", it.subject, it.issuer))
        .collect();
    let web = app.web.redirect_uris.iter();
    let web = web.filter(|it| **it != wanted.redirect).cloned().collect();
    let open = [&app.spa, &app.public_client].into_iter().flatten();
    let open = open.flat_map(|it| it.redirect_uris.iter().cloned());
    let may_own = |id: &&String| {
        let mut all = wanted.owners.iter().chain([&wanted.identity]);
        all.any(|it| it.eq_ignore_ascii_case(id))
    };
    let strangers = |owners: &[String]| owners.iter().filter(|id| !may_own(id)).cloned().collect();
    let mut keys = ids(&found.principal_keys);
    keys.sort_unstable();
    let all = [
        (Kind::Secrets, secrets),
        (Kind::Certificates, ids(&app.key_credentials)),
        (Kind::Credentials, credentials),
        (Kind::WebAddresses, web),
        (Kind::OpenAddresses, open.collect()),
        (Kind::Owners, strangers(&found.owners)),
        (Kind::PrincipalKeys, keys),
        (Kind::PrincipalOwners, strangers(&found.principal_owners)),
    ];
    all.into_iter()
        .filter(|(_, ids): &(_, Vec<String>)| !ids.is_empty())
        .map(|(kind, ids)| Foreign { kind, ids })
        .collect()
}

/// Key ids of the client secrets that bear our name.
pub fn own_secrets(app: &Application) -> impl Iterator<Item = &str> {
    let all = app.password_credentials.iter();
    all.filter(|it| has_our_name(it))
        .map(|it| it.key_id.as_str())
}

/// Whether a registration is this installation's, as far as can be told from itself: it has the unique name, or trusts the managed
/// identity.
pub fn is_ours(
    unique_name: &str,
    has: Option<&str>,
    credentials: &[FederatedCredential],
    identity: &str,
    issuer: &str,
) -> bool {
    has == Some(unique_name) || credentials.iter().any(|it| trusts(it, identity, issuer))
}

fn has_our_name(key: &Key) -> bool {
    key.display_name.as_deref() == Some(DISPLAY_NAME)
}

fn trusts(credential: &FederatedCredential, identity: &str, issuer: &str) -> bool {
    credential.subject == identity && credential.issuer == issuer
}

#[cfg(test)]
mod tests {
    use services::graph::registration::Addresses;

    use super::*;

    fn wanted() -> Wanted {
        Wanted {
            owners: vec!["Person".to_owned()],
            ..super::super::tests::wanted()
        }
    }

    fn key(id: &str, name: &str) -> Key {
        Key {
            key_id: id.to_owned(),
            display_name: Some(name.to_owned()),
        }
    }

    fn credential(subject: &str, issuer: &str) -> FederatedCredential {
        FederatedCredential {
            id: "c".to_owned(),
            name: "managed-identity".to_owned(),
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            audiences: vec![],
        }
    }

    #[test]
    fn what_a_run_of_ours_leaves_is_not_foreign() {
        let wanted = wanted();
        assert_eq!(foreign(&wanted, &Found::default(), false), []);
        let mut found = super::super::tests::complete(&wanted);
        found.owners = vec!["person".to_owned(), "identity".to_owned()];
        assert_eq!(foreign(&wanted, &found, false), []);
    }

    #[test]
    fn all_that_somebody_else_put_there_is_told() {
        let wanted = wanted();
        type Change = fn(&mut Found, &mut Application);
        let cases: [(Change, Kind, &str, bool); 11] = [
            (
                |_, app| app.password_credentials.push(key("k", "theirs")),
                Kind::Secrets,
                "k",
                true,
            ),
            (
                |_, app| app.password_credentials.push(key("k", DISPLAY_NAME)),
                Kind::Secrets,
                "k",
                false,
            ),
            (
                |_, app| app.key_credentials.push(key("k", DISPLAY_NAME)),
                Kind::Certificates,
                "k",
                true,
            ),
            (
                |found, _| {
                    let theirs = credential("theirs", "https://login/t/v2.0");
                    found.credentials.push(theirs);
                },
                Kind::Credentials,
                "theirs of https://login/t/v2.0",
                true,
            ),
            (
                |found, _| {
                    let theirs = credential("identity", "https://login/other/v2.0");
                    found.credentials.push(theirs);
                },
                Kind::Credentials,
                "identity of https://login/other/v2.0",
                true,
            ),
            (
                |_, app| app.web.redirect_uris.push("https://theirs".to_owned()),
                Kind::WebAddresses,
                "https://theirs",
                true,
            ),
            (
                |_, app| {
                    let redirect_uris = vec!["https://app/api/sign-in".to_owned()];
                    app.spa = Some(Addresses { redirect_uris });
                },
                Kind::OpenAddresses,
                "https://app/api/sign-in",
                true,
            ),
            (
                |_, app| {
                    let redirect_uris = vec!["http://localhost".to_owned()];
                    app.public_client = Some(Addresses { redirect_uris });
                },
                Kind::OpenAddresses,
                "http://localhost",
                true,
            ),
            (
                |found, _| found.owners.push("theirs".to_owned()),
                Kind::Owners,
                "theirs",
                true,
            ),
            (
                |found, _| found.principal_keys.push(key("k", DISPLAY_NAME)),
                Kind::PrincipalKeys,
                "k",
                true,
            ),
            (
                |found, _| found.principal_owners.push("theirs".to_owned()),
                Kind::PrincipalOwners,
                "theirs",
                true,
            ),
        ];
        for (change, kind, id, also_named) in cases {
            let mut found = super::super::tests::complete(&wanted);
            let mut app = found.application.take().expect("one");
            change(&mut found, &mut app);
            found.application = Some(app);
            let ids = vec![id.to_owned()];
            let expected = [Foreign { kind, ids }];
            assert_eq!(foreign(&wanted, &found, false), expected);
            let named = foreign(&wanted, &found, true);
            assert_eq!(named == expected, also_named, "{named:?}");
        }
    }

    #[test]
    fn not_all_of_many_are_named() {
        let ids = (0..7).map(|it| it.to_string()).collect();
        let kind = Kind::Owners;
        assert_eq!(
            Foreign { kind, ids }.told(),
            "7 owners (0, 1, 2, 3, 4 and 2 more)"
        );
    }

    #[test]
    fn a_registration_is_ours_by_its_unique_name_or_by_whom_it_trusts() {
        let ours = credential("identity", "https://login/t/v2.0");
        let other_tenant = credential("identity", "https://login/other/v2.0");
        let other = credential("theirs", "https://login/t/v2.0");
        for (has, credentials, expected) in [
            (Some("u"), vec![], true),
            (None, vec![other.clone(), ours], true),
            (Some("v"), vec![other, other_tenant], false),
            (None, vec![], false),
        ] {
            let told = is_ours("u", has, &credentials, "identity", "https://login/t/v2.0");
            assert_eq!(told, expected, "{has:?} {credentials:?}");
        }
    }
}
