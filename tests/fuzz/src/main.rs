//! `make fuzz-exchange`: random walks through the whole exchange.

use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser;

/// Random walks through the whole exchange, in the virtual machine.
#[derive(Parser)]
struct Arguments {
    /// Seed of the first walk; the next ones count on.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many actions, in walks of 2,000.
    #[arg(long, default_value_t = 100_000)]
    actions: u64,
    /// Threads.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=64))]
    threads: u64,
    /// The program.
    #[arg(long, default_value = "target/deploy/plimsoll.so")]
    program: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // A broken promise is told once, with its seed.
    std::panic::set_hook(Box::new(|_| {}));
    let progress = io::stderr().is_terminal();
    let told = |done| {
        if progress {
            eprint!("\r{done} of {} actions", arguments.actions);
            // A progress line that is not shown is none.
            let _ = io::stderr().flush();
        }
    };
    let run =
        plimsoll_exchange_fuzz::run(&arguments.program, arguments.seed, arguments.actions, arguments.threads, told);
    if progress {
        eprintln!();
    }
    match run {
        Ok(coverage) => {
            println!("seeds from {}\n{coverage}", arguments.seed);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
