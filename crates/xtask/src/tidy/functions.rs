//! Functions of a Rust file and how many lines each takes. Tests are tables, as long as they need be: they are left out.

use super::source::{identifiers, item_length, shipped_code};

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    /// Line of `fn`, from 1.
    pub(super) line: usize,
    /// Lines from `fn` to the closing brace.
    pub(super) lines: usize,
}

/// The shipped functions of a Rust text; those without a body have one line or few, and count like the others.
pub(super) fn functions(text: &str) -> Vec<Function> {
    let code = shipped_code(text);
    let mut words = identifiers(&code).peekable();
    let mut found = Vec::new();
    while let Some((at, word)) = words.next() {
        let Some(&(name_at, name)) = words.peek() else { break };
        let between = code.get(at + 2..name_at).unwrap_or_default();
        if word != "fn" || !between.trim().is_empty() {
            continue;
        }
        let rest = code.get(at..).unwrap_or_default();
        let body = rest.get(..item_length(rest)).unwrap_or_default();
        let line = code.get(..at).unwrap_or_default().matches('\n').count() + 1;
        found.push(Function { name: name.to_owned(), line, lines: body.matches('\n').count() + 1 });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_measured() {
        let text = "\
/// fn not_this() {
pub(crate) const fn one() -> u8 { 1 }
impl X {
    fn three<F: Fn(u8) -> fn(u8)>(f: F) -> [u8; 3] {
        let text = \"}\";
    }
    fn declared(&self,
        more: u8);
}
type Pointer = fn(u8) -> u8;
fn four() {
    if true {
    }
}
#[cfg(test)]
mod tests {
    fn table() {}
}";
        let found: Vec<_> = functions(text).into_iter().map(|f| (f.name, f.line, f.lines)).collect();
        assert_eq!(
            found,
            [
                ("one".to_owned(), 2, 1),
                ("three".to_owned(), 4, 3),
                ("declared".to_owned(), 7, 2),
                ("four".to_owned(), 11, 4)
            ]
        );
    }
}
