//! The lidless command line: what was typed becomes what it means, once.

mod args;
mod commands;
mod decisions;
mod failure;
mod history;
mod input;
mod output;
mod own_keys;
mod own_rules;
mod progress;
mod request;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match args::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are answers, everything else is a mistake: exit code 2.
            let code = if error.use_stderr() { failure::COULD_NOT_RUN } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    output::logs(arguments.verbose);
    match commands::run(&arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) => failure::report(&error),
    }
}
