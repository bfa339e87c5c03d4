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
    let by_importance = [
        ("teamsUserId", Some(customer.user.as_str().to_owned())),
        (
            "teamsTenantId",
            customer
                .tenant
                .as_ref()
                .map(|tenant| tenant.as_str().to_owned()),
        ),
        ("teamsUpn", customer.upn.clone()),
        ("teamsSupportAccount", Some(account.as_str().to_owned())),
        ("teamsChat", Some(chat.digest().to_string())),
        ("teamsDoor", Some("graph".to_owned())),
    ];
    let mut attributes = BTreeMap::new();
    for (name, value) in by_importance {
        let Some(value) = value else { continue };
        attributes.insert(name.to_owned(), value);
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
        Customer {
            user: "0f0e0d0c-0000-4000-8000-00000000000a"
                .parse()
                .expect("a GUID"),
            tenant: Some(
                "be9c1b6e-0000-4000-8000-c0ffee000002"
                    .parse()
                    .expect("a GUID"),
            ),
            upn: Some(upn.to_owned()),
            name: Some("Anna".to_owned()),
            guest: false,
        }
    }

    #[test]
    fn attributes_of_a_known_customer() {
        let chat: ChatId = "19:a@thread.v2".parse().expect("an id");
        let account: SupportAccountName = "support".parse().expect("a name");
        let attributes = custom_attributes(&customer("anna@customer.example"), &chat, &account);
        insta::assert_json_snapshot!(attributes);
    }

    #[test]
    fn what_is_not_known_is_absent() {
        let chat: ChatId = "19:a@thread.v2".parse().expect("an id");
        let account: SupportAccountName = "support".parse().expect("a name");
        let stranger = Customer {
            tenant: None,
            upn: None,
            name: None,
            ..customer("")
        };
        let attributes = custom_attributes(&stranger, &chat, &account);
        let names: Vec<&str> = attributes.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "teamsChat",
                "teamsDoor",
                "teamsSupportAccount",
                "teamsUserId"
            ]
        );
    }

    proptest! {
        #[test]
        fn they_fit_and_no_value_is_cut(upn in "\\PC{0,3000}") {
            let chat: ChatId = "19:a@thread.v2".parse().expect("an id");
            let account: SupportAccountName = "support".parse().expect("a name");
            let attributes = custom_attributes(&customer(&upn), &chat, &account);
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
