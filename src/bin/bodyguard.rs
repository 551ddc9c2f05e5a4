//! The command line tool: the same code as the module, native.
fn main() {}
