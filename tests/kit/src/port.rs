//! Ports for servers that are told on which one to listen.
//!
//! Between choosing a port and listening on it time passes, and three things took ports that the
//! system had called free: another test that chose the same, a test's server that listens on
//! whatever the system gives, and outgoing connections, one of which may even reach itself on a
//! loopback port that nobody listens on. The first two answered in place of the server; all three
//! kept it from starting. So ports are taken from below those that the system gives by itself, and
//! held by a locked file among the tests of this machine until the server has stopped.

use std::fs::File;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// A port that no other test takes while this value lives.
#[derive(Debug)]
pub struct Port {
    number: u16,
    /// Locked, which ends with the process.
    _hold: File,
}

/// Below those, services of the machine listen.
const FIRST: u16 = 20_000;
/// The first port that the system gives by itself, where it does not say.
const USUAL: u16 = 32_768;

impl Port {
    /// Takes one that nobody listens on.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn take() -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let end = given_from();
        let first = FIRST.min(end / 2);
        let count = end - first;
        // Processes begin at different places, so that they seldom try the same.
        let begin = std::process::id() as u16;
        for _ in 0..count {
            let turn = NEXT.fetch_add(1, Ordering::Relaxed);
            let number = first + begin.wrapping_mul(61).wrapping_add(turn) % count;
            let Some(hold) = hold(number) else { continue };
            if TcpListener::bind(("127.0.0.1", number)).is_ok() {
                return Self { number, _hold: hold };
            }
        }
        panic!("no port between {first} and {end} is free");
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }
}

/// The right to a port among the tests of this machine; none when another has it.
fn hold(number: u16) -> Option<File> {
    let name = std::env::temp_dir().join(format!("lidless-test-port-{number}"));
    let file = File::options().create(true).truncate(false).write(true).open(name).ok()?;
    file.try_lock().is_ok().then_some(file)
}

/// The first of the ports that the system gives by itself.
fn given_from() -> u16 {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let first = range.ok().and_then(|text| text.split_whitespace().next()?.parse().ok());
    first.filter(|first| *first > 2048).unwrap_or(USUAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_ports_are_never_the_same_and_none_is_what_the_system_gives() {
        let taken: Vec<Port> = (0..50).map(|_| Port::take()).collect();
        let mut numbers: Vec<u16> = taken.iter().map(Port::number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 50);
        assert!(numbers.iter().all(|number| *number < given_from()));
    }

    #[test]
    fn a_port_that_is_held_or_listened_on_is_passed_over() {
        let held = Port::take();
        let number = held.number();
        assert!(hold(number).is_none());
        drop(held);
        assert!(hold(number).is_some());
        let _listener = TcpListener::bind(("127.0.0.1", number)).unwrap();
        assert!((0..200).all(|_| Port::take().number() != number));
    }
}
