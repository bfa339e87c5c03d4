use secrecy::ExposeSecret;

use super::{
    Change, ChangeType, Collection, Item, ItemError, LifecycleEvent, MOST_ITEMS, News, message_of,
};
use crate::text::tests::rules_hold;

macro_rules! fixture {
    ($name:literal) => {
        parsed(include_bytes!(concat!(
            "../../../fixtures/notification_",
            $name,
            ".json"
        )))
    };
}

fn parsed(body: &[u8]) -> Collection {
    Collection::parse(body).expect("readable")
}

fn change(item: &Item) -> &Change {
    match item.news.as_ref().expect("usable") {
        News::Change(change) => change,
        News::Lifecycle(lifecycle) => panic!("{lifecycle:?}"),
    }
}

#[test]
fn each_rule_of_a_resource_holds() {
    let rules = include_str!("../../../fixtures/resources.json");
    rules_hold(rules, |resource: String| {
        let (chat, message) = message_of(&resource)?;
        Some((chat.as_str().to_owned(), message.as_str().to_owned()))
    });
}

#[test]
fn a_basic_notification_is_read() {
    let collection = fixture!("basic");
    let item = &collection.items[0];
    assert!(item.client_state.is_some() && item.tenant.is_some());
    let change = change(&collection.items[0]);
    assert_eq!(change.change, ChangeType::Created);
    assert_eq!(change.message.as_str(), "1612289765949");
    assert!(change.encrypted.is_none());
    assert!(collection.validation_tokens.is_empty());
}

#[test]
fn a_rich_notification_is_read() {
    let collection = fixture!("rich");
    let encrypted = change(&collection.items[0]).encrypted.as_ref();
    assert_eq!(encrypted.expect("rich").certificate_id, "support-2024");
    let tokens = ["eyJ0eXAiOiJKV1QifQ.e30.c2ln"];
    assert_eq!(collection.validation_tokens, tokens);
}

#[test]
fn one_bad_item_does_not_spoil_the_others() {
    let collection = fixture!("mixed");
    let kinds: Vec<Result<&str, ItemError>> = collection
        .items
        .iter()
        .map(|item| {
            Ok(match item.news.as_ref().map_err(|error| *error)? {
                News::Change(change) => change.change.as_str(),
                News::Lifecycle(lifecycle) => lifecycle.event.as_str(),
            })
        })
        .collect();
    assert_eq!(
        kinds,
        [
            Ok("updated"),
            Ok("reauthorizationRequired"),
            Err(ItemError::UnknownChangeType),
            Err(ItemError::MissingField("resource")),
            Err(ItemError::MissingField("changeType")),
            Err(ItemError::Malformed),
            Err(ItemError::Malformed),
            Err(ItemError::Resource),
            Ok("deleted"),
        ]
    );
}

#[test]
fn whose_an_unusable_item_is_can_be_told() {
    let tenant = "11111111-2222-4333-8444-555555555555";
    for (rest, error) in [
        (
            r#""encryptedContent":"none""#,
            ItemError::MissingField("changeType"),
        ),
        (r#""changeType":7,"subscriptionId":7"#, ItemError::Malformed),
        (r#""changeType":7"#, ItemError::Malformed),
        (r#""changeType":"renamed""#, ItemError::UnknownChangeType),
    ] {
        let body = format!(
            r#"{{"value":[{{"clientState":"support.secret","tenantId":"{tenant}",{rest}}}]}}"#
        );
        let collection = parsed(body.as_bytes());
        let item = &collection.items[0];
        assert_eq!(item.news.as_ref().err(), Some(&error), "{rest}");
        let state = item.client_state.as_ref().expect("a state");
        assert_eq!(state.expose_secret(), "support.secret");
        assert_eq!(item.tenant, tenant.parse().ok());
    }
    // A state that is no text is nobody's.
    let collection = parsed(br#"{"value":[{"clientState":7,"changeType":7}]}"#);
    assert!(collection.items[0].client_state.is_none());
}

#[test]
fn no_change_is_lost_for_an_odd_field_beside_it() {
    let whole = r#""data":"ZA==","dataSignature":"cw==","dataKey":"aw==""#;
    for (field, has_tenant) in [
        (r#""encryptedContent":{}"#, true),
        (&*format!(r#""encryptedContent":{{{whole}}}"#), true),
        (r#""encryptedContent":"ZA==""#, true),
        (r#""encryptedContent":[[[[7]]]]"#, true),
        (r#""encryptedContent":null"#, true),
        (r#""subscriptionId":5"#, true),
        (r#""tenantId":5"#, false),
        (
            r#""tenantId":{"id":"11111111-2222-4333-8444-555555555555"}"#,
            false,
        ),
        (r#""tenantId":"nobody""#, false),
    ] {
        let tenant = match has_tenant {
            true => r#""tenantId":"11111111-2222-4333-8444-555555555555","#,
            false => "",
        };
        let body = format!(
            r#"{{"value":[{{"clientState":"support.secret","changeType":"created",{tenant}"resource":"chats('19:a@unq.gbl.spaces')/messages('1612289765949')",{field}}}]}}"#
        );
        let collection = parsed(body.as_bytes());
        let item = &collection.items[0];
        assert!(change(item).encrypted.is_none(), "{field}");
        let state = item.client_state.as_ref().expect("a state");
        assert_eq!(state.expose_secret(), "support.secret");
        assert_eq!(item.tenant.is_some(), has_tenant, "{field}");
    }
    let whole = format!(r#"{{{whole},"encryptionCertificateId":"c","more":1}}"#);
    let body = format!(
        r#"{{"value":[{{"changeType":"created","resource":"chats('19:a@unq.gbl.spaces')/messages('1')","encryptedContent":{whole}}},{{"lifecycleEvent":"missed","subscriptionId":5}}]}}"#
    );
    let collection = parsed(body.as_bytes());
    assert!(change(&collection.items[0]).encrypted.is_some());
    match collection.items[1].news.as_ref().expect("usable") {
        News::Lifecycle(lifecycle) => assert!(lifecycle.subscription.is_none()),
        News::Change(change) => panic!("{change:?}"),
    }
}

#[test]
fn odd_tokens_prove_nothing_and_spoil_nothing() {
    for (tokens, read) in [
        (r#""eyJ0""#, &[""][..]),
        ("{}", &[""]),
        (r#"{"a":["b"]}"#, &[""]),
        ("7", &[""]),
        ("null", &[]),
        ("[]", &[]),
        (r#"["a"]"#, &["a"]),
    ] {
        for mark in ["", "\u{feff}"] {
            let body = format!(r#"{mark}{{"value":[{{}}],"validationTokens":{tokens}}}"#);
            let collection = parsed(body.as_bytes());
            assert_eq!(collection.items.len(), 1);
            assert_eq!(collection.validation_tokens, read, "{tokens}");
        }
    }
}

#[test]
fn what_is_no_collection_is_an_error() {
    for body in ["", "{}", "[]", r#"{"value":{}}"#, r#"{"value":[}"#] {
        assert!(Collection::parse(body.as_bytes()).is_err());
    }
    assert!(Collection::parse(b"\xff\xfe").is_err());
}

#[test]
fn a_lifecycle_event_is_no_change() {
    let collection = fixture!("lifecycle");
    let item = &collection.items[0];
    match item.news.as_ref().expect("usable") {
        News::Lifecycle(lifecycle) => {
            assert_eq!(lifecycle.event, LifecycleEvent::SubscriptionRemoved);
            assert!(lifecycle.subscription.is_some() && item.client_state.is_some());
        }
        News::Change(change) => panic!("{change:?}"),
    }
}

#[test]
fn the_word_of_an_unknown_lifecycle_event_is_not_repeated() {
    let body = br#"{"value":[{"lifecycleEvent":"my secret words"}]}"#;
    let shown = format!("{:?}", parsed(body));
    assert!(
        shown.contains("UnknownLifecycleEvent") && !shown.contains("secret"),
        "{shown}"
    );
}

fn with_items(item: &str, count: usize) -> Vec<u8> {
    let items = vec![item; count].join(",");
    format!(r#"{{"value":[{items}],"validationTokens":[]}}"#).into_bytes()
}

#[test]
fn items_are_counted_while_they_are_read() {
    for item in ["0", r#""x""#, "[[]]", "{}", "null"] {
        let full = parsed(&with_items(item, MOST_ITEMS));
        assert_eq!(full.items.len(), MOST_ITEMS);
        assert!(Collection::parse(&with_items(item, MOST_ITEMS + 1)).is_err());
    }
    // What follows the item too many is not looked at any more.
    let mut endless = with_items("0", MOST_ITEMS + 1);
    endless.truncate(2 * MOST_ITEMS + 12);
    endless.extend_from_slice(b"no JSON");
    let error = Collection::parse(&endless).expect_err("too many");
    let source = std::error::Error::source(&error)
        .expect("a source")
        .to_string();
    assert!(source.starts_with("a field"), "{source}");
}

#[test]
fn depth_is_no_obstacle_and_no_danger() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let objects = format!("{}0{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
    for nested in [&deep, &objects] {
        let collection = parsed(&with_items(nested, 2));
        assert_eq!(collection.items.len(), 2);
        let elsewhere = format!(r#"{{"else":{nested},"value":[]}}"#);
        assert!(Collection::parse(elsewhere.as_bytes()).is_ok());
    }
}

#[test]
fn what_is_too_long_to_be_genuine_is_not_kept() {
    let long = "x".repeat(100_000);
    let body = format!(
        r#"{{"value":[{{"changeType":"created","clientState":"{long}","resource":"chats('19:a')/messages('1')"}},{{"changeType":"created","resource":"chats('{long}')/messages('1')"}}],"validationTokens":["{long}",7,"a"]}}"#
    );
    let collection = parsed(body.as_bytes());
    let first = &collection.items[0];
    assert!(first.client_state.is_none());
    assert_eq!(
        collection.items[1].news.as_ref().err(),
        Some(&ItemError::Resource)
    );
    assert_eq!(collection.validation_tokens, ["", "", "a"]);
}

#[test]
fn tokens_are_counted_too() {
    let tokens = |count| {
        let tokens = vec![r#""a""#; count].join(",");
        let body = format!(r#"{{"value":[],"validationTokens":[{tokens}]}}"#);
        Collection::parse(body.as_bytes()).map(|collection| collection.validation_tokens)
    };
    assert_eq!(tokens(32).expect("readable"), ["a"; 32]);
    assert!(tokens(33).is_err());
}

#[test]
fn debug_output_holds_no_secret_and_no_token() {
    let shown = format!("{:?}", fixture!("rich"));
    for hidden in ["a-secret-of", "eyJ0", "ZGF0YQ", "c2lnbmF0dXJl", "19:"] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
}
