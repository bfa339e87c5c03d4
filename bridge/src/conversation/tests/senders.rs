//! Senders whom Graph does not know by an Entra object id.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::rules::file;
use super::*;
use crate::conversation::customer::present_thread;

/// A message in which Graph tells this of its sender.
fn of_sender(name: &str, from: Value) -> ChatMessage {
    let json = json!({
        "id": name,
        "createdDateTime": START.format(&Rfc3339).expect("a time"),
        "from": from,
        "body": { "contentType": "html", "content": "hello" },
    });
    ChatMessage::parse(json.to_string().as_bytes()).expect("readable")
}

/// The same of a user.
fn of_user(name: &str, user: Value) -> ChatMessage {
    of_sender(
        name,
        json!({ "user": user, "application": null, "device": null }),
    )
}

impl World {
    /// How the agent knows the chat's customer: the thread, and the name.
    fn customer(&self) -> (String, &str) {
        let customer = self.inbound.customer.as_ref().expect("a customer");
        let thread = present_thread(&self.inbound).expect("a thread");
        let name = customer.name.as_deref().unwrap_or_default();
        (thread.to_string(), name)
    }
}

#[test]
fn whoever_has_no_entra_id_is_a_customer_with_an_id_of_their_own_kind() {
    let acs = "8:acs:00000000-aaa9-4e25-90de-475594b0fb52_00000006-96d3-711c-6a0b-343a0d000eb4";
    let mut threads = HashSet::new();
    for (id, user_type, name, shown) in [
        (
            "c41f5bd88c39f6a1",
            "personalMicrosoftAccountUser",
            Some("Cora C."),
            "Cora C.",
        ),
        (
            "8578568e393e4ffe8763e0b7c3da01ab",
            "anonymousGuest",
            Some("Cora (Guest)"),
            "Cora (Guest)",
        ),
        ("cora.c1", "skypeUser", Some("Cora"), "Cora"),
        ("cora.c2", "skypeUser", None, "Skype user"),
        (acs, "azureCommunicationServicesUser", None, "Guest"),
        ("+4930000000", "phoneUser", Some("Phone"), "Phone"),
        ("+4930000001", "phoneUser", Some(" "), "Phone user"),
        ("cora@mail.example", "emailUser", None, "Email user"),
        ("cora@mail.example.2", "unknownFutureValue", None, "Guest"),
    ] {
        let mut world = World::new();
        let user = json!({ "id": id, "displayName": name, "userIdentityType": user_type });
        world.tells(&of_user("1", user.clone()));
        world.tells(&of_user("2", user));
        assert_eq!(world.texts(), ["hello", "hello"]);
        // Nothing has to be found out a second time.
        assert_eq!(world.needed, [Need::Message, Need::Chat]);
        let (thread, name) = world.customer();
        assert_eq!(name, shown);
        let digest = id.parse::<UserId>().expect("an id").digest();
        assert_eq!(thread, format!("teams-guest:support:{digest}"));
        let customer = world.inbound.customer.as_ref().expect("a customer");
        let told = (user_type != "unknownFutureValue").then_some(user_type);
        assert_eq!(customer.user_type.as_deref(), told);
        assert!(threads.insert(thread));
    }
    // What Graph names an Entra user stays one.
    let mut world = World::new();
    let anna = json!({ "id": user('a').as_str(), "displayName": Value::Null });
    world.tells(&of_user("1", anna));
    let thread = format!("teams:support:{}", user('a').as_str());
    assert_eq!(world.customer(), (thread, ""));
}

#[test]
fn whoever_has_no_id_at_all_is_told_by_the_chat() {
    let too_long = "u".repeat(257);
    for (from, shown) in [
        (json!({ "user": { "displayName": "Cora" } }), "Cora"),
        (
            json!({ "user": { "id": null, "displayName": "Cora" } }),
            "Cora",
        ),
        (
            json!({ "user": { "id": too_long, "displayName": "Cora" } }),
            "Cora",
        ),
        (
            json!({ "user": null, "device": { "displayName": "Front desk" } }),
            "Front desk",
        ),
        (json!({ "user": null, "application": null }), "Guest"),
        (json!(null), "Guest"),
    ] {
        let mut world = World::new();
        world.tells(&of_sender("1", from.clone()));
        world.tells(&of_sender("2", from));
        let digest = UserId::of_chat(&world.inbound.chat).digest();
        let thread = format!("teams-guest:support:{digest}");
        assert_eq!(world.customer(), (thread, shown));
    }
    // In a one-to-one chat it can be nobody else than the customer.
    let mut world = World::begun();
    let before = world.customer().0;
    let unnamed = json!({ "user": { "id": null, "displayName": "Anna" } });
    world.tells(&of_sender("2", unnamed));
    assert_eq!(world.customer().0, before);
    let application = json!({ "application": { "displayName": "Flow" }, "user": null });
    world.skips(&of_sender("3", application), "written by an application");
}

#[test]
fn in_a_group_whoever_has_no_entra_id_is_from_outside() {
    let mut world = World::group();
    world.policy.groups = GroupPolicy::All;
    let mut colleague = message("1", "x", START);
    colleague.from.as_mut().expect("a sender").tenant = Some(tenant('1'));
    world.tells(&colleague);
    // The meeting's tenant is ours; who joined it by a telephone is not.
    let ours = tenant('1');
    let phone =
        json!({ "id": "+4930000000", "userIdentityType": "phoneUser", "tenantId": ours.as_str() });
    let file_of_ours = "https://ours.sharepoint.com/plan.docx";
    world.tells(&file(of_user("2", phone), file_of_ours));
    let (thread, name) = world.customer();
    assert!(thread.starts_with("teams-chat:support:"), "{thread}");
    assert_eq!(name, "Phone user");
    world.tells(&of_user("3", json!({ "displayName": "Cora" })));
    let notice = format!("[file] plan.docx {file_of_ours}\n{}", plan::OUR_OWN_FILE);
    let told = ["Anna: x", "Phone user: hello", &notice, "Cora: hello"];
    assert_eq!(world.texts(), told);
    // A guest's reaction is told like anybody's, ours is not.
    let reacted = |by: UserId| {
        let mut message = message("1", "x", START);
        message.reactions.push(thumb(by));
        message
    };
    world.tells_of_change(&reacted("+4930000000".parse().expect("an id")));
    world.skips_change(&reacted(user('5')), "no new reaction");
}
