//! Progress of long work: on stderr, and only where a person looks at it.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A line that says what is being done, and disappears.
pub struct Progress(ProgressBar);

impl Progress {
    /// Work of unknown length.
    pub fn spinner(text: &str) -> Self {
        // Hidden by itself unless stderr is a terminal.
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(Duration::from_millis(100));
        bar.set_message(text.to_string());
        Self(bar)
    }

    /// Work of so many parts.
    pub fn of(length: usize, text: &str) -> Self {
        let bar = ProgressBar::new(length.try_into().unwrap_or(u64::MAX));
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        bar.set_message(text.to_string());
        Self(bar)
    }

    /// What is being done now.
    pub fn say(&self, text: &str) {
        self.0.set_message(text.to_string());
    }

    /// One part is done.
    pub fn step(&self) {
        self.0.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
