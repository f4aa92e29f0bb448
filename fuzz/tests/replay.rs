//! Inputs that once broke a target hold now: `regressions/<target>/`, without libFuzzer and on stable.
use std::fs;
use std::path::Path;

#[test]
fn regressions_hold() {
    for (name, replay) in plimsoll_fuzz::TARGETS {
        let Ok(files) = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions").join(name)) else {
            continue;
        };
        for file in files {
            let path = file.expect("a file").path();
            println!("{}", path.display());
            replay(&fs::read(&path).expect("readable"));
        }
    }
}

/// Each target's assertions hold of inputs of plain noise: a smoke test of the targets themselves.
#[test]
fn noise_holds() {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for (name, replay) in plimsoll_fuzz::TARGETS {
        println!("{name}");
        for length in (0..2_000).map(|round| round % 500 * 4) {
            let noise: Vec<u8> = (0..length)
                .map(|_| {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    (state >> 32) as u8
                })
                .collect();
            replay(&noise);
        }
    }
}
