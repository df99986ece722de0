//! The log of a function: one JSON object a line on standard output, from where Lambda takes it.
//!
//! The names of the fields are those of Lambda's own JSON lines
//! (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html>), by
//! which it filters: `timestamp`, `level`, `message`. Beside them stand the fields of the event
//! and those of the spans around it, `requestId` above all.

use std::fmt::Debug;
use std::io::{self, Write};

use headcount_model::port::{Clock, System};
use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// Starts the log. `AWS_LAMBDA_LOG_LEVEL`, else `RUST_LOG`, names the least level that is kept;
/// without either it is `INFO`. A log that was started before stays.
pub(crate) fn start() {
    let level = ["AWS_LAMBDA_LOG_LEVEL", "RUST_LOG"].map(|variable| std::env::var(variable).ok());
    let log = tracing_subscriber::registry()
        .with(level_of(level.into_iter().flatten()))
        .with(Lines { clock: System, write: |line: &[u8]| io::stdout().lock().write_all(line) });
    let _ = tracing::subscriber::set_global_default(log);
}

/// The first of some names that is one of a level, but never below `DEBUG`: at `TRACE` the Lambda
/// runtime logs every event as it comes, passwords included.
fn level_of(names: impl IntoIterator<Item = String>) -> LevelFilter {
    let named = names.into_iter().find_map(|name| name.parse().ok());
    named.unwrap_or(LevelFilter::INFO).min(LevelFilter::DEBUG)
}

/// Writes events as lines.
struct Lines<C, W> {
    clock: C,
    write: W,
}

impl<C, W, S> Layer<S> for Lines<C, W>
where
    C: Clock + 'static,
    W: Fn(&[u8]) -> io::Result<()> + 'static,
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        fields.member("timestamp", format!("{:.6}", self.clock.now()));
        fields.member("level", event.metadata().level().as_str());
        event.record(&mut fields);
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(around) = span.extensions().get::<Fields>() {
                fields.append(around);
            }
        }
        // Nobody is left to tell when the log itself cannot be written.
        let _ = (self.write)(&fields.into_line());
    }
}

/// The members of a JSON object, each behind a comma.
#[derive(Default)]
struct Fields(Vec<u8>);

impl Fields {
    fn member(&mut self, name: &str, value: impl Serialize) {
        self.0.push(b',');
        // Text and numbers always serialize, and memory takes every byte.
        let _ = serde_json::to_writer(&mut self.0, name);
        self.0.push(b':');
        let _ = serde_json::to_writer(&mut self.0, &value);
    }

    fn append(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }

    fn into_line(mut self) -> Vec<u8> {
        match self.0.first_mut() {
            Some(comma) => *comma = b'{',
            None => self.0.push(b'{'),
        }
        self.0.extend_from_slice(b"}\n");
        self.0
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.member(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.member(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.member(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.member(field.name(), value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.member(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.member(field.name(), format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use jiff::Timestamp;

    use super::*;

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            "2026-11-22T12:00:00Z".parse().expect("a time")
        }
    }

    /// What is written while `work` runs.
    fn written(level: LevelFilter, work: impl FnOnce()) -> String {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let write = {
            let lines = Arc::clone(&lines);
            move |line: &[u8]| {
                lines.lock().expect("not poisoned").extend_from_slice(line);
                Ok(())
            }
        };
        let log = tracing_subscriber::registry().with(level).with(Lines { clock: Noon, write });
        tracing::subscriber::with_default(log, work);
        let lines = lines.lock().expect("not poisoned").clone();
        String::from_utf8(lines).expect("text")
    }

    #[test]
    fn an_event_is_a_line_with_the_fields_of_the_spans_around_it() {
        let lines = written(LevelFilter::INFO, || {
            let invocation = tracing::info_span!("invocation", requestId = "r-1", later = 0);
            let _inside = invocation.enter();
            tracing::info!(status = 200, replayed = false, cause = %"a \"b\"\n", "answered");
        });
        assert_eq!(
            lines,
            concat!(
                r#"{"timestamp":"2026-11-22T12:00:00.000000Z","level":"INFO","message":"answered","#,
                r#""status":200,"replayed":false,"cause":"a \"b\"\n","requestId":"r-1","later":0}"#,
                "\n"
            )
        );
    }

    #[test]
    fn what_is_below_the_level_is_left_out() {
        let lines = written(LevelFilter::WARN, || {
            tracing::info!("small");
            tracing::error!("large");
        });
        assert!(!lines.contains("small") && lines.contains("large"), "{lines}");
    }

    #[test]
    fn the_first_level_that_is_one_counts() {
        let level = |names: &[&str]| level_of(names.iter().map(|&name| name.to_owned()));
        assert_eq!(level(&[]), LevelFilter::INFO);
        assert_eq!(level(&["WARN", "debug"]), LevelFilter::WARN);
        assert_eq!(level(&["loud", "debug"]), LevelFilter::DEBUG);
        assert_eq!(level(&["off"]), LevelFilter::OFF);
    }

    #[test]
    fn no_setting_shows_whole_events() {
        assert_eq!(level_of(["trace".to_owned()]), LevelFilter::DEBUG);
        assert_eq!(level_of(["TRACE".to_owned(), "info".to_owned()]), LevelFilter::DEBUG);
    }
}
