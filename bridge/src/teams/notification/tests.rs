use super::{ChangeType, Collection, ItemError, message_of};

fn ids(resource: &str) -> Option<(String, String)> {
    message_of(resource)
        .map(|(chat, message)| (chat.as_str().to_owned(), message.as_str().to_owned()))
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
    assert_eq!(item.change, ChangeType::Created);
    assert_eq!(item.message.as_str(), "1612289765949");
    assert!(item.encrypted.is_none() && item.client_state.is_some() && item.tenant.is_some());
    assert!(collection.validation_tokens.is_empty());
}

#[test]
fn a_rich_notification_is_read() {
    let collection = Collection::parse(include_bytes!("../../../fixtures/notification_rich.json"))
        .expect("readable");
    let item = collection.items[0].as_ref().expect("usable");
    let encrypted = item.encrypted.as_ref().expect("rich");
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
            item.as_ref()
                .map(|item| item.change.as_str())
                .map_err(|error| *error)
        })
        .collect();
    assert_eq!(
        kinds,
        [
            Ok("updated"),
            Err(ItemError::Lifecycle),
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
    assert_eq!(collection.items.len(), 1);
    assert_eq!(
        collection.items[0].as_ref().map_err(ItemError::kind).err(),
        Some("lifecycle")
    );
}

#[test]
fn debug_output_holds_no_secret_and_no_token() {
    let body = include_bytes!("../../../fixtures/notification_rich.json");
    let shown = format!("{:?}", Collection::parse(body).expect("readable"));
    for hidden in ["a-secret-of", "eyJ0", "ZGF0YQ", "c2lnbmF0dXJl", "19:"] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
}
