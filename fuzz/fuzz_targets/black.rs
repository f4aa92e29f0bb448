#![no_main]
libfuzzer_sys::fuzz_target!(|input: plimsoll_fuzz::black::Input| plimsoll_fuzz::Target::check(input));
