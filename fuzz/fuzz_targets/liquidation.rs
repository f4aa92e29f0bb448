#![no_main]
libfuzzer_sys::fuzz_target!(|input: plimsoll_fuzz::liquidation::Input| plimsoll_fuzz::Target::check(input));
