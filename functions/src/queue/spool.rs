//! Agents' messages that Service Bus does not take: kept in Blob, from where `spool-forwarding` brings them to their queue.
//!
//! A message must not overtake those of its lane that lie there. Whether any do is asked of Blob only while something may lie
//! in the spool: this process put it there, or saw it there. It looks every few seconds, beside its work, as long as webhooks
//! come; so what another instance puts there is known that much later, and until then Service Bus would have to refuse the one
//! instance and serve the other for a message to come out of its order.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bridge::queue::envelope::Envelope;
use bridge::queue::spool::{self, SPOOL};
use bridge::state::blobs::STATE;
use bytes::Bytes;
use services::error::ServiceError;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::app::App;

/// How often a process looks whether anything lies in the spool.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Without a webhook for so long a process looks no more, and knows nothing.
const REST_AFTER: Duration = Duration::from_secs(10 * 60);

/// Longest wait for Blob's word on what lies ahead of a message.
const LOOK_TIME: Duration = Duration::from_secs(1);

/// What this process knows of the spool.
#[derive(Debug)]
pub struct Spool(Mutex<Known>);

#[derive(Debug)]
struct Known {
    /// Whether anything may lie there; a process that has not looked does not know.
    may_hold: bool,
    /// Folders into which messages are on their way, with how many.
    under_way: HashMap<String, usize>,
    /// Messages on their way there so far.
    puts: u64,
    /// When a webhook came last.
    called: Instant,
    /// Whether somebody looks.
    is_watched: bool,
}

impl Default for Spool {
    fn default() -> Self {
        Self(Mutex::new(Known {
            may_hold: true,
            under_way: HashMap::new(),
            puts: 0,
            called: Instant::now(),
            is_watched: false,
        }))
    }
}

impl Spool {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a message lies in the spool.
#[derive(Debug)]
pub struct Place {
    folder: String,
    name: String,
}

impl Place {
    /// The place of an agent's message.
    pub fn of(envelope: &Envelope) -> Self {
        let route = envelope.route(|| Uuid::new_v4().into_bytes());
        Self {
            folder: spool::folder(&route),
            name: spool::name(envelope, &route),
        }
    }
}

/// Whether messages lie in the spool that this one must not overtake. When Blob does not tell in time there are none: a message
/// out of its order is better than none.
pub async fn is_behind(app: &App, place: &Place) -> bool {
    {
        let known = app.spool.lock();
        if known.under_way.contains_key(&place.folder) {
            return true;
        }
        if !known.may_hold {
            return false;
        }
    }
    let look = app.blobs.list(STATE, &place.folder, 1, None);
    match timeout(LOOK_TIME, look).await {
        Ok(Ok(listing)) => !listing.names.is_empty(),
        Ok(Err(_)) | Err(_) => false,
    }
}

/// Puts a message into the spool.
///
/// # Errors
/// Blob refused or could not be reached.
pub async fn keep(app: &App, place: &Place, envelope: &Envelope) -> Result<(), ServiceError> {
    let _under_way = UnderWay::begin(&app.spool, &place.folder);
    let body = Bytes::from(envelope.to_json());
    app.blobs.put(STATE, &place.name, body).await.map(drop)
}

/// A message on its way into a folder; those behind it follow it.
struct UnderWay<'a>(&'a Spool, &'a str);

impl<'a> UnderWay<'a> {
    fn begin(spool: &'a Spool, folder: &'a str) -> Self {
        let mut known = spool.lock();
        known.may_hold = true;
        known.puts += 1;
        *known.under_way.entry(folder.to_owned()).or_default() += 1;
        drop(known);
        Self(spool, folder)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut known = self.0.lock();
        if let Some(count) = known.under_way.get_mut(self.1) {
            *count -= 1;
            if *count == 0 {
                known.under_way.remove(self.1);
            }
        }
    }
}

/// Has the process look at the spool from now on, beside its work.
pub fn watch(app: &Arc<App>) {
    let mut known = app.spool.lock();
    known.called = Instant::now();
    if std::mem::replace(&mut known.is_watched, true) {
        return;
    }
    drop(known);
    let app = Arc::downgrade(app);
    tokio::spawn(async move {
        while let Some(app) = app.upgrade() {
            look(&app).await;
            if rests(&app.spool) {
                return;
            }
            drop(app);
            sleep(LOOK_EVERY).await;
        }
    });
}

/// Looks whether anything lies in the spool.
async fn look(app: &App) {
    let puts = app.spool.lock().puts;
    let Ok(listing) = app.blobs.list(STATE, SPOOL, 1, None).await else {
        return;
    };
    let mut known = app.spool.lock();
    // What was put there meanwhile, this listing may not show.
    let is_empty = listing.names.is_empty() && known.puts == puts && known.under_way.is_empty();
    known.may_hold = !is_empty;
}

/// Whether no webhook has come for so long that nobody need look; then nothing is known any more.
fn rests(spool: &Spool) -> bool {
    let mut known = spool.lock();
    let rests = known.called.elapsed() >= REST_AFTER;
    if rests {
        known.is_watched = false;
        known.may_hold = true;
    }
    rests
}
