//! `catamaran clean`.

use crate::failure::Failure;
use crate::terminal::Terminal;

pub(crate) fn clean(terminal: &Terminal) -> Result<(), Failure> {
    // A signal must not stop it halfway: what is half removed is left.
    let _flag = crate::interrupt::flag()?;
    let cleaned = catamaran_native::clean()?;
    let mut text = match cleaned.runs {
        0 => "nothing was left behind\n".to_owned(),
        runs => format!("interrupted runs found: {runs}; removed:\n"),
    };
    for line in &cleaned.removed {
        text += &format!("  {line}\n");
    }
    for pid in &cleaned.live {
        text += &format!("left alone: the live run of process {pid}\n");
    }
    terminal.print(&text)
}
