//! Each rule by an example.

use super::*;
use crate::state::question::{Choice, ChoiceKind, Question};
use crate::teams::message::Attachment;

const HOUR: time::Duration = time::Duration::HOUR;

fn at(hours: i64) -> OffsetDateTime {
    START + HOUR * i32::try_from(hours).expect("few")
}

fn file(mut message: ChatMessage, address: &str) -> ChatMessage {
    message.attachments.push(Attachment {
        content_type: "reference".to_owned(),
        name: Some("plan.docx".to_owned()),
        content_url: Some(address.to_owned()),
        content: None,
    });
    message
}

fn quoting(mut message: ChatMessage, quoted: &str) -> ChatMessage {
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

fn edited(mut message: ChatMessage, html: &str, at: OffsetDateTime) -> ChatMessage {
    message.body.content = html.to_owned();
    message.last_edited = Some(at);
    message
}

fn question() -> Says {
    let choice = |text: &str| Choice {
        kind: ChoiceKind::QuickReply,
        text: text.to_owned(),
        payload: text.to_owned(),
    };
    Says::Question(Question {
        message: "question".parse().expect("an id"),
        asked: START,
        choices: vec![choice("Yes"), choice("No")],
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
    ];
    assert_eq!(world.created(&message("1", "hello", START)), End::Told);
    assert_eq!(world.needed, all);
    let second = message("2", "again", at(1));
    assert_eq!(world.created(&second), End::Told);
    assert_eq!(world.needed, all[..2]);
    assert_eq!(world.created(&second), End::Skipped("already handled"));
    assert_eq!(world.texts(), ["hello", "again"]);
    assert_eq!(world.inbound.sending, None);
}

#[test]
fn a_lapsed_sign_in_does_not_stop_a_new_customer() {
    let mut world = World::new();
    world.kind = Asked::CannotTell;
    world.members = Asked::CannotTell;
    assert_eq!(world.created(&message("1", "hello", START)), End::Told);
    // What was only guessed is asked again.
    assert_eq!(
        (world.inbound.kind, world.inbound.customer_resolved_at),
        (None, None)
    );
    world.members = Asked::Told(vec![member("anna@customer.example")]);
    world.kind = Asked::Told(ChatKind::OneOnOne);
    assert_eq!(world.created(&message("2", "again", at(1))), End::Told);
    let customer = world.inbound.customer.as_ref().expect("a customer");
    assert_eq!(customer.upn.as_deref(), Some("anna@customer.example"));
    assert_eq!(world.inbound.kind, Some(ChatKind::OneOnOne));
}

#[test]
fn the_known_customer_serves_when_the_members_cannot_be_asked_again() {
    let mut world = World::new();
    world.members = Asked::Told(vec![member("anna@customer.example")]);
    assert_eq!(world.created(&message("1", "hello", START)), End::Told);
    world.members = Asked::CannotTell;
    assert_eq!(world.created(&message("2", "late", at(25))), End::Told);
    assert_eq!(
        world.needed.last(),
        Some(&Need::Members { dispensable: true })
    );
    let customer = world.inbound.customer.as_ref().expect("a customer");
    assert_eq!(customer.upn.as_deref(), Some("anna@customer.example"));
    // Asked again next time.
    world.members = Asked::Told(vec![member("a.adler@customer.example")]);
    assert_eq!(world.created(&message("3", "later", at(26))), End::Told);
    let customer = world.inbound.customer.as_ref().expect("a customer");
    assert_eq!(customer.upn.as_deref(), Some("a.adler@customer.example"));
}

#[test]
fn an_echo_is_told_by_memory_by_id_and_by_text() {
    const OURS: End = End::Skipped("our own message");
    let mut world = World::begun();
    let posted = world.agent_posts("p1", "How can I help?", Says::Words);
    assert_eq!(world.created(&posted), OURS);
    // Before its answer, and after the bridge gave up to find out about it.
    let pending = world.begins_to_post("p2", "Still there?", Says::Words);
    assert_eq!(world.created(&pending), OURS);
    world.outbound.clear_pending();
    assert_eq!(world.created(&pending), OURS);
    world.remembered = vec![id("p3")];
    let remembered = of_support(message("p3", "Bye", START));
    assert_eq!(world.created(&remembered), OURS);
    assert_eq!(world.needed, [Need::Message]);
    assert_eq!(world.deleted("p3"), OURS);
    assert_eq!(world.deleted("p1"), OURS);
    assert_eq!(world.texts(), Vec::<&str>::new());
}

#[test]
fn what_a_colleague_writes_by_hand_is_shown_and_closes_the_question() {
    let mut world = World::begun();
    world.agent_posts("p1", "Sure?", question());
    let by_hand = of_support(message("2", "<p>I call you</p>", at(1)));
    assert_eq!(world.created(&by_hand), End::Told);
    assert_eq!(
        world.inbound.answered.as_ref().map(|id| id.as_str()),
        Some("question")
    );
    assert_eq!(world.inbound.thread.expect("a thread").last_message, at(1));
    world.now = at(2);
    assert_eq!(
        world.updated(&edited(by_hand, "I call you at ten", at(2))),
        End::Told
    );
    assert_eq!(world.created(&message("3", "2", at(2))), End::Told);
    let with_file = file(
        of_support(message("4", "Sure?", at(2))),
        "https://a.example/b",
    );
    assert_eq!(world.created(&with_file), End::Told);
    let only_file = file(of_support(message("5", "", at(2))), "https://a.example/b");
    assert_eq!(world.created(&only_file), End::Told);
    assert_eq!(
        world.texts(),
        [
            "[Sam] I call you",
            "[Sam] [edited] I call you at ten",
            "2",
            "[Sam] Sure?",
            "<Shared>",
            "[Sam] [sends files]",
            "<Shared>"
        ]
    );
    assert_eq!(world.deleted("2"), End::Told);
}

#[test]
fn what_a_colleague_writes_opens_no_conversation() {
    let mut world = World::new();
    let by_hand = of_support(message("1", "hello", START));
    let outside = End::Skipped("written by hand outside a conversation");
    assert_eq!(world.created(&by_hand), outside);
    assert_eq!(world.needed, [Need::Message, Need::Chat]);
    // What is older than our memory of posts may be one of them.
    let mut world = World::begun();
    world.now = at(48);
    let too_old = End::Skipped("too old to be told from our own messages");
    assert_eq!(
        world.created(&of_support(message("2", "hello", START))),
        too_old
    );
}

#[test]
fn others_than_people_from_outside_are_not_told() {
    let mut world = World::begun();
    let mut system = message("2", "joined", START);
    system.kind = MessageKind::System;
    assert_eq!(world.created(&system), End::Skipped("system message"));
    let mut nobody = message("3", "x", START);
    nobody.from = None;
    assert_eq!(world.created(&nobody), End::Skipped("no sender"));
    let mut bot = message("4", "x", START);
    bot.from = Some(Sender {
        application: Some("bot".to_owned()),
        ..Sender::default()
    });
    assert_eq!(
        world.created(&bot),
        End::Skipped("written by an application")
    );
    let mut stranger = message("5", "x", START);
    stranger.from = Some(Sender::default());
    assert_eq!(world.created(&stranger), End::Refused("sender_unsupported"));
}

#[test]
fn a_group_s_message_must_be_meant_for_us_before_its_sender_matters() {
    let mut world = World::group();
    let not_for_us = End::Skipped("not for the agent");
    let mut stranger = message("1", "x", START);
    stranger.from = Some(Sender::default());
    assert_eq!(world.created(&stranger), not_for_us);
    assert_eq!(world.needed, [Need::Message, Need::Chat, Need::Kind]);
    let stranger = mentioning(stranger, user('5'));
    assert_eq!(world.created(&stranger), End::Refused("sender_unsupported"));
    assert_eq!(world.created(&message("2", "x", START)), not_for_us);
    // One group is one conversation, whoever of us is mentioned later.
    let to_sales = mentioning(message("3", "one\nBob: two", START), user('6'));
    assert_eq!(world.created(&to_sales), End::Told);
    assert_eq!(world.inbound.account, account("sales"));
    let to_support = mentioning(
        file(message("4", "", START), "https://a.example/b"),
        user('5'),
    );
    assert_eq!(world.created(&to_support), End::Told);
    assert_eq!(world.inbound.account, account("sales"));
    // An edit that takes the mention out stays with the agent.
    let unmentioned = edited(message("3", "three", START), "three", at(1));
    assert_eq!(world.updated(&unmentioned), End::Told);
    assert_eq!(
        world.texts(),
        [
            "Anna: one Bob: two",
            "Anna: [sends files]",
            "<Shared>",
            "Anna: [edited] three"
        ]
    );
    world.policy.groups = GroupPolicy::Off;
    assert_eq!(
        world.created(&mentioning(message("5", "x", START), user('6'))),
        not_for_us
    );
    world.policy.groups = GroupPolicy::All;
    assert_eq!(world.created(&message("6", "x", START)), End::Told);
}

#[test]
fn a_group_is_described_by_the_first_person_from_outside() {
    let mut world = World::group();
    world.policy.groups = GroupPolicy::All;
    let written_by = |name: &str, last: char, tenant: char| {
        let mut message = message(name, "x", START);
        let from = message.from.as_mut().expect("a sender");
        from.user = Some(user(last));
        let tenant = format!("be9c1b6e-0000-4000-8000-c0ffee00000{tenant}");
        from.tenant = Some(tenant.parse().expect("a GUID"));
        message
    };
    assert_eq!(world.created(&written_by("1", 'c', '1')), End::Told);
    assert_eq!(world.inbound.customer, None, "one of ours");
    assert_eq!(world.created(&written_by("2", 'a', '2')), End::Told);
    assert_eq!(world.created(&written_by("3", 'b', '3')), End::Told);
    let customer = world.inbound.customer.as_ref().expect("a customer");
    assert_eq!(customer.user, user('a'));
}

#[test]
fn a_number_answers_an_open_question_once() {
    let mut world = World::begun();
    world.agent_posts("p1", "Sure?", question());
    let before = message("2", "1", START - HOUR);
    assert_eq!(world.created(&before), End::Told);
    assert_eq!(world.created(&message("3", "2", at(1))), End::Told);
    assert_eq!(world.created(&message("4", "1", at(1))), End::Told);
    assert_eq!(world.texts(), ["1", "<choice No>", "1"]);
    let mut world = World::group();
    world.agent_posts("p1", "Sure?", question());
    let answer = mentioning(message("2", "Support 1", START), user('5'));
    assert_eq!(world.created(&answer), End::Told);
    assert_eq!(world.texts(), ["<choice Yes>"]);
}

#[test]
fn deletions_are_told_of_what_the_agent_has() {
    let mut world = World::begun();
    let unseen = End::Noted("deleted before it was delivered");
    assert_eq!(world.deleted("2"), unseen);
    assert_eq!(world.needed, [Need::Chat]);
    // Graph knows no more of it; what a late notification encloses is from before.
    assert_eq!(
        world.updated(&message("2", "PIN", START)),
        End::Skipped("known to be deleted")
    );
    assert_eq!(
        world.created(&message("2", "PIN", START)),
        End::Skipped("already handled")
    );
    assert_eq!(world.deleted("1"), End::Told);
    assert_eq!(world.deleted("1"), End::Skipped("known to be deleted"));
    world.fresh = Asked::CannotTell;
    assert_eq!(
        world.updated(&message("1", "hello", START)),
        End::Skipped("known to be deleted")
    );
    world.fresh = Asked::Told(Some(message("1", "hello", START)));
    assert_eq!(world.updated(&message("1", "hello", START)), End::Told);
    assert_eq!(world.deleted("1"), End::Told);
    let gone = "[deleted] The message of 2026-01-02 03:04 UTC was deleted.";
    assert_eq!(world.texts(), [gone, "[restored] hello", gone]);
    let ids: Vec<&str> = world.genesys.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!((ids[0], ids[2]), ("1-deleted", "1-deleted-2"));
}

#[test]
fn reactions_are_told_once_where_they_are_wanted() {
    let mut world = World::begun();
    let reacted = |mut message: ChatMessage, reaction: Reaction| {
        message.reactions.push(reaction);
        message
    };
    let ours = world.agent_posts("p1", "Done.", Says::Words);
    let liked = reacted(ours, thumb(user('a')));
    assert_eq!(world.updated(&liked), End::Told);
    assert_eq!(world.updated(&liked), End::Skipped("no new reaction"));
    let by_us = reacted(message("1", "hello", START), thumb(user('5')));
    assert_eq!(world.updated(&by_us), End::Skipped("no new reaction"));
    let custom = Reaction {
        kind: "custom".to_owned(),
        label: Some("party parrot".to_owned()),
        ..thumb(user('a'))
    };
    let both = reacted(reacted(by_us, custom), thumb(user('a')));
    assert_eq!(world.updated(&both), End::Told);
    assert_eq!(
        world.texts(),
        [
            "[reaction] 👍 to your message of 2026-01-02 03:04 UTC",
            "[reaction] party parrot to the message of 2026-01-02 03:04 UTC",
            "[reaction] 👍 to the message of 2026-01-02 03:04 UTC"
        ]
    );
    let unknown = reacted(message("7", "x", START), thumb(user('a')));
    assert_eq!(
        world.updated(&unknown),
        End::Skipped("a reaction outside the conversation")
    );
    world.policy.reactions = false;
    assert_eq!(world.updated(&both), End::Skipped("no edit"));
    world.remembered = vec![id("p1")];
    assert_eq!(world.updated(&liked), End::Skipped("our own message"));
}

#[test]
fn quotes_of_what_is_not_on_record_are_marked() {
    let mut world = World::begun();
    world.agent_posts("p1", "half price", Says::Words);
    assert_eq!(
        world.created(&quoting(message("2", "yes", START), "p1")),
        End::Told
    );
    let forged = quoting(message("3", "yes", START), "p9");
    assert_eq!(world.created(&forged), End::Told);
    assert_eq!(
        world.created(&quoting(message("4", "yes", START), "1")),
        End::Told
    );
    // What was deleted before it was delivered is on nobody's record.
    world.deleted("5");
    assert_eq!(
        world.created(&quoting(message("6", "yes", START), "5")),
        End::Told
    );
    let (known, unknown) = (
        "> Support: half price\nyes",
        "> Support (unverified): half price\nyes",
    );
    assert_eq!(world.texts(), [known, unknown, known, unknown]);
    // That the mark comes and goes is no edit of the message.
    world.agent_posts("p9", "half price", Says::Words);
    let unchanged = End::Noted("the edit changes nothing that is seen");
    assert_eq!(
        world.updated(&edited(forged.clone(), "yes", at(1))),
        unchanged
    );
    assert_eq!(world.updated(&edited(forged, "no", at(2))), End::Told);
    assert_eq!(world.texts().last(), Some(&"[edited] no"));
}

#[test]
fn files_of_our_own_tenant_are_not_fetched_for_outsiders() {
    let told = |change: fn(&mut World, &mut ChatMessage), address: &str| {
        let mut world = World::new();
        let mut message = file(message("1", "x", START), address);
        change(&mut world, &mut message);
        assert_eq!(world.created(&message), End::Told);
        let asked = world.needed.contains(&Need::FileHosts);
        (
            world.texts().last().copied().unwrap_or_default().to_owned(),
            asked,
        )
    };
    let ours = "https://ours-my.sharepoint.com/personal/ceo/plan.docx";
    let notice = format!(
        "[file] plan.docx {ours}\n{}",
        super::super::plan::OUR_OWN_FILE
    );
    let fetched = "<Shared>".to_owned();
    let nothing = |_: &mut World, _: &mut ChatMessage| {};
    assert_eq!(told(nothing, ours), (notice.clone(), true));
    assert_eq!(
        told(nothing, "https://theirs.sharepoint.com/a"),
        (fetched.clone(), true)
    );
    let unknown = |world: &mut World, _: &mut ChatMessage| world.file_hosts = Asked::CannotTell;
    assert_eq!(told(unknown, ours), (fetched.clone(), true));
    let insider = |world: &mut World, message: &mut ChatMessage| {
        message.from.as_mut().expect("a sender").tenant = Some(world.policy.home.clone());
    };
    assert_eq!(told(insider, ours), (fetched.clone(), false));
    let guest = |world: &mut World, message: &mut ChatMessage| {
        message.from.as_mut().expect("a sender").tenant = Some(world.policy.home.clone());
        world.members = Asked::Told(vec![member("anna_customer.example#EXT#@ours.example")]);
    };
    assert_eq!(told(guest, ours), (notice, true));
    let mut world = World::begun();
    let by_hand = file(of_support(message("2", "x", START)), ours);
    assert_eq!(world.created(&by_hand), End::Told);
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
    assert_eq!(world.created(&message), End::Told);
    let expected: Vec<String> = split(long.trim(), LIMIT)
        .into_iter()
        .chain(["<Shared>".to_owned()])
        .collect();
    assert_eq!(world.texts(), expected);
    let ids: Vec<String> = world.genesys.iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(ids[..3], ["1", "1-2", "1-3"]);
}

#[test]
fn an_edit_of_what_was_given_up_half_way_brings_all_of_it() {
    let mut world = World::begun();
    world.patience = 1;
    let half = file(message("2", "words", START), "https://a.example/b");
    assert_eq!(world.created(&half), End::Broken);
    world.patience = usize::MAX;
    assert_eq!(world.updated(&edited(half, "other", at(1))), End::Told);
    assert_eq!(world.texts(), ["words", "[edited] other", "<Shared>"]);
    assert!(world.inbound.is_complete(&id("2")));
}

#[test]
fn the_record_of_a_thread_is_new_once() {
    let mut world = World::new();
    world.policy.window_policy = WindowPolicy::New;
    let mut new = |name: &str, at: OffsetDateTime| {
        let notification = notification(ChangeType::Created, &id(name), &world.inbound);
        let message = message(name, "x", at);
        let answers = Answers {
            message: Some(message.clone()),
            kind: Asked::Told(ChatKind::OneOnOne),
            members: Asked::Told(Vec::new()),
            ..Answers::default()
        };
        let planned = plan(&Case {
            policy: &world.policy,
            notification: &notification,
            chat: Some(Chat {
                inbound: &world.inbound,
                outbound: None,
            }),
            answers: &answers,
            holder: &Digest::of("holder", "one"),
            now: at,
        });
        let Plan::Tell(series) = planned else {
            unreachable!("it is told");
        };
        world.post(&series[0]);
        (
            series[0].conversation.is_new,
            series[0].conversation.thread.counter,
        )
    };
    assert_eq!(new("1", START), (true, 0));
    assert_eq!(new("2", at(1)), (false, 0));
    assert_eq!(new("3", at(30)), (true, 1));
    assert_eq!(new("4", at(31)), (false, 1));
}
