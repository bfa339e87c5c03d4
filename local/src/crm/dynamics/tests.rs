use super::*;

fn get(path: &str, options: &[(&str, &str)]) -> Result<Value, QueryError> {
    let mut address = Url::parse("https://crm.example").expect("an address");
    address.set_path(path);
    address.query_pairs_mut().extend_pairs(options);
    Dynamics::seeded().get(address.as_str(), &labels())
}

fn labels() -> Headers {
    Headers::from([(
        "prefer".to_owned(),
        format!("odata.include-annotations=\"{LABEL}\""),
    )])
}

fn record(columns: &[(&str, &str)]) -> Record {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    columns.iter().map(owned).collect()
}

/// The options of a query with this filter, and the others as they must be.
fn filtered(filter: &str) -> [(&str, &str); 4] {
    [
        ("$select", "contactid"),
        ("$filter", filter),
        ("$orderby", "modifiedon desc"),
        ("$top", "1"),
    ]
}

const CONTACTS_PATH: &str = "/api/data/v9.2/contacts";

#[test]
fn a_contact_is_shown_with_its_account_and_the_label_of_a_choice() {
    let expand = "parentcustomerid_account($select=name,accountcategorycode)";
    let mut options = filtered("emailaddress1 eq 'SAM.okoye@northwind.example'").to_vec();
    options.push(("$expand", expand));
    let sam = "c1000000-0000-4000-8000-000000000002";
    let expected = json!({ "value": [{
        "@odata.etag": "W/\"1\"",
        "contactid": sam,
        "parentcustomerid_account": {
            "@odata.etag": "W/\"1\"",
            "accountid": NORTHWIND,
            "name": "Northwind Traders",
            "accountcategorycode": 1,
            "accountcategorycode@OData.Community.Display.V1.FormattedValue": "Platinum",
        },
    }] });
    assert_eq!(get(CONTACTS_PATH, &options), Ok(expected));
    // Labels come to who asks for them, and a contact without an account has null in its place.
    let dynamics = Dynamics::seeded();
    let account = record(&[
        ("name", "A"),
        ("accountcategorycode", "2"),
        ("websiteurl", ""),
    ]);
    let put = |table: &str, record| dynamics.put(table, NORTHWIND, record);
    assert_eq!(put("accounts", account), Ok(()));
    assert_eq!(put("contacts", record(&[("fullname", "x")])), Ok(()));
    let query = |table: &str, rest: &str| {
        let options = "$orderby=modifiedon&$top=1&$filter=statecode%20eq%200";
        let address = format!("https://crm.example{API}{table}?{options}&{rest}");
        dynamics
            .get(&address, &Headers::new())
            .expect("a sound query")["value"][0]
            .clone()
    };
    let account = query("accounts", "$select=name,websiteurl,accountcategorycode");
    let expected = json!({ "@odata.etag": "W/\"1\"", "accountid": NORTHWIND, "name": "A", "websiteurl": null, "accountcategorycode": 2 });
    assert_eq!(account, expected);
    let contact = query("contacts", &format!("$select=fullname&$expand={expand}"));
    assert_eq!(contact["parentcustomerid_account"], Value::Null);
}

#[test]
fn what_is_not_there_or_of_another_type_is_refused() {
    for filter in [
        "password eq 'x'",
        "name eq 'x'",
        "password ne null",
        "statecode eq '0'",
        "emailaddress1 eq 0",
        "contactid eq 'x'",
        "modifiedon eq 'x'",
        "1 eq 1",
        "emailaddress1 eq 'o'hara'",
    ] {
        let refused = get(CONTACTS_PATH, &filtered(filter)).expect_err(filter);
        assert!(refused.to_string().starts_with("0x80060888"), "{refused}");
    }
    for changed in [
        ("$select", "password"),
        ("$orderby", "password"),
        ("$expand", "owner($select=name)"),
        ("$expand", "parentcustomerid_account($select=password)"),
        ("$filter", "statecode eq 0"),
    ] {
        let mut options = filtered("statecode eq 0").to_vec();
        options.retain(|(name, _)| *name == "$filter" || *name != changed.0);
        options.push(changed);
        assert!(get(CONTACTS_PATH, &options).is_err(), "{changed:?}");
    }
    for path in [
        "/api/data/v9.1/contacts",
        "/api/data/v9.2/contacts/",
        "/api/data/v9.2/users",
        "/",
    ] {
        let refused = get(path, &filtered("statecode eq 0"));
        assert_eq!(refused, Err(QueryError::NotFound), "{path}");
    }
    let version = record(&[("odata-version", "5.0")]);
    let refused = Dynamics::seeded().get("https://crm.example/", &version);
    assert_eq!(refused, Err(QueryError::Version("OData-Version")));
}

#[test]
fn of_several_rows_the_order_says_which_comes_first_and_inactive_ones_are_told_apart() {
    let dynamics = Dynamics::seeded();
    let id = |number: u8| format!("{number:08}-0000-4000-8000-000000000000");
    for (number, user, state, changed) in [
        (1, "u", "0", "2026-01"),
        (2, "", "0", "2026-02"),
        (3, "", "0", "2026-03"),
        (4, "", "1", "2026-04"),
    ] {
        let columns = [
            ("fullname", "A"),
            ("new_entrauserid", user),
            ("statecode", state),
            ("modifiedon", changed),
        ];
        let done = dynamics.put("contacts", &id(number), record(&columns));
        assert_eq!(done, Ok(()));
    }
    for (filter, order, expected) in [
        (
            "statecode eq 0 and fullname eq 'a'",
            "new_entrauserid desc,modifiedon desc",
            &[1, 3, 2][..],
        ),
        (
            "statecode eq 0 and fullname eq 'a'",
            "new_entrauserid,modifiedon",
            &[2, 3, 1],
        ),
        (
            "fullname eq 'a' and new_entrauserid eq null",
            "modifiedon desc",
            &[4, 3, 2],
        ),
        (
            "fullname eq 'a' and new_entrauserid ne null",
            "modifiedon",
            &[1],
        ),
    ] {
        let options = [
            ("$select", "contactid"),
            ("$filter", filter),
            ("$orderby", order),
            ("$top", "5"),
        ];
        let options = options.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let query = odata::read(&options).expect("a sound query");
        let answer = dynamics
            .answer(&CONTACTS, &query, false)
            .expect("an answer");
        let rows = answer["value"].as_array().into_iter().flatten();
        let ids: Vec<_> = rows.map(|it| it["contactid"].clone()).collect();
        let expected: Vec<_> = expected.iter().map(|it| json!(id(*it))).collect();
        assert_eq!(ids, expected, "{filter} {order}");
    }
}

#[test]
fn rows_have_the_columns_of_their_table_and_values_of_their_type() {
    let dynamics = Dynamics::seeded();
    assert_eq!(
        dynamics.0.lock().values().map(BTreeMap::len).sum::<usize>(),
        SEEDS.len()
    );
    for (table, id, columns) in [
        ("users", NORTHWIND, [("fullname", "x")]),
        ("Contact", NORTHWIND, [("fullname", "x")]),
        ("contacts", NORTHWIND, [("Email", "x")]),
        ("contacts", "new", [("fullname", "x")]),
        ("contacts", NORTHWIND, [("statecode", "active")]),
        ("contacts", NORTHWIND, [("_parentcustomerid_value", "x")]),
        ("accounts", NORTHWIND, [("accountcategorycode", "Gold")]),
    ] {
        let done = dynamics.put(table, id, record(&columns));
        assert!(done.is_err(), "{table} {id} {columns:?}");
    }
}
