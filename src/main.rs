//! The meshscope binary.
fn main() {}
