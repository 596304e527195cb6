//! Where results and logs go.

use anyhow::{Context as _, Result};
use lidless_report::Style;
use std::io::{IsTerminal as _, Write};
use std::path::Path;

/// Hands a writer to `write`: the file, or standard output.
pub(crate) fn to(
    path: Option<&Path>,
    write: impl FnOnce(&mut dyn Write, &Style) -> std::io::Result<()>,
) -> Result<()> {
    match path {
        Some(path) => {
            let shown = path.display();
            let file =
                std::fs::File::create(path).with_context(|| format!("cannot write {shown}"))?;
            let mut writer = std::io::BufWriter::new(file);
            let style = Style { colour: false, width: 80 };
            write(&mut writer, &style).with_context(|| format!("cannot write {shown}"))?;
            writer.flush().with_context(|| format!("cannot write {shown}"))?;
        }
        None => {
            let stdout = std::io::stdout();
            let colour = stdout.is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
            let mut writer = std::io::BufWriter::new(stdout.lock());
            let style = Style { colour, width: 80 };
            write(&mut writer, &style)?;
            writer.flush()?;
        }
    }
    Ok(())
}

/// Sends logs to standard error: `-v` what an operator acts on, `-vv` why things were skipped.
pub(crate) fn logs(verbose: u8) {
    use tracing_subscriber::filter::LevelFilter;
    let level = match verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(LevelFilter::ERROR.into())
        .parse_lossy(format!("lidless={level}"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .without_time()
        .init();
}
