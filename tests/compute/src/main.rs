//! Measures every instruction and every kernel of the engine, and writes docs/compute.md and docs/compute.json. Its test measures too, and fails where a
//! figure differs from the committed one.

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
    table::write(root()?, &measure()?)
}

fn root() -> Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("the crate has moved")
}

fn measure() -> Result<table::Table> {
    let deploy = std::env::var_os("PLIMSOLL_SO_DIR")
        .map_or_else(|| root().map(|r| r.join("target/deploy")), |d| Ok(PathBuf::from(d)))?;
    let kernels = kernels::measure(&deploy.join("risk_bench.so"))?;
    Ok(table::Table { rows: rows::measure(&deploy.join("plimsoll.so"))?, kernels })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compute_units_are_as_committed() -> Result<()> {
        table::check(root()?, &measure()?)
    }
}
