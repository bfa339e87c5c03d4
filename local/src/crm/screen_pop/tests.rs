use super::super::{Kind, Record};
use super::*;

const NORTHWIND: &str = "3f1c2a90-8a4e-4d57-9c1b-5f0a7d2e1101";
const BIG: &str = "e1b07f3d-94a6-4c2e-8f15-b6d2c0a84404";
const OTHER: &str = "c5e8a1f4-2d70-4b96-8e3f-6a4b0c9d3303";
const ADA: &str = "9a6f0c1d-4b3e-4f27-a8d1-0e5b7c6a1a01";
const ADDED: &str = "d1000000-0000-4000-8000-000000000001";
const SOMEBODY: &str = "0f0e0d0c-0000-4000-8000-00000000000a";

/// What each CRM makes the agent see of the same customer.
type Pops = [ScreenPop; 2];

const KINDS: [Kind; 2] = [Kind::Salesforce, Kind::Dynamics];

fn record(fields: &[(&str, &str)]) -> Record {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    fields.iter().map(owned).collect()
}

fn pop(attributes: &[(&str, &str)]) -> Pops {
    KINDS.map(|kind| ScreenPop::of(&record(attributes), &Crm::seeded(kind)))
}

/// A CRM in which a contact and an account are added.
fn with(kind: Kind, contact: [&str; 3], account: [&str; 2]) -> Crm {
    let crm = Crm::seeded(kind);
    let (objects, contact_fields, account_fields) = match kind {
        Kind::Salesforce => (
            ["Contact", "Account"],
            ["EntraUserId__c", "Email", "AccountId"],
            ["EntraTenantId__c", "Name"],
        ),
        Kind::Dynamics => (
            ["contacts", "accounts"],
            [
                "new_entrauserid",
                "emailaddress1",
                "_parentcustomerid_value",
            ],
            ["new_entratenantid", "name"],
        ),
    };
    let filled = |fields: &[&str], values: &[&str]| -> Record {
        let pairs = fields.iter().zip(values);
        let filled = pairs.filter(|(_, value)| !value.is_empty());
        filled
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    for (object, record) in [
        (objects[0], filled(&contact_fields, &contact)),
        (objects[1], filled(&account_fields, &account)),
    ] {
        crm.put(object, ADDED, record).expect("known fields");
    }
    crm
}

fn customer(user: &str, tenant: &str, domain: &str, upn: &str, verified: &str) -> Pops {
    pop(&[
        ("teamsUserId", user),
        ("teamsTenantId", tenant),
        ("teamsTenantDomain", domain),
        ("teamsUpn", upn),
        ("teamsUpnVerified", verified),
    ])
}

#[track_caller]
fn assert_pops(pops: &Pops, matched: &str, account: &str, tier: &str) {
    for pop in pops {
        assert_pop(pop, matched, account, tier);
    }
}

#[track_caller]
fn assert_pop(pop: &ScreenPop, matched: &str, account: &str, tier: &str) {
    let found = (pop.matched, pop.account.as_str(), pop.tier.as_str());
    assert_eq!(found, (matched, account, tier));
    assert_eq!(pop.problems, [""; 0]);
    let look_up = if matched == "none" {
        "notFound"
    } else {
        "found"
    };
    assert_eq!(pop.look_up, look_up);
    assert_eq!(pop.account_id.is_empty(), matched == "none");
    assert_eq!(pop.contact_id.is_empty(), matched != "contact");
}

#[test]
fn a_contact_is_found_by_its_id_whatever_its_address() {
    for (upn, verified) in [
        ("other@northwind.example", "true"),
        ("ceo@bigcustomer.example", "true"),
        ("ceo@bigcustomer.example", "false"),
    ] {
        let ada = customer(ADA, NORTHWIND, "northwind.example", upn, verified);
        assert_pops(&ada, "contact", "Northwind Traders", "Platinum");
    }
    assert_pops(
        &pop(&[("teamsUserId", ADA)]),
        "contact",
        "Northwind Traders",
        "Platinum",
    );
}

#[test]
fn a_contact_is_found_by_a_verified_address_alone() {
    let upn = "Sam.Okoye@northwind.example";
    let sam = customer(SOMEBODY, OTHER, "other.example", upn, "true");
    assert_pops(&sam, "contact", "Northwind Traders", "Platinum");
    for verified in ["false", "", "TRUE"] {
        let sam = customer(SOMEBODY, OTHER, "other.example", upn, verified);
        assert_pops(&sam, "none", "", "");
        assert!(sam.iter().all(|pop| !pop.is_address_verified));
    }
    // The address of a contact with an id is of nobody else.
    let upn = "ada.kovacs@northwind.example";
    let other = customer(SOMEBODY, OTHER, "other.example", upn, "true");
    assert_pops(&other, "none", "", "");
}

#[test]
fn an_account_is_found_by_the_tenant_and_by_its_web_site() {
    let upn = "new@northwind.example";
    let new = customer(SOMEBODY, NORTHWIND, "elsewhere.example", upn, "true");
    assert_pops(&new, "account", "Northwind Traders", "Platinum");
    let jonas = customer(
        SOMEBODY,
        "7b9d4e21-06c3-4f8a-b2d5-1c8e9a3f2202",
        "fabrikam.example",
        "",
        "",
    );
    assert_pops(&jonas, "account", "Fabrikam, Inc.", "Silver");
    // An account that is known by its tenant is not found by its web site.
    let other = customer(SOMEBODY, OTHER, "northwind.example", "", "");
    assert_pops(&other, "none", "", "");
}

#[test]
fn who_is_not_known_pops_nothing() {
    assert_pops(&pop(&[]), "none", "", "");
    let mei = customer(
        SOMEBODY,
        OTHER,
        "adventure-works.example",
        "mei@adventure-works.example",
        "true",
    );
    assert_pops(&mei, "none", "", "");
}

#[test]
fn whoever_claims_an_address_of_the_big_customer_does_not_pop_its_account() {
    const CEO: &str = "ceo@bigcustomer.example";
    let real = customer(SOMEBODY, BIG, "bigcustomer.example", CEO, "true");
    assert_pops(&real, "contact", "Big Customer Group", "Strategic");
    let claimed = customer(SOMEBODY, OTHER, "adventure-works.example", CEO, "false");
    assert_pops(&claimed, "none", "", "");
    assert_eq!(claimed[0].address.as_deref(), Some(CEO));
    // A company is what a tenant calls itself, and is not looked up.
    let named = pop(&[
        ("teamsTenantId", OTHER),
        ("teamsCompany", "Big Customer Group"),
    ]);
    assert_pops(&named, "none", "", "");
    assert_eq!(named[0].company.as_deref(), Some("Big Customer Group"));
}

#[test]
fn hostile_names_find_nobody_and_break_no_query() {
    for hostile in [
        "' OR Email != null OR Email = '",
        "x') OR (Id != null) ORDER BY Id LIMIT 1 --",
        "\\' OR Email != null OR Email = \\'",
        "\\",
        "-' AND Email != null) OR (EntraUserId__c != null",
        "x%27%20OR%20Id%20!%3D%20null",
        "a&q=SELECT Id FROM Account#",
        "${input.userId}$esc.sql(x)#set($a = 1)#end",
        "%",
        "50%_of\r\nthem\u{0}",
        "\u{1F600}'\u{2019}\u{2028}",
        "null",
        "ceo@bigcustomer.example' ",
        "/' OR Email != null OR Email = '/",
        "\\/' OR Email != null OR Email = '",
        "\\\\/\\' OR Email != null OR Email = '",
        "').replace('",
        "x' or emailaddress1 ne null or emailaddress1 eq 'x",
        "x'' or emailaddress1 ne null or emailaddress1 eq ''x",
        "x') or (statecode eq 0",
        "x&$filter=statecode eq 0&$top=1#",
    ] {
        for pop in [
            customer(hostile, OTHER, "other.example", "", ""),
            customer(SOMEBODY, OTHER, "other.example", hostile, "true"),
            customer(SOMEBODY, hostile, "other.example", "", ""),
            customer(SOMEBODY, OTHER, hostile, hostile, "true"),
            pop(&[("teamsCompany", hostile)]),
        ] {
            assert_pops(&pop, "none", "", "");
        }
    }
}

#[test]
fn what_the_crm_answers_is_text_and_an_account_may_be_missing() {
    let odd = "\"A\" #end ${input.x} \\ \u{1F600}";
    for kind in KINDS {
        let crm = with(kind, [SOMEBODY, "", ""], [OTHER, odd]);
        let of = |name: &str, value: &str| ScreenPop::of(&record(&[(name, value)]), &crm);
        let account = of("teamsTenantId", OTHER);
        assert_pop(&account, "account", odd, "");
        assert_eq!(account.account_id, ADDED);
        let alone = of("teamsUserId", SOMEBODY);
        let found = (
            alone.matched,
            alone.contact_id.as_str(),
            alone.account_id.as_str(),
        );
        assert_eq!(found, ("contact", ADDED, ""));
    }
}

/// An address may have a slash, which the macro for JavaScript escapes and Salesforce would not read, and a quote.
#[test]
fn an_odd_address_is_looked_up_like_any_other() {
    for odd in [
        "a/b@northwind.example",
        "o'hara@northwind.example",
        "o''neil/a\\/b\\\\/\"c\"//é&+%41@northwind.example",
    ] {
        for kind in KINDS {
            let crm = with(kind, ["", odd, ADDED], [OTHER, "Odd"]);
            let attributes = record(&[
                ("teamsUserId", SOMEBODY),
                ("teamsUpn", odd),
                ("teamsUpnVerified", "true"),
            ]);
            let found = ScreenPop::of(&attributes, &crm);
            assert_eq!(found.problems, [""; 0], "{odd}");
            let what = (
                found.matched,
                found.contact_id.as_str(),
                found.account.as_str(),
            );
            assert_eq!(what, ("contact", ADDED, "Odd"), "{odd}");
        }
    }
}

/// The shipped definitions write nothing that the CRM refuses, so one is spoilt here.
#[test]
fn a_look_up_that_the_crm_refuses_is_told() {
    for (kind, escaped, raw, address, problem) in [
        (
            Kind::Salesforce,
            ".replace('\\\\/', '/')",
            "",
            "a/b@northwind.example",
            "MALFORMED_QUERY: invalid string escape: \\/",
        ),
        (
            Kind::Dynamics,
            "$esc.sql(${input.email})",
            "${input.email}",
            "o'hara@northwind.example",
            "0x80060888: syntax error: \"hara\" is not expected",
        ),
    ] {
        let crm = Crm::seeded(kind);
        let spoilt = crm.look_ups().contact.replace(escaped, raw);
        assert_ne!(spoilt, crm.look_ups().contact);
        let refused = run(&spoilt, &[("userId", "-"), ("email", address)], &crm);
        let [mut pop, _] = pop(&[]);
        assert!(!pop.note("contact", refused));
        assert_eq!((pop.matched, pop.look_up), ("none", "failed"));
        assert_eq!(pop.problems, [format!("contact: {problem}")]);
    }
}

/// What is asked for here is what the flow asks for, in its order.
#[test]
fn the_flow_asks_for_the_same_in_the_same_order() {
    let flow = include_str!("../../../../infra/genesys/flows/inbound-message.yaml");
    let or_none =
        |name: &str| format!("exp: If(IsNotSetOrEmpty(State.{name}), \"-\", State.{name})");
    let mut rest = flow;
    for line in [
        "{{crm_contact_action}}",
        "userId:",
        &or_none("UserId"),
        "email:",
        "exp: If(IsNotSetOrEmpty(State.Upn) or IsNotSetOrEmpty(State.UpnVerified), \"-\", If(State.UpnVerified == \"true\", State.Upn, \"-\"))",
        "exp: If(State.Found, \"contact\", \"none\")",
        "exp: If(State.Found, \"found\", \"notFound\")",
        "exp: State.Found",
        "{{crm_account_action}}",
        "tenantId:",
        &or_none("TenantId"),
        "domain:",
        &or_none("TenantDomain"),
        "exp: If(State.Found, \"account\", \"none\")",
        "exp: If(State.Found, \"found\", State.LookUp)",
    ] {
        let (_, behind) = rest
            .split_once(line)
            .unwrap_or_else(|| panic!("{line} comes no more"));
        rest = behind;
    }
    assert!(!rest.contains("callData:"), "the flow asks for more");
}

#[test]
fn the_customers_of_the_page_are_those_that_the_crm_knows() {
    let page = include_str!("../../../page/state.js");
    for id in [
        NORTHWIND,
        BIG,
        OTHER,
        ADA,
        "bigcustomer.example",
        "fabrikam.example",
    ] {
        assert!(page.contains(id), "{id}");
    }
}
