//! Reports: human, JSON, JSON Lines, SARIF, HTML.
#![cfg_attr(
    test,
    allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation)
)]
