//! Secrets in tables: a value stands beside its label, or below it. Rules for secrets know
//! `label: value`, so such lines are added to the text of a table.

/// What labels of secrets contain.
const WORDS: [&str; 17] = [
    "passw",
    "pwd",
    "passcode",
    "passphrase",
    "secret",
    "token",
    "api key",
    "api_key",
    "api-key",
    "apikey",
    "access key",
    "access_key",
    "accountkey",
    "credential",
    "kennwort",
    "contrase",
    "mot de passe",
];
/// Labels are short, and what is behind them is no text of its own.
const LONGEST_LABEL: usize = 48;
const LONGEST_VALUE: usize = 4096;
/// The most that is added.
const MOST: usize = 4 << 20;
/// More labels than one row has.
const MOST_LABELS: usize = 32;

fn is_label(cell: &str) -> bool {
    // What has digits in it is a value, however it begins.
    let fits = |one: char| one.is_alphabetic() || matches!(one, ' ' | '_' | '-' | '.' | '(' | ')');
    if cell.is_empty() || cell.len() > LONGEST_LABEL || !cell.chars().all(fits) {
        return false;
    }
    let lower = cell.to_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
}

/// Lines `label: value` for the values in a text whose tables have tabs between their cells.
pub(super) fn labelled(text: &str) -> String {
    let mut out = String::new();
    // The labels above, by their column.
    let mut above: Vec<(usize, &str)> = Vec::new();
    for line in text.lines().filter(|line| line.contains('\t')) {
        if out.len() > MOST {
            break;
        }
        let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
        let mut add = |label: &str, value: &str| {
            if !value.is_empty() && value.len() <= LONGEST_VALUE && !is_label(value) {
                out.push_str(label);
                out.push_str(": ");
                out.push_str(value);
                out.push('\n');
            }
        };
        let labels: Vec<(usize, &str)> = cells
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, cell)| is_label(cell))
            .take(MOST_LABELS)
            .collect();
        if labels.is_empty() {
            for (column, label) in &above {
                add(label, cells.get(*column).copied().unwrap_or(""));
            }
            continue;
        }
        // A label in front is that of its row, unless a word follows: that is a head of columns.
        let first = cells.iter().position(|cell| !cell.is_empty()).unwrap_or(0);
        let beside = labels.first().filter(|(column, _)| *column == first);
        let value = cells.get(first.saturating_add(1)).copied().unwrap_or("");
        match beside {
            Some((_, label)) if !value.chars().all(char::is_alphabetic) => add(label, value),
            _ => above = labels,
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_beside_and_below_labels_are_named() {
        let text = "login\tpassword\tnote\nalice\tTr0ub4dor\tx\nbob\tSecret-1\ty\nplain text\n\
            aws_secret_access_key\tab1\nAPI key\tk-1\nno\tlabel\n";
        let expected = "password: Tr0ub4dor\npassword: Secret-1\naws_secret_access_key: ab1\nAPI key: k-1\n\
            password: label\n";
        assert_eq!(labelled(text), expected);
        assert_eq!(labelled("password: x\nsecret\n"), "");
    }
}
