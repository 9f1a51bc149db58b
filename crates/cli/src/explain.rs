//! `catamaran explain`: the format's documentation.

use crate::args::Explain;
use crate::failure::Failure;
use crate::terminal::Terminal;

pub(crate) fn explain(args: &Explain, terminal: &Terminal) -> Result<(), Failure> {
    let explained = catamaran_scenario::explain(args.field.as_deref().unwrap_or_default())?;
    terminal.print(&format!("{}\n", explained.to_string().trim_end()))
}
