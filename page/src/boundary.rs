//! How JavaScript calls this: memory is reserved here, filled there, worked on, and the
//! answer is read where it lies. Plain exported functions instead of `wasm-bindgen`: two
//! numbers go in and out, and neither its program nor its glue is needed (`docs/page.md`).
//!
//! The lint counts the attributes of exported functions; no memory is touched here that
//! is not a `Vec`'s own.
#![allow(unsafe_code, reason = "attributes of functions that JavaScript calls")]

use crate::ask::{Answer, Request};
use crate::work::work;
use std::sync::Mutex;

/// Contents of files, then the request.
static INPUT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
/// The answer, then the bundle.
static OUTPUT: Mutex<[Vec<u8>; 2]> = Mutex::new([Vec::new(), Vec::new()]);

/// Room for one more input of so many bytes: where it is.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn reserve(bytes: usize) -> *mut u8 {
    let Ok(mut input) = INPUT.lock() else { return std::ptr::null_mut() };
    let mut room = Vec::new();
    if room.try_reserve_exact(bytes).is_err() {
        return std::ptr::null_mut();
    }
    room.resize(bytes, 0);
    input.push(room);
    input.last_mut().map_or(std::ptr::null_mut(), |last| last.as_mut_ptr())
}

/// Works on what was put in; the last of it is the request.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn run() {
    let mut files = INPUT.lock().map(|mut input| std::mem::take(&mut *input)).unwrap_or_default();
    let request = files.pop().unwrap_or_default();
    let (answer, zip) = match serde_json::from_slice::<Request>(&request) {
        Ok(request) => work(&request, files),
        Err(error) => (
            Answer {
                problem: Some(format!("the page asks wrongly: {error}")),
                ..Answer::default()
            },
            Vec::new(),
        ),
    };
    if let Ok(mut output) = OUTPUT.lock() {
        *output = [serde_json::to_vec(&answer).unwrap_or_default(), zip];
    }
}

/// Where the answer (0) or the bundle (1) is.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn output(which: usize) -> *const u8 {
    OUTPUT
        .lock()
        .ok()
        .and_then(|all| all.get(which).map(|one| one.as_ptr()))
        .unwrap_or(std::ptr::null())
}

/// How long it is.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn output_len(which: usize) -> usize {
    OUTPUT.lock().ok().and_then(|all| all.get(which).map(Vec::len)).unwrap_or_default()
}

/// What age would draw keys from. Nothing is encrypted here: whoever asks is refused.
fn no_randomness(_: &mut [u8]) -> Result<(), getrandom::Error> {
    Err(getrandom::Error::UNSUPPORTED)
}

getrandom::register_custom_getrandom!(no_randomness);
