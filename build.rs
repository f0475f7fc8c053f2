//! Has a release build made anew when the pages that it embeds were.

fn main() {
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    // A dev build reads the pages from disk, and need not be made anew for them.
    let what = if is_release { "web/dist" } else { "build.rs" };
    println!("cargo::rerun-if-changed={what}");
}
