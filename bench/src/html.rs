//! Turning the HTML of messages into text, beside html5ever making a tree of the same messages, which is where a converter that
//! works on a tree would start. Both count processor time.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bridge::teams::convert::inbound;
use bridge::teams::message::ChatMessage;
use bridge::teams::to_text::{ReplyContext, render};
use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::RcDom;
use serde_json::json;

use crate::table::median;

/// Rounds, alternating.
const ROUNDS: usize = 5;
/// How long one measurement of a round takes, at least.
const MEASURED: Duration = Duration::from_millis(500);

/// Megabytes that one core turns into text in a second, and into trees: medians over the messages in a folder.
pub fn medians(folder: &Path) -> Result<(f64, f64)> {
    let messages = messages(folder)?;
    let (mut text, mut tree) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        text.push(rate(&messages, |html| {
            black_box(render(html, ReplyContext::Quote));
        }));
        tree.push(rate(&messages, |html| {
            black_box(parse_document(RcDom::default(), ParseOpts::default()).one(html));
        }));
    }
    Ok((median(text), median(tree)))
}

/// Milliseconds in which a message of 28 KB with 20 cards becomes text: the median.
pub fn cards() -> Result<f64> {
    let line = "Two shoes, <b>size 42</b>: [see the offer](https://shop.example/offers/7), valid until {{DATE(2026-02-14T06:00:00Z)}}";
    let card = json!({
        "type": "AdaptiveCard",
        "body": [
            { "type": "TextBlock", "text": line },
            { "type": "FactSet", "facts": [{ "title": "Price:", "value": "20 EUR" }, { "title": "Size", "value": "42" }] },
            { "type": "Table", "rows": [
                { "cells": [{ "items": [{ "type": "TextBlock", "text": line }] }, { "items": [{ "type": "TextBlock", "text": "9 EUR" }] }] },
            ] },
            { "type": "Container", "items": [{ "type": "TextBlock", "text": line }, { "type": "TextBlock", "text": line }, { "type": "TextBlock", "text": line }] },
            { "type": "Image", "url": "https://shop.example/shoe.png", "altText": "a shoe" },
        ],
        "actions": [{ "type": "Action.OpenUrl", "title": "Buy", "url": "https://shop.example/buy" }],
    });
    let marker = |id: usize| format!("<p>Offer {id}</p><attachment id=\"{id}\"></attachment>");
    let attachment = |id: usize| json!({ "id": id.to_string(), "contentType": "application/vnd.microsoft.card.adaptive", "content": card.to_string() });
    let message = json!({
        "id": "1755000000001",
        "body": { "contentType": "html", "content": (0..20).map(marker).collect::<String>() },
        "attachments": (0..20).map(attachment).collect::<Vec<_>>(),
    });
    let message = message.to_string();
    ensure!(
        (28_000..32_000).contains(&message.len()),
        "{} bytes",
        message.len()
    );
    let mut times = Vec::new();
    for _ in 0..200 {
        let start = Instant::now();
        let message = ChatMessage::parse(black_box(message.as_bytes()))?;
        black_box(inbound(&message, ReplyContext::Quote, &|_| true));
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(median(times))
}

fn messages(folder: &Path) -> Result<Vec<String>> {
    let name = || folder.display().to_string();
    let mut messages = Vec::new();
    for entry in fs::read_dir(folder).with_context(name)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "html")
        {
            messages.push(fs::read_to_string(&path).with_context(|| path.display().to_string())?);
        }
    }
    ensure!(!messages.is_empty(), "no messages in {}", name());
    Ok(messages)
}

/// Megabytes in a second when each message is read again and again.
fn rate(messages: &[String], read: impl Fn(&str)) -> f64 {
    let size: usize = messages.iter().map(String::len).sum();
    let (start, processor_start) = (Instant::now(), processor_time());
    let mut bytes = 0;
    while start.elapsed() < MEASURED {
        for html in messages {
            read(black_box(html));
        }
        bytes += size;
    }
    let spent = match (processor_start, processor_time()) {
        (Some(start), Some(end)) if end > start => end - start,
        _ => start.elapsed(),
    };
    bytes as f64 / 1e6 / spent.as_secs_f64()
}

/// Processor time of this thread so far (Linux, "proc" manual page: the first number of `schedstat`, in nanoseconds).
fn processor_time() -> Option<Duration> {
    let statistics = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = statistics.split_ascii_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corpus_is_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bridge/fixtures/html");
        assert!(messages(&folder).expect("the messages").len() >= 15);
        assert!(messages(&folder.join("none")).is_err());
        cards().expect("the message with cards");
    }
}
