//! The demonstration as a user runs it, on the program that `make program` built.

use std::{path::Path, process::Command};

#[test]
fn the_demonstration_liquidates_and_every_check_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    assert!(root.join("target/deploy/plimsoll.so").exists(), "build the program first: make program");
    let output = Command::new(env!("CARGO_BIN_EXE_plimsoll")).arg("demo").current_dir(root).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stderr}\n{stdout}");
    for part in ["Before: ", "After: ", "took over", "netting saves", "INV-1", "INV-2", "INV-3", "INV-7", "checks hold"]
    {
        assert!(stdout.contains(part), "{part} is missing in\n{stdout}");
    }
    assert!(!stdout.contains("BROKEN"));
    // Every instruction of the main job was called and measured: the first ones, up to `liquidate`.
    for tag in 0..=plimsoll_client::interface::instruction::tag::LIQUIDATE {
        let name = plimsoll_client::instruction::name(&[tag]).expect("tags of the main job have no gaps");
        assert!(stdout.contains(&format!("│ {name} ")), "{name} was not called");
    }
}
