//! Writes the program's IDL, or checks that a written one is what the sources give.
//!
//! usage: plimsoll-idl [--check] FILE
//!
//! Anchor's builder runs tests that the derives generate and that print. Instructions and accounts are printed by the
//! program's crate, events and errors by the interface's, so the tests of both are run.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anchor_lang_idl::{build::IdlBuilder, types::Idl};
use anyhow::{Context, Result, bail};
use plimsoll_interface::ID;
use serde_json::Value;

const CRATES: [&str; 5] = ["-p", "plimsoll", "-p", "plimsoll-interface", "--lib"];

fn main() -> ExitCode {
    // Under `cargo run` rustup names its toolchain in the environment. Anchor's builder takes that for an order to install it
    // anew, which updates the machine's: so the work is done by a copy of this program that does not see the name, with the
    // same toolchain first on its path.
    if std::env::var_os("RUSTUP_TOOLCHAIN").is_some() {
        return outside_rustup();
    }
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("idl: failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn outside_rustup() -> ExitCode {
    let cargo = std::env::var_os("CARGO").map(PathBuf::from);
    let own = cargo.as_deref().and_then(Path::parent).map(Path::to_path_buf);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let ended = std::env::join_paths(own.into_iter().chain(std::env::split_paths(&path)))
        .map_err(anyhow::Error::from)
        .and_then(|path| {
            let mut copy = Command::new(std::env::current_exe()?);
            copy.args(std::env::args_os().skip(1)).env_remove("RUSTUP_TOOLCHAIN").env("PATH", path);
            Ok(copy.status()?)
        });
    match ended {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("idl: failed: cannot start itself: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Vec<String>) -> Result<()> {
    let (check, file) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--check", file] if !file.starts_with('-') => (true, PathBuf::from(file)),
        [file] if !file.starts_with('-') => (false, PathBuf::from(file)),
        _ => bail!("usage: plimsoll-idl [--check] FILE"),
    };
    let text = format!("{}\n", serde_json::to_string_pretty(&readable(serde_json::to_value(build()?)?))?);
    if !check {
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        return Ok(());
    }
    let written = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    if written != text {
        bail!("{} is not what the sources give: run make idl", file.display());
    }
    Ok(())
}

/// The IDL, with the parts of it that no derive prints.
fn build() -> Result<Idl> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programs/plimsoll");
    let builder = IdlBuilder::new().program_path(program).skip_lint(true);
    let mut idl = builder.cargo_args(CRATES.map(String::from).to_vec()).build()?;
    // The builder forgets it when a second crate's tests end.
    idl.address = ID.to_string();
    for (what, count) in [
        ("instructions", idl.instructions.len()),
        ("accounts", idl.accounts.len()),
        ("events", idl.events.len()),
        ("errors", idl.errors.len()),
    ] {
        if count == 0 {
            bail!("Anchor's builder found no {what}: is the interface's feature idl-build broken?");
        }
    }
    Ok(idl)
}

/// The same with the documentation as plain text: links of Rust's documentation lead nowhere here.
fn readable(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let field = |(name, value): (String, Value)| match name.as_str() {
                "docs" => (name, plain(value)),
                _ => (name, readable(value)),
            };
            Value::Object(fields.into_iter().map(field).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(readable).collect()),
        other => other,
    }
}

/// Lines of documentation without the brackets of links.
fn plain(docs: Value) -> Value {
    let line = |value: Value| match value {
        Value::String(text) => Value::String(text.replace("[`", "`").replace("`]", "`").replace("crate::", "")),
        other => other,
    };
    match docs {
        Value::Array(lines) => Value::Array(lines.into_iter().map(line).collect()),
        other => other,
    }
}
