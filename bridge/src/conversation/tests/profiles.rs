//! What the directories tell of a customer, and what is made of it.

use super::*;
use crate::ids::DomainName;
use crate::state::customer::Customer;

fn member(last: char, email: Option<&str>) -> Member {
    Member {
        user: Some(user('a')),
        tenant: Some(tenant(last)),
        email: email.map(str::to_owned),
        ..Member::default()
    }
}

fn company(last: char, name: &str, domain: &str) -> TenantInformation {
    TenantInformation {
        tenant: tenant(last),
        name: Some(name.to_owned()),
        domain: domain.parse().ok(),
    }
}

/// A world with one customer of the tenant 2, with this address; the tenant is a company, and it owns the address's domain.
fn with_customer(email: Option<&str>) -> World {
    let mut world = World::new();
    world.members = Asked::Told(vec![member('2', email)]);
    world.tenant = Asked::Told(Some(company('2', "Customer Ltd", "customer.example")));
    world.domain = Asked::Told(Some(tenant('2')));
    world
}

impl World {
    fn known(&self) -> &Customer {
        self.inbound.customer.as_ref().expect("a customer")
    }

    /// Company, domain, and whether the address is the tenant's.
    fn profile(&self) -> (Option<&str>, Option<&str>, bool) {
        let known = self.known();
        let domain = known.domain.as_ref().map(DomainName::as_str);
        (known.company.as_deref(), domain, known.upn_verified)
    }
}

fn again(name: &str, hours: i64) -> ChatMessage {
    message(name, "again", START + time::Duration::hours(hours))
}

#[test]
fn a_customer_is_looked_up_once_a_window() {
    let mut world = with_customer(Some("anna@customer.example"));
    world.tells(&message("1", "hello", START));
    let domain: DomainName = "customer.example".parse().expect("a domain");
    let asked = [
        Need::Message,
        Need::Chat,
        Need::Kind,
        Need::Members { dispensable: false },
        Need::TenantInformation(tenant('2')),
        Need::TenantOfDomain(domain.clone()),
    ];
    assert_eq!(world.needed, asked);
    let found = (Some("Customer Ltd"), Some("customer.example"), true);
    assert_eq!(world.profile(), found);
    world.tells(&again("2", 1));
    assert_eq!(world.needed, [Need::Message, Need::Chat]);
    world.tells(&again("3", 30));
    assert!(world.needed.contains(&Need::TenantOfDomain(domain)));
}

#[test]
fn whoever_takes_a_foreign_address_is_of_their_own_company_and_not_verified() {
    for owner in [Some(tenant('9')), None] {
        let mut world = with_customer(Some("ceo@bigcustomer.example"));
        world.domain = Asked::Told(owner);
        world.tells(&message("1", "hello", START));
        assert_eq!(world.upn(), Some("ceo@bigcustomer.example"));
        let own = (Some("Customer Ltd"), Some("customer.example"), false);
        assert_eq!(world.profile(), own);
    }
    // A guest's name of a foreign tenant is no other than any name.
    let mut world = with_customer(Some("ceo_bigcustomer.example#EXT#@evil.example"));
    world.domain = Asked::Told(Some(tenant('9')));
    world.tells(&message("1", "hello", START));
    assert!(!world.profile().2);
    assert_eq!(world.known().tenant, Some(tenant('2')));
    // An answer about another tenant is none.
    let mut world = with_customer(Some("ceo@bigcustomer.example"));
    world.tenant = Asked::Told(Some(company('9', "Big Customer", "bigcustomer.example")));
    world.domain = Asked::Told(Some(tenant('9')));
    world.tells(&message("1", "hello", START));
    assert_eq!(world.profile(), (None, None, false));
}

#[test]
fn nothing_that_is_unknown_is_asked_or_invented() {
    let mut world = with_customer(None);
    world.tells(&message("1", "hello", START));
    assert_eq!(world.upn(), None);
    let found = (Some("Customer Ltd"), Some("customer.example"), false);
    assert_eq!(world.profile(), found);
    let asked = |need: &Need| matches!(need, Need::TenantOfDomain(_) | Need::DirectoryEntry(_));
    assert!(!world.needed.iter().any(asked));
    let mut world = with_customer(Some("not an address"));
    world.tells(&message("1", "hello", START));
    assert!(!world.needed.iter().any(asked) && !world.profile().2);
}

#[test]
fn a_failed_look_up_holds_nothing_up_and_is_tried_again_within_the_window() {
    let mut world = with_customer(Some("anna@customer.example"));
    (world.tenant, world.domain) = (Asked::CannotTell, Asked::CannotTell);
    world.tells(&message("1", "hello", START));
    assert_eq!(world.profile(), (None, None, false));
    let healthy = with_customer(None);
    (world.tenant, world.domain) = (healthy.tenant, healthy.domain);
    // Not with each message, and before the window ends.
    world.now = START + time::Duration::minutes(9);
    world.tells(&again("2", 0));
    assert_eq!(world.needed, [Need::Message, Need::Chat]);
    world.now = START + time::Duration::minutes(10);
    world.tells(&again("3", 0));
    let found = (Some("Customer Ltd"), Some("customer.example"), true);
    assert_eq!(world.profile(), found);
    assert_eq!(world.known().lookup_failed_at, None);
    world.tells(&again("4", 1));
    assert_eq!(world.needed, [Need::Message, Need::Chat]);
    // The members' next turn is not put off by it.
    world.tells(&again("5", 25));
    assert!(world.needed.contains(&Need::Members { dispensable: true }));
    // What was told earlier stays when nobody can tell any more; of another address it says nothing.
    (world.tenant, world.domain) = (Asked::CannotTell, Asked::CannotTell);
    world.tells(&again("6", 50));
    assert_eq!(world.profile(), found);
    world.members = Asked::Told(vec![member('2', Some("ceo@bigcustomer.example"))]);
    world.tells(&again("7", 75));
    let unverified = (Some("Customer Ltd"), Some("customer.example"), false);
    assert_eq!(world.profile(), unverified);
}

#[test]
fn our_own_directory_knows_its_guests_and_nobody_else() {
    let guest = DirectoryEntry {
        upn: Some("anna_customer.example#EXT#@ours.onmicrosoft.com".to_owned()),
        mail: Some("anna@mail.example".to_owned()),
    };
    let mut world = World::new();
    let mut of_ours = message("1", "hello", START);
    of_ours.from.as_mut().expect("a sender").tenant = Some(tenant('1'));
    world.members = Asked::Told(vec![member('1', None)]);
    world.directory = Asked::Told(Some(guest.clone()));
    world.domain = Asked::Told(Some(tenant('2')));
    world.tells(&of_ours);
    assert!(world.needed.contains(&Need::DirectoryEntry(user('a'))));
    assert_eq!(world.upn(), Some("anna@customer.example"));
    assert!(world.known().guest);
    // The address is another tenant's, and our own company is nobody's.
    assert_eq!(world.profile(), (None, None, false));

    // A guest's name alone is no proof; the directory is.
    for (entry, tenant) in [(Some(guest), Some(tenant('1'))), (None, None)] {
        let mut world = World::new();
        let mut untold = message("1", "hello", START);
        untold.from.as_mut().expect("a sender").tenant = None;
        let name = "anna_customer.example#EXT#@ours.onmicrosoft.com";
        world.members = Asked::Told(vec![Member {
            tenant: None,
            ..member('1', Some(name))
        }]);
        world.directory = Asked::Told(entry);
        world.tells(&untold);
        assert_eq!(world.known().tenant, tenant);
        assert_eq!(world.upn(), Some("anna@customer.example"));
    }
}
