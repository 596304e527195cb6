//! LZNT1, as NTFS compresses files: MS-XCA section 2.5.
//!
//! A sequence of chunks of at most 4,096 bytes each, ended by a header of 0 or by the input.
//!
//! | offset | size | field |
//! | --- | --- | --- |
//! | 0 | 2 | header: bits 0-11 the size of what follows less 1, 12-14 always 3, 15 compressed |
//! | 2 | | compressed: a byte of 8 flags, then for each (lowest first) a byte (0) or a copy (1) |
//!
//! A copy is 16 bits: the distance less 1 above, the length less 3 below; the longer the output
//! of the chunk, the more bits the distance has, from 4 to 12.

use super::huffman::copy_back;

/// The largest chunk when decoded.
const CHUNK: usize = 4096;

/// Decodes to `output_length` bytes; what the chunks do not fill is zeros. None when a chunk is
/// not well formed.
pub(crate) fn decompress(input: &[u8], output_length: usize) -> Option<Vec<u8>> {
    let mut output = Vec::with_capacity(output_length);
    let mut rest = input;
    while output.len() < output_length {
        let Some((header, after)) = rest.split_first_chunk::<2>() else { break };
        let header = u16::from_le_bytes(*header);
        if header == 0 {
            break;
        }
        let size = usize::from(header & 0xfff).saturating_add(1);
        let (chunk, after) = after.split_at_checked(size)?;
        rest = after;
        let start = output.len();
        // Each chunk stands for 4,096 bytes, whatever it decodes to.
        let end = start.saturating_add(CHUNK);
        if header & 0x8000 == 0 {
            output.extend_from_slice(chunk.get(..size.min(CHUNK))?);
        } else {
            unpack(chunk, &mut output, start, end)?;
        }
        if output.len() < end && !rest.is_empty() {
            output.resize(end, 0);
        }
    }
    output.resize(output_length, 0);
    Some(output)
}

fn unpack(chunk: &[u8], output: &mut Vec<u8>, start: usize, end: usize) -> Option<()> {
    let mut rest = chunk;
    while let Some((flags, after)) = rest.split_first() {
        rest = after;
        for bit in 0..8u32 {
            if rest.is_empty() {
                return Some(());
            }
            if flags.wrapping_shr(bit) & 1 == 0 {
                let (byte, after) = rest.split_first()?;
                if output.len() >= end {
                    return None;
                }
                output.push(*byte);
                rest = after;
                continue;
            }
            let (copy, after) = rest.split_first_chunk::<2>()?;
            rest = after;
            let copy = usize::from(u16::from_le_bytes(*copy));
            let done = output.len().saturating_sub(start);
            let mut shift = 12u32;
            let mut place = done.checked_sub(1)?;
            while place >= 0x10 {
                shift = shift.saturating_sub(1);
                place >>= 1;
            }
            let mask = 1usize.wrapping_shl(shift).saturating_sub(1);
            let distance = copy.wrapping_shr(shift).saturating_add(1);
            let length = (copy & mask).saturating_add(3);
            copy_back(output, start, distance, length, end)?;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_decodes() {
        // MS-XCA section 3.3.
        let input = [
            0x38, 0xb0, 0x88, 0x46, 0x23, 0x20, 0x00, 0x20, 0x47, 0x20, 0x41, 0x00, 0x10, 0xa2,
            0x47, 0x01, 0xa0, 0x45, 0x20, 0x44, 0x00, 0x08, 0x45, 0x01, 0x50, 0x79, 0x00, 0xc0,
            0x45, 0x20, 0x05, 0x24, 0x13, 0x88, 0x05, 0xb4, 0x02, 0x4a, 0x44, 0xef, 0x03, 0x58,
            0x02, 0x8c, 0x09, 0x16, 0x01, 0x48, 0x45, 0x00, 0xbe, 0x00, 0x9e, 0x00, 0x04, 0x01,
            0x18, 0x90, 0x00,
        ];
        let text = "F# F# G A A G F# E D D E F# F# E E F# F# G A A G F# E D D E F# E D D E E F# \
                    D E F# G F# D E F# G F# E D E A F# F# G A A G F# E D D E F# E D D\0";
        assert_eq!(decompress(&input, text.len()).unwrap(), text.as_bytes());
    }

    #[test]
    fn stored_chunks_and_the_end_are_understood_and_broken_ones_refused() {
        assert_eq!(decompress(&[2, 0x30, b'a', b'b', b'c', 0, 0], 5).unwrap(), b"abc\0\0");
        assert_eq!(decompress(&[], 3).unwrap(), [0; 3]);
        assert_eq!(decompress(&[9, 0x30, b'a'], 3), None);
        // A copy before anything was written.
        assert_eq!(decompress(&[2, 0xb0, 1, 0, 0], 9), None);
        lidless_kit::cut_and_flip(&[5, 0xb0, 8, b'a', b'b', b'c', 9, 0x20], |bytes| {
            assert!(decompress(bytes, 5000).is_none_or(|out| out.len() == 5000));
        });
    }
}
