//! A person's traces among those of others, with all outside services in memory.

use bridge::ids::{ChatId, Lane, ThreadId};
use bridge::queue::envelope::{AgentEnvelope, NotificationEnvelope};
use bridge::queue::spool;
use bridge::state::customer::Customer;
use bridge::state::outbound::Says;
use bridge::teams::chat_kind::ChatKind;
use bridge::teams::notification::ChangeType;
use serde_json::{Value, json};
use services::error::Service;
use services::testing::{Reply, World};

use super::*;
use crate::testing::{ANNA, desk};

const BERT: &str = "0f0e0d0c-0000-4000-8000-00000000000b";
const TENANT: &str = "be9c1b6e-0000-4000-8000-c0ffee000002";
const GROUP: &str = "19:8ea0e38b@thread.v2";

struct Scene {
    world: World,
    desk: Desk,
}

fn chat(user: &str, account: &str) -> ChatId {
    let chat = format!("19:{user}_{account}@unq.gbl.spaces");
    chat.parse().expect("a chat")
}

fn anna() -> Person {
    let (tenant, user) = (
        TENANT.parse().expect("a tenant"),
        ANNA.parse().expect("a user"),
    );
    Person::in_entra(tenant, user).expect("a person")
}

/// The state of a chat whose customer is this one.
fn inbound(chat: &ChatId, kind: ChatKind, user: &str) -> InboundState {
    let mut state = InboundState::new(chat.clone(), "support".parse().expect("a name"));
    state.kind = Some(kind);
    state.customer = Some(Customer {
        user: user.parse().expect("a user"),
        tenant: Some(TENANT.parse().expect("a tenant")),
        name: Some(format!("Somebody {user}")),
        ..Customer::nobody(chat)
    });
    state
}

fn agents(thread: &str) -> Envelope {
    let webhook = json!({ "id": format!("of {thread}").replace(' ', "-"), "type": "Text", "text": "words",
        "channel": { "to": { "id": thread }, "time": "2026-12-01T12:00:00Z" } });
    let message = AgentEnvelope::of(webhook.to_string().as_bytes());
    Envelope::new(OffsetDateTime::now_utc(), Content::AgentMessage(message))
}

impl Scene {
    async fn start() -> Self {
        let world = World::start().await;
        let desk = desk(&world);
        let scene = Self { world, desk };
        // Two Support Users know Anna, one of them Bert; the group knows both, and describes Anna.
        scene.talks(ANNA, "support");
        scene.talks(ANNA, "other");
        scene.talks(BERT, "support");
        let group = GROUP.parse().expect("a chat");
        scene.put(
            STATE,
            &blobs::inbound_state(&group),
            &inbound(&group, ChatKind::Group, ANNA),
        );
        scene.put(
            STATE,
            &blobs::outbound_state(&group),
            &OutboundState::new(group.clone()),
        );
        scene.file(&group);
        let thread = format!("teams-chat:support:{}", group.digest());
        scene.fails(&Lane::inbound(&group), &agents(&thread));
        scene
    }

    fn put(&self, container: &str, blob: &str, document: &impl Serialize) {
        let document = serde_json::to_vec(document).expect("JSON");
        self.world.put_blob(container, blob, document);
    }

    fn file(&self, chat: &ChatId) {
        let blob = blobs::attachment(&chat.digest(), "1", &Digest::of("file", ""));
        self.world.put_blob(ATTACHMENTS, &blob, "bytes of a file");
    }

    fn fails(&self, lane: &Lane, envelope: &Envelope) {
        let blob = blobs::failed(lane, &Digest::of_bytes("failed", &envelope.to_json()));
        let failed = json!({
            "direction": "outbound", "queue": "outbound", "lane": lane.as_str(), "message_id": null, "chat": null,
            "correlation": "c", "kind": "refused", "reason": "r", "receipt": "ServerError", "service": "graph",
            "status": 403, "request_ids": {}, "first_attempt": "2026-01-02T03:04:05Z",
            "last_attempt": "2026-01-02T03:04:05Z", "attempts": 2, "envelope": envelope,
        });
        self.put(FAILED, &blob, &failed);
    }

    /// All that a chat of two leaves in the end: both states, a thread, a failed message of each side, a large one, one that waits
    /// for its queue, and a file.
    fn talks(&self, user: &str, account: &str) {
        let chat = chat(user, account);
        self.put(
            STATE,
            &blobs::inbound_state(&chat),
            &inbound(&chat, ChatKind::OneOnOne, user),
        );
        self.put(
            STATE,
            &blobs::outbound_state(&chat),
            &OutboundState::new(chat.clone()),
        );
        let thread: ThreadId = format!("teams:{account}:{user}:1")
            .parse()
            .expect("a thread");
        let (account, now) = (thread.account.clone(), OffsetDateTime::now_utc());
        let record = ThreadRecord::new(&thread, chat.clone(), account.clone(), now);
        self.put(STATE, &blobs::thread(&thread), &record);
        let agents = agents(&thread.to_string());
        self.fails(&Lane::of_thread(&thread), &agents);
        let notification = Content::Notification(NotificationEnvelope {
            change: ChangeType::Created,
            chat: chat.clone(),
            message: "1".parse().expect("an id"),
            account,
            encrypted: None,
        });
        self.fails(
            &Lane::inbound(&chat),
            &Envelope::new(now, notification.clone()),
        );
        let claim = blobs::claim(&Digest::of("claim", chat.as_str()));
        self.put(STATE, &claim, &Envelope::new(now, notification));
        let route = agents.route(|| [0; 16]);
        self.put(STATE, &spool::name(&agents, &route), &agents);
        self.file(&chat);
    }

    /// All blobs and what they say.
    fn all(&self) -> BTreeMap<String, Vec<u8>> {
        let names = [STATE, FAILED, ATTACHMENTS].map(|container| {
            let names = self.world.blobs(container).into_iter();
            names.map(move |name| (container, name))
        });
        let all = names.into_iter().flatten();
        all.map(|(container, name)| {
            let body = self.world.blob(container, &name).expect("a blob");
            (format!("{container}/{name}"), body.to_vec())
        })
        .collect()
    }

    fn mentions(&self, word: &str) -> Vec<String> {
        let all = self.all().into_iter();
        let mentions = all.filter(|(_, body)| String::from_utf8_lossy(body).contains(word));
        mentions.map(|(name, _)| name).collect()
    }

    async fn forget(&self, patience: Duration) -> (Found, Tally) {
        let mut erased = Tally::new();
        let left = self.desk.forget(&anna(), patience, &mut erased).await;
        (left.expect("no error"), erased)
    }

    /// The paths of the blobs that were to be deleted, in their order.
    fn deletions(&self) -> Vec<String> {
        let seen = self.world.seen(Service::Blob).into_iter();
        let deletions = seen.filter(|seen| seen.method == "DELETE");
        deletions
            .map(|seen| seen.path().replace("%2F", "/"))
            .collect()
    }
}

/// What each of these kinds has of Anna in the beginning.
fn all_of_anna() -> Tally {
    [
        (Kind::Failed, 4),
        (Kind::Content, 2),
        (Kind::Spooled, 2),
        (Kind::File, 2),
        (Kind::Group, 1),
        (Kind::Posts, 2),
        (Kind::Chat, 2),
        (Kind::Thread, 2),
    ]
    .into()
}

#[tokio::test]
async fn all_of_a_person_goes_and_nothing_of_anybody_else() {
    let scene = Scene::start().await;
    let before = scene.all();
    let found = scene.desk.trace(&anna()).await.expect("a look");
    assert_eq!((found.tally(), found.of_groups), (all_of_anna(), 2));
    assert_eq!(scene.all(), before, "a look changes nothing");

    let (left, erased) = scene.forget(Duration::ZERO).await;
    assert_eq!((left.traces.len(), erased), (0, all_of_anna()));
    assert!(
        scene.mentions(ANNA).is_empty(),
        "{:?}",
        scene.mentions(ANNA)
    );
    let after = scene.all();
    let marks: Vec<_> = after
        .keys()
        .filter(|it| it.starts_with("state/erased/"))
        .collect();
    assert_eq!(marks.len(), 2);
    let group = format!(
        "{STATE}/{}",
        blobs::inbound_state(&GROUP.parse().expect("a chat"))
    );
    let kept = before.iter().filter(|(name, _)| after.contains_key(*name));
    for (name, body) in kept.clone().filter(|(name, _)| **name != group) {
        assert_eq!(after.get(name), Some(body), "{name}");
    }
    // Bert's eight, and the group's four.
    assert_eq!((kept.count(), after.len()), (12, 14));
    let group: Value = serde_json::from_slice(&after[&group]).expect("JSON");
    assert_eq!(
        (&group["chat"], &group["customer"]["name"]),
        (&json!(GROUP), &Value::Null)
    );

    // The agents are told of what waited.
    let receipts = scene.world.sent();
    assert_eq!(receipts.len(), 2);
    for receipt in receipts {
        let receipt: Value = serde_json::from_slice(&receipt.body).expect("JSON");
        assert_eq!(
            (&receipt["kind"], &receipt["outcome"]["status"]),
            (&json!("receipt"), &json!("failed"))
        );
    }

    // Once more, and there is nothing to do.
    let (left, erased) = scene.forget(Duration::ZERO).await;
    assert_eq!((left.traces.len(), left.of_groups, erased.len()), (0, 0, 0));
    assert_eq!(scene.all(), after);
}

#[tokio::test]
async fn a_run_that_is_broken_off_anywhere_is_repeated() {
    let deletions = {
        let scene = Scene::start().await;
        scene.forget(Duration::ZERO).await;
        scene.deletions().len()
    };
    for before in 0..deletions {
        let scene = Scene::start().await;
        let mut count = 0;
        scene.world.answer_with("DELETE", "/account/", move |_| {
            count += 1;
            (count == before + 1).then(|| Reply::new(403, ""))
        });
        let mut erased = Tally::new();
        let broken = scene
            .desk
            .forget(&anna(), Duration::ZERO, &mut erased)
            .await;
        assert_eq!(broken.expect_err("broken off").kind, ErrorKind::Forbidden);
        assert!(!scene.mentions(ANNA).is_empty(), "{before}");
        let (left, rest) = scene.forget(Duration::ZERO).await;
        assert!(left.traces.is_empty(), "{before}: {left:?}");
        assert!(
            scene.mentions(ANNA).is_empty(),
            "{before}: {:?}",
            scene.mentions(ANNA)
        );
        let all = erased.values().chain(rest.values()).sum::<usize>();
        assert_eq!(all, all_of_anna().values().sum::<usize>(), "{before}");
    }
}

#[tokio::test]
async fn what_is_written_meanwhile_is_read_again_before_it_goes() {
    let scene = Scene::start().await;
    // A delivery writes the state between the look and the erasure.
    let refusal = Reply::new(412, "").header("x-ms-error-code", "ConditionNotMet");
    let chat = chat(ANNA, "support");
    let state = blobs::inbound_state(&chat);
    scene
        .world
        .answer_once("DELETE", "outbound.json", refusal.clone());
    scene.world.answer_once("DELETE", "inbound.json", refusal);
    let (left, _) = scene.forget(Duration::from_secs(5)).await;
    assert!(left.traces.is_empty() && scene.mentions(ANNA).is_empty());
    let deletions = scene.deletions();
    let times = |end: &str| deletions.iter().filter(|it| it.ends_with(end)).count();
    assert_eq!((times("/outbound.json"), times("/inbound.json")), (3, 3));
    // Until then the thread, which leads to it, stayed.
    let thread: ThreadId = format!("teams:support:{ANNA}:1").parse().expect("a thread");
    let place = |name: &str| deletions.iter().rposition(|it| it.ends_with(name));
    assert!(
        place(&state) < place(&blobs::thread(&thread)),
        "{deletions:?}"
    );
}

#[tokio::test]
async fn a_chat_in_work_stays_whole_until_its_message_is_through() {
    let scene = Scene::start().await;
    let chat = chat(ANNA, "support");
    let mut posts = OutboundState::new(chat.clone());
    let message = "b71f".parse().expect("an id");
    let text = Digest::of("text", "");
    posts.begin(
        &message,
        0,
        true,
        OffsetDateTime::now_utc(),
        text,
        Says::Words,
    );
    scene.put(STATE, &blobs::outbound_state(&chat), &posts);
    let (left, erased) = scene.forget(Duration::ZERO).await;
    let kinds: Vec<Kind> = left.traces.iter().map(|trace| trace.kind).collect();
    assert_eq!(kinds, [Kind::Posts, Kind::Chat, Kind::Thread]);
    assert!(left.traces.iter().all(|trace| trace.is_in_work));
    assert_eq!((erased[&Kind::Chat], erased[&Kind::Failed]), (1, 4));
    let stored = scene.world.blob(STATE, &blobs::outbound_state(&chat));
    assert_eq!(
        stored.as_deref(),
        serde_json::to_vec(&posts).ok().as_deref()
    );

    posts.posted("1616".parse().expect("an id"), OffsetDateTime::now_utc());
    scene.put(STATE, &blobs::outbound_state(&chat), &posts);
    let (left, _) = scene.forget(Duration::ZERO).await;
    assert!(left.traces.is_empty() && scene.mentions(ANNA).is_empty());
}

#[tokio::test]
async fn nothing_goes_where_the_chats_tell_of_another_tenant() {
    let scene = Scene::start().await;
    let before = scene.all();
    let tenant = TENANT.replace("02", "03").parse().expect("a tenant");
    let person = Person::in_entra(tenant, ANNA.parse().expect("a user")).expect("a person");
    let mut erased = Tally::new();
    let left = scene
        .desk
        .forget(&person, Duration::ZERO, &mut erased)
        .await;
    assert!(left.expect("a look").is_of_another_tenant && erased.is_empty());
    assert_eq!(scene.all(), before);
}

#[tokio::test]
async fn state_that_cannot_be_read_is_told_and_left() {
    let scene = Scene::start().await;
    let blob = format!("{CHATS}{}{INBOUND}", Digest::of("chat", "unknown"));
    scene.world.put_blob(STATE, &blob, "no JSON");
    let (left, erased) = scene.forget(Duration::ZERO).await;
    assert_eq!(
        (left.unreadable, erased),
        (vec![format!("{STATE}/{blob}")], all_of_anna())
    );
    assert!(scene.world.blob(STATE, &blob).is_some());
}
