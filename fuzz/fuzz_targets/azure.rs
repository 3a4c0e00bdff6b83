#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wss_fuzz::targets::azure(data));
