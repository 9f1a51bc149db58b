//! Licence expressions (SPDX) against a list of licences that are allowed.

/// Whether `expression` can be satisfied by licences of `allowed`; `None` where it can't be read.
///
/// Old manifests write `MIT/Apache-2.0` for `OR`.
pub(super) fn satisfied(expression: &str, allowed: &[String]) -> Option<bool> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, allowed };
    let answer = reader.any()?;
    reader.words.is_empty().then_some(answer)
}

struct Reader<'a> {
    words: &'a [&'a str],
    allowed: &'a [String],
}

impl<'a> Reader<'a> {
    fn take(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn take_if(&mut self, word: &str) -> bool {
        let found = self.words.first() == Some(&word);
        if found {
            self.take();
        }
        found
    }

    /// `AND` binds tighter than `OR`.
    fn any(&mut self) -> Option<bool> {
        let mut answer = self.every()?;
        while self.take_if("OR") {
            answer |= self.every()?;
        }
        Some(answer)
    }

    fn every(&mut self) -> Option<bool> {
        let mut answer = self.one()?;
        while self.take_if("AND") {
            answer &= self.one()?;
        }
        Some(answer)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take_if("(") {
            let answer = self.any()?;
            return self.take_if(")").then_some(answer);
        }
        let mut licence =
            self.take().filter(|word| !matches!(*word, "OR" | "AND" | "WITH" | ")"))?.to_owned();
        if self.take_if("WITH") {
            licence = format!("{licence} WITH {}", self.take()?);
        }
        Some(self.allowed.contains(&licence))
    }
}

#[cfg(test)]
mod tests {
    use super::satisfied;

    #[test]
    fn expressions_are_read() {
        let allowed = ["MIT", "Zlib", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
        for (expression, answer) in [
            ("MIT", Some(true)),
            ("GPL-3.0", Some(false)),
            ("GPL-3.0 OR MIT", Some(true)),
            ("GPL-3.0/MIT", Some(true)),
            ("GPL-3.0 AND MIT", Some(false)),
            ("Zlib AND GPL-3.0 OR MIT", Some(true)),
            ("Zlib AND (GPL-3.0 OR MIT)", Some(true)),
            ("(MIT OR GPL-3.0) AND Unicode-3.0", Some(false)),
            ("Apache-2.0 WITH LLVM-exception", Some(true)),
            ("Apache-2.0", Some(false)),
            ("", None),
            ("MIT OR", None),
            ("(MIT", None),
            ("MIT Zlib", None),
        ] {
            assert_eq!(satisfied(expression, &allowed), answer, "{expression}");
        }
    }
}
