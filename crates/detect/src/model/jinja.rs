//! What a chat template does beside writing a chat. Only what stands in `{{ }}` and `{% %}` is
//! looked at, token by token. Source: Jinja's template designer documentation.

use super::danger::Danger;
use super::found::{Found, shown};
use std::collections::HashSet;

/// A template longer than this is looked at up to here; the longest known has 20 KB.
const LONGEST: usize = 4 << 20;

/// Functions of Python that no template has, when they are called.
const CALLED: [&str; 17] = [
    "eval",
    "exec",
    "execfile",
    "open",
    "compile",
    "getattr",
    "setattr",
    "globals",
    "locals",
    "vars",
    "import_module",
    "popen",
    "system",
    "check_output",
    "Popen",
    "breakpoint",
    "input",
];
/// What ways out of the sandbox begin with.
const ROOTS: [&str; 17] = [
    "os",
    "sys",
    "subprocess",
    "builtins",
    "importlib",
    "socket",
    "shutil",
    "pty",
    "self",
    "cycler",
    "joiner",
    "lipsum",
    "request",
    "config",
    "url_for",
    "get_flashed_messages",
    "app",
];
/// Methods that no chat needs.
const METHODS: [&str; 12] = [
    "system",
    "popen",
    "check_output",
    "Popen",
    "run_path",
    "mro",
    "format_map",
    "import_module",
    "gi_frame",
    "f_globals",
    "f_builtins",
    "func_globals",
];

/// Says what is wrong with a template.
pub(crate) fn judge_template(template: &str, offset: Option<u64>, found: &mut Found) {
    let end = (0..=LONGEST.min(template.len()))
        .rev()
        .find(|end| template.is_char_boundary(*end))
        .unwrap_or(0);
    let template = template.get(..end).unwrap_or(template);
    let blocks = blocks(template);
    let all: Vec<Vec<Token>> = blocks.iter().map(|block| tokens(block)).collect();
    let own = own_names(&all);
    for (block, tokens) in blocks.iter().zip(&all) {
        if let Some(danger) = judge_block(tokens, &own) {
            found.danger(danger, &shown(block.trim()), offset);
        }
    }
}

/// Whether text is a template at all.
pub(crate) fn is_template(text: &str) -> bool {
    (text.contains("{{") && text.contains("}}")) || (text.contains("{%") && text.contains("%}"))
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Name(String),
    Text(String),
    Sign(char),
}

/// What stands between the delimiters.
fn blocks(template: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        let after = rest.get(at..).unwrap_or("");
        let end = match after.as_bytes().get(1) {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            Some(b'#') => {
                rest = after.find("#}").and_then(|end| after.get(end..)).unwrap_or("");
                continue;
            }
            _ => {
                rest = after.get(1..).unwrap_or("");
                continue;
            }
        };
        let inner = after.get(2..).unwrap_or("");
        let stop = closing(inner, end).unwrap_or(inner.len());
        found.push(inner.get(..stop).unwrap_or(inner));
        rest = inner.get(stop..).unwrap_or("");
    }
    found
}

/// Where a block ends: the first closing mark outside of a text; the first at all when a quote
/// is left open.
fn closing(inner: &str, end: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => quote = Some(c),
            None if inner.get(at..).is_some_and(|rest| rest.starts_with(end)) => return Some(at),
            None => {}
        }
    }
    inner.find(end)
}

fn tokens(block: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = block.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '\'' || c == '"' {
            let mut text = String::new();
            while let Some(inner) = rest.next() {
                match inner {
                    '\\' => {
                        text.push('\\');
                        text.extend(rest.next());
                    }
                    _ if inner == c => break,
                    _ => text.push(inner),
                }
            }
            found.push(Token::Text(super::pickle::unescape(&text)));
        } else if c.is_alphabetic() || c == '_' {
            let mut name = String::from(c);
            while let Some(next) = rest.next_if(|next| next.is_alphanumeric() || *next == '_') {
                name.push(next);
            }
            found.push(Token::Name(name));
        } else if !c.is_whitespace() {
            found.push(Token::Sign(c));
        }
    }
    found
}

/// Names that the template gives a meaning of its own.
fn own_names(blocks: &[Vec<Token>]) -> HashSet<&str> {
    let mut own = HashSet::new();
    for tokens in blocks {
        let names = tokens.iter().filter(|token| **token != Token::Sign('-'));
        let mut names = names.skip_while(|token| matches!(token, Token::Sign('+')));
        let Some(Token::Name(word)) = names.next() else { continue };
        if !matches!(word.as_str(), "set" | "for" | "macro" | "import" | "from" | "call") {
            continue;
        }
        for token in names {
            match token {
                Token::Name(name) if name == "in" => break,
                Token::Sign('=') => break,
                Token::Name(name) => {
                    own.insert(name.as_str());
                }
                _ => {}
            }
        }
    }
    own
}

fn judge_block(tokens: &[Token], own: &HashSet<&str>) -> Option<Danger> {
    let mut worst = None;
    let mut note = |danger: Danger| {
        if worst != Some(Danger::TemplateEscapes) {
            worst = Some(danger);
        }
    };
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        let next = at.checked_add(1).and_then(|next| tokens.get(next));
        match token {
            Token::Name(name) => {
                let attribute = before == Some(&Token::Sign('.'));
                let filter = before == Some(&Token::Sign('|'));
                let called = next == Some(&Token::Sign('('));
                let reached = matches!(next, Some(Token::Sign('.' | '[')));
                if is_dunder(name) {
                    note(Danger::TemplateEscapes);
                } else if !attribute && called && CALLED.contains(&&**name) {
                    if !own.contains(name.as_str()) {
                        note(Danger::TemplateEscapes);
                    }
                } else if !attribute && reached && ROOTS.contains(&&**name) {
                    if !own.contains(name.as_str()) {
                        note(Danger::TemplateOdd);
                    }
                } else if (filter && name == "attr")
                    || (attribute && (called || reached) && METHODS.contains(&&**name))
                {
                    note(Danger::TemplateOdd);
                }
            }
            Token::Text(text) => {
                if hides_dunder(text) {
                    note(Danger::TemplateEscapes);
                } else if text == "__"
                    || (text == "_" && next == Some(&Token::Sign('*')))
                    || (text.contains("%c") && next == Some(&Token::Sign('|')))
                {
                    note(Danger::TemplateOdd);
                }
            }
            Token::Sign(_) => {}
        }
    }
    worst
}

fn is_dunder(name: &str) -> bool {
    name.len() > 4 && name.starts_with("__") && name.ends_with("__")
}

/// Names of Python's inside that texts must not hold.
fn hides_dunder(text: &str) -> bool {
    let whole = is_dunder(text) && text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let inner = [
        "__class__",
        "__globals__",
        "__builtins__",
        "__subclasses__",
        "__mro__",
        "__init__",
        "__import__",
        "__base__",
        "__bases__",
        "__getattribute__",
        "__code__",
        "__loader__",
    ];
    whole || inner.iter().any(|name| text.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(template: &str) -> Option<Danger> {
        let mut found = Found::default();
        judge_template(template, None, &mut found);
        found.dangers.first().map(|(danger, ..)| *danger)
    }

    #[test]
    fn ways_out_of_the_sandbox_are_seen_and_chats_are_not() {
        for escapes in [
            "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
            "{{ ''|attr('__class__')|attr('__mro__') }}",
            r"{{ request['application']['\x5f\x5fglobals\x5f\x5f'] }}",
            "{% for c in [].__class__.__base__.__subclasses__() %}{% endfor %}",
            "{{ getattr('', 'x') }}",
            "{%- set x = __builtins__['eval']('1') -%}",
            "{{ '{0.__class__}'.format(messages) }}",
            "{{ \"}}\" ~ x.__class__ }}",
        ] {
            assert_eq!(judged(escapes), Some(Danger::TemplateEscapes), "{escapes}");
        }
        for odd in ["{{ x|attr(y) }}", "{{ self.z }}", "{{ '__' ~ 'class' }}", "{{ a.popen('x') }}"]
        {
            assert_eq!(judged(odd), Some(Danger::TemplateOdd), "{odd}");
        }
        for chat in [
            "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message.content }}{% endfor %}",
            "{# __class__ in a comment #}{{ bos_token }}",
            "{%- set config = tools[0] -%}{{ config.name }}{{ raise_exception('__no__ role: ' ~ x) }}",
            "{% macro open(x) %}{{ x }}{% endmacro %}{{ open(1) }}",
            "no template: __class__ {x}",
            "{{ messages | selectattr('role', 'equalto', 'system') | list }}{{ strftime_now('%d') }}",
            "{{ message.system }}{{ namespace(found=false).found }}{{ loop.index }}",
        ] {
            assert_eq!(judged(chat), None, "{chat}");
        }
    }
}
