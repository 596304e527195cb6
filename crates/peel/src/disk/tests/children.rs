//! Differencing disks and a log, built by hand.
