//! The agent's own log lines.
//!
//! In: [`Telemetry`]. Out: a subscriber for the whole process that writes to standard error, as text or as one JSON object a
//! line. What always holds: the filter of the settings speaks about the agent only; of the libraries below it nothing finer
//! than a warning is written, and of the loader of AWS credentials nothing finer than an error, whatever the filter says,
//! because HTTP and AWS libraries put headers and bodies into their finer lines. Log lines of the agent itself are written so
//! that they hold no body, key or principal.

use std::io::IsTerminal as _;

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::config::{Environment as _, LogFormat, Telemetry, env};

/// What our own targets begin with.
const OWN: &str = env!("CARGO_CRATE_NAME");

/// What loads AWS credentials. Its warnings hold whole answers of credentials servers, and come with every try; what they are
/// about ends the request that needed the credentials, and is told there.
const CREDENTIALS: &str = "aws_config";

/// Why the log could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is not one.
    #[error("reading telemetry.logLevel {level:?}: {why}; allowed: error, warn, info, debug, trace, off, or target=level, …")]
    Filter {
        /// The filter, as written.
        level: String,
        /// What the parser says.
        why: String,
    },
    /// Another subscriber was there first.
    #[error("starting the log: {0}")]
    Started(#[from] tracing_subscriber::util::TryInitError),
}

/// Starts the log of this process: once, before anything else writes to it.
///
/// Colour only when standard error is a terminal and `NO_COLOR` is not set.
///
/// # Errors
/// [`LogError`].
pub fn start(telemetry: &Telemetry) -> Result<(), LogError> {
    let plain = env::Process.get("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colour = std::io::stderr().is_terminal() && !plain;
    Ok(Registry::default().with(layer(telemetry, colour, std::io::stderr)?).try_init()?)
}

/// The layer that filters and writes.
fn layer<S, W>(telemetry: &Telemetry, colour: bool, to: W) -> Result<Box<dyn Layer<S> + Send + Sync>, LogError>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::builder()
        .with_regex(false)
        .parse(&telemetry.log_level)
        .map_err(|error| LogError::Filter { level: telemetry.log_level.clone(), why: error.to_string() })?;
    let filter = filter.and(filter_fn(may_be_written));
    let lines = tracing_subscriber::fmt::layer().with_writer(to);
    Ok(match telemetry.log_format {
        LogFormat::Text => lines.with_ansi(colour).with_target(false).with_filter(filter).boxed(),
        LogFormat::Json => {
            lines.json().flatten_event(true).with_current_span(false).with_span_list(false).with_filter(filter).boxed()
        }
    })
}

/// Everything of our own; of libraries nothing finer than a warning; of the loader of AWS credentials only errors.
fn may_be_written(line: &Metadata<'_>) -> bool {
    let of = |name: &str| line.target().strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    of(OWN) || *line.level() <= if of(CREDENTIALS) { Level::ERROR } else { Level::WARN }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// The lines that a filter and a format let through.
    fn lines(level: &str, format: LogFormat) -> Vec<String> {
        let page = Page::default();
        let telemetry = Telemetry { log_level: level.to_owned(), log_format: format, ..Telemetry::default() };
        let to = page.clone();
        let subscriber = Registry::default().with(layer(&telemetry, false, move || to.clone()).unwrap());
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(batch_bytes = 12, "Delivered batch");
            tracing::debug!("Looked closer");
            tracing::trace!(target: "hyper::client", "authorization: Bearer secret");
            tracing::debug!(target: "aws_smithy_runtime::client", "request body");
            tracing::info!(target: "cspm_relay_but_not_ours", "chatter");
            tracing::warn!(target: "hyper::client", "connection lost");
            tracing::warn!(target: "aws_config::meta::credentials::chain", "a whole answer");
        });
        let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn libraries_never_say_more_than_warnings() {
        for (level, expected) in [
            ("info", &["Delivered batch", "connection lost"][..]),
            ("trace", &["Delivered batch", "Looked closer", "connection lost"]),
            ("hyper=trace,aws_smithy_runtime=trace,cspm_relay=debug", &["Delivered batch", "Looked closer", "connection lost"]),
            ("warn", &["connection lost"]),
            ("off", &[]),
        ] {
            let lines = lines(level, LogFormat::Text);
            let said: Vec<bool> = lines.iter().zip(expected).map(|(line, text)| line.contains(text)).collect();
            assert_eq!((lines.len(), said), (expected.len(), vec![true; expected.len()]), "{level}: {lines:#?}");
        }
    }

    #[test]
    fn json_is_one_object_a_line_with_fields_at_the_top() {
        let lines = lines("info", LogFormat::Json);
        let first: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!((&first["level"], &first["message"]), (&"INFO".into(), &"Delivered batch".into()));
        assert_eq!((&first["batch_bytes"], &first["target"]), (&12.into(), &"cspm_relay::health::log::tests".into()));
        assert!(first["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')), "{first}");
    }

    #[test]
    fn a_bad_filter_is_a_fault_that_names_it() {
        let telemetry = Telemetry { log_level: "cspm_relay=loud".to_owned(), ..Telemetry::default() };
        let Err(error) = layer::<Registry, _>(&telemetry, false, std::io::stderr) else { panic!("a filter that is none") };
        assert!(error.to_string().starts_with("reading telemetry.logLevel \"cspm_relay=loud\": "), "{error}");
    }
}
