//! The binary: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    match cspm_relay::cli::run(std::env::args_os()) {
        Ok(exit) => exit.into(),
        Err(error) => cspm_relay::cli::exit::explain(&error),
    }
}
