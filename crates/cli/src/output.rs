//! Lines on stdout. A reader that went away ends the command, quietly.

use std::{
    fmt::Arguments,
    io::{self, Write},
};

use anyhow::Result;

/// Writes a line to stdout, at once. Fails where nobody reads it any more.
macro_rules! say {
    ($($part:tt)*) => { $crate::output::line(format_args!($($part)*))? };
}
pub(crate) use say;

/// See [`say`].
pub fn line(text: Arguments<'_>) -> Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}")?;
    Ok(stdout.flush()?)
}

/// Whether an error is that nobody reads stdout any more.
pub fn is_closed(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
