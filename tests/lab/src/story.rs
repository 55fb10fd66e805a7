//! What a person sees: a line for each thing that happened, with the time.

use std::io::{self, Write};
use std::time::Instant;

/// Where the story goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Standard output.
    People,
    /// Standard error: standard output is for a script.
    Script,
    /// Nobody.
    Nobody,
}

/// A story with a clock that runs from its beginning.
#[derive(Debug, Clone, Copy)]
pub struct Story {
    audience: Audience,
    started: Instant,
}

impl Story {
    /// Begins.
    #[must_use]
    pub fn begin(audience: Audience) -> Self {
        Self {
            audience,
            started: Instant::now(),
        }
    }

    /// Seconds since the beginning, to a hundredth.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        rounded(self.started.elapsed().as_secs_f64())
    }

    /// Something happened.
    pub fn tell(&self, text: impl AsRef<str>) {
        self.line(&format!("{:6.2} s  {}", self.seconds(), text.as_ref()));
    }

    /// More about what happened.
    pub fn detail(&self, text: impl AsRef<str>) {
        self.line(&format!("          {}", text.as_ref()));
    }

    /// A line without a time.
    pub fn line(&self, text: &str) {
        // A story whose reader has gone ends in silence; what it tells of goes on.
        match self.audience {
            Audience::People => writeln!(io::stdout().lock(), "{text}").ok(),
            Audience::Script => writeln!(io::stderr().lock(), "{text}").ok(),
            Audience::Nobody => None,
        };
    }
}

/// To a hundredth.
#[must_use]
pub fn rounded(seconds: f64) -> f64 {
    (seconds * 100.0).round() / 100.0
}
