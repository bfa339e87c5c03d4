//! `handler failed …`: what an operator does about the messages in the container `failed`.

use std::cell::Cell;
use std::collections::BTreeMap;

use anyhow::{Context, bail};
use bridge::ids::Digest;
use bridge::queue::failed::{Direction, FailedMessage};
use bridge::queue::selection::{self, Failed, GivenTime, Selection};
use clap::{Args, Subcommand, ValueEnum};
use functions::failed::{Desk, End, Found};
use serde_json::Value;
use services::blob::Blobs;
use services::http;
use services::service_bus::ServiceBus;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::login::{BLOBS, Setting, explained, given, identity, required};

const NAMESPACE: Setting = (
    "ServiceBus__fullyQualifiedNamespace",
    "the host name of the Service Bus namespace",
);

/// The commands. They read `BLOB_ENDPOINT`, `ServiceBus__fullyQualifiedNamespace`, `INBOUND_QUEUE` and `OUTBOUND_QUEUE`.
#[derive(Subcommand)]
pub enum Command {
    /// Print one line for each failed message, and how many there are. No message's text is shown.
    List {
        #[command(flatten)]
        filters: Filters,
    },
    /// Print all that is kept of one failed message but what people wrote.
    Show {
        /// Name of its blob, as `list` prints it.
        blob: String,
        /// Print what people wrote as well; a customer's message stays encrypted where Graph delivered it so.
        #[arg(long)]
        with_content: bool,
    },
    /// Put failed messages back on their queues, in the order in which they were accepted.
    Replay {
        #[command(flatten)]
        meant: Meant,
    },
    /// Move what the queues put aside (their dead letters) to the failed messages; an agent is told that the message failed.
    Drain {
        /// Only tell what would be done.
        #[arg(long)]
        dry_run: bool,
    },
    /// Remove failed messages for good; nobody is told.
    Discard {
        #[command(flatten)]
        meant: Meant,
        /// Remove however many are meant; without it only the one that names or filters leave.
        #[arg(long)]
        yes: bool,
    },
}

/// What a changing command is about.
#[derive(Args)]
pub struct Meant {
    /// Names of blobs, as `list` prints them; all of them otherwise.
    blobs: Vec<String>,
    #[command(flatten)]
    filters: Filters,
    /// Only tell what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// Which failed messages are meant.
#[derive(Args)]
pub struct Filters {
    /// Given up at or after this: a time, a day, or how long ago (90m, 2h, 3d).
    #[arg(long, value_name = "TIME")]
    since: Option<GivenTime>,
    /// Given up before this.
    #[arg(long, value_name = "TIME")]
    until: Option<GivenTime>,
    /// Kind of the failure, as `list` prints it.
    #[arg(long)]
    kind: Option<String>,
    /// Id of the chat, or its digest.
    #[arg(long, value_parser = selection::chat)]
    chat: Option<Digest>,
    /// Which way they were going.
    #[arg(long, value_enum)]
    direction: Option<Way>,
}

/// Which way a message was going.
#[derive(Clone, Copy, ValueEnum)]
enum Way {
    /// To Genesys.
    Inbound,
    /// To Teams.
    Outbound,
}

impl Filters {
    fn selection(&self, blobs: &[String]) -> Selection {
        let now = OffsetDateTime::now_utc();
        Selection {
            blobs: blobs.iter().cloned().collect(),
            since: self.since.map(|it| it.at(now)),
            until: self.until.map(|it| it.at(now)),
            kind: self.kind.clone(),
            chat: self.chat.clone(),
            direction: self.direction.map(|it| match it {
                Way::Inbound => Direction::Inbound,
                Way::Outbound => Direction::Outbound,
            }),
        }
    }
}

impl Meant {
    async fn find(&self, desk: &Desk) -> anyhow::Result<(Selection, Found)> {
        let selection = self.filters.selection(&self.blobs);
        let found = desk.find(&selection).await;
        let mut found = found.map_err(|error| explained(&error))?;
        // What cannot be read has no kind, chat or time: only its name means it.
        if selection.blobs.is_empty() {
            found.strange.clear();
        }
        Ok((selection, found))
    }

    /// What is named and not there, or left out by the filters.
    fn missing<'a>(&'a self, found: &'a Found) -> impl Iterator<Item = &'a String> {
        self.blobs.iter().filter(|blob| {
            let is_found = found.failed.iter().any(|it| it.blob == **blob);
            !is_found && !found.strange.contains(blob)
        })
    }
}

/// Runs a command; tells whether all that was asked for is done.
///
/// # Errors
/// One line of what to do.
pub async fn run(
    command: &Command,
    lookup: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<bool> {
    let desk = desk(&lookup)?;
    match command {
        Command::List { filters } => list(&desk, filters).await,
        Command::Show { blob, with_content } => show(&desk, blob, *with_content).await,
        Command::Replay { meant } => replay(&desk, meant).await,
        Command::Drain { dry_run } => drain(&desk, *dry_run).await,
        Command::Discard { meant, yes } => discard(&desk, meant, *yes).await,
    }
}

/// What the commands reach.
///
/// # Errors
/// A setting is missing or not usable.
pub fn desk(lookup: &impl Fn(&str) -> Option<String>) -> anyhow::Result<Desk> {
    let (blobs, namespace) = (required(lookup, BLOBS)?, required(lookup, NAMESPACE)?);
    let client = http::client()?;
    let identity = identity(&client, lookup)?;
    let queue = |name, default: &str| given(lookup, name).unwrap_or_else(|| default.to_owned());
    Ok(Desk {
        blobs: Blobs::new(client.clone(), &blobs, identity.clone())?,
        bus: ServiceBus::new(client, &namespace, identity),
        inbound_queue: queue("INBOUND_QUEUE", "inbound"),
        outbound_queue: queue("OUTBOUND_QUEUE", "outbound"),
    })
}

async fn list(desk: &Desk, filters: &Filters) -> anyhow::Result<bool> {
    let found = desk.find(&filters.selection(&[])).await;
    let mut found = found.map_err(|error| explained(&error))?;
    found.failed.sort_by_key(|it| it.message.last_attempt);
    for failed in &found.failed {
        println!("{}", line(failed));
    }
    for blob in &found.strange {
        println!("unreadable {blob}");
    }
    println!("{}", counts(&found));
    Ok(true)
}

/// Time, direction, kind, service and status, chat, attempts, what it is, blob.
fn line(failed: &Failed) -> String {
    let message = &failed.message;
    let service = match (&message.service, message.status) {
        (Some(service), Some(status)) => format!("{service}/{status}"),
        (Some(service), None) => service.clone(),
        (None, _) => "-".to_owned(),
    };
    let chat = message.chat().map_or("-".to_owned(), |it| it.to_string());
    format!(
        "{} {:<8} {:<18} {service:<14} {chat:<32} {:>3} {:<13} {}",
        shown(message.last_attempt),
        message.direction.as_str(),
        message.kind,
        message.attempts,
        message.label(),
        failed.blob
    )
}

/// A time as `--since` takes it.
fn shown(at: OffsetDateTime) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    let at = at.to_offset(time::UtcOffset::UTC).format(form);
    at.unwrap_or_default()
}

/// How many there are, and of which kinds.
fn counts(found: &Found) -> String {
    let mut kinds: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for message in found.failed.iter().map(|it| &it.message) {
        let kind = (message.direction.as_str(), message.kind.as_str());
        *kinds.entry(kind).or_default() += 1;
    }
    let count = found.failed.len();
    let mut text = match count {
        1 => "1 failed message".to_owned(),
        _ => format!("{count} failed messages"),
    };
    for (index, ((direction, kind), count)) in kinds.iter().enumerate() {
        let before = if index == 0 { ":" } else { "," };
        text.push_str(&format!("{before} {count} {direction} {kind}"));
    }
    if !found.strange.is_empty() {
        let count = found.strange.len();
        text.push_str(&format!("; {count} unreadable"));
    }
    text
}

async fn show(desk: &Desk, blob: &str, with_content: bool) -> anyhow::Result<bool> {
    let read = desk.read(blob).await.map_err(|error| explained(&error))?;
    let body = read.with_context(|| format!("there is no failed message {blob}"))?;
    let shown: Value = match (with_content, FailedMessage::parse(&body)) {
        (false, Ok(message)) => message.without_words(),
        (false, Err(error)) => bail!("the blob is none of a failed message's: {error}"),
        // As JSON, so that nothing in it reaches the terminal but as text.
        (true, _) => serde_json::from_slice(&body)
            .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&body))),
    };
    println!("{shown:#}");
    Ok(true)
}

async fn replay(desk: &Desk, meant: &Meant) -> anyhow::Result<bool> {
    let (_, found) = meant.find(desk).await?;
    let (replayed, all_good) = (Cell::new(0_usize), Cell::new(true));
    let tell = |failed: &Failed, end: &End| {
        let is_good = matches!(end, End::Replayed | End::WouldReplay);
        replayed.set(replayed.get() + usize::from(is_good));
        all_good.set(all_good.get() && is_good);
        println!("{} {}", told(end), failed.blob);
    };
    desk.replay(&found, meant.dry_run, tell).await;
    for blob in &found.strange {
        println!("left: it is none of a failed message's: {blob}");
    }
    let missing: Vec<&String> = meant.missing(&found).collect();
    for blob in &missing {
        println!("not there, or not of these filters: {blob}");
    }
    let (count, all) = (replayed.get(), found.failed.len() + found.strange.len());
    let done = if meant.dry_run {
        "would be replayed"
    } else {
        "replayed"
    };
    println!("{count} of {all} {done}");
    Ok(all_good.get() && found.strange.is_empty() && missing.is_empty())
}

fn told(end: &End) -> String {
    match end {
        End::Replayed => "replayed".to_owned(),
        End::WouldReplay => "would replay".to_owned(),
        End::Left(left) => format!("left: {left}:"),
        End::Behind => {
            "left: a message before it in its chat could not be put on the queue:".to_owned()
        }
        End::NotSent(error) => format!("FAILED: {}:", explained(error)),
        End::NotRemoved(error) => format!(
            "replayed, but still here, so that it would be replayed again: {}:",
            explained(error)
        ),
    }
}

async fn drain(desk: &Desk, is_dry_run: bool) -> anyhow::Result<bool> {
    let count = Cell::new(0_usize);
    let (done, all_done) = match is_dry_run {
        true => ("would drain", "would be drained"),
        false => ("drained", "drained"),
    };
    let tell = |failed: &Failed| {
        count.set(count.get() + 1);
        println!("{done} {}", line(failed));
    };
    let drained = desk.drain(is_dry_run, tell).await;
    println!("{} dead letters {all_done}", count.get());
    drained.map_err(|error| explained(&error))?;
    Ok(true)
}

async fn discard(desk: &Desk, meant: &Meant, yes: bool) -> anyhow::Result<bool> {
    let (selection, found) = meant.find(desk).await?;
    let lines = found.failed.iter().map(|it| (it.blob.as_str(), line(it)));
    let strange = found.strange.iter();
    let strange = strange.map(|blob| (blob.as_str(), format!("unreadable {blob}")));
    let meant_ones: Vec<(&str, String)> = lines.chain(strange).collect();
    let missing: Vec<&String> = meant.missing(&found).collect();
    for blob in &missing {
        println!("not there, or not of these filters: {blob}");
    }
    let count = meant_ones.len();
    if meant.dry_run {
        for (_, line) in &meant_ones {
            println!("would discard {line}");
        }
        println!("{count} would be discarded");
        return Ok(missing.is_empty());
    }
    if count > 0 && !yes && !selection.is_certain(count) {
        bail!("{count} failed messages are meant: look at them with --dry-run, then say --yes");
    }
    let mut all_good = missing.is_empty();
    let mut discarded = 0;
    for (blob, line) in &meant_ones {
        match desk.discard(&found, blob).await {
            Ok(true) => {
                discarded += 1;
                println!("discarded {line}");
            }
            Ok(false) => {
                all_good = false;
                println!("left: it has failed once more since: {line}");
            }
            Err(error) => {
                all_good = false;
                println!("FAILED: {}: {line}", explained(&error));
            }
        }
    }
    println!("{discarded} of {count} discarded");
    Ok(all_good)
}
