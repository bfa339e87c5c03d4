use super::{Change, ChangeType, Collection, Item, ItemError, MOST_ITEMS, News, message_of};

fn ids(resource: &str) -> Option<(String, String)> {
    message_of(resource)
        .map(|(chat, message)| (chat.as_str().to_owned(), message.as_str().to_owned()))
}

fn change(item: &Result<Item, ItemError>) -> &Change {
    match &item.as_ref().expect("usable").news {
        News::Change(change) => change,
        News::Lifecycle(lifecycle) => panic!("{lifecycle:?}"),
    }
}

#[test]
fn every_documented_form_of_a_resource_is_read() {
    let expected = Some((
        "19:a_b@unq.gbl.spaces".to_owned(),
        "1612289765949".to_owned(),
    ));
    for resource in [
        "chats('19:a_b@unq.gbl.spaces')/messages('1612289765949')",
        "/chats('19:a_b@unq.gbl.spaces')/messages('1612289765949')",
        "chats('19%3aa_b%40unq.gbl.spaces')/messages('1612289765949')",
        "chats/19:a_b@unq.gbl.spaces/messages/1612289765949",
        "users('0f0e0d0c-0000-4000-8000-00000000000a')/chats('19:a_b@unq.gbl.spaces')/messages('1612289765949')",
        "users/0f0e0d0c-0000-4000-8000-00000000000a/chats/19:a_b@unq.gbl.spaces/messages/1612289765949",
    ] {
        assert_eq!(ids(resource), expected, "{resource}");
    }
}

#[test]
fn slashes_and_quotes_belong_to_the_id() {
    let found = ids("chats('19:a/b''c\"d')/messages('1')");
    assert_eq!(found, Some(("19:a/b'c\"d".to_owned(), "1".to_owned())));
}

#[test]
fn other_resources_are_refused() {
    for resource in [
        "",
        "chats('19:a')",
        "chats('19:a')/messages",
        "chats('19:a')/messages('1')/replies('2')",
        "chats('19:a')/members('1')",
        "chats('')/messages('1')",
        "chats('19:a)/messages('1')",
        "teams('t')/channels('c')/messages('1')",
        "chats('19:a%ff')/messages('1')",
        "chats('a')x/messages('1')",
    ] {
        assert_eq!(ids(resource), None, "{resource}");
    }
}

#[test]
fn a_basic_notification_is_read() {
    let collection = Collection::parse(include_bytes!("../../../fixtures/notification_basic.json"))
        .expect("readable");
    let item = collection.items[0].as_ref().expect("usable");
    assert!(item.client_state.is_some() && item.tenant.is_some());
    let change = change(&collection.items[0]);
    assert_eq!(change.change, ChangeType::Created);
    assert_eq!(change.message.as_str(), "1612289765949");
    assert!(change.encrypted.is_none());
    assert!(collection.validation_tokens.is_empty());
}

#[test]
fn a_rich_notification_is_read() {
    let collection = Collection::parse(include_bytes!("../../../fixtures/notification_rich.json"))
        .expect("readable");
    let encrypted = change(&collection.items[0])
        .encrypted
        .as_ref()
        .expect("rich");
    assert_eq!(encrypted.certificate_id, "support-2024");
    assert_eq!(
        collection.validation_tokens,
        ["eyJ0eXAiOiJKV1QifQ.e30.c2ln"]
    );
}

#[test]
fn one_bad_item_does_not_spoil_the_others() {
    let collection = Collection::parse(include_bytes!("../../../fixtures/notification_mixed.json"))
        .expect("readable");
    let kinds: Vec<Result<&str, ItemError>> = collection
        .items
        .iter()
        .map(|item| {
            let item = item.as_ref().map_err(|error| *error)?;
            Ok(match &item.news {
                News::Change(change) => change.change.as_str(),
                News::Lifecycle(lifecycle) => &lifecycle.event,
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
fn what_is_no_collection_is_an_error() {
    for body in [
        &b""[..],
        b"{}",
        b"[]",
        b"{\"value\":{}}",
        b"\xff\xfe",
        b"{\"value\":[}",
    ] {
        assert!(Collection::parse(body).is_err());
    }
}

#[test]
fn a_lifecycle_event_is_no_change() {
    let body = include_bytes!("../../../fixtures/notification_lifecycle.json");
    let collection = Collection::parse(body).expect("readable");
    let item = collection.items[0].as_ref().expect("usable");
    match &item.news {
        News::Lifecycle(lifecycle) => {
            assert_eq!(lifecycle.event, "subscriptionRemoved");
            assert!(lifecycle.subscription.is_some() && item.client_state.is_some());
        }
        News::Change(change) => panic!("{change:?}"),
    }
}

#[test]
fn the_word_of_an_unknown_lifecycle_event_is_not_repeated() {
    let body = br#"{"value":[{"lifecycleEvent":"my secret words"}]}"#;
    let shown = format!("{:?}", Collection::parse(body).expect("readable"));
    assert!(
        shown.contains("unknown") && !shown.contains("secret"),
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
        let full = Collection::parse(&with_items(item, MOST_ITEMS)).expect("readable");
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
        let collection = Collection::parse(&with_items(nested, 2)).expect("readable");
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
    let collection = Collection::parse(body.as_bytes()).expect("readable");
    assert!(
        collection.items[0]
            .as_ref()
            .expect("usable")
            .client_state
            .is_none()
    );
    assert_eq!(
        collection.items[1].as_ref().err(),
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
    let body = include_bytes!("../../../fixtures/notification_rich.json");
    let shown = format!("{:?}", Collection::parse(body).expect("readable"));
    for hidden in ["a-secret-of", "eyJ0", "ZGF0YQ", "c2lnbmF0dXJl", "19:"] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
}
