//! Whose something is, by examples and by what holds for all ids.

use proptest::prelude::*;
use serde_json::{Value, json};
use time::macros::datetime;

use super::*;
use crate::genesys::receipt::ReceiptOutcome;
use crate::ids::{GenesysMessageId, TeamsMessageId};
use crate::notices::NoticeKind;
use crate::queue::envelope::{
    AgentEnvelope, CatchUpEnvelope, NoticeEnvelope, NotificationEnvelope, ReceiptEnvelope,
};
use crate::queue::failed::Direction;
use crate::state::inbound::{PostedPart, Sending};
use crate::state::outbound::Says;
use crate::teams::notification::ChangeType;

const NOW: OffsetDateTime = datetime!(2026-12-01 12:00:00 UTC);
const ANNA: &str = "0f0e0d0c-0000-4000-8000-00000000000a";
const BERT: &str = "0f0e0d0c-0000-4000-8000-00000000000b";
const SUPPORT: &str = "00000000-0000-0000-0000-000000000004";
const PHONE: &str = "+4930000000";
const GROUP: &str = "19:8ea0e38b@thread.v2";

fn tenant(last: char) -> TenantId {
    let id = format!("be9c1b6e-0000-4000-8000-c0ffee00000{last}");
    id.parse().expect("a GUID")
}

fn anna() -> Person {
    Person::in_entra(tenant('1'), ANNA.parse().expect("an id")).expect("a person")
}

fn chat(user: &str) -> ChatId {
    format!("19:{user}_{SUPPORT}@unq.gbl.spaces")
        .parse()
        .expect("an id")
}

fn account() -> SupportAccountName {
    "support".parse().expect("a name")
}

/// The state of a chat, with this customer of a tenant.
fn state(chat: ChatId, kind: Option<ChatKind>, of: Option<(&str, Option<char>)>) -> InboundState {
    let mut state = InboundState::new(chat, account());
    state.kind = kind;
    state.customer = of.map(|(user, of)| Customer {
        user: user.parse().expect("an id"),
        tenant: of.map(tenant),
        ..Customer::nobody(&state.chat)
    });
    state
}

fn thread(text: &str, chat: ChatId) -> ThreadRecord {
    let thread: ThreadId = text.parse().expect("a thread");
    ThreadRecord::new(&thread, chat, account(), NOW)
}

/// Anna's traces, once her chat and a group that she described were seen.
fn seen() -> Traces {
    let mut traces = Traces::of(anna());
    let own = state(chat(ANNA), None, Some((ANNA, Some('1'))));
    let group = state(
        GROUP.parse().expect("an id"),
        Some(ChatKind::Group),
        Some((ANNA, None)),
    );
    assert_eq!(traces.see_chat(&own), Share::All);
    assert_eq!(traces.see_chat(&group), Share::OfGroup);
    traces
}

#[test]
fn an_id_is_given_in_the_way_that_fits_it() {
    let id = |text: &str| text.parse::<UserId>().expect("an id");
    let named = Person::in_entra(tenant('1'), id("anna@customer.example"));
    assert_eq!(named, Err(NoPerson::NotInEntra));
    assert_eq!(Person::without_account(id(ANNA)), Err(NoPerson::InEntra));
    assert!(Person::without_account(id(PHONE)).is_ok());
    let shown = format!("{:?} {:?}", anna(), Person::without_account(id(PHONE)));
    assert!(!shown.contains(ANNA) && !shown.contains(PHONE), "{shown}");
}

#[test]
fn whose_a_chat_is() {
    use ChatKind::{Group, Meeting, OneOnOne};
    use Share::{All, None as Nothing, OfGroup};
    let opaque = || {
        "19:uni01_x@unq.gbl.spaces"
            .parse::<ChatId>()
            .expect("an id")
    };
    let group = || GROUP.parse::<ChatId>().expect("an id");
    for (chat, kind, customer, expected) in [
        (opaque(), Some(OneOnOne), Some((ANNA, Some('1'))), All),
        (opaque(), None, Some((ANNA, None)), All),
        (opaque(), Some(OneOnOne), Some((BERT, Some('1'))), Nothing),
        (opaque(), None, None, Nothing),
        // Who was turned away was never looked up.
        (chat(ANNA), None, None, All),
        (chat(&ANNA.to_uppercase()), None, None, All),
        (chat(BERT), None, None, Nothing),
        (chat(&format!("{ANNA}0")), None, None, Nothing),
        (group(), Some(Group), Some((ANNA, Some('1'))), OfGroup),
        (group(), Some(Meeting), Some((ANNA, None)), OfGroup),
        (group(), Some(Group), Some((BERT, None)), Nothing),
        (group(), Some(Group), None, Nothing),
    ] {
        let mut traces = Traces::of(anna());
        let state = state(chat, kind, customer);
        assert_eq!(traces.see_chat(&state), expected, "{state:?}");
        assert_eq!(traces.of_chat(&state.chat.digest()), expected);
    }
}

#[test]
fn somebody_without_an_account_is_found_by_what_graph_calls_them() {
    let phone: UserId = PHONE.parse().expect("an id");
    let mut traces = Traces::of(Person::without_account(phone.clone()).expect("a person"));
    let chat: ChatId = "19:meeting_guest@unq.gbl.spaces".parse().expect("an id");
    let guest = format!("teams-guest:support:{}", phone.digest());
    assert_eq!(traces.see_thread(&thread(&guest, chat.clone())), Share::All);
    let of_anna = thread(&format!("teams:support:{ANNA}"), chat.clone());
    assert_eq!(Traces::of(anna()).see_thread(&of_anna), Share::All);
    assert_eq!(traces.see_thread(&of_anna), Share::None);
    let state = state(chat, Some(ChatKind::OneOnOne), Some((PHONE, None)));
    assert_eq!(traces.see_chat(&state), Share::All);
    assert!(!traces.are_of_another_tenant());
}

#[test]
fn posts_without_the_other_side_are_the_person_s_where_the_chat_names_it() {
    for (chat, expected) in [(chat(ANNA), Share::All), (chat(BERT), Share::None)] {
        let mut traces = Traces::of(anna());
        let state = OutboundState::new(chat);
        assert_eq!(traces.see_posts(&state), expected);
        assert_eq!(traces.of_chat(&state.chat.digest()), expected);
    }
    let group = OutboundState::new(GROUP.parse().expect("an id"));
    assert_eq!(seen().see_posts(&group), Share::OfGroup);
}

#[test]
fn an_id_of_another_tenant_is_noticed() {
    for (tenants, expected) in [
        (&[][..], false),
        (&[None], false),
        (&[Some('1')], false),
        (&[Some('2')], true),
        (&[None, Some('2')], true),
        // The same person, told of differently.
        (&[Some('2'), Some('1')], false),
    ] {
        let mut traces = Traces::of(anna());
        for of in tenants {
            traces.see_chat(&state(chat(ANNA), None, Some((ANNA, *of))));
        }
        assert_eq!(traces.are_of_another_tenant(), expected, "{tenants:?}");
    }
}

/// Envelopes of all kinds about this chat, this thread.
fn envelopes(chat: &ChatId, thread: &str) -> Vec<Content> {
    let message: TeamsMessageId = "1616".parse().expect("an id");
    let genesys: GenesysMessageId = "b71f".parse().expect("an id");
    let webhook = json!({ "id": "b71f", "type": "Text", "text": "x", "channel": { "to": { "id": thread },
        "time": "2026-12-01T12:00:00Z" } });
    vec![
        Content::Notification(NotificationEnvelope {
            change: ChangeType::Created,
            chat: chat.clone(),
            message: message.clone(),
            account: account(),
            encrypted: None,
        }),
        Content::Notice(NoticeEnvelope {
            chat: chat.clone(),
            message,
            account: account(),
            thread: None,
            says: NoticeKind::Failed,
            language: None,
        }),
        Content::CatchUp(CatchUpEnvelope {
            chat: chat.clone(),
            account: account(),
            since: NOW,
            gap: None,
            message: None,
            part: None,
        }),
        Content::AgentMessage(AgentEnvelope::of(webhook.to_string().as_bytes())),
        Content::Receipt(ReceiptEnvelope {
            message: genesys,
            to: thread.to_owned(),
            outcome: ReceiptOutcome::Delivered,
            at: NOW,
        }),
    ]
}

fn failed(lane: &str, envelope: Value) -> Vec<u8> {
    let mut message = FailedMessage::refused(Direction::Inbound, NOW, envelope);
    message.lane = lane.to_owned();
    message.to_json()
}

#[test]
fn envelopes_and_failed_messages_are_whose_chat_or_thread_they_name() {
    let group: ChatId = GROUP.parse().expect("an id");
    let group_thread = format!("teams-chat:support:{}", group.digest());
    for (chat, thread, expected) in [
        (chat(ANNA), format!("teams:support:{ANNA}"), Share::All),
        (chat(ANNA), format!("teams:other:{ANNA}:7"), Share::All),
        (group, group_thread, Share::OfGroup),
        (chat(BERT), format!("teams:support:{BERT}"), Share::None),
    ] {
        for content in envelopes(&chat, &thread) {
            let label = content.label();
            let body = Envelope::new(NOW, content).to_json();
            assert_eq!(seen().of_envelope(&body), expected, "{label}");
            let envelope = serde_json::from_slice(&body).expect("JSON");
            let failed = failed("lane", envelope);
            assert_eq!(seen().of_failed("a/b.json", &failed), expected, "{label}");
        }
    }
}

#[test]
fn what_names_neither_is_known_by_its_lane_or_by_the_id_in_it() {
    let own = Lane::inbound(&chat(ANNA));
    let other = Lane::inbound(&chat(BERT));
    let claim = json!({ "version": 1, "accepted_at": "2026-12-01T12:00:00Z", "kind": "claim", "blob": "claims/x" });
    let newer = json!({ "version": 2, "to": ANNA.to_uppercase() });
    for (lane, envelope, expected) in [
        (&own, claim.clone(), Share::All),
        (&other, claim, Share::None),
        (&other, newer, Share::All),
        (&other, json!("no envelope"), Share::None),
    ] {
        let failed = failed(lane.as_str(), envelope);
        assert_eq!(seen().of_failed("a/b.json", &failed), expected);
    }
    // Not even a failed message.
    let digest = Digest::of("envelope", "");
    for (lane, expected) in [(&own, Share::All), (&other, Share::None)] {
        let blob = blobs::failed(lane, &digest);
        assert_eq!(seen().of_failed(&blob, b"no JSON"), expected);
    }
    let unreadable = AgentEnvelope::of(format!("to {ANNA}, but no JSON").as_bytes());
    let envelope = Envelope::new(NOW, Content::AgentMessage(unreadable));
    assert_eq!(seen().of_envelope(&envelope.to_json()), Share::All);
    assert_eq!(seen().of_envelope(b"no JSON"), Share::None);
}

#[test]
fn files_and_posts_are_known_by_the_chat_in_their_names() {
    let chat = chat(ANNA);
    let file = blobs::attachment(&chat.digest(), "1", &Digest::of("file", "x"));
    for name in [
        blobs::outbound_state(&chat),
        blobs::inbound_state(&chat),
        file,
    ] {
        assert_eq!(chat_of(&name), Some(chat.digest()), "{name}");
    }
    for name in ["chats/", "", "x/y", "threads/x.json"] {
        assert_eq!(chat_of(name), None, "{name}");
    }
}

/// What happened in a chat.
type Change<'a> = &'a dyn Fn(&mut InboundState);

#[test]
fn a_message_on_its_way_to_genesys_holds_up_its_chat() {
    let minutes = Duration::minutes;
    let is_held = |change: Change<'_>, age: Duration| {
        let mut state = state(chat(ANNA), None, None);
        change(&mut state);
        is_sending(&state, NOW + age)
    };
    let part = |ends_piece| PostedPart {
        piece: 0,
        part: 0,
        genesys: "g".to_owned(),
        ends_piece,
    };
    let id: TeamsMessageId = "1".parse().expect("an id");
    let sending = |state: &mut InboundState| {
        let holder = Digest::of("holder", "");
        state.sending = Some(Sending { holder, at: NOW });
    };
    let half = |state: &mut InboundState| {
        state.record_part(&id, part(false), NOW);
    };
    let whole = |state: &mut InboundState| {
        state.record_part(&id, part(true), NOW);
        state.complete(&id, NOW);
    };
    let given_up = |state: &mut InboundState| {
        state.record_part(&id, part(false), NOW);
        state.give_up(&id, NOW);
    };
    let untold = |state: &mut InboundState| {
        state.entry(&id, NOW);
    };
    let (soon, later) = (minutes(0), minutes(14));
    let cases: [(Change<'_>, Duration, bool); 9] = [
        (&|_| {}, soon, false),
        (&sending, soon, true),
        (&sending, later, false),
        (&half, later, true),
        (&half, minutes(15), false),
        (&half, -minutes(15), false),
        (&whole, soon, false),
        (&given_up, soon, false),
        (&untold, soon, false),
    ];
    for (index, (change, age, expected)) in cases.into_iter().enumerate() {
        assert_eq!(is_held(change, age), expected, "{index}");
    }
}

#[test]
fn a_message_on_its_way_into_the_chat_holds_it_up() {
    let message: GenesysMessageId = "g".parse().expect("an id");
    let begun = |last| {
        let mut state = OutboundState::new(chat(ANNA));
        state.begin(&message, 0, last, NOW, Digest::of("text", ""), Says::Words);
        state
    };
    let posted = |last| {
        let mut state = begun(last);
        state.posted("1616".parse().expect("an id"), NOW);
        state
    };
    let mut refused = begun(true);
    refused.clear_pending();
    let (soon, late) = (Duration::ZERO, HALF_WAY_FOR);
    for (state, age, expected) in [
        (OutboundState::new(chat(ANNA)), soon, false),
        (begun(true), soon, true),
        (begun(true), late, false),
        (posted(false), soon, true),
        (posted(false), late, false),
        (posted(true), soon, false),
        (refused, soon, false),
    ] {
        assert_eq!(is_posting(&state, NOW + age), expected, "{state:?}");
    }
}

#[test]
fn a_group_without_its_description_tells_nothing_of_the_person() {
    let mut group = state(
        GROUP.parse().expect("an id"),
        Some(ChatKind::Group),
        Some((ANNA, Some('1'))),
    );
    let customer = group.customer.as_mut().expect("a customer");
    customer.name = Some("Anna Adler".to_owned());
    customer.upn = Some("anna@customer.example".to_owned());
    group.customer_resolved_at = Some(NOW);
    let before = serde_json::to_string(&group).expect("JSON");
    assert!(before.contains(ANNA) && before.contains("Adler"));
    take_out(&mut group);
    let after = serde_json::to_string(&group).expect("JSON").to_lowercase();
    for word in [ANNA, "adler", "customer.example", "c0ffee"] {
        assert!(!after.contains(word), "{after}");
    }
    assert_eq!(Traces::of(anna()).see_chat(&group), Share::None);
}

#[test]
fn a_catch_up_begins_at_the_erasure() {
    let hours = Duration::hours;
    for (erased, expected) in [(None, 0), (Some(-5), 0), (Some(5), 5)] {
        let erased = erased.map(|at| Erased::new(NOW + hours(at)));
        assert_eq!(caught_up_from(NOW, erased), NOW + hours(expected));
    }
    let mark = serde_json::to_string(&Erased::new(NOW)).expect("JSON");
    assert_eq!(mark, r#"{"version":1,"at":"2026-12-01T12:00:00Z"}"#);
}

proptest! {
    /// Whoever has another id loses nothing, whatever was seen of the person before.
    #[test]
    fn nobody_else_is_forgotten(
        other in "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[a-z0-9+.:@]{1,30}",
        account in "[a-z0-9-]{1,20}",
        counter in any::<u32>(),
    ) {
        prop_assume!(other != ANNA);
        let user: UserId = other.parse().expect("an id");
        let account: SupportAccountName = account.parse().expect("a name");
        let thread = ThreadId { account: account.clone(), party: Party::of(&user), counter };
        let mut traces = seen();
        let record = ThreadRecord::new(&thread, chat(&other), account, NOW);
        prop_assert_eq!(traces.see_thread(&record), Share::None);
        prop_assert_eq!(traces.see_chat(&state(chat(&other), None, Some((&other, Some('1'))))), Share::None);
        for content in envelopes(&chat(&other), &thread.to_string()) {
            let body = Envelope::new(NOW, content).to_json();
            prop_assert_eq!(traces.of_envelope(&body), Share::None);
        }
        prop_assert_eq!(traces.own_chats().count(), 1);
    }

    /// And the person loses all of it.
    #[test]
    fn whatever_account_talks_to_the_person_is_found(account in "[a-z0-9-]{1,20}", counter in any::<u32>()) {
        let account: SupportAccountName = account.parse().expect("a name");
        let party = Party::of(&ANNA.parse().expect("an id"));
        let thread = ThreadId { account: account.clone(), party, counter };
        let opaque: ChatId = format!("19:{}@unq.gbl.spaces", account.as_str()).parse().expect("an id");
        let mut traces = Traces::of(anna());
        let record = ThreadRecord::new(&thread, opaque.clone(), account, NOW);
        prop_assert_eq!(traces.see_thread(&record), Share::All);
        for content in envelopes(&opaque, &thread.to_string()) {
            let body = Envelope::new(NOW, content).to_json();
            prop_assert_eq!(traces.of_envelope(&body), Share::All);
        }
    }
}
