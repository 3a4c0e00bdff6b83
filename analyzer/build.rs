//! What static programs have to be linked with.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // mimalloc counts bits by a function of the C compiler's own library, which
    // programs of this C library are not linked with.
    if std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "musl") {
        println!("cargo:rustc-link-arg-bins=-lgcc");
    }
}
