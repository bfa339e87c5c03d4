//! Who signed in, and whether that is who should have.

use crate::ids::{TenantId, UserId};

/// Who signed in, as the id token says ("ID token claims reference").
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// Their tenant (`tid`).
    pub tenant: TenantId,
    /// Their object id there (`oid`).
    pub user: UserId,
    /// Their name, for the page only.
    pub name: Option<String>,
    /// What they sign in with (`preferred_username`), for the page only: it can change.
    pub sign_in_name: Option<String>,
}

debug_shows!(Person: tenant, user);

impl Person {
    /// Whether this is the Support User with this object id of our tenant.
    #[must_use]
    pub fn is(&self, tenant: &TenantId, user: &UserId) -> bool {
        self.tenant == *tenant && self.user == *user
    }

    /// As the page calls them: name and sign-in name, as far as they are known.
    #[must_use]
    pub fn shown(&self) -> String {
        match (&self.name, &self.sign_in_name) {
            (Some(name), Some(sign_in_name)) => format!("{name} ({sign_in_name})"),
            (Some(one), None) | (None, Some(one)) => one.clone(),
            (None, None) => self.user.as_str().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenant_and_object_id_decide_and_nothing_else() {
        let id = |last: u8| format!("0f0e0d0c-0000-4000-8000-0000000000{last:02}");
        let person = |tenant: u8, user: u8| Person {
            tenant: id(tenant).parse().expect("a tenant"),
            user: id(user).to_uppercase().parse().expect("a user"),
            name: Some("Support".to_owned()),
            sign_in_name: Some("support@contoso.example".to_owned()),
        };
        let (tenant, user) = (id(1).parse().expect("a"), id(2).parse().expect("b"));
        assert!(person(1, 2).is(&tenant, &user));
        assert!(!person(1, 3).is(&tenant, &user), "somebody else");
        assert!(!person(3, 2).is(&tenant, &user), "another tenant");
    }

    #[test]
    fn the_page_calls_them_by_what_is_known() {
        for (name, sign_in_name, shown) in [
            (Some("Ada"), Some("ada@x.example"), "Ada (ada@x.example)"),
            (Some("Ada"), None, "Ada"),
            (None, Some("ada@x.example"), "ada@x.example"),
            (None, None, "user"),
        ] {
            let person = Person {
                tenant: "0f0e0d0c-0000-4000-8000-000000000001".parse().expect("a"),
                user: "user".parse().expect("a user"),
                name: name.map(str::to_owned),
                sign_in_name: sign_in_name.map(str::to_owned),
            };
            assert_eq!(person.shown(), shown);
        }
    }
}
