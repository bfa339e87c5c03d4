//! Custom attributes of a conversation: what the Genesys flow hands to the CRM look-up.

use std::collections::BTreeMap;

use crate::ids::{ChatId, SupportAccountName};
use crate::state::customer::Customer;

/// Most bytes of all attributes as JSON. A middleware in the field trims at 1,900, which hints at a cap of 2,000.
pub const LIMIT: usize = 1900;

/// The attributes that describe a customer and the way it wrote. When they do not fit, those are left out first that come last
/// here. A value is whole or absent, never cut, and no address goes without the word whether it is verified.
#[must_use]
pub fn custom_attributes(
    customer: &Customer,
    chat: &ChatId,
    account: &SupportAccountName,
    door: &str,
) -> BTreeMap<String, String> {
    let tenant = customer.tenant.as_ref().map(|tenant| tenant.as_str());
    let digest = chat.digest();
    let domain = customer.domain.as_ref().map(|domain| domain.as_str());
    let verified = match customer.upn_verified {
        true => "true",
        false => "false",
    };
    let verified = customer.upn.as_ref().map(|_| verified);
    let by_importance: [&[(&str, Option<&str>)]; 9] = [
        &[("teamsUserId", Some(customer.user.as_str()))],
        &[("teamsUserType", customer.user_type.as_deref())],
        &[("teamsTenantId", tenant)],
        &[
            ("teamsUpn", customer.upn.as_deref()),
            ("teamsUpnVerified", verified),
        ],
        &[("teamsTenantDomain", domain)],
        &[("teamsCompany", customer.company.as_deref())],
        &[("teamsSupportAccount", Some(account.as_str()))],
        &[("teamsChat", Some(digest.as_str()))],
        &[("teamsDoor", Some(door))],
    ];
    let mut attributes = BTreeMap::new();
    for together in by_importance {
        let mut with = attributes.clone();
        let known = together.iter();
        with.extend(
            known.filter_map(|(name, value)| Some(((*name).to_owned(), (*value)?.to_owned()))),
        );
        if serialized(&with) <= LIMIT {
            attributes = with;
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
            user_type: Some("aadUser".to_owned()),
            tenant: "be9c1b6e-0000-4000-8000-c0ffee000002".parse().ok(),
            upn: Some(upn.to_owned()),
            name: Some("Anna".to_owned()),
            guest: false,
            upn_verified: true,
            company: Some("Customer Ltd".to_owned()),
            domain: "customer.example".parse().ok(),
            lookup_failed_at: None,
        }
    }

    fn attributes(customer: &Customer) -> BTreeMap<String, String> {
        let chat = "19:a@thread.v2".parse().expect("an id");
        let account = "support".parse().expect("a name");
        custom_attributes(customer, &chat, &account, "graph")
    }

    #[test]
    fn attributes_of_a_known_customer() {
        insta::assert_json_snapshot!(attributes(&customer("anna@customer.example")));
    }

    #[test]
    fn what_is_not_known_is_absent() {
        let stranger = Customer {
            user_type: None,
            tenant: None,
            upn: None,
            name: None,
            company: None,
            domain: None,
            ..customer("")
        };
        let names: Vec<String> = attributes(&stranger).into_keys().collect();
        let known = "teamsChat teamsDoor teamsSupportAccount teamsUserId";
        assert_eq!(names.join(" "), known);
    }

    /// The names, the most important first; those in one line go together.
    const ORDER: [&[&str]; 9] = [
        &["teamsUserId"],
        &["teamsUserType"],
        &["teamsTenantId"],
        &["teamsUpn", "teamsUpnVerified"],
        &["teamsTenantDomain"],
        &["teamsCompany"],
        &["teamsSupportAccount"],
        &["teamsChat"],
        &["teamsDoor"],
    ];

    proptest! {
        #[test]
        fn they_fit_and_what_is_left_out_has_no_room(
            user in "\\PC{1,256}|[\"\\\\]{256}",
            upn in "\\PC{0,3000}",
            company in "\\PC{0,256}|[\"\\\\\u{1}]{900,1000}",
            verified: bool,
        ) {
            let known = customer(&upn);
            let user = user.parse().unwrap_or(known.user.clone());
            let whole = Customer { user, company: Some(company), upn_verified: verified, ..known };
            let attributes = attributes(&whole);
            prop_assert!(serialized(&attributes) <= LIMIT);
            let digest = "19:a@thread.v2".parse::<ChatId>().expect("an id").digest();
            let all = BTreeMap::from([
                ("teamsUserId", whole.user.as_str()),
                ("teamsUserType", "aadUser"),
                ("teamsTenantId", whole.tenant.as_ref().map_or("", |it| it.as_str())),
                ("teamsUpn", upn.as_str()),
                ("teamsUpnVerified", if verified { "true" } else { "false" }),
                ("teamsTenantDomain", "customer.example"),
                ("teamsCompany", whole.company.as_deref().unwrap_or_default()),
                ("teamsSupportAccount", "support"),
                ("teamsChat", digest.as_str()),
                ("teamsDoor", "graph"),
            ]);
            let mut so_far = BTreeMap::new();
            for together in ORDER {
                let pair = |name: &&str| ((*name).to_owned(), all[*name].to_owned());
                let kept = together.iter().filter(|name| attributes.contains_key(**name)).count();
                prop_assert!(kept == 0 || kept == together.len());
                if kept > 0 {
                    // Whole, never cut.
                    so_far.extend(together.iter().map(pair));
                } else {
                    let mut with = so_far.clone();
                    with.extend(together.iter().map(pair));
                    prop_assert!(serialized(&with) > LIMIT, "{together:?} would have fitted");
                }
            }
            prop_assert_eq!(so_far, attributes);
        }
    }
}
