//! Running the built binary as a user would.

use serde_json::Value;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// What one run of the program gave.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code; -1 when it was killed.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// Standard output as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {} {}", self.out, self.err))
    }
}

/// The binary beside the test binaries.
///
/// # Panics
/// When it was not built: `cargo build --workspace` makes it.
#[must_use]
pub fn lidless() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let folder = test.ancestors().nth(2).expect("tests lie in target/PROFILE/deps");
    let binary = folder.join("lidless");
    assert!(binary.exists(), "{} is missing: cargo build --workspace", binary.display());
    binary
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(lidless());
    command.args(arguments).env_remove("NO_COLOR").stdin(Stdio::null());
    command
}

/// Runs the program to its end.
///
/// # Panics
/// When it cannot be started.
#[must_use]
pub fn run(arguments: &[&str]) -> Ran {
    run_with(&[], arguments)
}

/// The same with these variables in its environment.
///
/// # Panics
/// When it cannot be started.
#[must_use]
pub fn run_with(variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let mut command = command(arguments);
    let output = command.envs(variables.iter().copied()).output().expect("the binary starts");
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Starts the program and leaves it running.
///
/// # Panics
/// When it cannot be started.
#[must_use]
pub fn spawn(arguments: &[&str]) -> Child {
    let quiet = || Stdio::null();
    command(arguments).stdout(quiet()).stderr(quiet()).spawn().expect("the binary starts")
}
