//! `unsafe` is written where the kernel is called only, in `crates/native` and `crates/oci`, where clippy asks for each block's SAFETY comment.

use super::Fault;
use super::source::{code, identifiers};
use super::tree::Tree;

const ALLOWED: [&str; 2] = ["crates/native/", "crates/oci/"];

pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    let outside =
        tree.ending(".rs").filter(|file| !ALLOWED.iter().any(|folder| file.path.starts_with(folder)));
    outside
        .flat_map(|file| {
            let lines = code(&file.text);
            let found = lines
                .lines()
                .enumerate()
                .filter(|(_, line)| identifiers(line).any(|(_, word)| word == "unsafe"));
            found
                .map(|(at, _)| {
                    Fault::new(
                        &file.path,
                        at + 1,
                        "`unsafe` outside of crates/native and crates/oci: move it there, behind a safe function",
                    )
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_is_found_where_it_may_not_be() {
        let text = "// unsafe\n#![deny(unsafe_code)]\nfn f() { unsafe { g() } }\n";
        let faults = check(&Tree::of(&[
            ("crates/sim/src/a.rs", text),
            ("crates/native/src/a.rs", text),
            ("crates/oci/src/a.rs", text),
        ]));
        assert_eq!(
            faults.iter().map(|fault| (fault.path.as_str(), fault.line)).collect::<Vec<_>>(),
            [("crates/sim/src/a.rs", 3)]
        );
    }
}
