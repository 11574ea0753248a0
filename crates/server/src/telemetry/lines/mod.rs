//! JSON log lines, one an event: `timestamp`, `level`, the event's fields, `target`, and under `span` the fields of the
//! innermost span with its `name`. Written here because a request costs one line, and the general formatter spends more
//! on it than the rest of the edge on the request.

mod fields;
mod sink;

use std::cell::RefCell;
use std::fmt::Write as _;
use std::sync::Arc;

use doorward_model::time::Clock;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use self::fields::JsonFields;
pub(super) use self::sink::Sink;

/// Lines longer than this do not keep their buffer.
const KEPT_CAPACITY: usize = 4096;

/// What a span's line holds of it: JSON members without braces.
struct SpanFields(String);

/// Writes events to a sink.
pub(super) struct Lines<C> {
    sink: Arc<Sink>,
    clock: C,
}

impl<C: Clock> Lines<C> {
    pub(super) fn new(sink: Arc<Sink>, clock: C) -> Self {
        Self { sink, clock }
    }

    fn write_line<S>(&self, line: &mut String, event: &Event<'_>, context: &Context<'_, S>)
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let metadata = event.metadata();
        // Writing to a string has no failure.
        let _ = write!(line, "{{\"timestamp\":\"{}\",\"level\":\"{}\"", self.clock.now(), metadata.level());
        event.record(&mut JsonFields::after_others(line));
        let _ = write!(line, ",\"target\":\"{}\"", metadata.target());
        if let Some(span) = context.event_span(event) {
            line.push_str(",\"span\":{");
            if let Some(SpanFields(fields)) = span.extensions().get() {
                line.push_str(fields);
            }
            let comma = if line.ends_with('{') { "" } else { "," };
            let _ = write!(line, "{comma}\"name\":\"{}\"}}", span.name());
        }
        line.push_str("}\n");
    }
}

impl<C, S> Layer<S> for Lines<C>
where
    C: Clock + 'static,
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = String::with_capacity(96);
        attributes.record(&mut JsonFields::first(&mut fields));
        span.extensions_mut().insert(SpanFields(fields));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        if let Some(SpanFields(fields)) = extensions.get_mut() {
            let mut visitor =
                if fields.is_empty() { JsonFields::first(fields) } else { JsonFields::after_others(fields) };
            values.record(&mut visitor);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        thread_local! {
            static LINE: RefCell<String> = const { RefCell::new(String::new()) };
        }
        // A field whose own text logs something would find the buffer taken: that inner line gets its own.
        LINE.with(|line| {
            let mut own = String::new();
            let mut borrowed = line.try_borrow_mut();
            let line = borrowed.as_deref_mut().unwrap_or(&mut own);
            line.clear();
            line.shrink_to(KEPT_CAPACITY);
            self.write_line(line, event, &context);
            self.sink.write(line.as_bytes(), *event.metadata().level() <= Level::WARN);
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use doorward_model::time::Timestamp;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            Timestamp::from_ms(0)
        }
    }

    /// Runs `work` and returns what it logged.
    fn logged(work: impl FnOnce()) -> Vec<serde_json::Value> {
        let written = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&written);
        let sink = Sink::new(move |bytes: &[u8]| into.lock().unwrap().extend_from_slice(bytes));
        let subscriber = tracing_subscriber::registry().with(Lines::new(Arc::clone(&sink), Noon));
        tracing::subscriber::with_default(subscriber, work);
        sink.flush();
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Proves: S-115, S-132, V16.2.2
    #[test]
    fn a_line_holds_time_level_fields_target_and_span() {
        let lines = logged(|| {
            let span = tracing::info_span!("request", request.id = %"request_1", http.route = "/api/v1/me");
            let _entered = span.enter();
            tracing::info!(http.status = 200_u16, duration_ms = 0.25, ok = true, nothing = None::<i64>, "request");
        });
        let expected = serde_json::json!([{
            "timestamp": "1970-01-01T00:00:00.000Z", "level": "INFO", "message": "request", "http.status": 200,
            "duration_ms": 0.25, "ok": true, "target": module_path!(),
            "span": { "request.id": "request_1", "http.route": "/api/v1/me", "name": "request" }
        }]);
        assert_eq!(serde_json::Value::Array(lines), expected);
    }

    /// Proves: A-149, V16.4.1
    #[test]
    fn nothing_a_stranger_sends_breaks_out_of_its_field() {
        let hostile = "\"}\r\n{\"level\":\"ERROR\"}\u{1b}[31m\u{0}\u{2028}";
        let lines = logged(|| {
            tracing::info!(agent = hostile, shown = %hostile, debug = ?hostile, "{}", hostile);
        });
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["agent"], hostile);
        assert_eq!(lines[0]["shown"], hostile);
        assert_eq!(lines[0]["message"], hostile);
        assert_eq!(lines[0]["level"], "INFO");
    }

    #[test]
    fn numbers_that_json_does_not_have_are_null_and_late_fields_are_shown() {
        let lines = logged(|| {
            let span = tracing::info_span!("job", late = tracing::field::Empty, big = u64::MAX);
            span.record("late", i64::MIN);
            let _entered = span.enter();
            let cause = std::io::Error::other("a \"cause\"");
            tracing::warn!(nan = f64::NAN, error = &cause as &dyn std::error::Error, "odd");
        });
        assert_eq!(lines[0]["nan"], serde_json::Value::Null);
        assert_eq!(lines[0]["error"], "a \"cause\"");
        assert_eq!(lines[0]["span"], serde_json::json!({ "late": i64::MIN, "big": u64::MAX, "name": "job" }));
    }
}
