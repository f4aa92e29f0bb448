//! Writes the JavaScript module, its types and the WebAssembly of a crate that uses wasm-bindgen.
//!
//! usage: plimsoll-bindgen INPUT.wasm FOLDER

use std::process::ExitCode;

use anyhow::{Result, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bindgen: failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let [input, folder] = arguments else { bail!("usage: plimsoll-bindgen INPUT.wasm FOLDER") };
    // The target that browsers and node both import, with the module's bytes or address given by the caller.
    let mut bindgen = Bindgen::new();
    bindgen.input_path(input).web(true)?.typescript(true).omit_default_module_path(true);
    // Names of functions and of compilers: a third of the size, for nobody.
    bindgen.remove_name_section(true).remove_producers_section(true).generate(folder)
}
