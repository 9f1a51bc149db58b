//! `catamaran probe`.

use catamaran_native::Verdict;
use catamaran_report::report::Sees;

use crate::args::Probe;
use crate::failure::Failure;
use crate::table::{self, Cell, Column};
use crate::terminal::Terminal;

pub(crate) fn probe(args: &Probe, terminal: &Terminal) -> Result<(), Failure> {
    let interrupted = crate::interrupt::flag()?;
    let probe = catamaran_native::probe(args.platform, &interrupted)?;
    if args.json {
        terminal.print_json(&probe)?;
    } else {
        terminal.print(&text(&probe, terminal))?;
    }
    let views = probe.views.iter().filter(|view| !view.holds).map(|view| view.resource.as_str());
    let attacks = probe.attacks.iter().filter(|attack| !attack.holds).map(|attack| attack.attack.as_str());
    let broken: Vec<&str> = views.chain(attacks).collect();
    if broken.is_empty() {
        return Ok(());
    }
    let broken = broken.join(", ");
    Err(Failure::Failed(format!("{} does not keep what it promises here: {broken}", args.platform)))
}

fn text(probe: &catamaran_native::Probe, terminal: &Terminal) -> String {
    let views = vec![
        Column::text("", probe.views.iter().map(|view| mark(view.holds))),
        Column::text("what it sees", probe.views.iter().map(|view| &view.resource)),
        Column::text("expected", probe.views.iter().map(|view| of_whom(view.expected))),
        Column::text("seen", probe.views.iter().map(|view| cell(view.seen.map(of_whom)))),
        Column::text("in detail", probe.views.iter().map(|view| &view.detail)).ranked(1),
    ];
    let attacks = vec![
        Column::text("", probe.attacks.iter().map(|attack| mark(attack.holds))),
        Column::text("what it tries", probe.attacks.iter().map(|attack| &attack.attack)),
        Column::text("expected", probe.attacks.iter().map(|attack| word(attack.expected))),
        Column::text("seen", probe.attacks.iter().map(|attack| cell(attack.seen.map(word)))),
        Column::text("in detail", probe.attacks.iter().map(|attack| &attack.detail)).ranked(1),
    ];
    table::lay_out(views, terminal) + "\n" + &table::lay_out(attacks, terminal)
}

fn cell(seen: Option<&str>) -> Cell {
    Cell::figure(seen.map(str::to_owned))
}

fn mark(holds: bool) -> &'static str {
    if holds { "✓" } else { "✗" }
}

fn of_whom(sees: Sees) -> &'static str {
    match sees {
        Sees::Own => "its own",
        Sees::Some => "some of the host's",
        Sees::Host => "the host's",
        Sees::Nothing => "nothing",
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Permitted => "permitted",
        Verdict::Inside => "permitted, in its own machine",
        Verdict::Refused => "refused",
        Verdict::Limited => "held by its limit",
        Verdict::Missing => "not in this kernel",
    }
}
