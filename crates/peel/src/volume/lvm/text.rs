//! The text of LVM metadata: `name { ... }`, `name = value`, `# comment`.

/// How deep sections lie in sections: a group, its volumes, one, a segment.
const DEEPEST: usize = 8;
/// Names and values in all: a group of 10,000 volumes has fewer.
const MOST: usize = 1 << 20;

/// What stands behind a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Number(u64),
    Text(String),
    List(Vec<Value>),
    Section(Section),
}

/// Names with their values, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Section(pub(super) Vec<(String, Value)>);

impl Section {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The number of this name.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        match self.get(name)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The text of this name.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The list of this name; empty when there is none.
    pub(super) fn list(&self, name: &str) -> &[Value] {
        match self.get(name) {
            Some(Value::List(list)) => list,
            _ => &[],
        }
    }

    /// The section of this name.
    pub(super) fn section(&self, name: &str) -> Option<&Self> {
        match self.get(name)? {
            Value::Section(section) => Some(section),
            _ => None,
        }
    }

    /// The sections in it, by name.
    pub(super) fn sections(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.0.iter().filter_map(|(name, value)| match value {
            Value::Section(section) => Some((name.as_str(), section)),
            _ => None,
        })
    }
}

/// Reads a text; what comes after something that is not understood is left out.
pub(super) fn parse(text: &str) -> Section {
    let mut open: Vec<(String, Section)> = vec![(String::new(), Section::default())];
    let mut tokens = Tokens(text);
    let mut count = 0usize;
    while let Some(token) = tokens.next().filter(|_| count < MOST) {
        count = count.saturating_add(1);
        match token {
            Token::Mark('}') if open.len() > 1 => close(&mut open),
            Token::Word(name) => match tokens.next() {
                Some(Token::Mark('{')) if open.len() < DEEPEST => {
                    open.push((name, Section::default()));
                }
                Some(Token::Mark('=')) => {
                    let Some(value) = value(&mut tokens) else { break };
                    if let Some((_, section)) = open.last_mut() {
                        section.0.push((name, value));
                    }
                }
                _ => break,
            },
            _ => break,
        }
    }
    while open.len() > 1 {
        close(&mut open);
    }
    open.pop().map(|(_, section)| section).unwrap_or_default()
}

fn close(open: &mut Vec<(String, Section)>) {
    if let Some((name, section)) = open.pop()
        && let Some((_, above)) = open.last_mut()
    {
        above.0.push((name, Value::Section(section)));
    }
}

fn value(tokens: &mut Tokens<'_>) -> Option<Value> {
    match tokens.next()? {
        Token::Mark('[') => {
            let mut list = Vec::new();
            loop {
                match tokens.next()? {
                    Token::Mark(']') => return Some(Value::List(list)),
                    Token::Mark(',') => {}
                    Token::Mark(_) => return None,
                    token => list.push(scalar(token)),
                }
            }
        }
        Token::Mark(_) => None,
        token => Some(scalar(token)),
    }
}

fn scalar(token: Token) -> Value {
    match token {
        Token::Word(word) => word.parse().map_or(Value::Text(word), Value::Number),
        Token::Text(text) => Value::Text(text),
        Token::Mark(mark) => Value::Text(mark.to_string()),
    }
}

enum Token {
    /// A name or a number.
    Word(String),
    /// What stands in quotes.
    Text(String),
    Mark(char),
}

struct Tokens<'a>(&'a str);

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            self.0 = self.0.trim_start_matches(|it: char| it.is_whitespace() || it == '\0');
            let Some(comment) = self.0.strip_prefix('#') else { break };
            self.0 = comment.split_once('\n').map_or("", |(_, rest)| rest);
        }
        let first = self.0.chars().next()?;
        if first == '"' {
            let mut text = String::new();
            let mut rest = self.0.char_indices().skip(1);
            while let Some((at, one)) = rest.next() {
                match one {
                    '"' => {
                        self.0 = self.0.get(at.saturating_add(1)..).unwrap_or("");
                        return Some(Token::Text(text));
                    }
                    '\\' => text.extend(rest.next().map(|(_, escaped)| escaped)),
                    other => text.push(other),
                }
            }
            return None;
        }
        if "{}[]=,".contains(first) {
            self.0 = self.0.get(1..).unwrap_or("");
            return Some(Token::Mark(first));
        }
        let ends = |it: char| it.is_whitespace() || "{}[]=,#\"\0".contains(it);
        let (word, rest) = self.0.split_at(self.0.find(ends).unwrap_or(self.0.len()));
        self.0 = rest;
        Some(Token::Word(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_and_a_broken_one_up_to_where_it_breaks() {
        let whole = parse(
            "vg { # name\n id=\"a\\\"b\" n = 5\n list = [\"pv0\", 7]\nempty=[]\nin { x=1 } }\n",
        );
        let vg = whole.section("vg").unwrap();
        assert_eq!((vg.text("id"), vg.number("n")), (Some("a\"b"), Some(5)));
        assert_eq!(vg.list("list"), [Value::Text("pv0".into()), Value::Number(7)]);
        assert_eq!(vg.sections().map(|(name, _)| name).collect::<Vec<_>>(), ["in"]);
        for broken in ["vg { n = 5", "vg { n = 5 } }", "vg { n = 5 = [", "vg { n = 5 x \"", "#"] {
            let found = parse(broken).section("vg").and_then(|vg| vg.number("n"));
            assert_eq!(found, (broken != "#").then_some(5), "{broken}");
        }
        assert!(parse(&"a{".repeat(100_000)).0.len() <= 1);
    }
}
