//! Each rule by an example.

use super::*;
use crate::conversation::present_thread;
use crate::forget::take_out;
use crate::state::customer::Customer;
use crate::state::question::{Choice, ChoiceKind, Question};
use crate::teams::message::Attachment;

const HOUR: time::Duration = time::Duration::HOUR;

pub(super) fn at(hours: i64) -> OffsetDateTime {
    START + HOUR * i32::try_from(hours).expect("few")
}

pub(super) fn file(mut message: ChatMessage, address: &str) -> ChatMessage {
    message.attachments.push(Attachment {
        content_type: "reference".to_owned(),
        name: Some("plan.docx".to_owned()),
        content_url: Some(address.to_owned()),
        ..Attachment::default()
    });
    message
}

pub(super) fn quoting(mut message: ChatMessage, quoted: &str) -> ChatMessage {
    let content = format!(
        r#"{{"messageId":"{quoted}","messagePreview":"half price","messageSender":{{"user":{{"displayName":"Support"}}}}}}"#
    );
    message.attachments.push(Attachment {
        content_type: "messageReference".to_owned(),
        content: Some(content),
        ..Attachment::default()
    });
    message
}

pub(super) fn edited(mut message: ChatMessage, html: &str, at: OffsetDateTime) -> ChatMessage {
    message.body.content = html.to_owned();
    message.last_edited = Some(at);
    message
}

pub(super) fn question() -> Says {
    let choice = |text: &str| Choice {
        kind: ChoiceKind::QuickReply,
        text: text.to_owned(),
        payload: text.to_owned(),
    };
    Says::Question(Question {
        message: "question".parse().expect("an id"),
        asked: START,
        choices: vec![choice("Yes"), choice("No")],
        card: None,
    })
}

fn member(email: &str) -> Member {
    Member {
        user: Some(user('a')),
        email: Some(email.to_owned()),
        ..Member::default()
    }
}

#[test]
fn a_known_customer_s_message_needs_nothing_but_the_state() {
    let mut world = World::new();
    let all = [
        Need::Message,
        Need::Chat,
        Need::Kind,
        Need::Members { dispensable: false },
        Need::TenantInformation(tenant('2')),
    ];
    world.tells(&message("1", "hello", START));
    assert_eq!(world.needed, all);
    let second = message("2", "again", at(1));
    world.tells(&second);
    assert_eq!(world.needed, all[..2]);
    world.skips(&second, "already handled");
    assert_eq!(world.texts(), ["hello", "again"]);
    assert_eq!(world.inbound.sending, None);
}

#[test]
fn a_lapsed_sign_in_does_not_stop_a_new_customer() {
    let mut world = World::new();
    world.kind = Asked::CannotTell;
    world.members = Asked::CannotTell;
    world.tells(&message("1", "hello", START));
    // What was only guessed is asked again.
    assert!(world.inbound.kind.is_none() && world.inbound.customer_resolved_at.is_none());
    world.members = Asked::Told(vec![member("anna@customer.example")]);
    world.kind = Asked::Told(ChatKind::OneOnOne);
    world.tells(&message("2", "again", at(1)));
    assert_eq!(world.upn(), Some("anna@customer.example"));
    assert_eq!(world.inbound.kind, Some(ChatKind::OneOnOne));
}

#[test]
fn the_known_customer_serves_when_the_members_cannot_be_asked_again() {
    let mut world = World::new();
    world.members = Asked::Told(vec![member("anna@customer.example")]);
    world.tells(&message("1", "hello", START));
    world.members = Asked::CannotTell;
    world.tells(&message("2", "late", at(25)));
    let asked = Need::Members { dispensable: true };
    assert_eq!(world.needed.last(), Some(&asked));
    assert_eq!(world.upn(), Some("anna@customer.example"));
    // Asked again next time.
    world.members = Asked::Told(vec![member("a.adler@customer.example")]);
    world.tells(&message("3", "later", at(26)));
    assert_eq!(world.upn(), Some("a.adler@customer.example"));
}

#[test]
fn an_echo_is_told_by_memory_by_id_and_by_text() {
    const OURS: &str = "our own message";
    let mut world = World::begun();
    let posted = world.agent_posts("p1", "How can I help?", Says::Words);
    world.skips(&posted, OURS);
    // Before its answer, and after the bridge gave up to find out about it.
    let pending = world.begins_to_post("p2", "Still there?", Says::Words);
    world.skips(&pending, OURS);
    world.outbound.clear_pending();
    world.skips(&pending, OURS);
    world.remembered = vec![id("p3")];
    let remembered = of_support(message("p3", "Bye", START));
    world.skips(&remembered, OURS);
    assert_eq!(world.needed, [Need::Message]);
    assert_eq!(world.deleted("p3"), End::Skipped(OURS));
    assert_eq!(world.deleted("p1"), End::Skipped(OURS));
    assert_eq!(world.texts(), Vec::<&str>::new());
}

#[test]
fn an_answer_in_the_words_of_our_post_is_by_hand_and_a_preview_is_not() {
    let mut world = World::begun();
    world.agent_posts("p1", "Sure?", Says::Words);
    let again = |name| of_support(message(name, "Sure?", at(1)));
    let mut previewed = again("2");
    previewed.attachments.push(Attachment {
        content_type: "application/vnd.microsoft.card.thumbnail".to_owned(),
        ..Attachment::default()
    });
    world.skips(&previewed, "our own message");
    world.tells(&quoting(again("3"), "p1"));
    assert_eq!(world.texts(), ["[Sam]\n> Support: half price\nSure?"]);
}

#[test]
fn what_a_colleague_writes_by_hand_is_shown_and_closes_the_question() {
    let mut world = World::begun();
    world.agent_posts("p1", "Sure?", question());
    let by_hand = of_support(message("2", "<p>2</p>", at(1)));
    world.tells(&by_hand);
    let answered = world.inbound.answered.as_ref();
    assert_eq!(answered.map(|id| id.as_str()), Some("question"));
    assert_eq!(world.inbound.thread.expect("a thread").last_message, at(1));
    world.now = at(2);
    world.tells_of_change(&edited(by_hand, "I call you at ten", at(2)));
    world.tells(&message("3", "2", at(2)));
    for (name, text) in [("4", "Sure?"), ("5", "")] {
        let by_hand = of_support(message(name, text, at(2)));
        world.tells(&file(by_hand, "https://a.example/b"));
    }
    let told = [
        "[Sam] 2",
        "[Sam] [edited] I call you at ten",
        "2",
        "[Sam] Sure?",
        "<Shared>",
        "[Sam] [sends files]",
        "<Shared>",
    ];
    assert_eq!(world.texts(), told);
    assert_eq!(world.deleted("2"), End::Told);
}

#[test]
fn what_a_colleague_writes_opens_no_conversation() {
    let mut world = World::new();
    let by_hand = of_support(message("1", "hello", START));
    world.skips(&by_hand, "written by hand outside a conversation");
    assert_eq!(world.needed, [Need::Message, Need::Chat]);
    // What is older than our memory of posts may be one of them.
    let mut world = World::begun();
    world.now = at(48);
    let by_hand = of_support(message("2", "hello", START));
    world.skips(&by_hand, "too old to be told from our own messages");
}

#[test]
fn others_than_people_from_outside_are_not_told() {
    let mut world = World::begun();
    let from = |sender: Option<Sender>| ChatMessage {
        from: sender,
        ..message("2", "x", START)
    };
    let mut system = message("2", "joined", START);
    system.kind = MessageKind::System;
    world.skips(&system, "system message");
    world.skips(&from(None), "no sender");
    let bot = Sender {
        application: Some("bot".to_owned()),
        ..Sender::default()
    };
    world.skips(&from(Some(bot)), "written by an application");
}

#[test]
fn a_group_s_message_must_be_meant_for_us_before_its_sender_matters() {
    let mut world = World::group();
    let not_for_us = "not for the agent";
    let mut stranger = message("1", "x", START);
    stranger.from = Some(Sender::default());
    world.skips(&stranger, not_for_us);
    assert_eq!(world.needed, [Need::Message, Need::Chat, Need::Kind]);
    world.skips(&message("2", "x", START), not_for_us);
    // One group is one conversation, whoever of us is mentioned later.
    let words = message("3", "one\nBob: two", START);
    let only_file = file(message("4", "", START), "https://a.example/b");
    for (message, mentioned) in [(words, '6'), (only_file, '5')] {
        world.tells(&mentioning(message, user(mentioned)));
        assert_eq!(world.inbound.account, account("sales"));
    }
    // An edit that takes the mention out stays with the agent.
    let unmentioned = edited(message("3", "three", START), "three", at(1));
    world.tells_of_change(&unmentioned);
    let told = [
        "Anna: one Bob: two",
        "Anna: [sends files]",
        "<Shared>",
        "Anna: [edited] three",
    ];
    assert_eq!(world.texts(), told);
    world.policy.groups = GroupPolicy::Off;
    let mentioned = mentioning(message("5", "x", START), user('6'));
    world.skips(&mentioned, not_for_us);
    world.policy.groups = GroupPolicy::All;
    world.tells(&message("6", "x", START));
}

#[test]
fn a_group_is_described_by_the_first_person_from_outside() {
    let mut world = World::group();
    world.policy.groups = GroupPolicy::All;
    let first = Some(user('a'));
    for (name, by, of, described) in [
        ("1", 'c', '1', None),
        ("2", 'a', '2', first.clone()),
        ("3", 'b', '3', first),
    ] {
        let mut message = message(name, "x", START);
        let from = message.from.as_mut().expect("a sender");
        (from.user, from.tenant) = (Some(user(by)), Some(tenant(of)));
        world.tells(&message);
        let customer = world.inbound.customer.as_ref();
        assert_eq!(customer.map(|customer| &customer.user), described.as_ref());
    }
}

#[test]
fn a_group_whose_description_was_taken_out_goes_on_and_is_described_by_the_next_person() {
    let mut world = World::group();
    world.policy.groups = GroupPolicy::All;
    let by = |name: &str, by: char, of: char| {
        let mut message = message(name, "x", START);
        let from = message.from.as_mut().expect("a sender");
        (from.user, from.tenant) = (Some(user(by)), Some(tenant(of)));
        message
    };
    world.tells(&by("1", 'a', '2'));
    let thread = present_thread(&world.inbound);
    take_out(&mut world.inbound);
    assert_eq!(present_thread(&world.inbound), thread);
    assert_eq!(world.deleted("1"), End::Told);
    // A colleague describes nobody.
    for (name, sender, of, described) in [("2", 'c', '1', None), ("3", 'b', '2', Some(user('b')))] {
        world.tells(&by(name, sender, of));
        let customer = world.inbound.customer.clone().expect("somebody");
        let nobody = Customer::nobody(&world.inbound.chat).user;
        assert_eq!(customer.user, described.unwrap_or(nobody));
        assert_eq!(present_thread(&world.inbound), thread);
    }
    assert_eq!(world.thread, (false, 0));
}

#[test]
fn quotes_of_what_is_not_on_record_are_marked() {
    let mut world = World::begun();
    world.agent_posts("p1", "half price", Says::Words);
    world.tells(&quoting(message("2", "yes", START), "p1"));
    let forged = quoting(message("3", "yes", START), "p9");
    world.tells(&forged);
    world.tells(&quoting(message("4", "yes", START), "1"));
    // What was deleted before it was delivered is on nobody's record.
    world.deleted("5");
    world.tells(&quoting(message("6", "yes", START), "5"));
    let known = "> Support: half price\nyes";
    let unknown = "> Support (unverified): half price\nyes";
    assert_eq!(world.texts(), [known, unknown, known, unknown]);
    // That the mark comes and goes is no edit of the message.
    world.agent_posts("p9", "half price", Says::Words);
    let unchanged = End::Noted("the edit changes nothing that is seen");
    let same = edited(forged.clone(), "yes", at(1));
    assert_eq!(world.updated(&same), unchanged);
    world.tells_of_change(&edited(forged, "no", at(2)));
    assert_eq!(world.texts().last(), Some(&"[edited] no"));
}

#[test]
fn files_of_our_own_tenant_are_not_fetched_for_outsiders() {
    /// What the agent gets of a file that this world's customer sends, and whether our own hosts were asked for.
    fn told(mut world: World, message: ChatMessage, address: &str) -> (String, bool) {
        world.tells(&file(message, address));
        let asked = world.needed.contains(&Need::FileHosts);
        (world.genesys.pop().expect("a file").1, asked)
    }
    let ours = "https://ours-my.sharepoint.com/personal/ceo/plan.docx";
    let notice = format!("[file] plan.docx {ours}\n{}", plan::OUR_OWN_FILE);
    let fetched = |asked| ("<Shared>".to_owned(), asked);
    let outsider = message("1", "x", START);
    let told_of = |world| told(world, outsider.clone(), ours);
    assert_eq!(told_of(World::new()), (notice.clone(), true));
    let theirs = "https://theirs.sharepoint.com/a";
    let told_of_theirs = told(World::new(), outsider.clone(), theirs);
    assert_eq!(told_of_theirs, fetched(true));
    let mut unknown = World::new();
    unknown.file_hosts = Asked::CannotTell;
    assert_eq!(told_of(unknown), fetched(true));
    let mut insider = outsider.clone();
    insider.from.as_mut().expect("a sender").tenant = Some(tenant('1'));
    assert_eq!(told(World::new(), insider.clone(), ours), fetched(false));
    let mut of_guest = World::new();
    let name = "anna_customer.example#EXT#@ours.example";
    of_guest.members = Asked::Told(vec![member(name)]);
    assert_eq!(told(of_guest, insider, ours), (notice, true));
    let mut world = World::begun();
    let by_hand = file(of_support(message("2", "x", START)), ours);
    world.tells(&by_hand);
    assert_eq!(world.texts().last(), Some(&"<Shared>"));
}

#[test]
fn an_attempt_goes_on_where_the_last_one_broke_off() {
    let mut world = World::new();
    let long = "many words ".repeat(60);
    let message = file(message("1", &long, START), "https://a.example/b");
    world.patience = 2;
    assert_eq!(world.created(&message), End::Broken);
    world.patience = 0;
    assert_eq!(world.created(&message), End::Broken);
    world.patience = usize::MAX;
    world.tells(&message);
    let mut expected = split(long.trim(), LIMIT);
    expected.push("<Shared>".to_owned());
    assert_eq!(world.texts(), expected);
    let ids = world.genesys.iter().map(|(id, _)| id.as_str());
    assert!(ids.take(3).eq(["1", "1-2", "1-3"]));
}

#[test]
fn an_edit_of_what_was_given_up_half_way_brings_all_of_it() {
    let mut world = World::begun();
    world.patience = 1;
    let half = file(message("2", "words", START), "https://a.example/b");
    assert_eq!(world.created(&half), End::Broken);
    world.patience = usize::MAX;
    world.tells_of_change(&edited(half, "other", at(1)));
    assert_eq!(world.texts(), ["words", "[edited] other", "<Shared>"]);
    assert!(world.inbound.is_complete(&id("2")));
}

#[test]
fn a_file_that_an_edit_has_back_is_not_sent_again() {
    let mut world = World::begun();
    let without = message("2", "one", START);
    let with_file = |message| file(message, "https://a.example/b");
    world.tells(&with_file(without.clone()));
    world.tells_of_change(&edited(without.clone(), "two", at(1)));
    world.tells_of_change(&with_file(edited(without, "three", at(2))));
    let told = ["one", "<Shared>", "[edited] two", "[edited] three"];
    assert_eq!(world.texts(), told);
}

#[test]
fn the_record_of_a_thread_is_new_once() {
    let mut world = World::new();
    world.policy.window_policy = WindowPolicy::New;
    for (name, written, thread) in [
        ("1", START, (true, 0)),
        ("2", at(1), (false, 0)),
        ("3", at(30), (true, 1)),
        ("4", at(31), (false, 1)),
    ] {
        world.tells(&message(name, "x", written));
        assert_eq!(world.thread, thread, "{name}");
    }
}

#[test]
fn a_thread_s_use_is_noted_with_its_first_message_of_a_day() {
    let mut world = World::new();
    for (name, written, is_first) in [
        ("1", START, true),
        ("2", at(1), false),
        ("3", at(30), true),
        // Late, and of a day that is over.
        ("4", at(2), false),
        ("5", at(31), false),
        ("6", at(24 * 60), true),
    ] {
        world.tells(&message(name, "x", written));
        assert_eq!(world.is_first_of_day, is_first, "{name}");
    }
}

#[test]
fn what_the_sender_s_organization_blocks_is_told_once() {
    let blocked = |name: &str| {
        let mut message = message(name, "", START);
        message.blocked = true;
        message
    };
    let notice =
        "[blocked] The message of 2026-01-02 03:04 UTC was blocked by its sender's organization.";
    // Before anybody read it.
    let mut world = World::begun();
    world.tells(&blocked("2"));
    assert_eq!(world.genesys, [("2".to_owned(), notice.to_owned())]);
    world.fresh = Asked::Told(Some(blocked("2")));
    assert_eq!(
        world.updated(&blocked("2")),
        End::Skipped("known to be blocked")
    );
    // Its own notification got lost.
    world.tells_of_change(&blocked("3"));
    // The organization thinks better of it.
    world.fresh = Asked::Told(Some(message("2", "harmless", START)));
    world.tells_of_change(&message("2", "harmless", START));
    assert_eq!(world.genesys[2].1, "[restored] harmless");
    // After the agent read it, as Graph tells of it: without an edit.
    world.genesys.clear();
    world.tells_of_change(&blocked("1"));
    assert_eq!(world.genesys[0].1, notice);
    world.fresh = Asked::Told(Some(blocked("1")));
    assert_eq!(
        world.updated(&blocked("1")),
        End::Skipped("known to be blocked")
    );
}
