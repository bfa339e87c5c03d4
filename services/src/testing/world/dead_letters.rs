//! What the queues put aside ("Peek-Lock Message", "Delete Message", "Unlock Message").

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Contents, Reply, Seen, World};

/// A message that a queue put aside.
pub(super) struct Letter {
    queue: String,
    body: Bytes,
    session: String,
    reason: &'static str,
    number: u64,
    is_locked: bool,
}

impl World {
    /// Has a queue put a message aside for this reason.
    pub fn put_dead_letter(
        &self,
        queue: &str,
        session: &str,
        body: impl Into<Bytes>,
        reason: &'static str,
    ) {
        let mut contents = self.lock();
        let letter = Letter {
            queue: queue.to_owned(),
            body: body.into(),
            session: session.to_owned(),
            reason,
            number: contents.next_id(),
            is_locked: false,
        };
        contents.letters.push(letter);
    }

    /// How many messages the queues have put aside.
    pub fn dead_letters(&self) -> usize {
        self.lock().letters.len()
    }

    /// All locks on what was put aside end.
    pub fn unlock_dead_letters(&self) {
        for letter in &mut self.lock().letters {
            letter.is_locked = false;
        }
    }
}

impl Contents {
    pub(super) fn dead_letter(&mut self, seen: &Seen, segments: &[&str]) -> Reply {
        match (seen.method.as_str(), segments) {
            ("POST", [queue, _, _, "head"]) => self.lock_letter(queue, seen.header("host")),
            (method, [_, _, _, number, _]) => {
                let mut letters = self.letters.iter_mut();
                let locked =
                    letters.position(|it| it.is_locked && it.number.to_string() == *number);
                match (method, locked) {
                    ("DELETE", Some(place)) => drop(self.letters.remove(place)),
                    ("PUT", Some(place)) => self.letters[place].is_locked = false,
                    _ => return Reply::new(404, ""),
                }
                Reply::new(200, "")
            }
            _ => Reply::new(400, ""),
        }
    }

    fn lock_letter(&mut self, queue: &str, host: &str) -> Reply {
        let mut letters = self.letters.iter_mut();
        let Some(letter) = letters.find(|it| it.queue == queue && !it.is_locked) else {
            return Reply::new(204, "");
        };
        letter.is_locked = true;
        let number = letter.number;
        let properties: Value = json!({
            "SessionId": letter.session, "MessageId": format!("m-{number}"), "SequenceNumber": number,
            "DeliveryCount": 3, "EnqueuedTimeUtc": "Wed, 02 Jul 2014 01:32:27 GMT", "LockToken": "t",
            "State": "Active", "TimeToLive": 922_337_203_685.477_5,
        });
        Reply::new(201, letter.body.to_vec())
            .header("brokerproperties", properties.to_string())
            .header("deadletterreason", format!("\"{}\"", letter.reason))
            .header(
                "location",
                format!("https://{host}/{queue}/$deadletterqueue/messages/{number}/t"),
            )
    }
}
