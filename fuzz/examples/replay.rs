//! Checks inputs of one target, on stable and without libFuzzer: `replay TARGET FILE...`. With DEBUG set, prints how each
//! is read.
use std::{env, fs, process::ExitCode};

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let Some((_, replay)) = plimsoll_fuzz::TARGETS.into_iter().find(|(target, _)| *target == name) else {
        eprintln!("usage: replay TARGET FILE...");
        return ExitCode::FAILURE;
    };
    for path in arguments {
        match fs::read(&path) {
            Ok(data) => replay(&data),
            Err(error) => {
                eprintln!("{path}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
