//! The templates are compiled in; cargo is told to look at their folder.

fn main() {
    println!("cargo:rerun-if-changed=../templates");
    println!("cargo:rerun-if-changed=../templates/section");
}
