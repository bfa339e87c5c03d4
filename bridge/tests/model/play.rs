//! Plays a story: its events, then until all is worked off, then what must hold.

use std::rc::Rc;
use std::time::Duration;

use bridge::genesys::webhook::Webhook;
use bridge::queue::envelope::{Content, Envelope};
use bridge::queue::failed::FailedMessage;
use bridge::queue::replay::{Step, plan};
use bridge::queue::selection::{Failed, sort};
use bridge::queue::spool::SPOOL;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{Instant, sleep};

use crate::bus::Message;
use crate::invariants;
use crate::story::{Event, Story};
use crate::webhooks::{catch_up, change_progress, note_gap, spool_forwarding};
use crate::world::{BROKEN, CHATS, SLOTS, WEBHOOKS, World, number_of};

/// How often the timers fire; the catch-up at every other one.
const TIMER: Duration = Duration::from_secs(60);

/// Longest time in which all is worked off: Graph repeats for four hours.
const PATIENCE: Duration = Duration::from_secs(5 * 3600);

/// How soon a message arrives when all is well with its chat.
const PROMPT: Duration = Duration::from_secs(30);

/// Plays a story to its end.
///
/// # Errors
/// What did not hold, and what had happened.
pub fn play(story: &Story) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let world = World::new(story.seed, story.skew, story.broken);
        world.genesys.flow.set(story.flow);
        let played = to_the_end(&world, story).await;
        played.map_err(|what| format!("{what}\n\nwhat happened:\n{}", world.told()))
    })
}

async fn to_the_end(world: &Rc<World>, story: &Story) -> Result<(), String> {
    let began = change_progress(world, &world.process(WEBHOOKS), |_| {}).await;
    began.expect("nothing is wrong yet");
    // What Graph's clock dates before the beginning is nobody's loss.
    sleep(TIMER * 2).await;
    spawn_local(timers(Rc::clone(world)));
    for (after, event) in &story.events {
        sleep(*after).await;
        happens(world, event);
    }
    world.log(|| "all is well from now on, but for a chat that is broken".to_owned());
    world.faults.end();
    world.teams.fates_end();
    world.spare();
    calm(world).await?;
    // The looks at the newest messages find some of what is missing, a whole sweep the rest.
    sleep(TIMER * 6).await;
    sweep(world).await?;
    invariants::hold(world)?;
    promptness(world).await?;
    invariants::hold(world)?;
    if story.broken.is_some() {
        mend_and_replay(world).await?;
        invariants::hold(world)?;
    }
    Ok(())
}

fn happens(world: &Rc<World>, event: &Event) {
    let place = |back: &usize| {
        let written = world.teams.written.borrow();
        let customers = written.iter().enumerate().rev();
        let mut alive = customers.filter(|(_, it)| it.ours.is_none() && !it.is_deleted());
        alive.nth(*back).map(|(place, _)| place)
    };
    world.log(|| format!("-- {event}"));
    match event {
        Event::Writes { chat, words } => drop(world.writes(*chat, *words)),
        Event::Edits(back) => place(back).into_iter().for_each(|place| world.edits(place)),
        Event::Deletes(back) => place(back)
            .into_iter()
            .for_each(|place| world.deletes(place)),
        Event::Says { chat, text, parts } => world.says(*chat, *text, *parts),
        Event::Kill {
            slot,
            steps,
            instance,
        } => world.kill_after(*slot, *steps, *instance),
        Event::LosesLocks { outbound } => world.bus.lose_locks(*outbound),
        Event::Strikes {
            service,
            times,
            strike,
        } => world.faults.order(*service, *times, *strike),
        Event::BrownOut {
            service,
            share,
            seconds,
        } => {
            let until = world.elapsed() + Duration::from_secs(*seconds);
            world.faults.brown_out(*service, *share, until);
        }
        Event::Notifies { times, fate } => world.teams.order(*times, *fate),
        Event::CallsTwice { times, after } => world.genesys.order_repeats(*times, *after),
        Event::Unsubscribed { seconds } => {
            let until = Instant::now() + Duration::from_secs(*seconds);
            world.unsubscribed.set(Some(until));
        }
    }
}

/// Forwards the spool, catches up, and notes the gap once there is a subscription again.
async fn timers(world: Rc<World>) {
    for run in 0u64.. {
        sleep(TIMER).await;
        let process = world.process(WEBHOOKS);
        if world
            .unsubscribed
            .get()
            .is_some_and(|until| Instant::now() >= until)
        {
            let (of_all, by) = (Rc::clone(&world), Rc::clone(&process));
            let noted = process.spawn(async move { note_gap(&of_all, &by).await });
            if matches!(noted.await, Ok(Ok(()))) {
                world.unsubscribed.set(None);
            }
        }
        let _ = process
            .spawn(spool_forwarding(Rc::clone(&world), Rc::clone(&process)))
            .await;
        if run % 2 == 0 {
            let _ = process
                .spawn(catch_up(Rc::clone(&world), Rc::clone(&process)))
                .await;
        }
    }
}

/// The chat that a queue message is about.
fn about(message: &Message) -> Option<usize> {
    let envelope = &message.envelope;
    match &envelope.content {
        Content::Notification(notification) => Some(number_of(&notification.chat)),
        Content::CatchUp(reading) => Some(number_of(&reading.chat)),
        Content::AgentMessage(message) => {
            let webhook = Webhook::parse(&message.body(), envelope.accepted_at).ok()?;
            Some(usize::from(webhook.to.as_bytes().last()? - b'0'))
        }
        _ => None,
    }
}

/// Waits until all is worked off, but for what waits in a broken chat.
async fn calm(world: &Rc<World>) -> Result<(), String> {
    let started = Instant::now();
    loop {
        let is_broken =
            |message: &Message| world.broken.get().is_some() && about(message) == Some(BROKEN);
        let waiting = world.bus.waiting();
        let stuck = waiting.iter().find(|message| !is_broken(message));
        let under_way = world.teams.under_way.get() + world.genesys.under_way.get();
        let spooled = world.store.names(SPOOL).len();
        let is_deaf = world.unsubscribed.get().is_some();
        if stuck.is_none() && under_way + spooled == 0 && !is_deaf {
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            let label = stuck.map(|message| message.envelope.content.label());
            return Err(format!(
                "something never comes to an end: {label:?}, {under_way} under way, {spooled} spooled"
            ));
        }
        sleep(Duration::from_secs(10)).await;
    }
}

/// All that moved is read, as after any gap.
async fn sweep(world: &Rc<World>) -> Result<(), String> {
    let noted = note_gap(world, &world.process(WEBHOOKS)).await;
    noted.expect("all is well");
    sleep(TIMER * 3).await;
    calm(world).await
}

/// Whatever fails for ever in one chat, the others are served at once.
async fn promptness(world: &Rc<World>) -> Result<(), String> {
    let healthy = || (0..CHATS).filter(|chat| world.broken.get().is_none() || *chat != BROKEN);
    let before = world.genesys.said.borrow().len();
    let places: Vec<usize> = healthy().map(|chat| world.writes(chat, 1)).collect();
    for chat in healthy() {
        world.says(chat, 0, 1);
    }
    sleep(PROMPT).await;
    for place in places {
        let (chat, mark) = {
            let written = &world.teams.written.borrow()[place];
            (written.chat, written.mark())
        };
        let taken = world.genesys.taken.borrow();
        if !taken
            .iter()
            .any(|it| it.chat == chat && it.text.contains(&mark))
        {
            return Err(format!(
                "{mark} of chat {chat} is not with the agent after {PROMPT:?}"
            ));
        }
    }
    for said in &world.genesys.said.borrow()[before..] {
        let written = world.teams.written.borrow();
        let is_of_it = |part: &(_, usize)| part.0 == said.id;
        if !written
            .iter()
            .any(|it| it.ours.as_ref().is_some_and(is_of_it))
        {
            let (id, chat) = (said.id.as_str(), said.chat);
            return Err(format!("{id} is not in chat {chat} after {PROMPT:?}"));
        }
    }
    calm(world).await
}

/// The broken chat is mended, and a person replays what failed: twice, since the first run was killed before it removed anything.
async fn mend_and_replay(world: &Rc<World>) -> Result<(), String> {
    world.log(|| "the broken chat is mended".to_owned());
    world.broken.set(None);
    calm(world).await?;
    let names = world.store.names("failed/");
    let read = |blob: &String| Failed {
        blob: blob.clone(),
        message: world
            .store
            .read::<FailedMessage>(blob)
            .expect("a failed message"),
    };
    let mut failed: Vec<Failed> = names.iter().map(read).collect();
    sort(&mut failed);
    for run in 0..2 {
        world.log(|| format!("replay {run}"));
        let now = world.now();
        for replay in plan(&failed, now) {
            let Step::Send(envelope) = &replay.step else {
                return Err(format!("not replayed: {:?}", replay.step));
            };
            let envelope: &Envelope = envelope;
            let process = world.process(WEBHOOKS);
            let sent = world.enqueue_by(&process, envelope, replay.route(envelope));
            sent.await.expect("all is well");
        }
        sleep(TIMER).await;
    }
    for name in names {
        world.store.remove(&name);
    }
    calm(world).await?;
    sweep(world).await
}

impl World {
    /// Takes back every order to kill a process.
    pub fn spare(&self) {
        for slot in 0..SLOTS.len() {
            self.process(slot).spare();
        }
    }
}
