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

fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or("");
    let kilobytes: u64 =
        line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).unwrap_or(0);
    kilobytes.saturating_mul(1024)
}
