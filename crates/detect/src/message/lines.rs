//! Texts with one JSON object a line, and tables with quoted fields.

use serde::de::DeserializeOwned;

/// Hands out each line that is an object of this shape; answers whether any line was none at all.
pub(super) fn objects<T: DeserializeOwned>(text: &str, found: &mut dyn FnMut(T)) -> bool {
    let mut broken = false;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match serde_json::from_str(line) {
            Ok(object) => found(object),
            Err(error) => broken |= error.is_eof() || error.is_syntax(),
        }
    }
    broken
}

/// The rows of a comma-separated table (RFC 4180): quotes doubled, line ends inside quotes kept.
pub(super) fn rows(text: &str, found: &mut dyn FnMut(&[String])) {
    let mut row: Vec<String> = vec![String::new()];
    let mut quoted = false;
    let mut letters = text.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                push(&mut row, '"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(String::new()),
            '\n' if !quoted => {
                found(&row);
                row.clear();
                row.push(String::new());
            }
            '\r' if !quoted => {}
            letter => push(&mut row, letter),
        }
    }
    if row.len() > 1 {
        found(&row);
    }
}

/// A field longer than this is a body, and its rest does not matter.
const FIELD: usize = 4 << 10;

fn push(row: &mut [String], letter: char) {
    if let Some(field) = row.last_mut().filter(|field| field.len() < FIELD) {
        field.push(letter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_fields_keep_commas_quotes_and_line_ends() {
        let mut all = Vec::new();
        rows("a,\"b,\"\"c\"\"\nd\",e\r\n1,2,3", &mut |row| all.push(row.join("|")));
        assert_eq!(all, ["a|b,\"c\"\nd|e", "1|2|3"]);
    }
}
