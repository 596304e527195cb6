//! LZMS, as solid Windows images (ESD) are compressed. There is no published specification; the
//! format is as the open implementation of wimlib describes it (comments of `lzms_common.h`).
//!
//! A chunk is read from both ends in little-endian 16-bit words: a range coder from the front
//! decides what each item is, codes and extra bits come from the back, the highest bit first.
//!
//! | item | decisions | from the back |
//! | --- | --- | --- |
//! | literal | 0 | its code |
//! | match | 1 0, then: 0 a new distance, 1 one of the last three | class of the distance, class of the length, extra bits |
//! | delta match | 1 1, likewise | power of the step, class of the distance, class of the length |
//!
//! Codes adapt: each is made anew after 512 or 1,024 symbols from how often they came. At last
//! the addresses in calls of x86 programs are made relative again.

/// What a decision is made of: how many of the last 64 were zero, and those.
#[derive(Clone, Copy)]
struct Chance {
    zeros: u32,
    recent: u64,
}

const CHANCE: Chance = Chance { zeros: 48, recent: 0x5555_5555 };

/// A kind of decision: its chances by the last decisions of that kind.
struct Decision {
    chances: Vec<Chance>,
    state: usize,
}

impl Decision {
    fn new(states: usize) -> Self {
        Self { chances: vec![CHANCE; states], state: 0 }
    }
}

/// Runs of classes of distances, each run with steps twice as large as the one before.
const OFFSET_RUNS: [u8; 21] =
    [9, 0, 9, 7, 10, 15, 15, 20, 20, 30, 33, 40, 42, 45, 60, 73, 80, 85, 95, 105, 6];
const LENGTH_RUNS: [u8; 17] = [27, 4, 6, 4, 5, 2, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1];
const LAST_OFFSET: u32 = 0x7fff_ffff;
const LAST_LENGTH: u32 = 0x4001_08ab;
/// The longest code.
const LONGEST: usize = 15;

/// For each class its first value and how many extra bits it has.
fn classes(runs: &[u8], last: u32) -> Vec<(u32, u32)> {
    let (mut bases, mut base, mut step) = (Vec::new(), 0u32, 1u32);
    for run in runs {
        for _ in 0..*run {
            base = base.saturating_add(step);
            bases.push(base);
        }
        step = step.wrapping_shl(1);
    }
    let ends: Vec<u32> = bases.iter().skip(1).copied().chain([last]).collect();
    let pairs = bases.into_iter().zip(ends);
    pairs.map(|(base, end)| (base, end.saturating_sub(base).max(1).ilog2())).collect()
}

/// A code that adapts.
struct Code {
    frequencies: Vec<u32>,
    /// Symbols until it is made anew, and how many that is each time.
    left: u32,
    every: u32,
    /// How many codes there are of each length, and the symbols in their order.
    counts: [u32; LONGEST + 1],
    symbols: Vec<u16>,
}

impl Code {
    fn new(symbols: usize, every: u32) -> Self {
        let mut code = Self {
            frequencies: vec![1; symbols],
            left: every,
            every,
            counts: [0; LONGEST + 1],
            symbols: Vec::new(),
        };
        code.build();
        code
    }

    /// Makes the code for the frequencies: Huffman's lengths, no longer than 15 bits.
    fn build(&mut self) {
        self.left = self.every;
        let mut order: Vec<(u32, u16)> =
            self.frequencies.iter().zip(0u16..).map(|(often, symbol)| (*often, symbol)).collect();
        order.sort_unstable();
        let counts = lengths(&order);
        // The rarest symbols get the longest codes; codes of one length go by symbol.
        let mut by_length: Vec<(usize, u16)> = Vec::with_capacity(order.len());
        let mut rarest = order.iter();
        for (length, count) in counts.iter().enumerate().rev() {
            for _ in 0..*count {
                by_length.extend(rarest.next().map(|(_, symbol)| (length, *symbol)));
            }
        }
        by_length.sort_unstable();
        self.symbols = by_length.into_iter().map(|(_, symbol)| symbol).collect();
        self.counts = counts;
    }

    fn decode(&mut self, bits: &mut Back<'_>) -> Option<usize> {
        let (mut code, mut first, mut index) = (0u32, 0u32, 0u32);
        for count in self.counts.iter().skip(1) {
            code |= bits.take(1);
            if code < first.wrapping_add(*count) {
                let place = index.checked_add(code.checked_sub(first)?)?;
                let symbol = usize::from(*self.symbols.get(usize::try_from(place).ok()?)?);
                self.count(symbol);
                return Some(symbol);
            }
            index = index.wrapping_add(*count);
            first = first.wrapping_add(*count).wrapping_shl(1);
            code = code.wrapping_shl(1);
        }
        None
    }

    fn count(&mut self, symbol: usize) {
        if let Some(often) = self.frequencies.get_mut(symbol) {
            *often = often.saturating_add(1);
        }
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            self.build();
            for often in &mut self.frequencies {
                *often = (*often >> 1).saturating_add(1);
            }
        }
    }
}

/// How many codes of each length there are for symbols in the order of their frequencies.
fn lengths(order: &[(u32, u16)]) -> [u32; LONGEST + 1] {
    let mut counts = [0u32; LONGEST + 1];
    let leaves = order.len();
    if leaves < 2 {
        if let Some(one) = counts.get_mut(1) {
            *one = u32::try_from(leaves).unwrap_or(0);
        }
        return counts;
    }
    // Nodes in the order they are made; each joins the two rarest that are left, of equals the
    // leaf first.
    let mut nodes: Vec<u64> = Vec::with_capacity(leaves);
    let mut leaf_parent = vec![0usize; leaves];
    let mut node_parent = vec![0usize; leaves];
    let (mut leaf, mut node) = (0usize, 0usize);
    for made in 0..leaves.saturating_sub(1) {
        let mut sum = 0u64;
        for _ in 0..2 {
            let next_leaf = order.get(leaf).map(|(often, _)| u64::from(*often));
            let next_node = nodes.get(node).copied();
            let takes_leaf = match (next_leaf, next_node) {
                (Some(one), Some(other)) => one <= other,
                (Some(_), None) => true,
                _ => false,
            };
            let (parents, place, often) = if takes_leaf {
                (&mut leaf_parent, &mut leaf, next_leaf)
            } else {
                (&mut node_parent, &mut node, next_node)
            };
            sum = sum.saturating_add(often.unwrap_or(0));
            if let Some(parent) = parents.get_mut(*place) {
                *parent = made;
            }
            *place = place.saturating_add(1);
        }
        nodes.push(sum);
    }
    // From the root down: a node at a depth turns a code of that length into two longer ones.
    let root = leaves.saturating_sub(2);
    let mut depths = vec![0usize; leaves];
    if let Some(two) = counts.get_mut(1) {
        *two = 2;
    }
    for index in (0..root).rev() {
        let parent = node_parent.get(index).copied().unwrap_or(0);
        let depth = depths.get(parent).copied().unwrap_or(0).saturating_add(1);
        if let Some(own) = depths.get_mut(index) {
            *own = depth;
        }
        let mut length = depth;
        if length >= LONGEST {
            length = LONGEST.saturating_sub(1);
            while length > 1 && counts.get(length).is_none_or(|count| *count == 0) {
                length = length.saturating_sub(1);
            }
        }
        if let Some(count) = counts.get_mut(length) {
            *count = count.saturating_sub(1);
        }
        if let Some(count) = counts.get_mut(length.saturating_add(1)) {
            *count = count.saturating_add(2);
        }
    }
    counts
}

/// The words from the front: the range coder.
struct Front<'a> {
    rest: &'a [u8],
    range: u32,
    code: u32,
}

impl<'a> Front<'a> {
    fn new(input: &'a [u8]) -> Self {
        let mut front = Self { rest: input, range: u32::MAX, code: 0 };
        front.code = front.word().wrapping_shl(16) | front.word();
        front
    }

    /// The next word; zeros behind the end.
    fn word(&mut self) -> u32 {
        let Some((word, rest)) = self.rest.split_first_chunk::<2>() else { return 0 };
        self.rest = rest;
        u32::from(u16::from_le_bytes(*word))
    }

    fn decide(&mut self, decision: &mut Decision) -> bool {
        let states = decision.chances.len();
        let Some(chance) = decision.chances.get_mut(decision.state) else { return false };
        if self.range & 0xffff_0000 == 0 {
            self.range = self.range.wrapping_shl(16);
            self.code = self.code.wrapping_shl(16) | self.word();
        }
        let bound = (self.range >> 6).wrapping_mul(chance.zeros.clamp(1, 63));
        let bit = self.code >= bound;
        if bit {
            self.range = self.range.wrapping_sub(bound);
            self.code = self.code.wrapping_sub(bound);
        } else {
            self.range = bound;
        }
        let oldest = u32::from(chance.recent >> 63 != 0);
        chance.zeros = chance.zeros.wrapping_add(oldest).wrapping_sub(u32::from(bit)).min(64);
        chance.recent = chance.recent.wrapping_shl(1) | u64::from(bit);
        let next = decision.state.wrapping_shl(1) | usize::from(bit);
        decision.state = next & states.saturating_sub(1);
        bit
    }
}

/// The words from the back: codes and extra bits.
struct Back<'a> {
    rest: &'a [u8],
    held: u64,
    count: u32,
}

impl Back<'_> {
    /// The next bits, at most 32; zeros where the input ends.
    fn take(&mut self, bits: u32) -> u32 {
        while self.count < bits {
            let word = match self.rest.split_last_chunk::<2>() {
                Some((rest, word)) => {
                    self.rest = rest;
                    u16::from_le_bytes(*word)
                }
                None => 0,
            };
            self.held = self.held.wrapping_shl(16) | u64::from(word);
            self.count = self.count.saturating_add(16);
        }
        self.count = self.count.saturating_sub(bits);
        let mask = 1u64.wrapping_shl(bits).wrapping_sub(1);
        u32::try_from((self.held >> self.count) & mask).unwrap_or(0)
    }
}

/// The last distances of one kind of match. The one before the last item counts a step later.
struct Recent<T>([T; 4]);

impl<T: Copy> Recent<T> {
    fn push(&mut self, value: T) -> T {
        let [a, b, c, _] = self.0;
        self.0 = [value, a, b, c];
        value
    }

    /// Takes the `index`-th, not counting the newest when `late`, and puts it in front.
    fn again(&mut self, index: usize, late: bool) -> Option<T> {
        let place = index.saturating_add(usize::from(late));
        let value = *self.0.get(place)?;
        let [a, b, c, d] = self.0;
        // All up to the one taken move on by one; with `late` the newest is among them.
        self.0 = match place {
            0 => [value, b, c, d],
            1 => [value, a, c, d],
            2 => [value, a, b, d],
            _ => [value, a, b, c],
        };
        Some(value)
    }
}

/// Decodes one chunk to exactly `output_length` bytes; none when it is not well formed.
pub(crate) fn decompress(input: &[u8], output_length: usize) -> Option<Vec<u8>> {
    if input.len() < 4 || !input.len().is_multiple_of(2) || output_length > i32::MAX as usize {
        return None;
    }
    let offsets = classes(&OFFSET_RUNS, LAST_OFFSET);
    let lengths = classes(&LENGTH_RUNS, LAST_LENGTH);
    let furthest = u32::try_from(output_length).ok()?.saturating_sub(1);
    let slots = offsets.partition_point(|(base, _)| *base <= furthest).max(1);
    let mut front = Front::new(input);
    let mut back = Back { rest: input, held: 0, count: 0 };
    let (mut main, mut kind) = (Decision::new(16), Decision::new(32));
    let (mut lz, mut delta) = (Decision::new(64), Decision::new(64));
    let mut lz_again = [Decision::new(64), Decision::new(64)];
    let mut delta_again = [Decision::new(64), Decision::new(64)];
    let mut literal = Code::new(256, 1024);
    let mut length_code = Code::new(lengths.len(), 512);
    let mut lz_offset = Code::new(slots, 1024);
    let mut delta_offset = Code::new(slots, 1024);
    let mut delta_power = Code::new(8, 512);
    let mut recent_lz = Recent([1u32, 2, 3, 4]);
    let mut recent_delta = Recent([(0u32, 1u32), (0, 2), (0, 3), (0, 4)]);
    // What the item before was: 0 a literal, 1 a match, 2 a delta match.
    let mut before = 0u8;
    let mut output: Vec<u8> = Vec::with_capacity(output_length);
    let value = |classes: &[(u32, u32)], slot: usize, back: &mut Back<'_>| {
        let (base, bits) = classes.get(slot)?;
        base.checked_add(back.take(*bits))
    };
    while output.len() < output_length {
        if !front.decide(&mut main) {
            output.push(u8::try_from(literal.decode(&mut back)?).ok()?);
            before = 0;
            continue;
        }
        if !front.decide(&mut kind) {
            let offset = if front.decide(&mut lz) {
                let index = which(&mut front, &mut lz_again);
                recent_lz.again(index, before == 1)?
            } else {
                let slot = lz_offset.decode(&mut back)?;
                recent_lz.push(value(&offsets, slot, &mut back)?)
            };
            before = 1;
            let slot = length_code.decode(&mut back)?;
            let length = usize::try_from(value(&lengths, slot, &mut back)?).ok()?;
            let offset = usize::try_from(offset).ok()?;
            if length > output_length.saturating_sub(output.len()) {
                return None;
            }
            let mut from = output.len().checked_sub(offset)?;
            for _ in 0..length {
                output.push(*output.get(from)?);
                from = from.saturating_add(1);
            }
            continue;
        }
        let (power, raw) = if front.decide(&mut delta) {
            let index = which(&mut front, &mut delta_again);
            recent_delta.again(index, before == 2)?
        } else {
            let power = u32::try_from(delta_power.decode(&mut back)?).ok()?;
            let slot = delta_offset.decode(&mut back)?;
            recent_delta.push((power, value(&offsets, slot, &mut back)?))
        };
        before = 2;
        let slot = length_code.decode(&mut back)?;
        let length = usize::try_from(value(&lengths, slot, &mut back)?).ok()?;
        if length > output_length.saturating_sub(output.len()) {
            return None;
        }
        let span = 1usize.checked_shl(power)?;
        let offset = usize::try_from(u64::from(raw).checked_shl(power)?).ok()?;
        let mut from = output.len().checked_sub(offset)?;
        from.checked_sub(span)?;
        for _ in 0..length {
            let step = *output.get(output.len().checked_sub(span)?)?;
            let (one, other) = (*output.get(from)?, *output.get(from.checked_sub(span)?)?);
            output.push(one.wrapping_add(step).wrapping_sub(other));
            from = from.saturating_add(1);
        }
    }
    untranslate(&mut output)?;
    Some(output)
}

/// Which of the last three distances: two decisions at most.
fn which(front: &mut Front<'_>, again: &mut [Decision; 2]) -> usize {
    let [first, second] = again;
    if !front.decide(first) {
        0
    } else if !front.decide(second) {
        1
    } else {
        2
    }
}

/// How near a translated address must be to the last that was surely code, and how near two uses
/// of a target must be to count as that.
const NEAR: i64 = 1023;
const GOOD: i64 = 65_535;

/// Makes the addresses in x86 code relative again. Code is told by targets that are used often.
fn untranslate(data: &mut [u8]) -> Option<()> {
    let end = data.len().saturating_sub(16);
    if data.len() <= 17 {
        return Some(());
    }
    let mut last_use = vec![-GOOD - 1; 1 << 16];
    let mut code_at = -NEAR - 1;
    let mut at = 1usize;
    while at < end {
        let (opcode, near) = match *data.get(at..)?.first_chunk::<3>()? {
            [0x48, 0x8b, 0x05 | 0x0d] => (3usize, NEAR),
            [0x48 | 0x4c, 0x8d, third] if third & 7 == 5 => (3, NEAR),
            [0xe8, ..] => (1, NEAR / 2),
            [0xe9, ..] => {
                at = at.saturating_add(5);
                continue;
            }
            [0xf0, 0x83, 0x05] => (3, NEAR),
            [0xff, 0x15, _] => (2, NEAR),
            _ => {
                at = at.saturating_add(1);
                continue;
            }
        };
        let here = i64::try_from(at).ok()?;
        let start = at.saturating_add(opcode);
        let slot = data.get_mut(start..)?.first_chunk_mut::<4>()?;
        let place = u32::try_from(at).ok()?;
        if here.saturating_sub(code_at) <= near {
            *slot = u32::from_le_bytes(*slot).wrapping_sub(place).to_le_bytes();
        }
        let [low, high, ..] = *slot;
        let target =
            u16::from_le_bytes([low, high]).wrapping_add(u16::try_from(place & 0xffff).ok()?);
        at = start.saturating_add(3);
        let here = i64::try_from(at).ok()?;
        let used = last_use.get_mut(usize::from(target))?;
        if here.saturating_sub(*used) <= GOOD {
            code_at = here;
        }
        *used = here;
        at = at.saturating_add(1);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_as_many_as_the_format_has() {
        assert_eq!(classes(&OFFSET_RUNS, LAST_OFFSET).len(), 799);
        assert_eq!(classes(&LENGTH_RUNS, LAST_LENGTH).len(), 54);
    }

    #[test]
    fn noise_is_decoded_to_nothing_or_something_and_ends() {
        for seed in 0..64u8 {
            let noise: Vec<u8> =
                (0..200u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8 ^ seed).collect();
            let _ = decompress(&noise, 5000);
        }
        assert!(decompress(&[1, 2, 3], 10).is_none());
    }
}
