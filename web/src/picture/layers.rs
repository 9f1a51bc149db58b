//! The layers of a tenant's image while they come: what is there, what is fetched and unpacked when.

use catamaran_report::Report;
use catamaran_report::report::{StageRow, TenantReport};
use catamaran_scenario::Plan;

/// How a layer stands at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coming {
    /// The machine had it before.
    There,
    /// Not asked for yet.
    Ahead,
    /// On its way.
    Flowing,
    /// Fetched, not unpacked yet.
    Fetched,
    /// Unpacked.
    Ready,
}

/// One layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerView {
    /// Its id.
    pub id: String,
    /// Its size (bytes, packed).
    pub bytes: u64,
    /// When it is fetched (ns of the run); `None`: it is there.
    pub pull: Option<(u64, u64)>,
    /// When it is unpacked (ns of the run).
    pub unpack: Option<(u64, u64)>,
}

impl LayerView {
    /// How it stands at that instant.
    #[must_use]
    pub fn at(&self, at_ns: u64) -> Coming {
        let Some((asked, there)) = self.pull else { return Coming::There };
        let ready = self.unpack.is_none_or(|(_, ready)| at_ns >= ready);
        match at_ns {
            at if at < asked => Coming::Ahead,
            at if at < there => Coming::Flowing,
            _ if ready => Coming::Ready,
            _ => Coming::Fetched,
        }
    }
}

/// The image of a tenant, bottom layer first.
#[derive(Debug, Clone, PartialEq)]
pub struct Pile {
    /// Index into `Report::tenants`.
    pub tenant: u32,
    /// Its layers.
    pub layers: Vec<LayerView>,
    /// When it runs (ns of the run), where that is known.
    pub runs_ns: Option<u64>,
}

impl Pile {
    /// What has to come (bytes).
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.layers.iter().filter(|layer| layer.pull.is_some()).map(|layer| layer.bytes).sum()
    }

    /// The whole image (bytes).
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.layers.iter().map(|layer| layer.bytes).sum()
    }
}

/// When each stage that fetches or unpacks begins and ends (ns from the request), by name. Where a place is unknown, because a
/// stage before it has an unknown length, that stage counts as nothing, every layer is taken to be asked for at once, and each
/// is unpacked when it is there and the ones before it are unpacked.
///
/// **Where this is wrong.** An engine asks for so many layers at a time; of an image that lacks more, the later ones are drawn
/// too early.
fn times(stages: &[StageRow]) -> Vec<(&str, u64, u64)> {
    let mut known: Vec<(&str, u64, u64)> = Vec::new();
    let mut unpacked = 0;
    for stage in stages {
        let name = stage.name.as_str();
        let (Some(length), Some((verb, id))) = (stage.length(), name.split_once(' ')) else { continue };
        let begin = match (stage.span(), verb) {
            (Some((from, _)), _) => nanos(from),
            (None, "unpack") => {
                let fetched = known.iter().find(|(other, ..)| other.strip_prefix("pull ") == Some(id));
                fetched.map_or(0, |(_, _, end)| *end).max(unpacked)
            }
            (None, _) => 0,
        };
        let end = begin + nanos(length);
        if verb == "unpack" {
            unpacked = end;
        }
        known.push((name, begin, end));
    }
    known
}

/// The piles of all tenants that have an image.
#[must_use]
pub fn piles(report: &Report, plan: &Plan) -> Vec<Pile> {
    let of = |(index, row): (u32, &TenantReport)| {
        let tenant = plan.tenants().iter().find(|tenant| tenant.name == row.name)?;
        let image = plan.images().iter().find(|image| Some(&image.name) == tenant.image.as_ref())?;
        let start = tenant.start_at.0;
        let known = times(&row.startup_stages);
        let span = |verb: &str, id: &str| {
            let (_, from, to) = known.iter().find(|(name, ..)| *name == format!("{verb} {id}"))?;
            Some((start + from, start + to))
        };
        let layer = |layer: &catamaran_scenario::plan::Layer| LayerView {
            id: layer.id.clone(),
            bytes: layer.size.0,
            pull: span("pull", &layer.id),
            unpack: span("unpack", &layer.id),
        };
        let layers = image.layers.iter().map(layer).collect();
        Some(Pile { tenant: index, layers, runs_ns: row.startup_s.map(|startup_s| start + nanos(startup_s)) })
    };
    (0_u32..).zip(&report.tenants).filter_map(of).collect()
}

fn nanos(seconds: f64) -> u64 {
    (seconds * 1e9).max(0.0).round() as u64
}

/// The instants (ns from each tenant's request) at which a layer begins or ends to come or to be unpacked.
#[must_use]
pub fn layer_changes(report: &Report) -> Vec<u64> {
    let rows = report.tenants.iter().flat_map(|tenant| times(&tenant.startup_stages));
    rows.flat_map(|(_, from, to)| [from, to]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::tests_support::report;

    #[test]
    fn a_layer_comes_and_is_unpacked_after_its_tenant_was_asked_for() {
        let text = "schema = \"catamaran/scenario/v1\"\nname = \"x\"\nduration = \"9s\"\nplatforms = [\"docker\"]\n\
             [[tenant]]\nname = \"web\"\nimage = \"a\"\nstart_at = \"1s\"\nworkload = { kind = \"idle\" }\n\
             [[image]]\nname = \"a\"\nlayers = [{ id = \"base\", size = \"5MB\" }, { id = \"top\", size = \"2MB\" }]\n";
        let plan = Plan::from_toml(text, "x.toml").unwrap();
        let mut report = report();
        report.tenants[0].startup_stages = vec![
            StageRow::measured("pull top", "dockerd", 0.0, 0.2),
            StageRow::measured("unpack top", "dockerd", 0.2, 0.3),
        ];
        report.tenants[0].startup_s = Some(0.5);
        let piles = piles(&report, &plan);
        assert_eq!(piles.len(), 1, "batch has no image");
        let pile = &piles[0];
        assert_eq!((pile.bytes(), pile.missing(), pile.runs_ns), (7_000_000, 2_000_000, Some(1_500_000_000)));
        let ms = |ms: u64| ms * 1_000_000;
        assert_eq!(pile.layers[0].at(0), Coming::There);
        let top = [900, 1_100, 1_250, 1_300].map(|at| pile.layers[1].at(ms(at)));
        assert_eq!(top, [Coming::Ahead, Coming::Flowing, Coming::Fetched, Coming::Ready]);
    }

    #[test]
    fn where_places_are_unknown_a_layer_is_unpacked_on_those_beneath_it() {
        let unknown = |name: &str, length_s| {
            let mut stage = StageRow::measured(name, "dockerd", 0.0, 0.0);
            (stage.start_s, stage.end_s, stage.length_s) = (None, None, length_s);
            stage
        };
        let stages = [
            unknown("request", None),
            unknown("pull base", Some(3.0)),
            unknown("pull top", Some(1.0)),
            unknown("unpack base", Some(0.5)),
            unknown("unpack top", Some(0.25)),
            unknown("create", None),
        ];
        let s = |tenths: u64| tenths * 50_000_000;
        let expected = [
            ("pull base", 0, s(60)),
            ("pull top", 0, s(20)),
            ("unpack base", s(60), s(70)),
            ("unpack top", s(70), s(75)),
        ];
        assert_eq!(times(&stages), expected);
    }
}
