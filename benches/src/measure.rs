//! Wall time, CPU time and memory of one piece of work. Machines are shared: CPU time is what
//! runs are compared by.

use std::time::Instant;

/// What one piece of work cost.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Seconds on the wall.
    pub wall_seconds: f64,
    /// Seconds of CPU, user and system, of the whole process meanwhile.
    pub cpu_seconds: f64,
    /// The most memory the process ever held, in bytes.
    pub peak_bytes: u64,
}

/// Runs `work` and measures it.
pub fn measured<T>(work: impl FnOnce() -> T) -> (T, Measured) {
    let (before, started) = (cpu_seconds(), Instant::now());
    let result = work();
    let wall_seconds = started.elapsed().as_secs_f64();
    let cpu_seconds = cpu_seconds() - before;
    (result, Measured { wall_seconds, cpu_seconds, peak_bytes: peak_bytes() })
}

/// User and system time of the process, from `/proc`, in ticks of a hundredth of a second.
pub fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in brackets may hold spaces; the fields after it do not.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok());
    (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / 100.0
}

/// What a program that was started here cost.
#[derive(Debug, Clone, Copy, Default)]
pub struct Child {
    /// CPU seconds in user mode.
    pub user_seconds: f64,
    /// CPU seconds in the kernel.
    pub system_seconds: f64,
    /// Seconds on the wall.
    pub wall_seconds: f64,
    /// The most memory it was seen to hold, in bytes.
    pub peak_bytes: u64,
    /// Its exit code.
    pub code: Option<i32>,
}

/// Runs a program to its end; its memory is looked at twenty times a second.
pub fn child(command: &mut std::process::Command) -> std::io::Result<Child> {
    let (before, started) = (children(), Instant::now());
    let mut running = command.spawn()?;
    let status = format!("/proc/{}/status", running.id());
    let mut peak = 0;
    let code = loop {
        peak = peak.max(peak_of(&status));
        if let Some(ended) = running.try_wait()? {
            break ended.code();
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    let after = children();
    Ok(Child {
        user_seconds: after.0 - before.0,
        system_seconds: after.1 - before.1,
        wall_seconds: started.elapsed().as_secs_f64(),
        peak_bytes: peak,
        code,
    })
}

/// User and system time of the children that have ended.
fn children() -> (f64, f64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok());
    (ticks(13).unwrap_or(0.0) / 100.0, ticks(14).unwrap_or(0.0) / 100.0)
}

fn peak_bytes() -> u64 {
    peak_of("/proc/self/status")
}

fn peak_of(status: &str) -> u64 {
    let status = std::fs::read_to_string(status).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or("");
    let kilobytes: u64 =
        line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).unwrap_or(0);
    kilobytes.saturating_mul(1024)
}
