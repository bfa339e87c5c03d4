//! Who the customer is, as far as the message, the chat's members and the directories show it.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::ids::{ChatId, DomainName, TenantId, UserId};
use crate::teams::message::Sender;

/// The person in Teams who asks for support. `Debug` shows ids as digests and no name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Entra object id in the person's own tenant, or the id that Graph gives to people without one.
    pub user: UserId,
    /// What kind of user, in Graph's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_type: Option<String>,
    /// The person's tenant.
    pub tenant: Option<TenantId>,
    /// User principal name; Graph often does not show it for people of other tenants.
    pub upn: Option<String>,
    /// Display name.
    pub name: Option<String>,
    /// A guest of our own tenant, who is at home elsewhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub guest: bool,
    /// Whether the domain of the principal name belongs to the person's tenant. Else it is what a foreign administrator says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub upn_verified: bool,
    /// Name of the organization that the tenant is, by its own word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// The tenant's primary domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<DomainName>,
    /// When something about the person could not be told that may be told later.
    #[serde(
        default,
        with = "crate::moment::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub lookup_failed_at: Option<OffsetDateTime>,
}

debug_shows!(Customer: user, tenant);

impl Customer {
    /// Stands where a chat's customer is not known any more.
    #[must_use]
    pub fn nobody(chat: &ChatId) -> Self {
        Self {
            user: UserId::of_chat(chat),
            user_type: None,
            tenant: None,
            upn: None,
            name: None,
            guest: false,
            upn_verified: false,
            company: None,
            domain: None,
            lookup_failed_at: None,
        }
    }
}

/// A member of a chat (Microsoft Learn, "aadUserConversationMember resource type"); any part may be missing.
#[derive(Clone, Default)]
pub struct Member {
    /// Entra object id, or the id that Graph gives to people without one.
    pub user: Option<UserId>,
    /// The member's tenant.
    pub tenant: Option<TenantId>,
    /// Mail address or user principal name.
    pub email: Option<String>,
    /// Display name.
    pub name: Option<String>,
}

debug_shows!(Member: user, tenant);

/// The customer behind a sender; `None` when the sender is no user. What the message does not show is taken from the chat's
/// members. A member record that names a tenant without an address still tells the tenant; a name never does, since whoever
/// administers a tenant can give any name in it.
#[must_use]
pub fn resolve(sender: &Sender, members: &[Member], home: &TenantId) -> Option<Customer> {
    let user = sender.user.clone()?;
    let member = member_of(members, Some(&user));
    let member = member.cloned().unwrap_or_default();
    let known = |text: &String| !text.trim().is_empty();
    let is_of_guest = |name: &Option<String>| name.as_deref().is_some_and(is_guest);
    let has_guest_name = is_of_guest(&sender.upn) || is_of_guest(&member.email);
    // A guest of our own directory is written `name_company.com#EXT#@ours`, which no CRM knows.
    let upn = sender.upn.clone().filter(known);
    let upn = upn.or(member.email.filter(known));
    let upn = upn.map(|upn| guest_address(&upn).unwrap_or(upn));
    // Whoever has no Entra object id is nobody of ours, whatever tenant Graph names: that of the meeting, for example.
    let is_entra = user.is_entra();
    let tenant = sender.tenant.clone().or(member.tenant);
    let tenant = tenant.filter(|tenant| is_entra || tenant != home);
    let tenant = tenant.filter(|tenant| *tenant != TenantId::nil());
    // Other tenants have guests as well.
    let guest = has_guest_name && tenant.as_ref().is_none_or(|tenant| tenant == home);
    let name = sender.name.clone().or(member.name).filter(known);
    Some(Customer {
        user,
        user_type: sender.user_type.clone(),
        tenant,
        upn,
        name: name.or_else(|| sender.shown_name().map(str::to_owned)),
        guest,
        upn_verified: false,
        company: None,
        domain: None,
        lookup_failed_at: None,
    })
}

/// What the chat's members tell of somebody.
#[must_use]
pub fn member_of<'a>(members: &'a [Member], user: Option<&UserId>) -> Option<&'a Member> {
    let user = user?;
    members.iter().find(|it| it.user.as_ref() == Some(user))
}

/// Whether a user principal name is one that a directory gives to its guests.
#[must_use]
pub fn is_guest(upn: &str) -> bool {
    upn.contains("#EXT#")
}

/// `anna_customer.com#EXT#@ours.onmicrosoft.com` → `anna@customer.com` (Microsoft Learn, "Properties of a Microsoft Entra B2B
/// collaboration user"); `None` where no address stands before the mark. Domains have no underscore, so the last one was the `@`.
#[must_use]
pub fn guest_address(upn: &str) -> Option<String> {
    let (mangled, _) = upn.split_once("#EXT#")?;
    let (name, company) = mangled.rsplit_once('_')?;
    let address = format!("{name}@{company}");
    DomainName::of_address(&address).map(|_| address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(last: char) -> UserId {
        format!("0f0e0d0c-0000-4000-8000-00000000000{last}")
            .parse()
            .expect("a GUID")
    }

    fn tenant(last: char) -> TenantId {
        format!("be9c1b6e-0000-4000-8000-c0ffee00000{last}")
            .parse()
            .expect("a GUID")
    }

    /// Anna as the message shows her, by this principal name and display name.
    fn sender(upn: Option<&str>, name: Option<&str>) -> Sender {
        Sender {
            user: Some(user('a')),
            upn: upn.map(str::to_owned),
            name: name.map(str::to_owned),
            ..Sender::default()
        }
    }

    fn member(last: char, email: &str) -> Member {
        Member {
            user: Some(user(last)),
            email: Some(email.to_owned()),
            ..Member::default()
        }
    }

    fn resolved(sender: &Sender, members: &[Member]) -> Customer {
        resolve(sender, members, &tenant('1')).expect("a customer")
    }

    #[test]
    fn the_message_comes_first_and_members_fill_the_gaps() {
        let mut anna = member('a', "anna@customer.example");
        anna.tenant = Some(tenant('2'));
        anna.name = Some("Somebody".to_owned());
        let members = [member('b', "other@x"), anna];
        let customer = resolved(&sender(None, Some("Anna")), &members);
        assert_eq!(customer.tenant, Some(tenant('2')));
        assert_eq!(customer.upn.as_deref(), Some("anna@customer.example"));
        assert_eq!(customer.name.as_deref(), Some("Anna"));
        let customer = resolved(&sender(Some("a.adler@mail.example"), None), &members);
        assert_eq!(customer.upn.as_deref(), Some("a.adler@mail.example"));
        assert_eq!(customer.name.as_deref(), Some("Somebody"));
    }

    #[test]
    fn nothing_is_invented() {
        let mut anna = sender(None, None);
        anna.tenant = Some(TenantId::nil());
        let customer = resolved(&anna, &[]);
        let found = (customer.tenant, customer.upn, customer.name);
        assert_eq!(found, (None, None, None));
        assert!(resolve(&Sender::default(), &[], &tenant('1')).is_none());
    }

    #[test]
    fn whoever_has_no_entra_id_has_a_name_and_is_nobody_of_ours() {
        let named = |user_type: &str, members: &[Member]| {
            let sender = Sender {
                user: "+4930000000".parse().ok(),
                user_type: Some(user_type.to_owned()),
                tenant: Some(tenant('1')),
                ..Sender::default()
            };
            let customer = resolved(&sender, members);
            assert_eq!((customer.tenant, customer.guest), (None, false));
            assert_eq!(customer.user_type.as_deref(), Some(user_type));
            customer.name.expect("a name")
        };
        assert_eq!(named("phoneUser", &[]), "Phone user");
        assert_eq!(named("azureCommunicationServicesUser", &[]), "Guest");
        let member = Member {
            user: "+4930000000".parse().ok(),
            name: Some("Cora".to_owned()),
            ..Member::default()
        };
        assert_eq!(named("phoneUser", &[member]), "Cora");
    }

    #[test]
    fn addresses_of_guests() {
        for (upn, address) in [
            (
                "anna_customer.example#EXT#@ours.onmicrosoft.com",
                Some("anna@customer.example"),
            ),
            (
                "anna_lee_customer.example#EXT#@ours.onmicrosoft.com",
                Some("anna_lee@customer.example"),
            ),
            (
                "o'hara_x.example#EXT#@ours.example",
                Some("o'hara@x.example"),
            ),
            ("anna@customer.example", None),
            ("#EXT#@ours.onmicrosoft.com", None),
            ("_customer.example#EXT#@ours.onmicrosoft.com", None),
            ("anna_#EXT#@ours.onmicrosoft.com", None),
            ("anna_customer#EXT#@ours.onmicrosoft.com", None),
            ("anna#EXT#@ours.onmicrosoft.com", None),
        ] {
            assert_eq!(guest_address(upn).as_deref(), address, "{upn}");
        }
    }

    #[test]
    fn a_guest_s_address_is_the_one_at_home() {
        let email = "anna_lee_customer.example#EXT#@ours.onmicrosoft.com";
        let customer = resolved(&sender(None, None), &[member('a', email)]);
        assert_eq!(customer.upn.as_deref(), Some("anna_lee@customer.example"));
        assert_eq!((customer.tenant, customer.guest), (None, true));
        let mut anna = member('a', email);
        anna.tenant = Some(tenant('1'));
        let customer = resolved(&sender(None, None), &[anna]);
        assert_eq!((customer.tenant, customer.guest), (Some(tenant('1')), true));
        let mut anna = member('a', email);
        anna.tenant = Some(tenant('2'));
        let customer = resolved(&sender(None, None), &[anna]);
        assert_eq!(
            (customer.tenant, customer.guest),
            (Some(tenant('2')), false)
        );
    }
}
