//! What goes to the screen.

use std::io::Write as _;

use serde::Serialize;

/// How a reading command answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Sentences and tables.
    Text,
    /// One JSON document.
    Json,
}

/// Prints `value` as JSON, or what `text` makes of it. A closed pipe ends the output, not the
/// command.
pub(crate) fn show<T: Serialize>(
    format: Format,
    value: &T,
    text: impl FnOnce(&T) -> String,
) -> anyhow::Result<()> {
    let mut line = match format {
        Format::Json => serde_json::to_string_pretty(value)?,
        Format::Text => text(value),
    };
    if !line.ends_with('\n') {
        line.push('\n');
    }
    print(&line)
}

/// Writes to standard output.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// A line for the person who waits, on standard error.
pub(crate) fn note(text: &str) {
    let mut line = text.to_owned();
    line.push('\n');
    // Nobody is left to be told when standard error is closed.
    std::io::stderr().lock().write_all(line.as_bytes()).ok();
}

/// An error with the chain of its causes.
pub(crate) fn error(error: &anyhow::Error) {
    let mut text = format!("error: {error}");
    let mut said = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !said.contains(&cause) {
            text.push_str("\n  because: ");
            text.push_str(&cause);
        }
        said = cause;
    }
    note(&text);
}
