//! Measures every instruction and every kernel of the engine, and writes docs/compute.md and docs/compute.json. Its test measures too, and fails where a
//! figure differs from the committed one.
//!
//! `cargo run -p plimsoll-compute -- kernels [TEXT]` only prints what the kernels cost whose name contains the text, and on
//! which operands the most; `-- instructions [TEXT]` what the instructions cost whose key contains it.

mod kernels;
mod rows;
mod table;
mod world;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};

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
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        None => table::write(root()?, &measure()?),
        Some("kernels") => {
            kernels::print(&kernels::measure(&program("risk_bench")?, &arguments.next().unwrap_or_default())?);
            Ok(())
        }
        Some("instructions") => {
            rows::print(&rows::measure(&program("plimsoll")?)?, &arguments.next().unwrap_or_default());
            Ok(())
        }
        Some(other) => anyhow::bail!("{other} is neither `kernels` nor `instructions` nor nothing"),
    }
}

fn root() -> Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("the crate has moved")
}

fn program(name: &str) -> Result<PathBuf> {
    let deploy = std::env::var_os("PLIMSOLL_SO_DIR")
        .map_or_else(|| root().map(|r| r.join("target/deploy")), |d| Ok(PathBuf::from(d)))?;
    Ok(deploy.join(name).with_extension("so"))
}

fn measure() -> Result<table::Table> {
    let kernels = kernels::measure(&program("risk_bench")?, "")?;
    Ok(table::Table { rows: rows::measure(&program("plimsoll")?)?, kernels })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compute_units_are_as_committed() -> Result<()> {
        table::check(root()?, &measure()?)
    }
}
