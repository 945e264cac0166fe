//! Benchmarks: the cost of each stage and of the whole path.
fn main() {}
