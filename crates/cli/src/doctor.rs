//! `catamaran doctor`.

use crate::args::Doctor;
use crate::failure::Failure;
use crate::table::{self, Column};
use crate::terminal::Terminal;

pub(crate) fn doctor(args: &Doctor, terminal: &Terminal) -> Result<(), Failure> {
    let _flag = crate::interrupt::flag()?;
    let checks = catamaran_native::doctor();
    if args.json {
        return terminal.print_json(&checks);
    }
    let columns = vec![
        Column::text("", checks.iter().map(|check| if check.works { "✓" } else { "✗" })),
        Column::text("what", checks.iter().map(|check| &check.name)),
        Column::text("found", checks.iter().map(|check| &check.found)),
    ];
    let mut text = table::lay_out(columns, terminal);
    for check in &checks {
        if let Some(remedy) = &check.remedy {
            text += &terminal.wrapped(&format!("to get {}: {remedy}", check.name));
        }
    }
    terminal.print(&text)
}
