//! LZFSE, as Apple's reference implementation has it: blocks of literals and copies, both coded
//! by finite states.
//!
//! ```text
//! block  0  4  "bvx-" as it is, "bvxn" LZVN, "bvx2" LZFSE, "bvx$" the end
//!        4  4  bytes when decoded
//! bvxn   8  4  bytes of the LZVN that follows
//! bvx2   8  8  bits: 20 literals, 20 their bytes, 20 copies, 3 bits of the literals' last byte
//!       16  8  bits: four states of 10, 20 bytes of copies, 3 as above
//!       24  8  bits: 32 length of the header, three states of 10
//!       32  -  how often each of the 360 symbols is, in 2 to 14 bits each
//! ```
//!
//! Both streams of bits are read from their ends to their beginnings.

use super::lzvn::{copy, unpack};
use lidless_io::number::{u32_le, u64_le};

/// Symbols of lengths of literals, of copies, of distances, and of literals; and states of each.
const SYMBOLS: [usize; 4] = [20, 20, 64, 256];
const STATES: [usize; 4] = [64, 64, 256, 1024];
/// Extra bits of the last lengths: those before have none.
const LITERALS: [u32; 4] = [2, 3, 5, 8];
const COPIES: [u32; 4] = [3, 5, 8, 11];

/// Decodes at most `length` bytes; none when the bytes are not LZFSE.
pub(crate) fn lzfse(stored: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(length.min(1 << 20));
    let mut rest = stored;
    while out.len() < length {
        let size = usize::try_from(u32_le(rest, 4).unwrap_or(0)).ok()?;
        // No block is decoded further than what is asked for.
        let size = size.min(length.checked_sub(out.len())?);
        rest = match rest.get(..4)? {
            b"bvx$" => break,
            b"bvx-" => {
                out.extend_from_slice(rest.get(8..size.checked_add(8)?)?);
                rest.get(size.checked_add(8)?..)?
            }
            b"bvxn" => {
                let end = usize::try_from(u32_le(rest, 8)?).ok()?.checked_add(12)?;
                unpack(rest.get(12..end)?, size, &mut out)?;
                rest.get(end..)?
            }
            b"bvx2" => block(rest, size, &mut out)?,
            _ => return None,
        };
    }
    Some(out)
}

/// A state: how many bits make the next one, what is added to them; the value and how many of
/// the bits belong to it.
#[derive(Clone, Copy, Default)]
struct State {
    bits: u32,
    next: u32,
    extra: u32,
    value: u32,
}

/// Bits that are read from the end.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    /// Bits of `bytes` but the last `less`.
    fn new(bytes: &'a [u8], less: usize) -> Option<Self> {
        Some(Self { bytes, at: bytes.len().checked_mul(8)?.checked_sub(less)? })
    }

    fn pull(&mut self, count: u32) -> Option<u32> {
        if count == 0 {
            return Some(0);
        }
        self.at = self.at.checked_sub(usize::try_from(count).ok()?)?;
        let mut wide = [0u8; 8];
        let from = self.at / 8;
        let part = self.bytes.get(from..from.saturating_add(8).min(self.bytes.len()))?;
        wide.get_mut(..part.len())?.copy_from_slice(part);
        let shift = u32::try_from(self.at % 8).ok()?;
        let mask = 1u64.wrapping_shl(count).wrapping_sub(1);
        u32::try_from(u64::from_le_bytes(wide).wrapping_shr(shift) & mask).ok()
    }

    /// The value of a state, and the state after it.
    fn value(&mut self, table: &[State], state: &mut u32) -> Option<u32> {
        let one = table.get(usize::try_from(*state).ok()?)?;
        let bits = self.pull(one.bits.checked_add(one.extra)?)?;
        let mask = 1u32.wrapping_shl(one.extra).wrapping_sub(1);
        *state = one.next.checked_add(bits.wrapping_shr(one.extra))?;
        one.value.checked_add(bits & mask)
    }
}

/// Decodes a block into at most `size` bytes; what follows it is answered.
fn block<'a>(bytes: &'a [u8], size: usize, out: &mut Vec<u8>) -> Option<&'a [u8]> {
    let fields = [u64_le(bytes, 8)?, u64_le(bytes, 16)?, u64_le(bytes, 24)?];
    let field = |index: usize, at: u32, bits: u32| {
        let mask = 1u64.wrapping_shl(bits).wrapping_sub(1);
        let value = fields.get(index)?.wrapping_shr(at) & mask;
        u32::try_from(value).ok()
    };
    let count = |index: usize, at: u32| field(index, at, 20).and_then(|n| usize::try_from(n).ok());
    let less = |index: usize| 7usize.checked_sub(usize::try_from(field(index, 60, 3)?).ok()?);
    let header = usize::try_from(field(2, 0, 32)?).ok()?;
    let tables = tables(bytes.get(32..header)?)?;
    let [of_literals, of_copies, of_distances, of_bytes] = &tables;
    let literal_end = header.checked_add(count(0, 20)?)?;
    let end = literal_end.checked_add(count(1, 40)?)?;

    let mut bits = Bits::new(bytes.get(header..literal_end)?, less(0)?)?;
    let mut states = [field(1, 0, 10)?, field(1, 10, 10)?, field(1, 20, 10)?, field(1, 30, 10)?];
    let wanted = count(0, 0)?;
    let mut literals: Vec<u8> = Vec::with_capacity(wanted);
    while literals.len() < wanted {
        for state in &mut states {
            literals.push(u8::try_from(bits.value(of_bytes, state)?).ok()?);
        }
    }

    let mut bits = Bits::new(bytes.get(literal_end..end)?, less(1)?)?;
    let (mut l, mut m, mut d) = (field(2, 32, 10)?, field(2, 42, 10)?, field(2, 52, 10)?);
    let limit = out.len().checked_add(size)?;
    let mut literals = literals.as_slice();
    let mut distance = 0usize;
    for _ in 0..count(0, 40)? {
        let plain = usize::try_from(bits.value(of_literals, &mut l)?).ok()?;
        let copied = usize::try_from(bits.value(of_copies, &mut m)?).ok()?;
        let far = usize::try_from(bits.value(of_distances, &mut d)?).ok()?;
        if far != 0 {
            distance = far;
        }
        let (part, after) = literals.split_at_checked(plain)?;
        out.extend_from_slice(part);
        literals = after;
        copy(out, distance, copied)?;
        if out.len() >= limit {
            break;
        }
    }
    out.truncate(limit);
    bytes.get(end..)
}

/// The tables of states, from how often each symbol is.
fn tables(packed: &[u8]) -> Option<[Vec<State>; 4]> {
    let mut at = 0usize;
    let mut next = || {
        let mut wide = [0u8; 4];
        let from = at / 8;
        let part = packed.get(from..from.saturating_add(4).min(packed.len()))?;
        wide.get_mut(..part.len())?.copy_from_slice(part);
        let bits = u32::from_le_bytes(wide).wrapping_shr(u32::try_from(at % 8).ok()?);
        let (length, value) = match bits & 0x1f {
            low if low & 3 == 0 => (2, 0),
            low if low & 3 == 2 => (2, 1),
            low if low & 7 == 1 => (3, 2),
            low if low & 7 == 5 => (3, 3),
            low if low & 7 == 3 => (5, low.wrapping_shr(3).wrapping_add(4)),
            low if low & 0xf == 7 => (8, (bits.wrapping_shr(4) & 0xf).wrapping_add(8)),
            _ => (14, (bits.wrapping_shr(4) & 0x3ff).wrapping_add(24)),
        };
        at = at.checked_add(length)?;
        Some(value)
    };
    let mut tables: [Vec<State>; 4] = Default::default();
    for ((index, table), (symbols, states)) in
        tables.iter_mut().enumerate().zip(SYMBOLS.into_iter().zip(STATES))
    {
        let mut counts = Vec::with_capacity(symbols);
        for _ in 0..symbols {
            counts.push(next()?);
        }
        *table = table_of(&counts, u32::try_from(states).ok()?, index)?;
    }
    Some(tables)
}

/// The states of symbols that are so often; `states` is a power of two.
fn table_of(counts: &[u32], states: u32, index: usize) -> Option<Vec<State>> {
    let mut table = Vec::with_capacity(usize::try_from(states).ok()?);
    let mut base = 0u32;
    for (symbol, count) in (0u32..).zip(counts.iter().copied()) {
        let extra = match index {
            0 | 1 => {
                let last = if index == 0 { LITERALS } else { COPIES };
                let place = symbol.checked_sub(16).and_then(|place| usize::try_from(place).ok());
                place.and_then(|place| last.get(place)).copied().unwrap_or(0)
            }
            2 => symbol / 4,
            _ => 0,
        };
        let value = base;
        base = base.checked_add(1u32.checked_shl(extra)?)?;
        if count == 0 {
            continue;
        }
        if count > states {
            return None;
        }
        let bits = count.leading_zeros().checked_sub(states.leading_zeros())?;
        let wide = states.checked_mul(2)?.wrapping_shr(bits).checked_sub(count)?;
        for place in 0..count {
            let (bits, next) = if place < wide {
                (bits, count.checked_add(place)?.wrapping_shl(bits).checked_sub(states)?)
            } else {
                let bits = bits.checked_sub(1)?;
                (bits, place.checked_sub(wide)?.wrapping_shl(bits))
            };
            table.push(State { bits, next, extra, value });
        }
    }
    (table.len() <= usize::try_from(states).ok()?).then_some(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coding::lzvn;

    fn samples() -> Vec<Vec<u8>> {
        let mut seed = 1u32;
        let mut random = move || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        };
        let noise: Vec<u8> = (0..50_000).map(|_| random()).collect();
        let few: Vec<u8> = (0..90_000).map(|_| random() & 3).collect();
        let text: Vec<u8> =
            (0..9000).flat_map(|n| format!("line {} of {n}\n", n * n % 97).into_bytes()).collect();
        let mut mixed = text.clone();
        mixed.extend_from_slice(&noise[..9000]);
        mixed.extend(vec![0; 200_000]);
        mixed.extend_from_slice(&text);
        vec![b"a".to_vec(), text[..300].to_vec(), text[..4000].to_vec(), text, few, noise, mixed]
    }

    #[test]
    fn what_another_encoder_wrote_is_decoded() {
        let mut kinds = std::collections::BTreeSet::new();
        for sample in samples() {
            let mut packed = Vec::new();
            lzfse_rust::encode_bytes(&sample, &mut packed).unwrap();
            kinds.insert(String::from_utf8_lossy(&packed[..4]).into_owned());
            assert!(lzfse(&packed, sample.len()).as_ref() == Some(&sample), "{}", sample.len());
            // No more than is asked for, and what is short is answered as it is.
            assert_eq!(lzfse(&packed, 10).unwrap(), sample[..sample.len().min(10)]);
            assert_eq!(lzfse(&packed, sample.len() + 9).unwrap().len(), sample.len());
            if packed.starts_with(b"bvxn") {
                assert!(lzvn(&packed[12..], sample.len()).unwrap() == sample);
            }
        }
        assert!(kinds.contains("bvx2") && kinds.contains("bvxn"), "{kinds:?}");
    }

    #[test]
    fn cut_and_changed_streams_end() {
        for sample in samples().into_iter().filter(|sample| sample.len() < 1000) {
            let mut packed = Vec::new();
            lzfse_rust::encode_bytes(&sample, &mut packed).unwrap();
            lidless_kit::cut_and_flip(&packed, |bytes| {
                let length = lzfse(bytes, 20_000).map_or(0, |bytes| bytes.len());
                assert!(length <= 20_000);
                let _ = lzvn(bytes, 20_000);
            });
        }
        let mut packed = Vec::new();
        let text = samples().swap_remove(3);
        lzfse_rust::encode_bytes(&text[..20_000], &mut packed).unwrap();
        assert!(packed.starts_with(b"bvx2"));
        for place in (0..packed.len()).step_by(9) {
            let original = packed[place];
            packed[place] ^= 0x55;
            let _ = lzfse(&packed, 20_000);
            packed[place] = original;
        }
    }
}
