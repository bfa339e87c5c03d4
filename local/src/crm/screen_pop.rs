//! What an agent is shown about a customer when a conversation begins: the look-ups of the shipped flow
//! (`infra/genesys/flows/inbound-message.yaml`), in its order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Crm;
use super::action::{ActionError, run};

/// What stands for an input that there is none of.
const NONE: &str = "-";

/// What is known of a customer, in the words of the flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ScreenPop {
    /// What the CRM knows: `contact`, `account` or `none` (`crmMatched`).
    pub matched: &'static str,
    /// `found`, `notFound` or `failed` (`crmLookUp`).
    pub look_up: &'static str,
    /// Id of the contact; empty without one (`crmContactId`).
    pub contact_id: String,
    /// Id of the account; empty without one (`crmAccountId`).
    pub account_id: String,
    /// Name of the account; empty without one (`crmAccountName`).
    pub account: String,
    /// Tier of the account; empty when it has none (`crmTier`).
    pub tier: String,
    /// What the customer's tenant calls itself (`teamsCompany`).
    pub company: Option<String>,
    /// The customer's address (`teamsUpn`).
    pub address: Option<String>,
    /// Whether the address is of the customer's own tenant (`teamsUpnVerified`). One that is not is not looked up.
    pub is_address_verified: bool,
    /// Why look-ups failed.
    pub problems: Vec<String>,
}

/// What both data actions promise.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Found {
    found: bool,
    #[serde(default)]
    contact_id: String,
    account_id: String,
    account_name: String,
    tier: String,
}

impl ScreenPop {
    /// Looks a customer up: a contact by the id in Entra ID and by the verified address, else an account by the tenant. A look-up
    /// that fails is told and holds nothing up.
    #[must_use]
    pub fn of(attributes: &BTreeMap<String, String>, crm: &Crm) -> Self {
        let known = |name: &str| attributes.get(name).filter(|value| !value.is_empty());
        let input = |name: &str| known(name).map_or(NONE, String::as_str);
        let is_address_verified = input("teamsUpnVerified") == "true";
        let mut pop = Self {
            matched: "none",
            look_up: "notFound",
            company: known("teamsCompany").cloned(),
            address: known("teamsUpn").cloned(),
            is_address_verified,
            ..Self::default()
        };
        let email = if is_address_verified {
            input("teamsUpn")
        } else {
            NONE
        };
        let inputs = [("userId", input("teamsUserId")), ("email", email)];
        let is_found = pop.note("contact", run(crm.look_ups().contact, &inputs, crm));
        if !is_found {
            let inputs = [
                ("tenantId", input("teamsTenantId")),
                ("domain", input("teamsTenantDomain")),
            ];
            pop.note("account", run(crm.look_ups().account, &inputs, crm));
        }
        pop
    }

    /// Notes what a look-up gave; whether it found something.
    fn note(&mut self, kind: &'static str, ran: Result<Found, ActionError>) -> bool {
        match ran {
            Err(problem) => {
                self.look_up = "failed";
                self.problems.push(format!("{kind}: {problem}"));
                false
            }
            Ok(found) => {
                if found.found {
                    self.matched = kind;
                    self.look_up = "found";
                }
                self.contact_id = found.contact_id;
                self.account_id = found.account_id;
                self.account = found.account_name;
                self.tier = found.tier;
                found.found
            }
        }
    }
}

#[cfg(test)]
mod tests;
