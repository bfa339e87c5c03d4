//! The webhooks and the timers, re-stated: `functions/inbound-graph`, `outbound-genesys`, `spool-forwarding` and `catch-up`, as
//! far as they decide what is put where.

use std::rc::Rc;

use bridge::catch_up::{Look, Newest, Progress};
use bridge::ids::SupportAccountName;
use bridge::queue::envelope::{
    AgentEnvelope, CatchUpEnvelope, Content, Envelope, NotificationEnvelope,
};
use bridge::queue::spool::{SPOOL, by_lane, folder, name};
use bridge::state::blobs;
use bridge::state::inbound::InboundState;
use std::time::Duration;

use crate::store::Document;
use crate::world::{Kind, Process, Service, Trouble, World, chat_id, support_id};

/// The setting for the time between two looks at the newest messages.
const SILENCE_CHECK: Duration = Duration::from_secs(120);

pub fn account() -> SupportAccountName {
    "support".parse().expect("a name")
}

/// True is a 2xx.
pub async fn inbound_graph(
    world: Rc<World>,
    process: Rc<Process>,
    notification: NotificationEnvelope,
) -> bool {
    let envelope = Envelope::new(world.now(), Content::Notification(notification));
    world.enqueue(&process, &envelope).await.is_ok()
}

/// The look for what lies ahead in the spool does not fail here: the product lets a message out of its order rather than lose it.
pub async fn outbound_genesys(world: Rc<World>, process: Rc<Process>, body: Vec<u8>) -> bool {
    let envelope = Envelope::new(world.now(), Content::AgentMessage(AgentEnvelope::of(&body)));
    let route = envelope.route(|| [0; 16]);
    let is_behind = !world.store.names(&folder(&route)).is_empty();
    if !is_behind && world.enqueue(&process, &envelope).await.is_ok() {
        return true;
    }
    let place = name(&envelope, &route);
    world.log(|| "an agent's message goes into the spool".to_owned());
    world.put(&process, place, envelope.to_json()).await.is_ok()
}

pub async fn spool_forwarding(world: Rc<World>, process: Rc<Process>) {
    for lane in by_lane(&world.store.names(SPOOL)) {
        for name in lane.names {
            let Some(body) = world.store.get(&name) else {
                continue;
            };
            let envelope = Envelope::parse(&body).expect("an envelope");
            if world.enqueue(&process, &envelope).await.is_err() {
                return;
            }
            if world.remove(&process, name).await.is_err() {
                return;
            }
        }
    }
}

/// As `functions/catch-up`.
pub async fn catch_up(world: Rc<World>, process: Rc<Process>) -> Result<(), Trouble> {
    let progress = world
        .peek::<Progress>(&process, blobs::catch_up(&account()))
        .await?;
    let Some(sweep) = progress.and_then(|progress| progress.due(world.now(), SILENCE_CHECK)) else {
        return Ok(());
    };
    let chats = move |world: &Rc<World>| world.teams.chats();
    for (chat, message) in world.call(&process, Service::Graph, None, chats).await? {
        let newest = Newest {
            message: message.id,
            created: message.created,
            user: message.from.and_then(|from| from.user),
            is_system: false,
        };
        let unless_known = match sweep.look(Some(&newest), |user| *user == support_id()) {
            Look::Read => None,
            Look::ReadUnlessKnown => Some(newest.message),
            Look::Pass => continue,
            Look::End => break,
        };
        if let Some(newest) = &unless_known {
            let state = world
                .peek::<InboundState>(&process, blobs::inbound_state(&chat_id(chat)))
                .await?;
            if state.is_some_and(|state| state.messages.contains_key(newest)) {
                continue;
            }
        }
        let reading = CatchUpEnvelope {
            chat: chat_id(chat),
            account: account(),
            since: sweep.since,
            gap: sweep.gap,
            message: unless_known,
            part: None,
        };
        world
            .enqueue(
                &process,
                &Envelope::new(world.now(), Content::CatchUp(reading)),
            )
            .await?;
    }
    change_progress(&world, &process, |progress| progress.done(&sweep)).await
}

pub async fn note_gap(world: &Rc<World>, process: &Rc<Process>) -> Result<(), Trouble> {
    let now = world.now();
    change_progress(world, process, |progress| {
        progress.note_gap(now);
    })
    .await
}

pub async fn change_progress(
    world: &Rc<World>,
    process: &Rc<Process>,
    make: impl Fn(&mut Progress),
) -> Result<(), Trouble> {
    loop {
        let (name, now) = (blobs::catch_up(&account()), world.now());
        let mut document = Document::load(world, process, name, || Progress::new(now)).await?;
        make(&mut document.value);
        match document.save(world, process).await {
            Err(Trouble {
                kind: Kind::Overtaken,
                ..
            }) => {}
            result => return result,
        }
    }
}
