//! What a dry run says.

use crate::amount::{bytes, count, percent};
use lidless_core::{Estimate, Share};
use std::io::Write;

/// Writes what looking into what was listed would take.
///
/// # Errors
/// When it cannot be written.
pub fn render_estimate(estimate: &Estimate, out: &mut dyn Write) -> std::io::Result<()> {
    if estimate.all.objects == 0 {
        return writeln!(
            out,
            "Nothing was listed behind the links of these targets: there is nothing to read."
        );
    }
    writeln!(out, "Listed, and nothing read. Looking inside would take about:\n")?;
    let line = |out: &mut dyn Write, kind: &str, share: &Share| {
        writeln!(
            out,
            "  {kind:<14} {:>13} objects  {:>9} listed  {:>9} to read  {:>11} requests",
            count(share.objects),
            bytes(share.bytes_listed),
            bytes(share.bytes_to_read),
            count(share.requests),
        )
    };
    for (kind, share) in &estimate.kinds {
        line(out, kind, share)?;
    }
    line(out, "all", &estimate.all)?;
    let share = percent(estimate.all.bytes_to_read, estimate.all.bytes_listed);
    writeln!(out, "\nThat is {share} of what is stored.")?;
    for cost in &estimate.costs {
        writeln!(
            out,
            "It would cost the owner about ${:.2}, by the list prices of {}.",
            cost.dollars, cost.service
        )?;
    }
    writeln!(out, "--budget, --requests and --time bound a run; what matters most comes first.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_core::Cost;

    #[test]
    fn an_estimate_is_read_at_a_glance() {
        let share = Share {
            objects: 3,
            bytes_listed: 38_000_000_000_000,
            bytes_to_read: 52_000_000,
            requests: 1700,
        };
        let kinds = [("disk images".to_owned(), share.clone())].into();
        let costs = vec![Cost { service: "Azure".into(), dollars: 0.0049 }];
        let mut out = Vec::new();
        render_estimate(&Estimate { all: share, kinds, costs }, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("38.0 TB listed") && text.contains("1,700 requests"), "{text}");
        assert!(text.contains("under 0.1 %") && text.contains("about $0.00"), "{text}");
        let mut out = Vec::new();
        render_estimate(&Estimate::default(), &mut out).unwrap();
        assert!(String::from_utf8(out).unwrap().contains("nothing to read"));
    }
}
