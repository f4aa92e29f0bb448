//! `plimsoll completions`: scripts for shells.

use std::io;

use anyhow::Result;
use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use crate::cli::Cli;

/// Which shell.
#[derive(Args)]
pub struct Options {
    /// The shell.
    shell: Shell,
}

/// Writes the script to stdout.
pub fn run(options: &Options) -> Result<()> {
    let mut script = Vec::new();
    generate(options.shell, &mut Cli::command(), "plimsoll", &mut script);
    io::Write::write_all(&mut io::stdout().lock(), &script)?;
    Ok(())
}
