//! Deterministic numbers: the same seed gives the same bytes on every machine.

/// SplitMix64 (Steele, Lea, Flood 2014): one multiply-xor chain a word, any word without the ones
/// before it. Not for anything secret.
pub(crate) fn word(seed: u64, index: u64) -> u64 {
    let mut z = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A hash of `text` that starts a stream of its own for each name.
pub(crate) fn seed_of(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A stream of numbers from one seed.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    seed: u64,
    index: u64,
}

const BASE62: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

impl Random {
    /// A stream named by `text`: equal names, equal streams.
    pub(crate) fn named(text: &str) -> Self {
        Self { seed: seed_of(text), index: 0 }
    }

    /// The next word.
    pub(crate) fn next(&mut self) -> u64 {
        let value = word(self.seed, self.index);
        self.index = self.index.wrapping_add(1);
        value
    }

    /// A number below `limit`; zero when `limit` is zero.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next().checked_rem(limit).unwrap_or(0)
    }

    /// One of `choices`.
    pub(crate) fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        let limit = u64::try_from(choices.len()).unwrap_or(u64::MAX);
        let chosen = usize::try_from(self.below(limit)).unwrap_or(0);
        choices.get(chosen).copied().unwrap_or_default()
    }

    /// `length` characters of `alphabet`, which is ASCII.
    pub(crate) fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        let limit = u64::try_from(alphabet.len()).unwrap_or(u64::MAX);
        (0..length)
            .filter_map(|_| {
                let chosen = usize::try_from(self.below(limit)).ok()?;
                alphabet.get(chosen).copied().map(char::from)
            })
            .collect()
    }

    /// `length` letters and digits.
    pub(crate) fn base62(&mut self, length: usize) -> String {
        self.text(BASE62, length)
    }

    /// `length` lower-case hexadecimal digits.
    pub(crate) fn hex(&mut self, length: usize) -> String {
        self.text(b"0123456789abcdef", length)
    }

    /// `length` bytes.
    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }

    /// A random (version 4) UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let digits = self.hex(30);
        let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default().to_owned();
        format!(
            "{}-{}-4{}-a{}-{}",
            part(0, 8),
            part(8, 12),
            part(12, 15),
            part(15, 18),
            part(18, 30)
        )
    }
}
