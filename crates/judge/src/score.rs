//! The arithmetic of an exposure's score (DESIGN.md, "Severity").

use lidless_core::{InputName, Score, ScoreInput, Severity};

/// From 1 TB or 1,000,000 records on, confidentiality counts one more.
const LARGE_BYTES: u64 = 1_000_000_000_000;
const LARGE_RECORDS: u64 = 1_000_000;
/// One step of impact times one step of likelihood.
const STEP: f64 = 6.25;

/// Computes the score as an interval and prints how.
///
/// `short_lived` lowers the audience by one; `bytes` and `records` are what lies behind.
#[must_use]
pub fn score(
    inputs: &[ScoreInput],
    short_lived: bool,
    bytes: u64,
    records: u64,
) -> (Score, Vec<String>) {
    let end = |high: bool| {
        let of = |name: InputName| {
            let found = inputs.iter().find(|input| input.input == name);
            found.map_or(0, |input| if high { input.high } else { input.value })
        };
        let large = bytes >= LARGE_BYTES || records >= LARGE_RECORDS;
        let plus = u8::from(large && of(InputName::Read) > 0 && of(InputName::Content) > 0);
        let confidentiality =
            of(InputName::Read).min(of(InputName::Content)).saturating_add(plus).min(4);
        let integrity = of(InputName::Write).min(of(InputName::Consumers).max(1));
        let availability = of(InputName::Delete);
        let impact = confidentiality.max(integrity).max(availability);
        let audience = of(InputName::Audience).saturating_sub(u8::from(short_lived));
        let likelihood = audience.max(of(InputName::Evidence));
        let score = STEP * f64::from(impact) * f64::from(likelihood);
        let lines = vec![
            format!(
                "confidentiality = min(read {}, content {}){} = {confidentiality}",
                of(InputName::Read),
                of(InputName::Content),
                if plus == 1 { " + 1 for 1 TB or 1,000,000 records or more" } else { "" }
            ),
            format!(
                "integrity = min(write {}, max(consumers {}, 1)) = {integrity}",
                of(InputName::Write),
                of(InputName::Consumers)
            ),
            format!("availability = delete {availability}"),
            format!("impact = the largest of the three = {impact}"),
            format!(
                "likelihood = max(audience {}{}, evidence {}) = {likelihood}",
                of(InputName::Audience),
                if short_lived { " - 1 because short-lived" } else { "" },
                of(InputName::Evidence)
            ),
            format!("score = 6.25 x impact {impact} x likelihood {likelihood} = {score}"),
        ];
        (score, lines)
    };
    let (low, low_lines) = end(false);
    let (high, high_lines) = end(true);
    let mut lines = Vec::new();
    if low_lines == high_lines {
        lines.extend(high_lines);
    } else {
        lines.extend(low_lines.into_iter().map(|line| format!("at least: {line}")));
        lines.extend(high_lines.into_iter().map(|line| format!("at most:  {line}")));
    }
    (Score { low, high }, lines)
}

/// The band of a score: 0 info, below 20 low, below 45 medium, below 70 high, else critical.
#[must_use]
pub(crate) fn band(score: f64) -> Severity {
    match score {
        s if s <= 0.0 => Severity::Info,
        s if s < 20.0 => Severity::Low,
        s if s < 45.0 => Severity::Medium,
        s if s < 70.0 => Severity::High,
        _ => Severity::Critical,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_core::Basis;

    fn inputs(values: [(u8, u8); 7]) -> Vec<ScoreInput> {
        [
            InputName::Audience,
            InputName::Read,
            InputName::Write,
            InputName::Delete,
            InputName::Content,
            InputName::Consumers,
            InputName::Evidence,
        ]
        .into_iter()
        .zip(values)
        .map(|(input, (value, high))| ScoreInput {
            input,
            value,
            high,
            evidence: String::new(),
            basis: Basis::Tested,
        })
        .collect()
    }

    fn same(values: [u8; 7]) -> Vec<ScoreInput> {
        inputs(values.map(|value| (value, value)))
    }

    #[test]
    fn the_calibration_cases_come_out_as_written() {
        // audience, read, write, delete, content, consumers, evidence
        let incident = score(&same([4, 4, 4, 4, 4, 4, 1]), false, 38 << 40, 0).0;
        assert_eq!((incident.low, incident.high), (100.0, 100.0));
        assert_eq!(band(incident.high), Severity::Critical);
        let brochure = score(&same([4, 1, 0, 0, 0, 0, 1]), false, 1000, 0).0;
        assert_eq!(band(brochure.high), Severity::Info);
        let expired = score(&same([4, 0, 0, 0, 4, 0, 1]), false, 38 << 40, 0).0;
        assert_eq!(expired.high, 0.0);
        let bound_clean = score(&same([0, 2, 0, 0, 3, 0, 0]), false, 1000, 0).0;
        assert_eq!(bound_clean.high, 0.0);
        let bound_no_logs = score(&same([0, 2, 0, 0, 3, 0, 1]), false, 1000, 0).0;
        assert_eq!(bound_no_logs.high, 12.5);
        let mut unknown = same([0, 2, 0, 0, 3, 0, 0]);
        unknown.last_mut().unwrap().high = 4;
        let interval = score(&unknown, false, 1000, 0).0;
        assert_eq!((interval.low, interval.high), (0.0, 50.0));
        assert_eq!(band(interval.high), Severity::High);
    }

    #[test]
    fn size_counts_only_when_something_was_confirmed_and_can_be_read() {
        let nothing = score(&same([4, 4, 0, 0, 0, 0, 1]), false, 38 << 40, 0).0;
        assert_eq!(nothing.high, 0.0);
        let large = score(&same([4, 4, 0, 0, 3, 0, 1]), false, 38 << 40, 0).0;
        let small = score(&same([4, 4, 0, 0, 3, 0, 1]), false, 1000, 0).0;
        assert!(large.high > small.high);
        let short = score(&same([4, 4, 0, 0, 3, 0, 1]), true, 1000, 0).0;
        assert!(short.high < small.high);
    }
}
