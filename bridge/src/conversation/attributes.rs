//! Custom attributes of a conversation: what the Genesys flow hands to the CRM look-up.

use std::collections::BTreeMap;

use crate::ids::{ChatId, SupportAccountName};
use crate::state::customer::Customer;

/// Most bytes of all attributes as JSON. A middleware in the field trims at 1,900, which hints at a cap of 2,000.
pub const LIMIT: usize = 1900;

/// The attributes that describe a customer and the way it wrote, the least important left out when they do not fit. A value is
/// whole or absent, never cut.
#[must_use]
pub fn custom_attributes(
    customer: &Customer,
    chat: &ChatId,
    account: &SupportAccountName,
) -> BTreeMap<String, String> {
    let tenant = customer.tenant.as_ref().map(|tenant| tenant.as_str());
    let digest = chat.digest();
    let by_importance = [
        ("teamsUserId", Some(customer.user.as_str())),
        ("teamsTenantId", tenant),
        ("teamsUpn", customer.upn.as_deref()),
        ("teamsSupportAccount", Some(account.as_str())),
        ("teamsChat", Some(digest.as_str())),
        ("teamsDoor", Some("graph")),
    ];
    let mut attributes = BTreeMap::new();
    for (name, value) in by_importance {
        let Some(value) = value else { continue };
        attributes.insert(name.to_owned(), value.to_owned());
        if serialized(&attributes) > LIMIT {
            attributes.remove(name);
        }
    }
    attributes
}

fn serialized(attributes: &BTreeMap<String, String>) -> usize {
    serde_json::to_vec(attributes).map_or(usize::MAX, |json| json.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn customer(upn: &str) -> Customer {
        let user = "0f0e0d0c-0000-4000-8000-00000000000a";
        Customer {
            user: user.parse().expect("a GUID"),
            tenant: "be9c1b6e-0000-4000-8000-c0ffee000002".parse().ok(),
            upn: Some(upn.to_owned()),
            name: Some("Anna".to_owned()),
            guest: false,
        }
    }

    fn attributes(customer: &Customer) -> BTreeMap<String, String> {
        let chat = "19:a@thread.v2".parse().expect("an id");
        custom_attributes(customer, &chat, &"support".parse().expect("a name"))
    }

    #[test]
    fn attributes_of_a_known_customer() {
        insta::assert_json_snapshot!(attributes(&customer("anna@customer.example")));
    }

    #[test]
    fn what_is_not_known_is_absent() {
        let stranger = Customer {
            tenant: None,
            upn: None,
            name: None,
            ..customer("")
        };
        let names: Vec<String> = attributes(&stranger).into_keys().collect();
        let known = "teamsChat teamsDoor teamsSupportAccount teamsUserId";
        assert_eq!(names.join(" "), known);
    }

    proptest! {
        #[test]
        fn they_fit_and_no_value_is_cut(upn in "\\PC{0,3000}") {
            let attributes = attributes(&customer(&upn));
            prop_assert!(serialized(&attributes) <= LIMIT);
            prop_assert!(attributes.contains_key("teamsUserId"));
            prop_assert!(attributes.contains_key("teamsTenantId"));
            match attributes.get("teamsUpn") {
                Some(kept) => prop_assert_eq!(kept, &upn),
                // Without the one value of any length, everything else fits.
                None => prop_assert_eq!(attributes.len(), 5),
            }
        }
    }
}
