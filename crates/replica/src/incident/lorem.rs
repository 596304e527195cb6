//! Words that say nothing, and names of nobody.

use crate::random::Random;

const WORDS: &[&str] = &[
    "lorem",
    "ipsum",
    "dolor",
    "sit",
    "amet",
    "consectetur",
    "adipiscing",
    "elit",
    "sed",
    "do",
    "eiusmod",
    "tempor",
    "incididunt",
    "ut",
    "labore",
    "et",
    "dolore",
    "magna",
    "aliqua",
    "enim",
    "minim",
    "veniam",
    "quis",
    "nostrud",
    "ullamco",
    "laboris",
    "nisi",
    "aliquip",
    "commodo",
];
const FIRST: &[&str] = &[
    "Ada", "Ben", "Cleo", "Dina", "Emil", "Fay", "Gus", "Hana", "Ivo", "June", "Kofi", "Lena",
    "Milo", "Nora", "Otto", "Pia", "Quin", "Rosa", "Sven",
];
const LAST: &[&str] = &[
    "Abel", "Birch", "Cole", "Dahl", "Eder", "Frost", "Gale", "Hill", "Ives", "Jung", "Kern",
    "Lund", "Marsh", "North", "Oaks", "Pine", "Reed", "Stone", "Vale",
];

/// A sentence of `count` words.
pub(super) fn sentence(random: &mut Random, count: usize) -> String {
    let words: Vec<&str> = (0..count).map(|_| random.pick(WORDS)).collect();
    words.join(" ")
}

/// A text of `lines` lines.
pub(super) fn text(random: &mut Random, lines: usize) -> String {
    (0..lines).map(|_| sentence(random, 11) + ".\n").collect()
}

/// The name of the person of that number: another for each below 361.
pub(super) fn person(number: usize) -> String {
    let first = FIRST.iter().cycle().nth(number).copied().unwrap_or_default();
    let last = LAST
        .iter()
        .cycle()
        .nth(number.checked_div(FIRST.len()).unwrap_or(0))
        .copied()
        .unwrap_or_default();
    format!("{first} {last}")
}
