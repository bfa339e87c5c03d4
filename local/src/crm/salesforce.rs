//! A small Salesforce: contacts and accounts, and the resource Query. Sources: Salesforce, "REST API Developer Guide", "Query"
//! and "Status Codes and Error Responses".

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use thiserror::Error;
use url::Url;

use super::Record;
use super::soql::{self, Condition, MalformedQuery, Order, Query};
use crate::shared::locked::Locked;

/// The resource Query of the version that the data actions name.
const QUERY: &str = "/services/data/v62.0/query/";

/// The fields that each object has; a contact's `AccountId` leads to its account.
const OBJECTS: [(&str, &[&str]); 2] = [
    (
        "Account",
        &[
            "Id",
            "Name",
            "Type",
            "Website",
            "EntraTenantId__c",
            "LastModifiedDate",
        ],
    ),
    (
        "Contact",
        &[
            "Id",
            "Name",
            "Email",
            "EntraUserId__c",
            "AccountId",
            "LastModifiedDate",
        ],
    ),
];

/// Object, id and fields of a record.
type Seed = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

/// The records that are there at the start.
const SEEDS: [Seed; 6] = [
    (
        "Account",
        "001000000000001AAA",
        &[
            ("Name", "Northwind Traders"),
            ("Type", "Platinum"),
            ("Website", "https://www.northwind.example"),
            ("EntraTenantId__c", "3f1c2a90-8a4e-4d57-9c1b-5f0a7d2e1101"),
        ],
    ),
    (
        "Account",
        "001000000000002AAA",
        &[
            ("Name", "Fabrikam, Inc."),
            ("Type", "Silver"),
            ("Website", "https://www.fabrikam.example"),
        ],
    ),
    (
        "Account",
        "001000000000003AAA",
        &[
            ("Name", "Big Customer Group"),
            ("Type", "Strategic"),
            ("Website", "bigcustomer.example"),
            ("EntraTenantId__c", "e1b07f3d-94a6-4c2e-8f15-b6d2c0a84404"),
        ],
    ),
    (
        "Contact",
        "003000000000001AAA",
        &[
            ("Name", "Ada Kovács"),
            ("Email", "ada.kovacs@northwind.example"),
            ("EntraUserId__c", "9a6f0c1d-4b3e-4f27-a8d1-0e5b7c6a1a01"),
            ("AccountId", "001000000000001AAA"),
        ],
    ),
    (
        "Contact",
        "003000000000002AAA",
        &[
            ("Name", "Sam Okoye"),
            ("Email", "sam.okoye@northwind.example"),
            ("AccountId", "001000000000001AAA"),
        ],
    ),
    (
        "Contact",
        "003000000000003AAA",
        &[
            ("Name", "The chief executive"),
            ("Email", "ceo@bigcustomer.example"),
            ("AccountId", "001000000000003AAA"),
        ],
    ),
];

/// Why there are no records. Salesforce answers all of these with 400 or 404.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum QueryError {
    /// The query cannot be read.
    #[error("MALFORMED_QUERY: {0}")]
    Malformed(#[from] MalformedQuery),
    /// A field that the object does not have.
    #[error("INVALID_FIELD: no such column {0:?}")]
    InvalidField(String),
    /// An object that is not there.
    #[error("INVALID_TYPE: sObject type {0:?} is not supported")]
    InvalidType(String),
    /// An address at which nothing is.
    #[error("NOT_FOUND: the requested resource does not exist")]
    NotFound,
}

/// All records, by object and id.
pub struct Salesforce(Locked<BTreeMap<String, BTreeMap<String, Record>>>);

impl Salesforce {
    /// The organisation that the page's customers are looked for in.
    #[must_use]
    pub fn seeded() -> Self {
        let it = Self(Locked::default());
        for (object, id, fields) in SEEDS {
            let changed = ("LastModifiedDate", "2026-01-02T03:04:05.000+0000");
            let fields = fields.iter().chain([&changed]);
            let owned = fields.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            it.insert(object, id, owned.collect());
        }
        it
    }

    /// Makes or replaces a record.
    ///
    /// # Errors
    /// When there is no such object, or it has no such field.
    pub fn put(&self, object: &str, id: &str, record: Record) -> Result<(), QueryError> {
        check(object, "Id")?;
        for field in record.keys() {
            check(object, field)?;
        }
        self.insert(object, id, record);
        Ok(())
    }

    fn insert(&self, object: &str, id: &str, mut record: Record) {
        record.insert("Id".to_owned(), id.to_owned());
        let mut all = self.0.lock();
        let records = all.entry(object.to_owned()).or_default();
        records.insert(id.to_owned(), record);
    }

    /// The answer to `GET` of an address.
    ///
    /// # Errors
    /// When it is not the resource Query with one query that can be read and asks for what is there.
    pub fn get(&self, address: &str) -> Result<Value, QueryError> {
        let address = Url::parse(address).map_err(|_| QueryError::NotFound)?;
        let options: Vec<_> = address.query_pairs().collect();
        let [(name, query)] = &options[..] else {
            return Err(QueryError::NotFound);
        };
        let is_query = address.scheme() == "https" && address.path() == QUERY && name == "q";
        if !is_query || address.fragment().is_some() {
            return Err(QueryError::NotFound);
        }
        self.answer(&soql::read(query)?)
    }

    fn answer(&self, query: &Query) -> Result<Value, QueryError> {
        let object = query.object.as_str();
        let conditions = query.any_of.iter().flatten().map(Condition::field);
        let order = query.order.iter().map(|key| key.field.as_str());
        for field in conditions.chain(order) {
            check(object, field)?;
        }
        for field in &query.fields {
            match field.split_once('.') {
                Some(("Account", field)) if object == "Contact" => check("Account", field)?,
                _ => check(object, field)?,
            }
        }
        let all = self.0.lock();
        let records = all.get(object).into_iter().flat_map(BTreeMap::values);
        let fits = |record: &&Record| {
            let mut ways = query.any_of.iter();
            ways.any(|all| all.iter().all(|condition| is_fulfilled(condition, record)))
        };
        let mut found: Vec<&Record> = records.filter(fits).collect();
        found.sort_by(|one, other| compared(&query.order, one, other));
        found.truncate(query.limit);
        let none = BTreeMap::new();
        let accounts = all.get("Account").unwrap_or(&none);
        let found: Vec<Value> = found
            .into_iter()
            .map(|record| shown(query, record, accounts))
            .collect();
        Ok(json!({ "totalSize": found.len(), "done": true, "records": found }))
    }
}

fn check(object: &str, field: &str) -> Result<(), QueryError> {
    let known = OBJECTS.iter().find(|(name, _)| *name == object);
    let (_, fields) = known.ok_or_else(|| QueryError::InvalidType(object.to_owned()))?;
    if fields.contains(&field) {
        Ok(())
    } else {
        Err(QueryError::InvalidField(field.to_owned()))
    }
}

fn is_fulfilled(condition: &Condition, record: &Record) -> bool {
    let value = record.get(condition.field());
    match condition {
        Condition::Null(_) => value.is_none(),
        Condition::NotNull(_) => value.is_some(),
        // Texts are compared without their case.
        Condition::In(_, texts) => value.is_some_and(|value| {
            let value = value.to_lowercase();
            texts.iter().any(|text| text.to_lowercase() == value)
        }),
    }
}

fn compared(order: &[Order], one: &Record, other: &Record) -> Ordering {
    let by = |key: &Order| {
        let values = (one.get(&key.field), other.get(&key.field));
        match values {
            (Some(one), Some(other)) if key.descending => other.cmp(one),
            (Some(one), Some(other)) => one.cmp(other),
            (one, other) if key.nulls_last => one.is_none().cmp(&other.is_none()),
            (one, other) => one.is_some().cmp(&other.is_some()),
        }
    };
    order
        .iter()
        .map(by)
        .find(|it| it.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// A record as Salesforce shows it: the wanted fields, and where it is. A contact without an account has null in its place.
fn shown(query: &Query, record: &Record, accounts: &BTreeMap<String, Record>) -> Value {
    let account = record.get("AccountId").and_then(|id| accounts.get(id));
    let mut shown = named(&query.object, record);
    for field in &query.fields {
        let Some((parent, name)) = field.split_once('.') else {
            shown.insert(field.clone(), json!(record.get(field)));
            continue;
        };
        let Some(account) = account else {
            shown.insert(parent.to_owned(), Value::Null);
            continue;
        };
        let inner = shown
            .entry(parent)
            .or_insert_with(|| Value::Object(named(parent, account)));
        inner[name] = json!(account.get(name));
    }
    Value::Object(shown)
}

fn named(object: &str, record: &Record) -> Map<String, Value> {
    let id = record.get("Id").map_or("", String::as_str);
    let url = format!("/services/data/v62.0/sobjects/{object}/{id}");
    Map::from_iter([(
        "attributes".to_owned(),
        json!({ "type": object, "url": url }),
    )])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(query: &str) -> Result<Value, QueryError> {
        let mut address = Url::parse("https://crm.example").expect("an address");
        address.set_path(QUERY);
        address.query_pairs_mut().append_pair("q", query);
        Salesforce::seeded().get(address.as_str())
    }

    const REST: &str = "ORDER BY LastModifiedDate DESC LIMIT 1";

    #[test]
    fn a_contact_is_shown_with_its_account() {
        let query =
            format!("SELECT Id, Account.Name FROM Contact WHERE (Name = 'sam okoye') {REST}");
        let contact = "/services/data/v62.0/sobjects/Contact/003000000000002AAA";
        let account = "/services/data/v62.0/sobjects/Account/001000000000001AAA";
        let expected = json!({ "totalSize": 1, "done": true, "records": [{
            "attributes": { "type": "Contact", "url": contact },
            "Id": "003000000000002AAA",
            "Account": {
                "attributes": { "type": "Account", "url": account },
                "Name": "Northwind Traders",
            },
        }] });
        assert_eq!(get(&query), Ok(expected));
    }

    #[test]
    fn what_is_not_there_is_refused() {
        for (query, expected) in [
            ("SELECT Id FROM User WHERE (Name = 'x')", "INVALID_TYPE"),
            (
                "SELECT Password FROM Contact WHERE (Name = 'x')",
                "INVALID_FIELD",
            ),
            (
                "SELECT Owner.Id FROM Contact WHERE (Name = 'x')",
                "INVALID_FIELD",
            ),
            (
                "SELECT Id FROM Account WHERE (Email = 'x')",
                "INVALID_FIELD",
            ),
            ("SELECT Id FROM Account", "MALFORMED_QUERY"),
        ] {
            let refused = get(&format!("{query} {REST}")).expect_err(query);
            assert!(refused.to_string().starts_with(expected), "{refused}");
        }
        let salesforce = Salesforce::seeded();
        for address in [
            "https://crm.example/services/data/v62.0/query/",
            "https://crm.example/services/data/v62.0/query/?q=a&q=b",
            "https://crm.example/services/data/v62.0/sobjects/?q=a",
            "nowhere",
        ] {
            assert_eq!(salesforce.get(address), Err(QueryError::NotFound));
        }
    }

    #[test]
    fn of_several_records_the_order_says_which_comes_first() {
        let salesforce = Salesforce::seeded();
        let put = |id: &str, tenant: Option<&str>, changed: &str| {
            let fields = [
                ("Name", Some("A")),
                ("EntraTenantId__c", tenant),
                ("LastModifiedDate", Some(changed)),
            ];
            let fields = fields.iter();
            let record =
                fields.filter_map(|(name, value)| Some(((*name).to_owned(), (*value)?.to_owned())));
            salesforce
                .put("Account", id, record.collect())
                .expect("known fields");
        };
        put("newer", None, "2026-03");
        put("older", None, "2026-02");
        put("with tenant", Some("t"), "2026-01");
        for (order, expected) in [
            (
                "EntraTenantId__c NULLS LAST, LastModifiedDate DESC",
                ["with tenant", "newer", "older"],
            ),
            (
                "EntraTenantId__c, LastModifiedDate DESC",
                ["newer", "older", "with tenant"],
            ),
            ("LastModifiedDate", ["with tenant", "older", "newer"]),
        ] {
            let query =
                format!("SELECT Id FROM Account WHERE (Name = 'a') ORDER BY {order} LIMIT 3");
            let answer = salesforce
                .answer(&soql::read(&query).expect("a query"))
                .expect("an answer");
            let ids: Vec<_> = answer["records"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|it| &it["Id"])
                .collect();
            assert_eq!(ids, expected, "{order}");
        }
    }

    #[test]
    fn records_have_the_fields_of_their_object() {
        for (object, _, fields) in SEEDS {
            for (field, _) in fields {
                assert_eq!(check(object, field), Ok(()));
            }
        }
        let record = || Record::from([("Phone".to_owned(), "1".to_owned())]);
        let salesforce = Salesforce::seeded();
        assert!(salesforce.put("Contact", "a", record()).is_err());
        assert!(salesforce.put("User", "a", Record::new()).is_err());
    }
}
