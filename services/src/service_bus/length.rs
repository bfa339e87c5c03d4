//! How long a queue is ("Get Entity" and "QueueDescription" in the Service Bus REST API reference). The service answers in Atom, and
//! only to whoever may manage the queue: "Manage,EntityRead claims required for this operation". How old its messages are it does not
//! tell, and of a queue with sessions REST shows no message.

use quick_xml::Reader;
use quick_xml::events::Event;
use secrecy::ExposeSecret;

use super::{SCOPE, ServiceBus};
use crate::address;
use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};
use crate::exchange;
use crate::http::CALL_TIMEOUT;

/// Version of the interface.
const API_VERSION: &str = "2021-05";

/// Largest answer that is read; a description has some 2 KB.
const ANSWER_LIMIT: usize = 64 * 1024;

/// How many messages a queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLength {
    /// Messages that wait or are being worked on.
    pub active: u64,
    /// Messages that the queue put aside.
    pub dead_letters: u64,
    /// Messages whose time has not come.
    pub scheduled: u64,
}

impl ServiceBus {
    /// How many messages a queue holds.
    ///
    /// # Errors
    /// `Unauthorized` also without the right to manage the queue (Azure Service Bus Data Owner), `NotFound` for a queue that does not
    /// exist; otherwise Service Bus or the identity refused or could not be reached.
    pub async fn length(&self, queue: &str) -> Result<QueueLength> {
        let token = self.identity.token(SCOPE).await?;
        let queue = address::segment(Service::ServiceBus, queue)?;
        let url = format!("{}/{queue}?api-version={API_VERSION}", self.base);
        let request = self.client.get(url).bearer_auth(token.expose_secret());
        let request = request.timeout(CALL_TIMEOUT);
        let answer = exchange::send(Service::ServiceBus, request, ANSWER_LIMIT).await?;
        let failed = |kind| ServiceError {
            status: Some(answer.status.as_u16()),
            ..ServiceError::new(Service::ServiceBus, kind, Sent::Yes)
        };
        let body = answer.body?;
        let text = std::str::from_utf8(&body).map_err(|_| failed(ErrorKind::Malformed))?;
        match Description::read(text.trim_start_matches('\u{feff}')) {
            Some(Description::Queue(length)) => Ok(length),
            Some(Description::Nothing) => Err(failed(ErrorKind::NotFound)),
            None => Err(failed(ErrorKind::Malformed)),
        }
    }
}

/// What stands at an address.
#[derive(Debug, PartialEq, Eq)]
enum Description {
    Queue(QueueLength),
    /// No queue: the service answers with an empty feed (azure-sdk-for-net, `QueueRuntimePropertiesExtensions`).
    Nothing,
}

impl Description {
    fn read(text: &str) -> Option<Self> {
        let mut reader = Reader::from_str(text);
        let (mut root, mut at) = (None, Vec::new());
        let [mut active, mut dead_letters, mut scheduled] = [None; 3];
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) => {
                    let name = start.local_name().as_ref().to_vec();
                    root.get_or_insert_with(|| name.clone());
                    at.push(name);
                }
                Event::Empty(empty) => {
                    root.get_or_insert_with(|| empty.local_name().as_ref().to_vec());
                }
                Event::End(_) => drop(at.pop()),
                Event::Text(text) => {
                    let [.., outer, inner] = &at[..] else {
                        continue;
                    };
                    let place = match &inner[..] {
                        b"ActiveMessageCount" => &mut active,
                        b"DeadLetterMessageCount" => &mut dead_letters,
                        b"ScheduledMessageCount" => &mut scheduled,
                        _ => continue,
                    };
                    if outer == b"CountDetails" {
                        *place = Some(std::str::from_utf8(&text).ok()?.trim().parse().ok()?);
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        if root.as_deref() == Some(b"feed") {
            return Some(Self::Nothing);
        }
        Some(Self::Queue(QueueLength {
            active: active?,
            dead_letters: dead_letters?,
            scheduled: scheduled?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::bus;
    use super::*;
    use crate::testing::Reply;

    const ENTRY: &str = r#"<entry xmlns="http://www.w3.org/2005/Atom"><title type="text">inbound</title>
        <content type="application/xml"><QueueDescription xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect">
        <LockDuration>PT1M</LockDuration><MessageCount>520</MessageCount>
        <CountDetails xmlns:d2p1="http://schemas.microsoft.com/netservices/2011/06/servicebus">
        <d2p1:ActiveMessageCount>510</d2p1:ActiveMessageCount><d2p1:DeadLetterMessageCount>7</d2p1:DeadLetterMessageCount>
        <d2p1:ScheduledMessageCount>3</d2p1:ScheduledMessageCount><d2p1:TransferMessageCount>0</d2p1:TransferMessageCount>
        </CountDetails></QueueDescription></content></entry>"#;

    #[tokio::test]
    async fn a_queue_tells_its_length() {
        let feed = r#"<feed xmlns="http://www.w3.org/2005/Atom"><title type="text">Publicly Listed Services</title></feed>"#;
        let refusal = "<Error><Code>401</Code><Detail>Manage,EntityRead claims required for this operation.</Detail></Error>";
        let answers = [(200, ENTRY), (200, feed), (401, refusal), (200, "<entry/>")];
        let answers = answers.map(|(status, body)| Reply::new(status, body));
        let (double, bus) = bus(answers).await;
        let length = bus.length("inbound").await.expect("a length");
        let expected = QueueLength {
            active: 510,
            dead_letters: 7,
            scheduled: 3,
        };
        assert_eq!(length, expected);
        for kind in [
            ErrorKind::NotFound,
            ErrorKind::Unauthorized,
            ErrorKind::Malformed,
        ] {
            let error = bus.length("inbound").await.expect_err("no length");
            assert_eq!(error.kind, kind);
        }
        let seen = &double.seen()[0];
        assert_eq!(seen.target, "/inbound?api-version=2021-05");
        assert!(seen.header("authorization").starts_with("Bearer "));
    }
}
