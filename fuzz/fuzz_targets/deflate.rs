#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| glassine_fuzz::properties::deflate(data));
