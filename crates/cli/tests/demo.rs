//! The demonstration as a user runs it, on the program that `make program` built.

use std::{path::Path, process::Command};

use plimsoll_client::interface::instruction::tag;

#[test]
fn the_demonstration_liquidates_and_every_check_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    assert!(root.join("target/deploy/plimsoll.so").exists(), "build the program first: make program");
    let output = Command::new(env!("CARGO_BIN_EXE_plimsoll")).arg("demo").current_dir(root).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stderr}\n{stdout}");
    for part in [
        "Before: ",
        "After the crash: ",
        "After the expiry: ",
        "took over",
        "the insurance paid",
        "the board settles at",
        "netting saves",
        "INV-1 ",
        "INV-2 ",
        "INV-3 ",
        "INV-6 ",
        "INV-7 ",
        "INV-10",
        "INV-12",
        "INV-13",
        "checks hold",
    ] {
        assert!(stdout.contains(part), "{part} is missing in\n{stdout}");
    }
    assert!(!stdout.contains("BROKEN"));
    // Every instruction of the story was called and measured.
    let main_job = 0..=tag::LIQUIDATE;
    let boards_and_options = tag::CREATE_BOARD..=tag::SETTLE_OPTION;
    let pool = [tag::VALUE_HOUSE, tag::REQUEST_PROVIDE, tag::REQUEST_REDEEM, tag::EXECUTE_TICKET, tag::CANCEL_TICKET];
    let rest = [tag::CLAIM_TICKET, tag::FUND_INSURANCE, tag::SWAP];
    for tag in main_job.chain(boards_and_options).chain(pool).chain(rest) {
        // Numbers that no instruction has are left out.
        let Some(name) = plimsoll_client::instruction::name(&[tag]) else { continue };
        assert!(stdout.contains(&format!("│ {name} ")), "{name} was not called");
    }
}
