//! What `handler status` looks at. All of it lies in Blob, in the vault and at Service Bus, so that a person can look with their own
//! login; what cannot be read says so in its own place. `bridge::status` decides what it means.

use std::collections::BTreeMap;
use std::time::Duration;

use bridge::catch_up::Progress;
use bridge::pace::Bookings;
use bridge::queue::selection::Selection;
use bridge::queue::spool::{SPOOL, age, by_lane};
use bridge::rotation::{self, Noted, RENEWED_AFTER};
use bridge::state::blobs::{self, FAILED, STATE};
use bridge::status::{Fact, Found, Now, Part};
use serde::de::DeserializeOwned;
use services::error::{ErrorKind, Service, ServiceError};
use services::key_vault::KeyVault;
use services::secrets::names;
use time::OffsetDateTime;

use crate::clock::{self, Clock};
use crate::failed::Desk;
use crate::failure::Failure;
use crate::outside::{SharedPause, Throttled, throttled};
use crate::settings::{HOST_NAME, SupportAccount, address_of};
use crate::store::document::peek;
use crate::{catch_up, secret_rotation, spool_forwarding, subscription_renewal};

/// Failed messages that are read for their kinds; of more there is only a number.
const MOST_READ: usize = 1_000;

/// A pause that was written longer ago is over: none lasts longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// How long a timer that runs every few minutes may go without a success.
const MINUTES: Duration = Duration::from_secs(30 * 60);

/// The same for a nightly one.
const NIGHTS: Duration = Duration::from_secs(49 * 3600);

/// Whose state is looked at, and through what.
#[derive(Debug)]
pub struct Outlook {
    /// Blob and the queues.
    pub desk: Desk,
    /// The vault.
    pub vault: KeyVault,
    /// The Support Users.
    pub accounts: Vec<SupportAccount>,
    /// Our OAuth clients at Genesys, the first one first.
    pub genesys_clients: Vec<String>,
    /// Calls a minute that Genesys takes from each.
    pub genesys_calls_per_minute: u32,
}

/// The time, where the local platform may have what is renewed age faster.
pub fn now(lookup: impl Fn(&str) -> Option<String>) -> Now {
    let address = lookup(HOST_NAME).and_then(|host| address_of(&host));
    let clock = lookup(clock::VARIABLE).and_then(|it| Clock::read(&it, address.as_deref()).ok());
    Now {
        renewals: clock.unwrap_or_default().now(),
        messages: OffsetDateTime::now_utc(),
    }
}

impl Outlook {
    /// Looks at everything.
    pub async fn look(&self, now: Now) -> Vec<Fact> {
        let (accounts, secrets, timers, queues, pace, messages) = futures::join!(
            self.accounts(),
            self.secrets(),
            self.timers(),
            self.queues(),
            self.pace(now.messages),
            self.messages(now.messages),
        );
        [accounts, secrets, timers, queues, pace, messages].concat()
    }

    async fn accounts(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        for account in &self.accounts {
            let name = &account.name;
            let subscription = self.document(&blobs::subscription(name)).await;
            // A document may say that there is none.
            let subscription = subscription.map(|it| Found::Subscription(it.flatten()));
            facts.push(fact(Part::Subscription, name.as_str(), subscription));
            let progress: Result<Option<Progress>, String> =
                self.document(&blobs::catch_up(name)).await;
            let progress = progress.map(Found::CatchUp);
            facts.push(fact(Part::CatchUp, name.as_str(), progress));
            let sign_in = match account.is_agent_user() {
                true => Ok(Found::AgentUser),
                false => {
                    let stored = self.stored(&names::refresh_token(name.as_str())).await;
                    stored.map(Found::SignIn)
                }
            };
            facts.push(fact(Part::SignIn, name.as_str(), sign_in));
        }
        facts
    }

    async fn secrets(&self) -> Vec<Fact> {
        let further = self.genesys_clients.iter().skip(1);
        let further = further.map(|id| names::further_genesys_client(id));
        let known = names::MADE.into_iter().chain([names::GENESYS_CLIENT]);
        let mut facts = Vec::new();
        for name in known.map(str::to_owned).chain(further) {
            let secret = self.secret(&name, names::MADE.contains(&&*name)).await;
            facts.push(fact(Part::Secret, &name, secret));
        }
        // Only an app that has one of these replaces it.
        let name = names::GRAPH_CLIENT;
        match self.stored(name).await {
            Ok(None) => {}
            Ok(Some(_)) => facts.push(fact(Part::Secret, name, self.secret(name, false).await)),
            Err(why) => facts.push(fact(Part::Secret, name, Err(why))),
        }
        facts
    }

    async fn secret(&self, name: &str, is_made: bool) -> Result<Found, String> {
        let stored = self.stored(name).await?;
        let noted: Option<Noted> = self.document(&blobs::rotation(name)).await?;
        let by_age = stored.map(|stored| stored + RENEWED_AFTER);
        let due = match &noted {
            Some(noted) if name == names::GRAPH_CLIENT => rotation::due(noted),
            Some(_) => by_age,
            None => by_age.filter(|_| is_made),
        };
        Ok(Found::Secret { stored, due })
    }

    /// When the newest version of a secret was stored.
    async fn stored(&self, name: &str) -> Result<Option<OffsetDateTime>, String> {
        let version = self.vault.newest(name).await;
        let version = version.map_err(|error| why(&error))?;
        Ok(version.map(|it| it.stored))
    }

    async fn timers(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        for (name, patience) in [
            (subscription_renewal::NAME, MINUTES),
            (catch_up::NAME, MINUTES),
            (spool_forwarding::NAME, MINUTES),
            (secret_rotation::NAME, NIGHTS),
        ] {
            let state = self.document(&blobs::timer(name)).await;
            let state = state.map(|state| Found::Timer { state, patience });
            facts.push(fact(Part::Timer, name, state));
        }
        facts
    }

    async fn queues(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        for queue in [&self.desk.inbound_queue, &self.desk.outbound_queue] {
            let length = self.desk.bus.length(queue).await;
            let length = length.map_err(|error| why(&error)).map(|it| Found::Queue {
                active: it.active,
                scheduled: it.scheduled,
                dead_letters: it.dead_letters,
            });
            facts.push(fact(Part::Queue, queue, length));
        }
        facts
    }

    /// Who has too much of our calls, or takes them late.
    async fn pace(&self, now: OffsetDateTime) -> Vec<Fact> {
        let accounts = self.accounts.iter().map(|it| &it.name);
        let keys = throttled(
            accounts,
            &self.genesys_clients,
            self.genesys_calls_per_minute,
        );
        let mut facts = Vec::new();
        for Throttled { key, what, limit } in keys.iter().filter(|it| it.limit.is_shared) {
            let bookings: Result<Option<Bookings>, String> =
                self.document(&blobs::bookings(key)).await;
            let wait = bookings.map(|it| it.map_or(Duration::ZERO, |it| it.wait(limit, now)));
            facts.push(fact(Part::Pace, what, wait.map(Found::Booked)));
        }
        let paused = self.paused(&keys, now).await;
        facts.extend(paused.unwrap_or_else(|why| vec![fact(Part::Pace, "pauses", Err(why))]));
        facts
    }

    /// The pauses of keys that are not booked. Those that concern a single chat are told as one.
    async fn paused(&self, keys: &[Throttled], now: OffsetDateTime) -> Result<Vec<Fact>, String> {
        let listed = self.desk.blobs.list_all(STATE, "pauses/").await;
        let listed = listed.map_err(|error| why(&error))?;
        let is_recent = |at: &Option<OffsetDateTime>| at.is_none_or(|at| now < at + LONGEST_PAUSE);
        let recent = listed.names.iter().zip(&listed.written);
        let mut longest: BTreeMap<&str, Duration> = BTreeMap::new();
        for (name, _) in recent.filter(|(_, written)| is_recent(written)) {
            let pause: Option<SharedPause> = self.document(name).await?;
            let left = pause.and_then(|it| Duration::try_from(it.until - now).ok());
            let Some(left) = left.filter(|left| !left.is_zero()) else {
                continue;
            };
            let known = keys.iter().find(|it| blobs::pause(&it.key) == *name);
            let what = known.map_or("graph, single chats", |it| &it.what);
            let longest = longest.entry(what).or_default();
            *longest = left.max(*longest);
        }
        let paused = longest.into_iter();
        let paused = paused.map(|(what, left)| fact(Part::Pace, what, Ok(Found::Paused(left))));
        Ok(paused.collect())
    }

    /// What waits in Blob, what was given up, and what was handled last.
    async fn messages(&self, now: OffsetDateTime) -> Vec<Fact> {
        let spool = self.desk.blobs.list_all(STATE, SPOOL).await;
        let spool = spool.map_err(|error| why(&error)).map(|listed| {
            let lanes = by_lane(&listed.names);
            let count = lanes.iter().map(|lane| lane.names.len()).sum();
            let ages = listed.names.iter().filter_map(|name| age(name, now));
            Found::Spool(count, ages.max())
        });
        let failed = self.failed().await.map_err(|error| why(&error));
        let chats = self.desk.blobs.list_all(STATE, "chats/").await;
        let chats = chats.map_err(|error| why(&error)).map(|listed| {
            let newest = |end: &str| {
                let all = listed.names.iter().zip(&listed.written);
                let of_side = all.filter(|(name, _)| name.ends_with(end));
                of_side.filter_map(|(_, written)| *written).max()
            };
            Found::Messages(newest("/inbound.json"), newest("/outbound.json"))
        });
        vec![
            fact(Part::Spool, "spool", spool),
            fact(Part::Failed, "failed", failed),
            fact(Part::Messages, "last handled", chats),
        ]
    }

    async fn failed(&self) -> Result<Found, ServiceError> {
        let listed = self.desk.blobs.list_all(FAILED, "").await?;
        if listed.names.len() > MOST_READ {
            return Ok(Found::Failed {
                kinds: [("messages".to_owned(), listed.names.len())].into(),
                strange: 0,
                latest: listed.written.iter().flatten().max().copied(),
            });
        }
        let found = self.desk.find(&Selection::default()).await?;
        let messages = found.failed.iter().map(|it| &it.message);
        let mut kinds = BTreeMap::new();
        for message in messages.clone() {
            let kind = format!("{} {}", message.direction.as_str(), message.kind);
            *kinds.entry(kind).or_default() += 1;
        }
        Ok(Found::Failed {
            kinds,
            strange: found.strange.len(),
            latest: messages.map(|it| it.last_attempt).max(),
        })
    }

    async fn document<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, String> {
        let read = peek(&self.desk.blobs, name).await;
        read.map_err(|failure| match failure {
            Failure::Service(error) => why(&error),
            _ => format!("the blob {STATE}/{name} holds something else"),
        })
    }
}

fn fact(part: Part, subject: &str, found: Result<Found, String>) -> Fact {
    Fact {
        part,
        subject: subject.to_owned(),
        found: found.unwrap_or_else(Found::Unreadable),
    }
}

/// Why something cannot be read, and what to do about it.
fn why(error: &ServiceError) -> String {
    let advice = match (error.service, error.kind) {
        (Service::ServiceBus, ErrorKind::Unauthorized | ErrorKind::Forbidden) => {
            "needs the role Azure Service Bus Data Owner on the queue"
        }
        (Service::Blob, ErrorKind::Forbidden) => {
            "needs the role Storage Blob Data Reader on the containers state and failed"
        }
        (Service::KeyVault, ErrorKind::Forbidden) => {
            "needs the role Key Vault Secrets User on the vault, and a secret that is not disabled"
        }
        (_, ErrorKind::Unauthorized) => "you are not logged in: az login",
        (_, ErrorKind::NotFound) => "is not there: check the setting that names it",
        _ => "cannot be read at the moment",
    };
    format!("{advice} ({error})")
}

#[cfg(test)]
mod tests {
    use bridge::status::{Screen, State, screen};
    use serde_json::json;
    use services::testing::{Reply, World};

    use super::*;
    use crate::testing::{desk, settings};

    fn outlook(world: &World) -> Outlook {
        let settings = settings(&[]).expect("good settings");
        Outlook {
            desk: desk(world),
            vault: KeyVault::new(world.client(), world.base(), world.identity()),
            accounts: settings.support_accounts,
            genesys_clients: settings.genesys_clients,
            genesys_calls_per_minute: settings.genesys_calls_per_minute,
        }
    }

    async fn look(world: &World) -> Screen {
        let now = now(|_| None);
        screen(&outlook(world).look(now).await, now)
    }

    fn line<'a>(screen: &'a Screen, part: Part, subject: &str) -> (State, &'a str) {
        let mut lines = screen.lines.iter();
        let found = lines.find(|it| it.part == part && it.subject == subject);
        let found = found.unwrap_or_else(|| panic!("no line of {subject}: {screen:#?}"));
        (found.state, &found.told)
    }

    #[tokio::test]
    async fn what_lies_there_is_told_and_what_cannot_be_read_spoils_nothing_else() {
        let world = World::start().await;
        let refusal = |_: &services::testing::Seen| Some(Reply::new(401, ""));
        world.answer_with("GET", "/inbound", refusal);
        world.answer_with("GET", "/secrets/genesys-client-secret", |_| {
            Some(Reply::new(403, ""))
        });
        let until = OffsetDateTime::now_utc() + Duration::from_secs(90);
        let until = until.format(&time::format_description::well_known::Rfc3339);
        let until = json!({ "until": until.expect("a time") }).to_string();
        let blobs = desk(&world).blobs;
        for (container, name, body) in [
            (STATE, blobs::pause("graph-chats-support"), until.clone()),
            (STATE, blobs::pause("graph-messages-x"), until),
            (STATE, blobs::timer(catch_up::NAME), "no JSON".to_owned()),
            (FAILED, "a/b.json".to_owned(), "no JSON".to_owned()),
        ] {
            blobs.put(container, &name, body.into()).await.expect("put");
        }
        let screen = look(&world).await;
        assert!(!screen.well);
        let told = |part, subject| line(&screen, part, subject);
        let (state, why) = told(Part::Queue, "inbound");
        assert_eq!(state, State::Unreadable);
        assert!(why.contains("Azure Service Bus Data Owner"), "{why}");
        let (state, why) = told(Part::Secret, names::GENESYS_CLIENT);
        assert_eq!(state, State::Unreadable);
        assert!(why.contains("Key Vault Secrets User"), "{why}");
        let (state, why) = told(Part::Timer, catch_up::NAME);
        assert_eq!(state, State::Unreadable);
        assert!(why.contains("holds something else"), "{why}");
        let (state, failed) = told(Part::Failed, "failed");
        assert_eq!(state, State::NeedsPerson);
        assert!(failed.starts_with("1 unreadable"), "{failed}");
        for what in ["graph, list of chats of support", "graph, single chats"] {
            let (state, paused) = told(Part::Pace, what);
            assert_eq!(state, State::Waits);
            assert!(paused.contains("paused for 1 min"), "{paused}");
        }
        assert_eq!(told(Part::Secret, names::GRAPH_CLIENT_STATE).0, State::Well);
        assert_eq!(told(Part::SignIn, "support").0, State::Well);
        assert_eq!(told(Part::Subscription, "support").0, State::NeedsPerson);
        assert_eq!(told(Part::Spool, "spool"), (State::Well, "empty"));
    }
}
