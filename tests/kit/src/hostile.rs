//! The cut-and-flip suite: what every parser must survive.

/// Calls `parse` with `sample` cut at every length (at most 4,096 cuts, spread evenly) and with
/// single bits and bytes changed (at most 4,096 places, spread evenly).
///
/// The parser passes by returning: a panic, or a call that does not end, fails the test.
pub fn cut_and_flip(sample: &[u8], mut parse: impl FnMut(&[u8])) {
    let step = (sample.len() / 4096).max(1);
    for cut in (0..sample.len()).step_by(step) {
        parse(&sample[..cut]);
    }
    let mut changed = sample.to_vec();
    for place in (0..sample.len()).step_by(step) {
        let original = changed[place];
        for value in [original ^ 1, original ^ 0x80, 0, 0xff] {
            changed[place] = value;
            parse(&changed);
        }
        changed[place] = original;
    }
    parse(&[]);
}
