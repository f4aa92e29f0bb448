//! `write` measures every instruction and writes docs/compute.md and docs/compute.json; `check` measures and fails where
//! a figure differs from the committed one.

mod rows;
mod table;
mod world;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compute: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let mode = std::env::args().nth(1).unwrap_or_default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("the crate has moved")?;
    let deploy = std::env::var_os("PLIMSOLL_SO_DIR").map_or_else(|| root.join("target/deploy"), PathBuf::from);
    match mode.as_str() {
        "write" => table::write(root, &rows::measure(&deploy.join("plimsoll.so"))?),
        "check" => table::check(root, &rows::measure(&deploy.join("plimsoll.so"))?),
        _ => bail!("say `write` to regenerate the table or `check` to compare with it"),
    }
}
