//! Saying why something could not be done.

use std::process::ExitCode;

/// The exit code when nothing could be done.
pub(crate) const COULD_NOT_RUN: u8 = 2;

/// Prints an error with its causes and gives the exit code 2. A reader that went away (a closed
/// pipe) is no error.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    let broken_pipe = error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    });
    if broken_pipe {
        return ExitCode::SUCCESS;
    }
    let mut message = String::new();
    for (depth, cause) in error.chain().enumerate() {
        let text = cause.to_string();
        if depth > 0 && message.contains(&text) {
            continue;
        }
        if depth > 0 {
            message.push_str(": ");
        }
        message.push_str(&text);
    }
    anstream::eprintln!("lidless: {message}");
    ExitCode::from(COULD_NOT_RUN)
}
