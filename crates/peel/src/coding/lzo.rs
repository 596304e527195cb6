//! LZO1X (Linux kernel documentation, "LZO stream format as understood by Linux' LZO
//! decompressor"): literals and copies of what came before, in one block of known length.

use super::broken;
use std::io::Result;

/// What `source` holds when decoded, at most `most` bytes. Bytes behind the end mark are left out.
pub(crate) fn lzo(source: &[u8], most: usize) -> Result<Vec<u8>> {
    let mut block = Block { source, out: Vec::new(), most };
    // How many literals came right before: 0 to 3 by the last copy, 4 for a run of more.
    let mut before = 0u8;
    if let Some(first) = block.source.first().copied().filter(|first| *first > 17) {
        block.byte()?;
        let count = first.wrapping_sub(17);
        block.literals(usize::from(count))?;
        before = count.min(4);
    }
    loop {
        let code = block.byte()?;
        let low = usize::from(code);
        let (length, distance, literals) = match code {
            0..16 if before == 0 => {
                let count = block.length(low, 15)?.saturating_add(3);
                block.literals(count)?;
                before = 4;
                continue;
            }
            0..16 => {
                let high = usize::from(block.byte()?) << 2;
                let near = high.saturating_add(low >> 2).saturating_add(1);
                let far = near.saturating_add(0x800);
                let (length, distance) = if before == 4 { (3, far) } else { (2, near) };
                (length, distance, code & 3)
            }
            16..32 => {
                let length = block.length(low & 7, 7)?.saturating_add(2);
                let rest = block.pair()?;
                let distance = ((low & 8) << 11).saturating_add(usize::from(rest >> 2));
                if distance == 0 {
                    return Ok(block.out);
                }
                (length, distance.saturating_add(0x4000), low_two(rest))
            }
            32..64 => {
                let length = block.length(low & 31, 31)?.saturating_add(2);
                let rest = block.pair()?;
                (length, usize::from(rest >> 2).saturating_add(1), low_two(rest))
            }
            64.. => {
                let high = usize::from(block.byte()?) << 3;
                let distance = high.saturating_add((low >> 2) & 7).saturating_add(1);
                ((low >> 5).saturating_add(1), distance, code & 3)
            }
        };
        block.copy(length, distance)?;
        block.literals(usize::from(literals))?;
        before = literals;
    }
}

fn low_two(pair: u16) -> u8 {
    let [low, _] = pair.to_le_bytes();
    low & 3
}

struct Block<'a> {
    source: &'a [u8],
    out: Vec<u8>,
    most: usize,
}

impl Block<'_> {
    fn byte(&mut self) -> Result<u8> {
        let (first, rest) =
            self.source.split_first().ok_or_else(|| broken("the block ends early"))?;
        self.source = rest;
        Ok(*first)
    }

    fn pair(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes([self.byte()?, self.byte()?]))
    }

    /// A length whose bits in the code are `own`; when they are 0 it goes on in bytes.
    fn length(&mut self, own: usize, base: usize) -> Result<usize> {
        if own != 0 {
            return Ok(own);
        }
        let mut length = base;
        loop {
            match self.byte()? {
                0 => length = length.saturating_add(255),
                last => return Ok(length.saturating_add(usize::from(last))),
            }
        }
    }

    fn fits(&self, length: usize) -> Result<()> {
        if self.out.len().saturating_add(length) > self.most {
            return Err(broken("a block larger than it says"));
        }
        Ok(())
    }

    fn literals(&mut self, count: usize) -> Result<()> {
        self.fits(count)?;
        let Some((literals, rest)) = self.source.split_at_checked(count) else {
            return Err(broken("the block ends early"));
        };
        self.out.extend_from_slice(literals);
        self.source = rest;
        Ok(())
    }

    fn copy(&mut self, length: usize, distance: usize) -> Result<()> {
        self.fits(length)?;
        let Some(start) = self.out.len().checked_sub(distance) else {
            return Err(broken("a copy of what was not there"));
        };
        for at in start..start.saturating_add(length) {
            // It may reach into what it makes itself.
            let byte = self.out.get(at).copied().unwrap_or(0);
            self.out.push(byte);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_copy_is_decoded() {
        // Four literals, a copy of 3 from 4 before, one literal, a copy of 2 from near, a long
        // run, a copy that overlaps itself, and the end.
        let source = [
            21,
            b'a',
            b'b',
            b'c',
            b'd', // first literals
            64 | (3 << 2) | 1,
            0,
            b'x', // copy 3 from distance 4, one literal
            4 | 2,
            0,
            b'y',
            b'z', // copy 2 from distance 2, two literals
            32 | 8,
            0,
            0, // copy 10 from distance 1
            17,
            0,
            0, // end
        ];
        assert_eq!(lzo(&source, 100).unwrap(), b"abcdabcxcxyzzzzzzzzzzz");
        let mut long = vec![0, 5];
        long.extend([b'q'; 23]);
        long.extend([0, 0]);
        long.extend([16 | 1, 0, 0]);
        assert!(lzo(&long, 100).is_err());
        for cut in 0..source.len() {
            assert!(lzo(&source[..cut], 100).is_err(), "{cut}");
        }
        assert!(lzo(&source, 10).is_err());
    }
}
