//! What the Functions host calls the handler with: no panic, nothing read that is larger than what came, and what cannot be worked
//! on is kept such that it can be read again.
#![no_main]

use bridge::queue::dead_letter::DeadLetter;
use bridge::queue::envelope::Envelope;
use bridge::queue::failed::{Direction, FailedMessage};
use bridge::queue::spool;
use bridge::queue::trigger::Trigger;
use bridge::timer::Tick;
use fuzz::changed;
use fuzz::story::NOW;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
    changed(data, size, most, seed)
});

fuzz_target!(|data: &[u8]| {
    let _ = Tick::parse(data, "timer");
    if let Ok(trigger) = Trigger::parse(data, "message") {
        let properties = [
            &trigger.message_id,
            &trigger.session_id,
            &trigger.correlation_id,
        ];
        let read = properties.into_iter().flatten().map(String::len);
        let read = trigger.body.len() + read.sum::<usize>();
        assert!(read <= data.len(), "{read} bytes of {}", data.len());
        delivered(&trigger);
    }
    // What the binding holds, without the base64 around it.
    let metadata = Trigger {
        body: data.to_vec(),
        message_id: None,
        session_id: None,
        correlation_id: None,
        delivery_count: 1,
        enqueued_at: Some(NOW),
    };
    delivered(&metadata);
});

fn delivered(trigger: &Trigger) {
    if let Ok(envelope) = Envelope::parse(&trigger.body) {
        let route = envelope.route(|| [0; 16]);
        let name = spool::name(&envelope, &route);
        assert_eq!(spool::by_lane(&[name]).len(), 1, "{envelope:?}");
    }
    let letter = DeadLetter {
        direction: Direction::Inbound,
        queue: "inbound",
        session_id: trigger.session_id.as_deref(),
        message_id: trigger.message_id.as_deref(),
        correlation_id: trigger.correlation_id.as_deref(),
        deliveries: trigger.delivery_count,
        enqueued_at: trigger.enqueued_at,
        reason: None,
        body: &trigger.body,
    };
    let (_, failed) = letter.failed(NOW);
    let stored = failed.to_json();
    // Each value on a line of its own, indented by as much as it is deep, which is 128 at most.
    let most = 264 * (trigger.body.len() + 512);
    assert!(stored.len() <= most, "{} bytes", stored.len());
    let read = FailedMessage::parse(&stored).expect("what was stored is read");
    assert_eq!(read.to_json(), stored);
    let (_, _, _) = (read.label(), read.chat(), read.without_words());
}
