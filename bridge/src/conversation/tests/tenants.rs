//! Whose messages are passed on where `CUSTOMER_TENANTS` lists tenants.

use super::rules::edited;
use super::*;

impl World {
    /// Only people of these tenants may write.
    fn listing(mut self, tenants: &[TenantId]) -> Self {
        self.policy.tenants = CustomerTenants::Listed(tenants.to_vec());
        self
    }
}

/// A message whose sender's tenant Graph does not name in it.
fn untold(name: &str) -> ChatMessage {
    let mut message = message(name, "hello", START);
    message.from.as_mut().expect("a sender").tenant = None;
    message
}

fn member_of(tenant: Option<TenantId>) -> Member {
    Member {
        user: Some(user('a')),
        tenant,
        ..Member::default()
    }
}

#[test]
fn other_tenants_are_told_once_a_day_and_nothing_of_them_arrives() {
    let mut world = World::new().listing(&[tenant('3')]);
    let told = End::TurnedAway("not_listed", true);
    let untold = End::TurnedAway("not_listed", false);
    assert_eq!(world.created(&message("1", "hello", START)), told);
    assert_eq!(world.created(&message("2", "hello?", START)), untold);
    world.now += time::Duration::hours(23);
    assert_eq!(world.created(&message("3", "please", START)), untold);
    world.now += time::Duration::hours(1);
    // Of a change nobody expects an answer.
    let changed = edited(message("3", "please", START), "please!", world.now);
    assert_eq!(world.updated(&changed), untold);
    assert_eq!(world.created(&message("4", "hello", START)), told);
    assert!(world.genesys.is_empty() && world.inbound.customer.is_none());
    // Whoever is listed later begins like anybody.
    let mut world = world.listing(&[tenant('2')]);
    world.tells(&message("5", "at last", START));
    assert_eq!(world.texts(), ["at last"]);
    assert_eq!(world.thread, (true, 0));
}

#[test]
fn the_members_tell_a_tenant_that_the_message_does_not() {
    let mut world = World::new().listing(&[tenant('2')]);
    world.members = Asked::Told(vec![member_of(Some(tenant('2')))]);
    world.tells(&untold("1"));
    let asked = [Need::Message, Need::Chat, Need::Kind, Need::Tenant];
    assert_eq!(world.needed[..4], asked);
    assert!(!world.needed.contains(&Need::Members { dispensable: false }));
    // It is known from then on.
    world.tells(&untold("2"));
    assert_eq!(world.needed, [Need::Message, Need::Chat]);

    for tenant in [None, Some(TenantId::nil())] {
        let mut world = World::new().listing(&[super::tenant('2')]);
        world.members = Asked::Told(vec![member_of(tenant)]);
        let refused = End::TurnedAway("tenant_not_told", true);
        assert_eq!(world.created(&untold("1")), refused);
    }
}

#[test]
fn a_name_of_a_guest_makes_nobody_one_of_ours() {
    let mut world = World::new().listing(&[tenant('3')]);
    world.members = Asked::Told(vec![Member {
        email: Some("ceo_big.example#EXT#@ours.onmicrosoft.com".to_owned()),
        ..member_of(None)
    }]);
    let refused = End::TurnedAway("tenant_not_told", true);
    assert_eq!(world.created(&untold("1")), refused);
}

#[test]
fn in_a_group_each_sender_counts_and_colleagues_are_heard() {
    let mut world = World::group().listing(&[tenant('2')]);
    world.policy.groups = GroupPolicy::All;
    let of = |name: &str, last: char, from: TenantId| {
        let mut message = message(name, name, START);
        let sender = message.from.as_mut().expect("a sender");
        sender.user = Some(user(last));
        sender.tenant = Some(from);
        message
    };
    let stranger = of("1", 'b', tenant('3'));
    assert_eq!(
        world.created(&stranger),
        End::TurnedAway("not_listed", true)
    );
    world.tells(&of("2", 'a', tenant('2')));
    world.tells(&of("3", 'c', tenant('1')));
    let stranger = of("4", 'b', tenant('3'));
    assert_eq!(
        world.created(&stranger),
        End::TurnedAway("not_listed", false)
    );
    assert_eq!(world.texts(), ["Anna: 2", "Anna: 3"]);
    let customer = world.inbound.customer.as_ref().expect("a customer");
    assert_eq!(customer.user, user('a'));
}
