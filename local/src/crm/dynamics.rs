//! A small Dynamics 365: contacts and accounts in Dataverse, and its Web API as far as it queries them. Sources: Microsoft Learn,
//! "Query data using the Web API", "Filter rows using OData", "Order rows using OData", "Compose HTTP requests and handle errors".

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use thiserror::Error;
use url::Url;
use uuid::Uuid;

use super::odata::{self, Filter, Literal, Malformed, Query};
use super::{Headers, Record, header};
use crate::shared::locked::Locked;

/// Where the Web API of the version lies that the data actions name.
const API: &str = "/api/data/v9.2/";

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Key,
    Text,
    /// A number with a label.
    Choice(&'static [(i64, &'static str)]),
    /// The id of an account.
    Account,
    Time,
}

impl Type {
    /// Its name in OData.
    fn edm(self) -> &'static str {
        match self {
            Self::Key | Self::Account => "Edm.Guid",
            Self::Text => "Edm.String",
            Self::Choice(_) => "Edm.Int32",
            Self::Time => "Edm.DateTimeOffset",
        }
    }
}

struct Table {
    /// Name of the entity set.
    name: &'static str,
    columns: &'static [(&'static str, Type)],
    /// Navigation property to an account, and the column that holds the account's id.
    to_account: Option<(&'static str, &'static str)>,
}

impl Table {
    /// Every table's first column is its key.
    fn key(&self) -> &'static str {
        self.columns[0].0
    }

    fn column(&self, name: &str) -> Result<Type, QueryError> {
        let mut columns = self.columns.iter();
        let found = columns.find(|(column, _)| *column == name);
        let unknown = || QueryError::UnknownProperty(name.to_owned());
        found.map(|(_, kind)| *kind).ok_or_else(unknown)
    }
}

const STATE: Type = Type::Choice(&[(0, "Active"), (1, "Inactive")]);

/// The labels are the organisation's own.
const TIER: Type = Type::Choice(&[
    (1, "Platinum"),
    (2, "Gold"),
    (3, "Silver"),
    (4, "Strategic"),
]);

const ACCOUNTS: Table = Table {
    name: "accounts",
    columns: &[
        ("accountid", Type::Key),
        ("name", Type::Text),
        ("accountcategorycode", TIER),
        ("websiteurl", Type::Text),
        ("new_entratenantid", Type::Text),
        ("statecode", STATE),
        ("modifiedon", Type::Time),
    ],
    to_account: None,
};

const CONTACTS: Table = Table {
    name: "contacts",
    columns: &[
        ("contactid", Type::Key),
        ("fullname", Type::Text),
        ("emailaddress1", Type::Text),
        ("new_entrauserid", Type::Text),
        ("_parentcustomerid_value", Type::Account),
        ("statecode", STATE),
        ("modifiedon", Type::Time),
    ],
    to_account: Some(("parentcustomerid_account", "_parentcustomerid_value")),
};

/// Table, id and columns of a row.
type Seed = (
    &'static str,
    &'static str,
    [(&'static str, &'static str); 4],
);

const NORTHWIND: &str = "a1000000-0000-4000-8000-000000000001";
const FABRIKAM: &str = "a1000000-0000-4000-8000-000000000002";
const BIG_CUSTOMER: &str = "a1000000-0000-4000-8000-000000000003";

/// The rows that are there at the start; an empty text is none.
const SEEDS: [Seed; 6] = [
    (
        "accounts",
        NORTHWIND,
        [
            ("name", "Northwind Traders"),
            ("accountcategorycode", "1"),
            ("websiteurl", "https://www.northwind.example"),
            ("new_entratenantid", "3f1c2a90-8a4e-4d57-9c1b-5f0a7d2e1101"),
        ],
    ),
    (
        "accounts",
        FABRIKAM,
        [
            ("name", "Fabrikam, Inc."),
            ("accountcategorycode", "3"),
            ("websiteurl", "https://www.fabrikam.example"),
            ("new_entratenantid", ""),
        ],
    ),
    (
        "accounts",
        BIG_CUSTOMER,
        [
            ("name", "Big Customer Group"),
            ("accountcategorycode", "4"),
            ("websiteurl", "bigcustomer.example"),
            ("new_entratenantid", "e1b07f3d-94a6-4c2e-8f15-b6d2c0a84404"),
        ],
    ),
    (
        "contacts",
        "c1000000-0000-4000-8000-000000000001",
        [
            ("fullname", "Ada Kovács"),
            ("emailaddress1", "ada.kovacs@northwind.example"),
            ("new_entrauserid", "9a6f0c1d-4b3e-4f27-a8d1-0e5b7c6a1a01"),
            ("_parentcustomerid_value", NORTHWIND),
        ],
    ),
    (
        "contacts",
        "c1000000-0000-4000-8000-000000000002",
        [
            ("fullname", "Sam Okoye"),
            ("emailaddress1", "sam.okoye@northwind.example"),
            ("new_entrauserid", ""),
            ("_parentcustomerid_value", NORTHWIND),
        ],
    ),
    (
        "contacts",
        "c1000000-0000-4000-8000-000000000003",
        [
            ("fullname", "The chief executive"),
            ("emailaddress1", "ceo@bigcustomer.example"),
            ("new_entrauserid", ""),
            ("_parentcustomerid_value", BIG_CUSTOMER),
        ],
    ),
];

/// Why there are no rows.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum QueryError {
    /// The options of the query cannot be read (400).
    #[error("0x80060888: {0}")]
    Malformed(#[from] Malformed),
    /// A column or navigation property that the table does not have (400).
    #[error("0x80060888: could not find a property named {0:?}")]
    UnknownProperty(String),
    /// A column is compared with a value of another type (400).
    #[error("0x80060888: a binary operator with incompatible types was detected: {0} and {1}")]
    Types(&'static str, &'static str),
    /// A value that a column cannot hold (400).
    #[error("0x80048d19: the property {0:?} cannot hold this value")]
    Value(String),
    /// A version of OData that the service does not speak (400).
    #[error("0x80060888: the header {0} names no version that is spoken here")]
    Version(&'static str),
    /// Nothing is at the address (404).
    #[error("0x8006088a: resource not found for the segment")]
    NotFound,
}

/// All rows, by table and id.
pub struct Dynamics(Locked<BTreeMap<&'static str, BTreeMap<String, Record>>>);

impl Dynamics {
    /// The same organisation as the simulated Salesforce has.
    #[must_use]
    pub fn seeded() -> Self {
        let it = Self(Locked::default());
        for (name, id, columns) in SEEDS {
            let changed = ("modifiedon", "2026-01-02T03:04:05Z");
            let columns = columns.into_iter().chain([changed]);
            let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
            let done = it.put(name, id, columns.map(owned).collect());
            debug_assert_eq!(done, Ok(()));
        }
        it
    }

    /// Makes or replaces a row. An empty text is stored as null, and a row is active unless it says otherwise.
    ///
    /// # Errors
    /// When there is no such table, it has no such column, or a value is not of the column's type.
    pub fn put(&self, table: &str, id: &str, mut record: Record) -> Result<(), QueryError> {
        let table = table_of(table)?;
        record.insert(table.key().to_owned(), id.to_lowercase());
        let state = record.entry("statecode".to_owned());
        state.or_insert_with(|| "0".to_owned());
        record.retain(|_, value| !value.is_empty());
        for (name, value) in &record {
            let fits = match table.column(name)? {
                Type::Text | Type::Time => true,
                Type::Key | Type::Account => Uuid::try_parse(value).is_ok(),
                Type::Choice(labels) => labels
                    .iter()
                    .any(|(number, _)| number.to_string() == *value),
            };
            if !fits {
                return Err(QueryError::Value(name.clone()));
            }
        }
        let mut all = self.0.lock();
        let rows = all.entry(table.name).or_default();
        rows.insert(id.to_lowercase(), record);
        Ok(())
    }

    /// The answer to `GET` of an address with these headers.
    ///
    /// # Errors
    /// When it is no table, or the query cannot be read or asks for what is not there.
    pub fn get(&self, address: &str, headers: &Headers) -> Result<Value, QueryError> {
        for version in ["OData-Version", "OData-MaxVersion"] {
            if header(headers, version).is_some_and(|it| it != "4.0") {
                return Err(QueryError::Version(version));
            }
        }
        let address = Url::parse(address).map_err(|_| QueryError::NotFound)?;
        if address.scheme() != "https" || address.fragment().is_some() {
            return Err(QueryError::NotFound);
        }
        let path = address.path().strip_prefix(API);
        let table = table_of(path.ok_or(QueryError::NotFound)?)?;
        let options: Vec<_> = address.query_pairs().into_owned().collect();
        let wish = header(headers, "Prefer").unwrap_or_default();
        let with_labels = [LABEL, "*"]
            .iter()
            .any(|it| wish == format!("odata.include-annotations=\"{it}\""));
        self.answer(table, &odata::read(&options)?, with_labels)
    }

    fn answer(&self, table: &Table, query: &Query, with_labels: bool) -> Result<Value, QueryError> {
        check(table, &query.filter)?;
        let order = query.order.iter().map(|(name, _)| name);
        for name in query.select.iter().chain(order) {
            table.column(name)?;
        }
        if let Some((property, select)) = &query.expand {
            let known = table.to_account.filter(|(name, _)| name == property);
            known.ok_or_else(|| QueryError::UnknownProperty(property.clone()))?;
            for name in select {
                ACCOUNTS.column(name)?;
            }
        }
        let all = self.0.lock();
        let rows = all.get(table.name).into_iter().flat_map(BTreeMap::values);
        let mut found: Vec<&Record> = rows.filter(|row| fits(&query.filter, row)).collect();
        found.sort_by(|one, other| compared(&query.order, one, other));
        found.truncate(query.top);
        let none = BTreeMap::new();
        let accounts = all.get(ACCOUNTS.name).unwrap_or(&none);
        let value: Vec<Value> = found
            .into_iter()
            .map(|row| {
                let mut shown = shown(table, &query.select, row, with_labels);
                if let (Some((property, select)), Some((_, column))) =
                    (&query.expand, table.to_account)
                {
                    let account = row.get(column).and_then(|id| accounts.get(id));
                    let account = account.map(|it| self::shown(&ACCOUNTS, select, it, with_labels));
                    shown.insert(property.clone(), json!(account));
                }
                Value::Object(shown)
            })
            .collect();
        Ok(json!({ "value": value }))
    }
}

/// Name of the annotation with a value as people read it.
const LABEL: &str = "OData.Community.Display.V1.FormattedValue";

fn table_of(name: &str) -> Result<&'static Table, QueryError> {
    let mut tables = [&ACCOUNTS, &CONTACTS].into_iter();
    let found = tables.find(|table| table.name == name);
    found.ok_or(QueryError::NotFound)
}

/// Whether a filter names columns that are there and compares them with values of their type.
fn check(table: &Table, filter: &Filter) -> Result<(), QueryError> {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => {
            parts.iter().try_for_each(|part| check(table, part))
        }
        Filter::NotNull(column) => table.column(column).map(drop),
        Filter::Equal(column, literal) => {
            let kind = table.column(column)?;
            let given = match literal {
                Literal::Null => return Ok(()),
                Literal::Text(_) => Type::Text.edm(),
                Literal::Number(_) => "Edm.Int32",
            };
            if kind.edm() == given {
                Ok(())
            } else {
                Err(QueryError::Types(kind.edm(), given))
            }
        }
    }
}

fn fits(filter: &Filter, row: &Record) -> bool {
    match filter {
        Filter::All(parts) => parts.iter().all(|part| fits(part, row)),
        Filter::Any(parts) => parts.iter().any(|part| fits(part, row)),
        Filter::NotNull(column) => row.contains_key(column),
        Filter::Equal(column, literal) => match (row.get(column), literal) {
            (value, Literal::Null) => value.is_none(),
            // Texts are compared without their case.
            (Some(value), Literal::Text(text)) => value.to_lowercase() == text.to_lowercase(),
            (Some(value), Literal::Number(number)) => *value == number.to_string(),
            (None, _) => false,
        },
    }
}

/// Null is the smallest value.
fn compared(order: &[(String, bool)], one: &Record, other: &Record) -> Ordering {
    let by = |(column, descending): &(String, bool)| {
        let compared = one.get(column).cmp(&other.get(column));
        if *descending {
            compared.reverse()
        } else {
            compared
        }
    };
    let mut keys = order.iter().map(by);
    keys.find(|it| it.is_ne()).unwrap_or(Ordering::Equal)
}

/// A row as Dataverse shows it: its key and the wanted columns, null where there is no value, and labels beside choices.
fn shown(table: &Table, select: &[String], row: &Record, with_labels: bool) -> Map<String, Value> {
    let mut shown = Map::new();
    shown.insert("@odata.etag".to_owned(), json!("W/\"1\""));
    let key = (table.key(), Type::Key);
    let wanted = |(name, _): &&(&str, Type)| select.iter().any(|it| it == name);
    for (name, kind) in [key].iter().chain(table.columns.iter().filter(wanted)) {
        let value = row.get(*name);
        let Type::Choice(labels) = kind else {
            shown.insert((*name).to_owned(), json!(value));
            continue;
        };
        let of = |(number, _): &&(i64, &str)| value.is_some_and(|it| *it == number.to_string());
        let chosen = labels.iter().find(of);
        shown.insert((*name).to_owned(), json!(chosen.map(|(number, _)| number)));
        if let Some((_, label)) = chosen.filter(|_| with_labels) {
            shown.insert(format!("{name}@{LABEL}"), json!(label));
        }
    }
    shown
}

#[cfg(test)]
mod tests;
