//! Model files: what loading them would do, worked out without loading them.
