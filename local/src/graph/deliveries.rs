//! Sending notifications: in the order of writing within a chat as far as first attempts go, each retried on its own.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};

use crate::delivery::Attempt;
use crate::hub::{Direction, FaultService};
use crate::shared::locked::Locked;
use crate::shared::serve::loopback_client;
use crate::world::World;

/// Graph waits this long for the answer to a first delivery.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Graph waits this long for the answer to a repeated delivery ("Receive change notifications through webhooks").
const TIMEOUT_REPEATED: Duration = Duration::from_secs(10);

/// How long a notification is retried.
const RETRIED: Duration = Duration::from_secs(4 * 3600);

/// Longest wait between two attempts. Graph's own waits are longer and not published; these keep a person at the page from
/// waiting for minutes.
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// The lines of notifications, one for each chat.
#[derive(Debug)]
pub struct Deliveries {
    world: Arc<World>,
    client: reqwest::Client,
    chats: Locked<HashMap<String, mpsc::UnboundedSender<Delivery>>>,
}

#[derive(Debug, Clone)]
struct Notification {
    url: String,
    body: Vec<u8>,
    correlation: Option<String>,
}

#[derive(Debug)]
struct Delivery {
    notifications: Vec<Notification>,
    tried: oneshot::Sender<()>,
}

impl Deliveries {
    /// No chats yet.
    ///
    /// # Panics
    /// When no client can be built, which only a broken build does.
    pub fn new(world: Arc<World>) -> Self {
        let client = loopback_client()
            .build()
            .expect("a client for plain HTTP can be built");
        Self {
            world,
            client,
            chats: Locked::default(),
        }
    }

    /// Puts notifications of one message into the chat's line; the receiver resolves when each was tried once.
    pub fn send(
        &self,
        chat: &str,
        url: &str,
        bodies: Vec<Vec<u8>>,
        correlation: Option<String>,
    ) -> oneshot::Receiver<()> {
        let (tried, receiver) = oneshot::channel();
        let notifications = bodies
            .into_iter()
            .map(|body| Notification {
                url: url.to_owned(),
                body,
                correlation: correlation.clone(),
            })
            .collect();
        let mut chats = self.chats.lock();
        let line = chats.entry(chat.to_owned()).or_insert_with(|| self.line());
        // The line's task lives as long as its sender, which is here.
        let _ = line.send(Delivery {
            notifications,
            tried,
        });
        receiver
    }

    fn line(&self) -> mpsc::UnboundedSender<Delivery> {
        let (sender, mut deliveries) = mpsc::unbounded_channel::<Delivery>();
        let (world, client) = (Arc::clone(&self.world), self.client.clone());
        tokio::spawn(async move {
            while let Some(delivery) = deliveries.recv().await {
                for notification in delivery.notifications {
                    if !attempt(&world, &client, &notification, 1).await {
                        tokio::spawn(retry(Arc::clone(&world), client.clone(), notification));
                    }
                }
                let _ = delivery.tried.send(());
            }
        });
        sender
    }
}

async fn retry(world: Arc<World>, client: reqwest::Client, notification: Notification) {
    let started = Instant::now();
    let mut wait = Duration::from_secs(1);
    let mut number = 2;
    while started.elapsed() < RETRIED {
        sleep(wait).await;
        if attempt(&world, &client, &notification, number).await {
            return;
        }
        number += 1;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Sends once; true when the answer was a 2xx in time and arrived.
async fn attempt(
    world: &World,
    client: &reqwest::Client,
    notification: &Notification,
    number: u32,
) -> bool {
    let attempt = Attempt {
        service: FaultService::GraphNotification,
        correlation: notification.correlation.as_deref(),
        direction: Direction::Inbound,
        hop: "notification",
        number,
    };
    let limit = if number == 1 {
        TIMEOUT
    } else {
        TIMEOUT_REPEATED
    };
    let request = || client.post(&notification.url).timeout(limit);
    let will_do = |status: StatusCode| status.is_success();
    attempt
        .send(world, &notification.body, request, will_do)
        .await
}
