//! Turning the HTML of messages into text, beside html5ever making a tree of the same messages, which is where a converter that
//! works on a tree would start. Both count processor time.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bridge::teams::to_text::{ReplyContext, render};
use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::RcDom;

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
    }
}
