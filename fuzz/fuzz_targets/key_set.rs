#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| glassine_fuzz::properties::key_set(data));
