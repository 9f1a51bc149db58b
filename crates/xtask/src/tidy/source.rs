//! Rust text with everything blanked that is not code, line for line, so that rules can look for words.

/// `text` with comments, and the insides of string and character literals, replaced by blanks.
pub(super) fn code(text: &str) -> String {
    let mut scanner = Scanner { rest: text, out: String::with_capacity(text.len()) };
    while !scanner.rest.is_empty() {
        scanner.step();
    }
    scanner.out
}

/// [`code`] without the modules marked `#[cfg(test)]`.
pub(super) fn shipped_code(text: &str) -> String {
    let mut code = code(text);
    while let Some(start) = code.find("#[cfg(test)]") {
        let end = start + item_length(code.get(start..).unwrap_or_default());
        let blank: String = code.get(start..end).unwrap_or_default().chars().map(blank).collect();
        code.replace_range(start..end, &blank);
    }
    code
}

/// Bytes up to the end of the item that `code` begins with: its closing brace, or its semicolon.
pub(super) fn item_length(code: &str) -> usize {
    let mut depth = 0_usize;
    let mut brackets = 0_usize;
    for (at, character) in code.char_indices() {
        match character {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets = brackets.saturating_sub(1),
            '{' => depth += 1,
            '}' if depth <= 1 => return at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 && brackets == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// The identifiers of a line of code with their byte positions.
pub(super) fn identifiers(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let part = |character: char| character.is_alphanumeric() || character == '_';
    code.split(move |character| !part(character)).filter(|word| !word.is_empty()).map(|word| {
        let at = word.as_ptr() as usize - code.as_ptr() as usize;
        (at, word)
    })
}

fn blank(character: char) -> char {
    if character == '\n' { '\n' } else { ' ' }
}

struct Scanner<'a> {
    rest: &'a str,
    out: String,
}

impl Scanner<'_> {
    fn step(&mut self) {
        if self.rest.starts_with("//") {
            self.blank(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.blank(comment_length(self.rest));
        } else if let Some((opening, closing)) = raw_string(self.rest) {
            self.keep(opening);
            let end = self.rest.find(&closing).unwrap_or(self.rest.len());
            self.blank(end);
            self.keep(closing.len().min(self.rest.len()));
        } else if self.rest.starts_with('"') {
            self.literal('"');
        } else if is_character(self.rest) {
            self.literal('\'');
        } else {
            let word = identifier_length(self.rest);
            self.keep(word);
        }
    }

    fn keep(&mut self, bytes: usize) {
        let (kept, rest) = self.rest.split_at(bytes);
        self.out.push_str(kept);
        self.rest = rest;
    }

    fn blank(&mut self, bytes: usize) {
        let (blanked, rest) = self.rest.split_at(bytes);
        self.out.extend(blanked.chars().map(blank));
        self.rest = rest;
    }

    fn literal(&mut self, quote: char) {
        self.keep(1);
        let mut escaped = false;
        let end = self.rest.find(|character| {
            let closing = character == quote && !escaped;
            escaped = character == '\\' && !escaped;
            closing
        });
        self.blank(end.unwrap_or(self.rest.len()));
        self.keep(usize::from(end.is_some()));
    }
}

/// Length of the identifier at the start, or of one character.
fn identifier_length(text: &str) -> usize {
    let end = text.find(|character: char| !character.is_alphanumeric() && character != '_');
    match end {
        None => text.len(),
        Some(0) => text.chars().next().map_or(0, char::len_utf8),
        Some(end) => end,
    }
}

/// Length of a block comment, which may hold others.
fn comment_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else if let Some(character) = rest.chars().next() {
            at += character.len_utf8();
        } else {
            break;
        }
    }
    text.len()
}

/// Length of the opening of a raw string, and its closing.
fn raw_string(text: &str) -> Option<(usize, String)> {
    let prefix = ["br", "cr", "r"].into_iter().find(|prefix| text.starts_with(prefix))?;
    let rest = text.get(prefix.len()..)?;
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    let opening = rest.get(hashes..)?.starts_with('"');
    opening.then(|| (prefix.len() + hashes + 1, format!("\"{}", "#".repeat(hashes))))
}

/// Whether a quote opens a character literal and not a lifetime.
fn is_character(text: &str) -> bool {
    let mut characters = text.chars();
    if characters.next() != Some('\'') {
        return false;
    }
    match characters.next() {
        Some('\\') => true,
        Some(_) => characters.next() == Some('\''),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_is_left() {
        for (text, left) in [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            (r#"f("x\"y", 'z')"#, r#"f("    ", ' ')"#),
            ("r#\"a\"b\"# c", "r#\"   \"# c"),
            ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
            (r"let q = '\''; x", r"let q = '  '; x"),
            ("let r = for_r;", "let r = for_r;"),
            ("\"한글\" x", "\"  \" x"),
        ] {
            assert_eq!(code(text), left, "{text}");
        }
    }

    #[test]
    fn test_modules_are_not_shipped() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { { } } }\nfn c() {}\n#[cfg(test)]\nuse x::{y, z};\nfn d() {}";
        let names: Vec<_> = identifiers(&shipped_code(text)).map(|(_, word)| word.to_owned()).collect();
        assert_eq!(names, ["fn", "a", "fn", "c", "fn", "d"]);
    }
}
