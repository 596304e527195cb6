//! The columns of a table, from the statement that made it.
//!
//! Only what is needed to find a column in a record: names in order, which one is the row's id,
//! and, in tables without row ids, the order of the key.

use super::tree::Source;

/// How many columns a table may have; SQLite's own limit is 32,767.
const MOST: usize = 4_096;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Columns {
    /// Names as written, each with where a record has it.
    pub(super) row: Vec<(String, Source)>,
    pub(super) without_row_id: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    /// A name or a word; quoted ones are no keywords.
    Name(String, bool),
    Sign(char),
}

impl Token {
    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Name(name, false) if name.eq_ignore_ascii_case(word))
    }
}

fn tokens(statement: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = statement.chars().peekable();
    while let Some(first) = rest.next() {
        match first {
            '"' | '\'' | '`' | '[' => {
                let end = if first == '[' { ']' } else { first };
                let mut name = String::new();
                while let Some(next) = rest.next() {
                    if next == end {
                        if end == ']' || rest.peek() != Some(&end) {
                            break;
                        }
                        rest.next();
                    }
                    name.push(next);
                }
                found.push(Token::Name(name, true));
            }
            '-' if rest.peek() == Some(&'-') => {
                for next in rest.by_ref() {
                    if next == '\n' {
                        break;
                    }
                }
            }
            '/' if rest.peek() == Some(&'*') => {
                let mut star = false;
                rest.next();
                for next in rest.by_ref() {
                    if star && next == '/' {
                        break;
                    }
                    star = next == '*';
                }
            }
            first if first.is_alphanumeric() || first == '_' || first == '$' => {
                let mut name = String::from(first);
                while let Some(next) =
                    rest.next_if(|next| next.is_alphanumeric() || *next == '_' || *next == '$')
                {
                    name.push(next);
                }
                found.push(Token::Name(name, false));
            }
            first if first.is_whitespace() => {}
            first => found.push(Token::Sign(first)),
        }
    }
    found
}

/// The parts between the outermost parentheses, by their commas; and what follows them.
fn parts(tokens: Vec<Token>) -> (Vec<Vec<Token>>, Vec<Token>) {
    let (mut parts, mut part, mut after) = (Vec::new(), Vec::new(), Vec::new());
    let (mut depth, mut closed) = (0usize, false);
    for token in tokens {
        match token {
            Token::Sign('(') if depth == 0 && !closed => depth = 1,
            Token::Sign(')') if depth == 1 => {
                parts.push(std::mem::take(&mut part));
                depth = 0;
                closed = true;
            }
            Token::Sign(',') if depth == 1 => parts.push(std::mem::take(&mut part)),
            token if depth > 0 => {
                match token {
                    Token::Sign('(') => depth = depth.saturating_add(1),
                    Token::Sign(')') => depth = depth.saturating_sub(1),
                    _ => {}
                }
                part.push(token);
            }
            token if closed => after.push(token),
            _ => {}
        }
    }
    (parts, after)
}

fn has(part: &[Token], words: [&str; 2]) -> bool {
    part.windows(2).any(|two| matches!(two, [a, b] if a.is(words[0]) && b.is(words[1])))
}

/// Reads a `CREATE TABLE`.
pub(super) fn columns(statement: &str) -> Columns {
    let (parts, after) = parts(tokens(statement));
    let without_row_id = has(&after, ["without", "rowid"]);
    let mut row: Vec<(String, bool)> = Vec::new();
    let mut key: Vec<String> = Vec::new();
    let mut alias = None;
    for part in parts.iter().take(MOST) {
        let Some(first) = part.first() else { continue };
        let constraint = ["constraint", "primary", "unique", "check", "foreign"];
        if constraint.iter().any(|word| first.is(word)) {
            if has(part, ["primary", "key"]) {
                let listed = part.iter().skip_while(|token| **token != Token::Sign('('));
                let names = listed.filter_map(|token| match token {
                    Token::Name(name, quoted)
                        if *quoted || !(token.is("asc") || token.is("desc")) =>
                    {
                        Some(name.clone())
                    }
                    _ => None,
                });
                key = names.collect();
                // `PRIMARY KEY(id)` over one INTEGER column is the row's id as well.
                if let [only] = key.as_slice() {
                    alias = Some(only.clone());
                }
            }
            continue;
        }
        let Token::Name(name, _) = first else { continue };
        // Generated columns are computed, and only stored when they say so.
        let computed =
            part.iter().any(|token| token.is("as")) && !part.iter().any(|token| token.is("stored"));
        let is_integer = part.get(1).is_some_and(|token| token.is("integer"));
        if has(part, ["primary", "key"]) {
            key = vec![name.clone()];
            alias = Some(name.clone());
        }
        if alias.as_ref() == Some(name) && !is_integer {
            alias = None;
        }
        row.push((name.clone(), computed));
    }
    // A table constraint stands after the columns, so its column is checked again.
    if let Some(name) = &alias {
        let own = parts.iter().find(|part| {
            matches!(part.first(), Some(Token::Name(own, _)) if own.eq_ignore_ascii_case(name))
        });
        if !own.is_some_and(|part| part.get(1).is_some_and(|token| token.is("integer"))) {
            alias = None;
        }
    }
    let stored: Vec<&String> =
        row.iter().filter(|(_, computed)| !computed).map(|(name, _)| name).collect();
    let order: Vec<&String> = if without_row_id {
        let in_key =
            |name: &&&String| key.iter().any(|part| part.eq_ignore_ascii_case(name.as_str()));
        let first = key
            .iter()
            .filter_map(|part| stored.iter().find(|name| name.eq_ignore_ascii_case(part)).copied());
        first.chain(stored.iter().filter(|name| !in_key(name)).copied()).collect()
    } else {
        stored
    };
    let source = |name: &String| {
        if !without_row_id && alias.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(name)) {
            return Source::RowId;
        }
        order.iter().position(|own| *own == name).map_or(Source::Missing, Source::Column)
    };
    let row = row.iter().map(|(name, _)| (name.clone(), source(name))).collect();
    Columns { row, without_row_id }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(statement: &str) -> Vec<(String, Source)> {
        columns(statement).row
    }

    #[test]
    fn columns_are_found_in_every_way_of_writing_a_table() {
        use Source::{Column, Missing, RowId};
        let found = sources(
            "CREATE TABLE \"a b\" (id INTEGER PRIMARY KEY AUTOINCREMENT, -- a, b\n\
             [odd name] VARCHAR(10, 2) DEFAULT '(,', `third` TEXT, x AS (id + 1), \
             y INT GENERATED ALWAYS AS (id) STORED, UNIQUE (third, x))",
        );
        let expected =
            [("id", RowId), ("odd name", Column(1)), ("third", Column(2)), ("x", Missing)];
        for ((name, source), (own, place)) in found.iter().zip(expected) {
            assert_eq!((name.as_str(), *source), (own, place));
        }
        assert_eq!(found[4], ("y".into(), Column(3)));
        assert_eq!(found.len(), 5);
        let key = columns("create table t(a, b TEXT, c, PRIMARY KEY (c, b DESC)) WITHOUT ROWID");
        assert!(key.without_row_id);
        let order: Vec<Source> = key.row.iter().map(|(_, source)| *source).collect();
        assert_eq!(order, [Column(2), Column(1), Column(0)]);
        assert_eq!(sources("create table t(a int primary key, b)")[0].1, Column(0));
        assert_eq!(sources("create table t(a integer, b, primary key(a))")[0].1, RowId);
    }
}
