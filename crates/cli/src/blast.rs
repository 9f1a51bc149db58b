//! Whom a fault reaches, for people.

use catamaran_scenario::{Plan, Platform};
use catamaran_sim::{Layer, Reach, blast_radius};

use crate::table::{self, Column};
use crate::terminal::Terminal;

/// What goes wrong in a layer.
fn fault(layer: Layer) -> &'static str {
    match layer {
        Layer::Process => "crash",
        Layer::User => "program taken over",
        Layer::Kernel => "kernel exploit",
        Layer::Hypervisor => "hypervisor exploit",
        Layer::Daemon => "daemon taken over",
    }
}

fn reach(reach: Reach) -> &'static str {
    match reach {
        Reach::Nobody => "no such layer",
        Reach::Itself => "itself",
        Reach::Tenants => "all tenants",
        Reach::Machine => "the machine",
    }
}

/// A row for each platform, a column for each layer.
pub(crate) fn table(plan: &Plan, platforms: &[Platform], terminal: &Terminal) -> String {
    let mut columns = vec![Column::text("platform", platforms.iter().map(|platform| platform.name()))];
    columns.extend(Layer::ALL.iter().map(|layer| {
        let reaches = platforms.iter().map(|platform| reach(blast_radius(plan, *platform, *layer)));
        Column::text(fault(*layer), reaches)
    }));
    format!("{}\n{}", terminal.bold("whom a fault reaches"), table::lay_out(columns, terminal))
}
