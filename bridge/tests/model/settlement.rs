//! The settlement of a queue message, re-stated: `functions/src/queue`, whose `settlement`, `keep_trying` and `delivery` these
//! are, without their logs. What a failure means is decided by [`bridge::patience`].

use std::rc::Rc;
use std::time::Duration;

use bridge::genesys::receipt::ReasonCode;
use bridge::ids::{BusMessageId, Digest};
use bridge::patience::{self, Decision, EXPIRES_AFTER, Fault, Reason, Situation, decide_not_yet};
use bridge::queue::envelope::Content;
use bridge::queue::failed::{Direction, FailedMessage};
use bridge::state::blobs;
use tokio::time::{Instant, sleep, sleep_until};

use crate::bus::Message;
use crate::to_genesys::{ChatReading, CustomerMessage, receipt};
use crate::to_teams::AgentMessage;
use crate::world::{Process, Service, Trouble, World, chat_id, number_of};

const ATTEMPT_DEADLINE: Duration = Duration::from_secs(240);
const RETRY_FLOOR: Duration = Duration::from_secs(30);
const UNKNOWN_THREAD: Duration = Duration::from_secs(60);

/// Why an attempt did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    Service(Trouble),
    /// Something that another lane writes is not there yet.
    NotYet,
    /// There is no time left.
    OutOfTime,
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Self::Service(trouble)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Delivered,
    Skipped,
    Failed,
}

pub struct HandBack;

impl From<Trouble> for HandBack {
    fn from(_: Trouble) -> Self {
        Self
    }
}

/// One queue message, and who works on it until when.
#[derive(Clone)]
pub struct Delivery {
    pub world: Rc<World>,
    pub process: Rc<Process>,
    pub message: Message,
    pub deadline: Instant,
}

impl Delivery {
    fn age(&self) -> Duration {
        let age = self.world.now() - self.message.enqueued_at;
        age.try_into().unwrap_or_default()
    }

    fn failed_name(&self) -> String {
        let body = Digest::of_bytes("failed", &self.message.envelope.to_json());
        format!(
            "{}/{}",
            blobs::FAILED,
            blobs::failed(&self.message.lane(), &body)
        )
    }
}

pub enum Job<'a> {
    Customer(CustomerMessage<'a>),
    Reading(ChatReading<'a>),
    Agent(AgentMessage<'a>),
    Receipt(&'a Delivery),
}

impl Job<'_> {
    async fn attempt(&self) -> Result<Outcome, Failure> {
        match self {
            Self::Customer(message) => message.attempt().await,
            Self::Reading(reading) => reading.attempt().await,
            Self::Agent(message) => message.attempt().await,
            Self::Receipt(delivery) => receipt(delivery).await,
        }
    }

    /// The chat that can fail on its own while others are served.
    fn chat(&self) -> Option<usize> {
        match self {
            Self::Customer(message) => Some(number_of(&message.notification.chat)),
            Self::Reading(reading) => Some(number_of(&reading.reading.chat)),
            Self::Agent(message) => Some(message.chat),
            Self::Receipt(_) => None,
        }
    }

    async fn arrived_after_all(&self) -> Result<bool, HandBack> {
        match self {
            Self::Agent(message) => message.arrived_after_all().await,
            _ => Ok(false),
        }
    }

    async fn tell(&self) -> Result<(), HandBack> {
        match self {
            Self::Customer(message) => message.tell_failed().await,
            Self::Agent(message) => message.tell_failed().await,
            Self::Reading(_) | Self::Receipt(_) => Ok(()),
        }
    }
}

/// Works on a message; an error hands it back to the queue, not before the floor.
pub async fn deliver(
    world: &Rc<World>,
    process: &Rc<Process>,
    message: &Message,
) -> Result<Outcome, HandBack> {
    let started = Instant::now();
    let delivery = &Delivery {
        world: Rc::clone(world),
        process: Rc::clone(process),
        message: message.clone(),
        deadline: started + ATTEMPT_DEADLINE,
    };
    let job = match &message.envelope.content {
        Content::Notification(notification) => Job::Customer(CustomerMessage {
            delivery,
            notification: notification.clone(),
        }),
        Content::CatchUp(reading) => Job::Reading(ChatReading::new(delivery, reading)),
        Content::AgentMessage(webhook) => Job::Agent(AgentMessage::read(delivery, webhook)),
        Content::Receipt(_) => Job::Receipt(delivery),
        other => unreachable!("{other:?}"),
    };
    let settled = settle(delivery, &job).await;
    if settled.is_err() {
        sleep_until(started + RETRY_FLOOR).await;
    }
    settled
}

async fn settle(delivery: &Delivery, job: &Job<'_>) -> Result<Outcome, HandBack> {
    let Delivery {
        world,
        process,
        message,
        ..
    } = delivery;
    let name = delivery.failed_name();
    // A message that somebody was told about as failed must not be delivered after all.
    if message.deliveries > 1 {
        let earlier = world.peek::<FailedMessage>(process, name.clone()).await?;
        if earlier.is_some() {
            job.tell().await?;
            return Ok(Outcome::Failed);
        }
    }
    let Some(reason) = keep_trying(delivery, job).await? else {
        return Ok(Outcome::Delivered);
    };
    if job.arrived_after_all().await? {
        return Ok(Outcome::Delivered);
    }
    if matches!(job, Job::Receipt(_)) {
        return Ok(Outcome::Skipped);
    }
    world.log(|| {
        format!(
            "{} of chat {:?} goes into failed: {reason:?}",
            message.envelope.content.label(),
            job.chat()
        )
    });
    let failed = failed_message(delivery, job.chat(), reason);
    world.put(process, name, failed.to_json()).await?;
    job.tell().await?;
    Ok(Outcome::Failed)
}

fn failed_message(delivery: &Delivery, chat: Option<usize>, reason: Reason) -> FailedMessage {
    let (message, now) = (&delivery.message, delivery.world.now());
    let direction = match message.envelope.content {
        Content::AgentMessage(_) => Direction::Outbound,
        _ => Direction::Inbound,
    };
    FailedMessage {
        direction,
        queue: direction.as_str().to_owned(),
        lane: message.lane().as_str().to_owned(),
        message_id: message
            .route
            .message_id
            .as_ref()
            .map(BusMessageId::as_str)
            .map(str::to_owned),
        chat: chat.map(|chat| chat_id(chat).digest()),
        correlation: message.route.correlation.to_string(),
        kind: "given_up".to_owned(),
        reason: format!("{reason:?}"),
        receipt: ReasonCode::ServerError,
        service: None,
        status: None,
        request_ids: std::collections::BTreeMap::new(),
        first_attempt: message.enqueued_at,
        last_attempt: now,
        attempts: message.deliveries,
        envelope: serde_json::from_slice(&message.envelope.to_json()).expect("JSON"),
    }
}

/// Failures of one kind in a row.
#[derive(Clone, Copy)]
struct Streak {
    fault: Fault,
    times: u32,
    since: Instant,
}

/// Nothing when the work is done, or why the message is given up.
async fn keep_trying(delivery: &Delivery, job: &Job<'_>) -> Result<Option<Reason>, HandBack> {
    let (mut attempts, mut streak, started) = (0, None, Instant::now());
    let subject = job.chat().map(|chat| chat_id(chat).digest());
    let left = || delivery.deadline.saturating_duration_since(Instant::now());
    loop {
        attempts += 1;
        let decision = match job.attempt().await {
            Ok(_) => {
                if let Some(subject) = &subject {
                    delivery.process.failing_since.borrow_mut().remove(subject);
                }
                return Ok(None);
            }
            Err(Failure::OutOfTime) if delivery.age() >= EXPIRES_AFTER => {
                Decision::GiveUp(Reason::Expired)
            }
            Err(Failure::OutOfTime) => Decision::HandBack,
            Err(Failure::NotYet) => {
                let waited = delivery.age().max(started.elapsed());
                decide_not_yet(waited, UNKNOWN_THREAD, left())
            }
            Err(Failure::Service(trouble)) => {
                let mut situation =
                    situation(delivery, trouble, subject.as_ref(), attempts, &mut streak);
                let mut decision = patience::decide(&situation);
                if decision == Decision::Ask {
                    situation.all_else_is_well = Some(all_else_is_well(delivery, trouble).await);
                    situation.left = left();
                    decision = patience::decide(&situation);
                }
                decision
            }
        };
        match decision {
            Decision::TryAgain(wait) => sleep(wait).await,
            Decision::HandBack | Decision::Ask => return Err(HandBack),
            Decision::GiveUp(reason) => match job {
                Job::Reading(reading) if reading.set_apart() => streak = None,
                _ => return Ok(Some(reason)),
            },
        }
    }
}

fn situation(
    delivery: &Delivery,
    trouble: Trouble,
    subject: Option<&Digest>,
    attempts: u32,
    streak: &mut Option<Streak>,
) -> Situation {
    let (world, process, now) = (&delivery.world, &delivery.process, Instant::now());
    let fault = trouble.fault();
    let earlier = streak.filter(|streak| streak.fault == fault);
    let present = Streak {
        fault,
        times: earlier.map_or(0, |streak| streak.times) + 1,
        since: earlier.map_or(now, |streak| streak.since),
    };
    *streak = Some(present);
    let failing_since = match (fault, subject) {
        (Fault::Transient, Some(subject)) => {
            let mut failing = process.failing_since.borrow_mut();
            *failing.entry(subject.clone()).or_insert(now)
        }
        _ => present.since,
    };
    let well_for_others =
        |subject| process.well_for_others(trouble.service, world.elapsed(), subject);
    Situation {
        fault,
        times: present.times,
        attempts,
        all_else_is_well: None,
        failing_for: now - failing_since,
        well_for_others: fault == Fault::Transient && subject.is_some_and(well_for_others),
        file_patience: Duration::MAX,
        age: delivery.age(),
        left: delivery.deadline.saturating_duration_since(now),
        retry_after: Duration::ZERO,
        random: world.faults.roll(1_000) as f64 / 1_000.0,
    }
}

/// The one question that a refusal raises: a call that is about no chat.
async fn all_else_is_well(delivery: &Delivery, trouble: Trouble) -> bool {
    let Delivery { world, process, .. } = delivery;
    match trouble.service {
        Service::Graph | Service::Genesys => world
            .call(process, trouble.service, None, |_| ())
            .await
            .is_ok(),
        Service::Blob | Service::Bus => false,
    }
}
