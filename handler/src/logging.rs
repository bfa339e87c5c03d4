//! One JSON object a line on stdout, with the fields of the surrounding spans beside the event's own.
//!
//! The Functions host takes stdout lines as Information and stderr lines as errors of its own (azure-functions-host,
//! `WorkerProcess`), so everything goes to stdout. Only our crates log: the libraries below us name URLs, which hold ids.
//!
//! A line costs: the Functions host hands it on twice over, as the trace's message and as the format of that message
//! (azure-webjobs-sdk, `ApplicationInsightsLogger.LogTrace`), and Log Analytics bills each byte. So a line that only tells that all is
//! well has no time (the trace has one), no level and no name of a source file's module, and not the host's id of the invocation, by
//! which one finds what the host itself said of a failure.
//!
//! Each write wakes the host, which costs more than all else in a webhook's log line. So lines wait for others of the same
//! moment; warnings and errors do not, because they may be the last ones.

use std::io::Write;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

const OUR_CRATES: &[&str] = &["handler", "functions", "services", "bridge"];

/// How long a line waits for others.
const MOMENT: Duration = Duration::from_millis(2);

/// Lines that do not wait, because the host does not keep up with those before them.
const MOST_WAITING: usize = 256 * 1024;

/// Sends the events of our crates at `level` and above to stdout, and notes where a panic happened (never its text,
/// which could quote a message).
pub fn start(level: LevelFilter) {
    let targets = Targets::new().with_targets(OUR_CRATES.iter().map(|name| (*name, level)));
    tracing_subscriber::registry()
        .with(targets)
        .with(JsonLines(&WAITING))
        .init();
    thread::spawn(|| {
        loop {
            WAITING.until_some();
            thread::sleep(MOMENT);
            WAITING.write();
        }
    });
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(|location| format!("{}:{}", location.file(), location.line()));
        tracing::error!(event = "panic", place, "the handler panicked");
    }));
}

static WAITING: Waiting = Waiting {
    lines: Mutex::new(Vec::new()),
    some: Condvar::new(),
};

/// Lines on their way to stdout.
struct Waiting {
    lines: Mutex<Vec<u8>>,
    some: Condvar,
}

impl Waiting {
    fn until_some(&self) {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let _lines = self.some.wait_while(lines, |lines| lines.is_empty());
    }

    fn add(&self, line: &[u8], is_urgent: bool) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = lines.is_empty();
        lines.extend_from_slice(line);
        let length = lines.len();
        drop(lines);
        if is_urgent || length > MOST_WAITING {
            self.write();
        } else if is_first {
            self.some.notify_one();
        }
    }

    /// Writes what waits, in order: who holds stdout is the one who takes lines.
    fn write(&self) {
        let mut stdout = std::io::stdout().lock();
        let lines = std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner));
        // A closed stdout means that the host is gone, and then nobody is left to tell.
        let _ = stdout.write_all(&lines);
    }
}

/// Field of a span that only lines about trouble have.
const INVOCATION: &str = "invocation";

/// Fields of a span, written once as `,"name":value` for all events inside it.
#[derive(Default)]
struct SpanFields {
    all: Vec<u8>,
    in_trouble: Vec<u8>,
}

struct JsonLines(&'static Waiting);

impl<S> Layer<S> for JsonLines
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = SpanFields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<SpanFields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        self.0.add(&line(event, &context), is_trouble(event));
    }
}

/// Whether an event tells that something went wrong.
fn is_trouble(event: &Event<'_>) -> bool {
    *event.metadata().level() <= Level::WARN
}

/// An event with what its spans say, as one line.
fn line<S>(event: &Event<'_>, context: &Context<'_, S>) -> Vec<u8>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let (metadata, is_trouble) = (event.metadata(), is_trouble(event));
    let mut line = Vec::with_capacity(512);
    if is_trouble {
        line.extend_from_slice(b",\"timestamp\":\"");
        // A time before the year 0 cannot be formatted, and cannot be now.
        let _ = OffsetDateTime::now_utc().format_into(&mut line, &Rfc3339);
        line.extend_from_slice(b"\",\"level\":");
        json(&mut line, metadata.level().as_str());
        line.extend_from_slice(b",\"target\":");
        json(&mut line, metadata.target());
    }
    for span in context
        .event_scope(event)
        .into_iter()
        .flat_map(|scope| scope.from_root())
    {
        if let Some(fields) = span.extensions().get::<SpanFields>() {
            line.extend_from_slice(&fields.all);
            if is_trouble {
                line.extend_from_slice(&fields.in_trouble);
            }
        }
    }
    event.record(&mut Fields(&mut line));
    // In the place of the first field's comma.
    match line.first_mut() {
        Some(first) => *first = b'{',
        None => line.push(b'{'),
    }
    line.extend_from_slice(b"}\n");
    line
}

/// Writes each field as `,"name":value`.
struct Fields<'a>(&'a mut Vec<u8>);

impl Fields<'_> {
    fn write(&mut self, field: &Field, value: impl Serialize) {
        self.0.push(b',');
        json(self.0, field.name());
        self.0.push(b':');
        json(self.0, value);
    }
}

impl SpanFields {
    /// Where a field of this name belongs.
    fn of(&mut self, field: &Field) -> Fields<'_> {
        Fields(match field.name() {
            INVOCATION => &mut self.in_trouble,
            _ => &mut self.all,
        })
    }
}

impl Visit for SpanFields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.of(field).record_debug(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.of(field).record_str(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.of(field).record_u64(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.of(field).record_bool(field, value);
    }
}

/// Writes to a buffer in memory, which takes everything.
fn json(buffer: &mut Vec<u8>, value: impl Serialize) {
    let _ = serde_json::to_writer(buffer, &value);
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.write(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.write(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.write(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.write(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.write(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.write(field, value);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Keeps what [`Fields`] writes of each event.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl<S: Subscriber> Layer<S> for Kept {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            if let Ok(mut kept) = self.0.lock() {
                event.record(&mut Fields(&mut kept));
            }
        }
    }

    /// Keeps the lines of all events.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl<S> Layer<S> for Lines
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
            if let Ok(mut lines) = self.0.lock() {
                lines.extend(line(event, &context));
            }
        }
    }

    #[test]
    fn a_line_that_all_is_well_is_short_and_one_about_trouble_leads_to_what_the_host_says() {
        static WAITING: Waiting = Waiting {
            lines: Mutex::new(Vec::new()),
            some: Condvar::new(),
        };
        let lines = Lines::default();
        let subscriber = tracing_subscriber::registry()
            .with(JsonLines(&WAITING))
            .with(lines.clone());
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("run", function = "f", invocation = "i", late = true);
            let _span = span.enter();
            tracing::info!(event = "settled");
            tracing::warn!(event = "handed_back");
        });
        let written = lines.0.lock().expect("one thread").clone();
        let written = String::from_utf8(written).expect("UTF-8");
        let (well, trouble) = written.split_once('\n').expect("two lines");
        assert_eq!(well, r#"{"function":"f","late":true,"event":"settled"}"#);
        let trouble: serde_json::Value = serde_json::from_str(trouble).expect("JSON");
        let named = ["timestamp", "level", "target", "invocation"];
        assert!(named.iter().all(|it| trouble[it].is_string()), "{trouble}");
    }

    #[test]
    fn every_kind_of_value_is_json() {
        let kept = Kept::default();
        let subscriber = tracing_subscriber::registry().with(kept.clone());
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(
                text = "a \"quoted\"\nline",
                count = 3u64,
                below = -1i64,
                share = 0.5,
                yes = true,
                kind = ?Some("x"),
                absent = tracing::field::Empty,
            );
        });
        let written = kept.0.lock().expect("one thread").clone();
        let line = format!(
            "{{{}}}",
            String::from_utf8_lossy(&written).trim_start_matches(',')
        );
        let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(
            line,
            serde_json::json!({
                "text": "a \"quoted\"\nline", "count": 3, "below": -1, "share": 0.5, "yes": true, "kind": "Some(\"x\")",
            })
        );
    }
}
