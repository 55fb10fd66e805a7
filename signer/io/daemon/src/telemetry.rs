//! Logs: one line per event on stderr.

use std::io;
use std::str::FromStr;

use serde::Deserialize;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// How a line looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

impl FromStr for LogFormat {
    type Err = TelemetryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(TelemetryError::Format {
                got: other.to_owned(),
            }),
        }
    }
}

/// Why there are no logs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// No such format.
    #[error("unknown log format {got:?}: use text or json")]
    Format {
        /// As given.
        got: String,
    },
    /// The filter cannot be read.
    #[error("log filter {got:?} is not understood, write one like `info,symbolon_rpc=debug`")]
    Filter {
        /// As given.
        got: String,
        /// The reason.
        #[source]
        cause: tracing_subscriber::filter::ParseError,
    },
    /// Logs were started before.
    #[error("logs were started twice")]
    Twice,
}

/// Starts the logs of this process. `filter` is a level with exceptions per module, as
/// `info,symbolon_rpc=debug`.
///
/// # Errors
///
/// [`TelemetryError`] for a filter that cannot be read, or a second call.
pub fn init(format: LogFormat, filter: &str) -> Result<(), TelemetryError> {
    let subscriber = subscriber(format, filter, io::stderr)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| TelemetryError::Twice)
}

/// What [`init`] installs, with another place to write to.
///
/// # Errors
///
/// [`TelemetryError::Filter`].
pub fn subscriber<W>(
    format: LogFormat,
    filter: &str,
    writer: W,
) -> Result<Box<dyn Subscriber + Send + Sync>, TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(filter).map_err(|cause| TelemetryError::Filter {
        got: filter.to_owned(),
        cause,
    })?;
    // Colours would be control characters in the files of a log collector.
    let builder = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(writer);
    Ok(match format {
        LogFormat::Text => Box::new(builder.with_env_filter(filter).finish()),
        LogFormat::Json => Box::new(
            builder
                .json()
                .flatten_event(true)
                .with_env_filter(filter)
                .finish(),
        ),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, filter: &str) -> String {
        let sink = Sink::default();
        let writer = sink.clone();
        let subscriber = subscriber(format, filter, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(slot = 7, "signed");
            tracing::debug!("hidden\u{1b}[31m");
            tracing::warn!("red\u{1b}[31m");
        });
        String::from_utf8(sink.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn json_lines_are_objects() {
        let text = logged(LogFormat::Json, "info");
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(
            (&lines[0]["message"], &lines[0]["slot"]),
            (&"signed".into(), &7.into())
        );
    }

    #[test]
    fn text_has_no_control_characters_and_obeys_the_filter() {
        let text = logged(LogFormat::Text, "info");
        assert!(text.contains("signed") && text.contains("slot=7"), "{text}");
        assert!(
            !text.contains("hidden") && !text.contains('\u{1b}'),
            "{text}"
        );
        assert_eq!(logged(LogFormat::Text, "off"), "");
    }

    #[test]
    fn bad_filter_and_format_are_named() {
        let error = subscriber(LogFormat::Text, "a=b=c", io::stderr)
            .err()
            .unwrap();
        assert!(error.to_string().contains("a=b=c"));
        assert!("xml".parse::<LogFormat>().is_err());
        assert_eq!("json".parse::<LogFormat>().unwrap(), LogFormat::Json);
    }
}
