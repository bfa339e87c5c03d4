//! Where an envelope goes: the one place that knows queue, lane, identity, correlation and life of each kind of content.

use std::time::Duration;

use super::envelope::{AgentEnvelope, Content, Envelope};
use crate::genesys::webhook::{Kind, Webhook};
use crate::ids::{BusMessageId, CorrelationId, Lane, ThreadId};
use crate::teams::notification::ChangeType;

/// A typing indicator is worth nothing after this.
const TYPING_TIME_TO_LIVE: Duration = Duration::from_secs(5);

/// A queue of the bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    /// To Genesys: customers' messages and receipts, in sessions.
    Inbound,
    /// To Teams: agents' messages and notices, in sessions.
    Outbound,
    /// Typing indicators, without sessions.
    Typing,
}

/// What Service Bus is told of an envelope beside its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Where it is put.
    pub queue: Queue,
    /// Its session; `None` on the queue without sessions.
    pub lane: Option<Lane>,
    /// Its identity for duplicate detection; `None` where each message is one of its own.
    pub message_id: Option<BusMessageId>,
    /// The journey that it belongs to.
    pub correlation: CorrelationId,
    /// How long it stays useful; `None` leaves that to the queue.
    pub time_to_live: Option<Duration>,
}

impl Envelope {
    /// The envelope's route, computed from what it says, without a look at any state. `random` gives the bytes of an id for
    /// what must never count as a repetition.
    #[must_use]
    pub fn route(&self, random: impl FnOnce() -> [u8; 16]) -> Route {
        let replay = self.replay.as_deref();
        let in_lane = |queue, lane, message_id, correlation| Route {
            queue,
            lane: Some(lane),
            message_id: Some(message_id),
            correlation,
            time_to_live: None,
        };
        match &self.content {
            Content::Notification(notification) => {
                let (chat, message) = (&notification.chat, &notification.message);
                let message_id = match notification.change {
                    ChangeType::Created => BusMessageId::created(chat, message, replay),
                    // Two edits of one message must both pass; state tells repeated ones apart.
                    ChangeType::Updated | ChangeType::Deleted => BusMessageId::unique(random()),
                };
                let correlation = CorrelationId::of_teams_message(chat, message);
                in_lane(Queue::Inbound, Lane::inbound(chat), message_id, correlation)
            }
            Content::AgentMessage(message) => agent_message(message, self),
            Content::Receipt(receipt) => in_lane(
                Queue::Inbound,
                Lane::receipts(&receipt.to),
                BusMessageId::receipt(&receipt.message, replay),
                CorrelationId::of_genesys_message(&receipt.message),
            ),
            Content::Notice(notice) => in_lane(
                Queue::Outbound,
                match &notice.thread {
                    Some(thread) => Lane::of_thread(thread),
                    None => Lane::notices(&notice.account, &notice.chat),
                },
                BusMessageId::notice(&notice.chat, &notice.message, replay),
                CorrelationId::of_teams_message(&notice.chat, &notice.message),
            ),
            // It stands for an envelope whose route it is given; by itself it says nothing of where it belongs.
            Content::Claim { blob } => in_lane(
                Queue::Inbound,
                Lane::unroutable(blob),
                BusMessageId::unique(random()),
                CorrelationId::of_unknown(blob.as_bytes()),
            ),
        }
    }
}

/// A message for a thread that is not ours still gets a lane, and so does what cannot be read: both end in `failed` instead of
/// nowhere.
fn agent_message(message: &AgentEnvelope, envelope: &Envelope) -> Route {
    let (body, replay) = (message.body(), envelope.replay.as_deref());
    let mut route = Route {
        queue: Queue::Outbound,
        lane: None,
        message_id: None,
        correlation: CorrelationId::of_unknown(&body),
        time_to_live: None,
    };
    let Ok(webhook) = Webhook::parse(&body, envelope.accepted_at) else {
        let message_id = BusMessageId::unreadable(&body, replay);
        route.lane = Some(Lane::unroutable(message_id.as_str()));
        route.message_id = Some(message_id);
        return route;
    };
    route.correlation = CorrelationId::of_genesys_message(&webhook.id);
    if let Kind::Typing { .. } = webhook.kind {
        route.queue = Queue::Typing;
        route.time_to_live = Some(TYPING_TIME_TO_LIVE);
        return route;
    }
    route.message_id = Some(BusMessageId::agent(&webhook.id, replay));
    route.lane = Some(match webhook.to.parse::<ThreadId>() {
        Ok(thread) => Lane::of_thread(&thread),
        Err(_) => Lane::unroutable(&webhook.to),
    });
    route
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::genesys::receipt::ReceiptOutcome;
    use crate::ids::{ChatId, GenesysMessageId, TeamsMessageId};
    use crate::queue::envelope::{NoticeEnvelope, NotificationEnvelope, ReceiptEnvelope};

    const ANNA: &str = "teams:support:0f0e0d0c-0000-4000-8000-00000000000a";

    fn route(content: Content, replay: Option<&str>, random: u8) -> Route {
        Envelope::new(datetime!(2026-01-02 03:04:05 UTC), content)
            .replayed(replay.map(str::to_owned))
            .route(|| [random; 16])
    }

    fn notification(change: ChangeType) -> Content {
        Content::Notification(NotificationEnvelope {
            change,
            chat: chat(),
            message: message(),
            account: "support".parse().expect("a name"),
            encrypted: None,
        })
    }

    fn chat() -> ChatId {
        "19:a_b@unq.gbl.spaces".parse().expect("an id")
    }

    fn message() -> TeamsMessageId {
        "1612289765949".parse().expect("an id")
    }

    fn agent(webhook: &str) -> Content {
        Content::AgentMessage(AgentEnvelope::of(webhook.as_bytes()))
    }

    fn agent_text(to: &str) -> Content {
        agent(&format!(
            r#"{{"id":"b71f","type":"Text","text":"hello","channel":{{"to":{{"id":"{to}"}},"time":"2026-01-02T03:04:05Z"}}}}"#
        ))
    }

    fn receipt() -> Content {
        Content::Receipt(ReceiptEnvelope {
            message: genesys("b71f"),
            to: ANNA.to_owned(),
            outcome: ReceiptOutcome::Delivered,
            at: datetime!(2026-01-02 03:04:05 UTC),
        })
    }

    fn genesys(id: &str) -> GenesysMessageId {
        id.parse().expect("an id")
    }

    fn notice(thread: Option<&str>) -> Content {
        Content::Notice(NoticeEnvelope {
            chat: chat(),
            message: message(),
            account: "support".parse().expect("a name"),
            thread: thread.map(|thread| thread.parse().expect("a thread")),
        })
    }

    #[test]
    fn a_new_message_is_known_again_and_a_changed_one_is_not() {
        let created = route(notification(ChangeType::Created), None, 1);
        assert_eq!(created, route(notification(ChangeType::Created), None, 2));
        assert_eq!(created.queue, Queue::Inbound);
        assert_eq!(created.lane, Some(Lane::inbound(&chat())));
        assert_eq!(
            created.correlation,
            CorrelationId::of_teams_message(&chat(), &message())
        );
        for change in [ChangeType::Updated, ChangeType::Deleted] {
            let first = route(notification(change), None, 1);
            assert_ne!(
                first.message_id,
                route(notification(change), None, 2).message_id
            );
            assert_eq!(first.lane, created.lane);
        }
    }

    #[test]
    fn an_agent_s_message_a_notice_and_their_thread_share_a_lane() {
        let lane = Some(Lane::of_thread(&ANNA.parse().expect("a thread")));
        for content in [
            agent_text(ANNA),
            agent_text(&format!("{ANNA}:2")),
            notice(Some(ANNA)),
        ] {
            let route = route(content, None, 0);
            assert_eq!((route.queue, &route.lane), (Queue::Outbound, &lane));
        }
        assert_ne!(route(notice(None), None, 0).lane, lane);
    }

    #[test]
    fn a_receipt_is_in_nobody_s_way() {
        let receipt = route(receipt(), None, 0);
        assert_eq!(receipt.queue, Queue::Inbound);
        assert_ne!(receipt.lane, Some(Lane::inbound(&chat())));
        assert_eq!(
            receipt.correlation,
            route(agent_text(ANNA), None, 0).correlation
        );
    }

    #[test]
    fn typing_has_no_lane_and_a_short_life() {
        let typing = agent(include_str!("../../fixtures/webhook_typing.json"));
        let route = route(typing, None, 0);
        assert_eq!(route.queue, Queue::Typing);
        assert_eq!((route.lane, route.message_id), (None, None));
        assert_eq!(route.time_to_live, Some(Duration::from_secs(5)));
    }

    #[test]
    fn what_nobody_can_read_or_deliver_has_a_lane_of_its_own() {
        let strange = [
            route(agent("no JSON"), None, 0),
            route(agent("nor this"), None, 0),
            route(Content::AgentMessage(AgentEnvelope::of(&[0xff])), None, 0),
            route(agent_text("somebody"), None, 0),
        ];
        for (index, one) in strange.iter().enumerate() {
            assert_eq!(one.queue, Queue::Outbound);
            assert!(one.lane.is_some() && one.message_id.is_some());
            assert!(
                strange[..index]
                    .iter()
                    .all(|other| { other.lane != one.lane && other.message_id != one.message_id })
            );
        }
        assert_eq!(strange[0], route(agent("no JSON"), None, 0));
    }

    #[test]
    fn a_replay_passes_in_the_same_lane() {
        for content in [
            notification(ChangeType::Created),
            agent_text(ANNA),
            agent("no JSON"),
            receipt(),
            notice(None),
        ] {
            let first = route(content.clone(), None, 0);
            let replayed = route(content, Some("1"), 0);
            assert_ne!(replayed.message_id, first.message_id);
            assert_eq!(
                (replayed.queue, replayed.correlation),
                (first.queue, first.correlation)
            );
        }
    }
}
