//! A CRM, simulated, and what Genesys Cloud does to ask it: the shipped data actions of `infra/genesys` are run, not imitated.
//!
//! There are two to choose from. `salesforce` keeps contacts and accounts and answers the queries of its definitions (`soql`), and
//! `dynamics` does so for its own (`odata`); `action` runs the definition of a data action (`template`); `screen_pop` asks in the
//! order of the shipped flow. The sign-in at the CRM is left out: it has no part in what is found.

mod action;
mod dynamics;
mod odata;
mod salesforce;
mod screen_pop;
mod soql;
pub mod template;

use std::collections::BTreeMap;

use clap::ValueEnum;
use serde_json::Value;
use thiserror::Error;

use dynamics::Dynamics;
use salesforce::Salesforce;

pub use screen_pop::ScreenPop;

/// A record's values by their fields or columns; an absent one is null.
pub type Record = BTreeMap<String, String>;

/// The headers of a request; their names are compared without their case.
type Headers = BTreeMap<String, String>;

fn header<'h>(headers: &'h Headers, name: &str) -> Option<&'h str> {
    let mut headers = headers.iter();
    let found = headers.find(|(other, _)| other.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// Which CRM the organisation has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Salesforce.
    #[default]
    Salesforce,
    /// Dynamics 365.
    Dynamics,
}

/// What a CRM answers when it does not do what it is asked.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Refused {
    /// Salesforce refuses.
    #[error(transparent)]
    Salesforce(#[from] salesforce::QueryError),
    /// Dynamics 365 refuses.
    #[error(transparent)]
    Dynamics(#[from] dynamics::QueryError),
}

/// The definitions of the shipped look-ups.
#[derive(Clone, Copy)]
struct LookUps {
    contact: &'static str,
    account: &'static str,
}

const SALESFORCE: LookUps = LookUps {
    contact: include_str!("../../../infra/genesys/data-actions/salesforce-contact.custom.json"),
    account: include_str!("../../../infra/genesys/data-actions/salesforce-account.custom.json"),
};

const DYNAMICS: LookUps = LookUps {
    contact: include_str!("../../../infra/genesys/data-actions/dynamics-contact.custom.json"),
    account: include_str!("../../../infra/genesys/data-actions/dynamics-account.custom.json"),
};

/// The organisation's CRM. Either knows the page's customers: Northwind with two contacts, one found by the id in Entra ID and
/// one by the address; Fabrikam, known by its web site alone; and a big customer whom others may claim to be of. Adventure Works is
/// not in it.
pub enum Crm {
    /// Salesforce.
    Salesforce(Salesforce),
    /// Dynamics 365.
    Dynamics(Dynamics),
}

impl Crm {
    /// A CRM with its first records.
    #[must_use]
    pub fn seeded(kind: Kind) -> Self {
        match kind {
            Kind::Salesforce => Self::Salesforce(Salesforce::seeded()),
            Kind::Dynamics => Self::Dynamics(Dynamics::seeded()),
        }
    }

    /// Makes or replaces a record of an object (`Account`) or table (`accounts`).
    ///
    /// # Errors
    /// When the CRM has no such object, field or value.
    pub fn put(&self, object: &str, id: &str, record: Record) -> Result<(), Refused> {
        match self {
            Self::Salesforce(it) => it.put(object, id, record)?,
            Self::Dynamics(it) => it.put(object, id, record)?,
        }
        Ok(())
    }

    fn look_ups(&self) -> LookUps {
        match self {
            Self::Salesforce(_) => SALESFORCE,
            Self::Dynamics(_) => DYNAMICS,
        }
    }

    fn get(&self, address: &str, headers: &Headers) -> Result<Value, Refused> {
        Ok(match self {
            Self::Salesforce(it) => it.get(address)?,
            Self::Dynamics(it) => it.get(address, headers)?,
        })
    }
}
