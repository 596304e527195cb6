//! Progress on standard error, when it is a terminal.

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use lidless_engine::Progress;
use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Runs `work` and shows how far it is, several times a second.
pub(crate) fn shown<T: Send>(
    quiet: bool,
    progress: &Progress,
    work: impl FnOnce() -> T + Send,
) -> T {
    if quiet || !std::io::stderr().is_terminal() {
        return work();
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
        bar.set_style(style);
    }
    let done = AtomicBool::new(false);
    let started = Instant::now();
    let result = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                bar.set_message(message(progress, started));
                bar.tick();
                std::thread::sleep(Duration::from_millis(120));
            }
        });
        let result = work();
        done.store(true, Ordering::Relaxed);
        result
    });
    bar.finish_and_clear();
    result
}

fn message(progress: &Progress, started: Instant) -> String {
    let now = progress.snapshot();
    let mut parts = vec![now.phase.clone()];
    if now.objects > 0 {
        let seconds = started.elapsed().as_secs().max(1);
        let rate = now.objects.checked_div(seconds).unwrap_or(0);
        parts.push(format!("{} containers", HumanCount(now.containers)));
        parts.push(format!("{} objects ({}/s)", HumanCount(now.objects), HumanCount(rate)));
        parts.push(format!("{}", HumanBytes(now.bytes_listed)));
        parts.push(format!("{} looked into", HumanCount(now.inspected)));
    } else {
        parts.push(format!("{} entries", HumanCount(now.entries)));
    }
    parts.push(format!("{} findings", HumanCount(now.findings)));
    // Phases name targets, which others wrote.
    parts.join(" · ").chars().filter(|c| !c.is_control()).collect()
}
