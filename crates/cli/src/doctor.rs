//! `catamaran doctor`.

mod lessons;

use catamaran_native::Check;

use crate::args::Doctor;
use crate::failure::Failure;
use crate::table::{self, Column};
use crate::terminal::Terminal;

pub(crate) fn doctor(args: &Doctor, terminal: &Terminal) -> Result<(), Failure> {
    let _flag = crate::interrupt::flag()?;
    let mut checks = catamaran_native::doctor();
    checks.extend(lessons::checks(&checks));
    if args.json {
        return terminal.print_json(&checks);
    }
    let columns = vec![
        Column::text("", checks.iter().map(|check| if check.works { "✓" } else { "✗" })),
        Column::text("what", checks.iter().map(|check| &check.name)),
        Column::text("found", checks.iter().map(|check| &check.found)),
    ];
    let mut text = table::lay_out(columns, terminal);
    for (remedy, names) in remedies(&checks) {
        text += &terminal.wrapped(&format!("to get {}: {remedy}", names.join(", ")));
    }
    terminal.print(&text)
}

/// Each remedy once, with all that it helps.
fn remedies(checks: &[Check]) -> Vec<(&str, Vec<&str>)> {
    let mut remedies: Vec<(&str, Vec<&str>)> = Vec::new();
    for check in checks {
        let Some(remedy) = check.remedy.as_deref() else { continue };
        match remedies.iter_mut().find(|(known, _)| *known == remedy) {
            Some((_, names)) => names.push(&check.name),
            None => remedies.push((remedy, vec![&check.name])),
        }
    }
    remedies
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_remedies_are_told_once() {
        let check = |name: &str, remedy: Option<&str>| Check {
            name: name.into(),
            works: remedy.is_none(),
            found: String::new(),
            remedy: remedy.map(str::to_owned),
        };
        let checks = [
            check("vm", Some("a")),
            check("cgroups", None),
            check("runc", Some("b")),
            check("kata", Some("a")),
        ];
        assert_eq!(remedies(&checks), [("a", vec!["vm", "kata"]), ("b", vec!["runc"])]);
    }
}
