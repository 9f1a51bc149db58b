//! Which figure of a report, or of a density, a prediction means.

use serde_json::Value;

use super::Predicted;
use super::folder::{Over, Prediction};

/// The figure of a report, in the published unit.
pub(super) fn figure(reports: &[Value], prediction: &Prediction) -> Predicted {
    let report = on_platform(reports, prediction)?;
    let figure = match prediction.metric.strip_prefix("event:") {
        Some(span) => between(report, prediction.tenant.as_deref(), span)?,
        None => match &prediction.tenant {
            None => at(&report["host"], &prediction.metric)?,
            Some(tenant) => of_replicas(report, tenant, prediction)?,
        },
    };
    Ok(figure * prediction.factor)
}

/// The figure of a density, in the published unit.
pub(super) fn density(rows: &[Value], prediction: &Prediction) -> Predicted {
    Ok(at(&on_platform(rows, prediction)?["simulated"], &prediction.metric)? * prediction.factor)
}

fn on_platform<'a>(rows: &'a [Value], prediction: &Prediction) -> Result<&'a Value, String> {
    let platform = &prediction.platform;
    let found = rows.iter().find(|row| row["platform"] == platform.as_str());
    found.ok_or_else(|| format!("the scenario is not carried out on {platform}"))
}

/// The value at a path of names.
fn at(value: &Value, path: &str) -> Predicted {
    let found = path.split('.').fold(value, |value, name| &value[name]);
    let reason = || value["absent"][path].as_str().map_or("the report has none", |reason| reason).to_owned();
    found.as_f64().ok_or_else(reason)
}

fn of_replicas(report: &Value, tenant: &str, prediction: &Prediction) -> Predicted {
    let tenants = report["tenants"].as_array().map_or(&[][..], Vec::as_slice);
    let replicas = tenants.iter().filter(|one| one["name"] == tenant);
    let mut figures =
        replicas.map(|replica| at(replica, &prediction.metric)).collect::<Result<Vec<f64>, String>>()?;
    figures.sort_by(f64::total_cmp);
    together(&figures, prediction.over).ok_or_else(|| format!("there is no tenant {tenant}"))
}

/// Sorted figures in one.
fn together(figures: &[f64], over: Over) -> Option<f64> {
    let sum: f64 = figures.iter().sum();
    let last = figures.len().checked_sub(1)?;
    // The nearest rank, as in the report's own percentiles.
    let rank = |percent: usize| figures.get((figures.len() * percent).div_ceil(100).saturating_sub(1));
    match over {
        Over::Sum => Some(sum),
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 replicas")]
        Over::Mean => Some(sum / figures.len() as f64),
        Over::Max => figures.get(last).copied(),
        Over::P50 => rank(50).copied(),
        Over::P99 => rank(99).copied(),
    }
}

/// Seconds from the first event of one kind to the last of another, `WHAT..WHAT`.
fn between(report: &Value, target: Option<&str>, span: &str) -> Predicted {
    let (from, to) = span.split_once("..").ok_or_else(|| format!("{span:?} is no WHAT..WHAT"))?;
    let events = report["events"].as_array().map_or(&[][..], Vec::as_slice);
    let of_target = |event: &&Value| target.is_none_or(|target| event["target"] == target);
    let times = |what: &str| -> Vec<f64> {
        let of_kind = events.iter().filter(of_target).filter(|event| event["what"] == what);
        of_kind.filter_map(|event| event["at_s"].as_f64()).collect()
    };
    let first = times(from).first().copied().ok_or_else(|| format!("no event {from:?} came"))?;
    let last = times(to).last().copied().ok_or_else(|| format!("no event {to:?} came"))?;
    Ok(last - first)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{density, figure};
    use crate::published::folder::{Over, Prediction};

    fn prediction(tenant: Option<&str>, metric: &str, over: Over) -> Prediction {
        Prediction {
            quantity: "of a test".into(),
            unit: "ms".into(),
            platform: "vm".into(),
            host: None,
            tenant: tenant.map(Into::into),
            metric: metric.into(),
            over,
            factor: 1000.0,
        }
    }

    #[test]
    fn figures_are_found_by_tenant_host_and_event() {
        let replica =
            |latency: f64| json!({ "name": "web", "requests": { "latency_s": { "p50": latency } } });
        let reports = [json!({
            "platform": "vm",
            "tenants": [replica(0.003), replica(0.001), { "name": "db", "startup_s": null, "absent": { "startup_s": "unknown" } }],
            "host": { "overhead_cpu_s": 0.5 },
            "events": [
                { "at_s": 1.0, "what": "pause", "target": "db" },
                { "at_s": 1.5, "what": "resume", "target": "web" },
                { "at_s": 1.25, "what": "resume", "target": "db" },
            ],
        })];
        let p50 = "requests.latency_s.p50";
        let cases = [
            (prediction(Some("web"), p50, Over::Sum), Ok(4.0)),
            (prediction(Some("web"), p50, Over::Mean), Ok(2.0)),
            (prediction(Some("web"), p50, Over::Max), Ok(3.0)),
            (prediction(Some("web"), p50, Over::P50), Ok(1.0)),
            (prediction(Some("web"), p50, Over::P99), Ok(3.0)),
            (prediction(None, "overhead_cpu_s", Over::Mean), Ok(500.0)),
            (prediction(Some("db"), "event:pause..resume", Over::Mean), Ok(250.0)),
            (prediction(Some("db"), "startup_s", Over::Mean), Err("unknown".to_owned())),
            (prediction(Some("shop"), "startup_s", Over::Mean), Err("there is no tenant shop".to_owned())),
            (
                prediction(Some("web"), "event:pause..resume", Over::Mean),
                Err("no event \"pause\" came".to_owned()),
            ),
        ];
        for (prediction, expected) in cases {
            assert_eq!(
                figure(&reports, &prediction),
                expected,
                "{} {:?}",
                prediction.metric,
                prediction.over
            );
        }
    }

    #[test]
    fn a_density_is_read_off_its_platforms_row() {
        let rows = [
            json!({ "platform": "docker", "simulated": { "tenants": 7 } }),
            json!({ "platform": "vm", "simulated": { "tenants": 3, "tenant_bytes": null } }),
        ];
        let found = |metric: &str| density(&rows, &prediction(None, metric, Over::Mean));
        assert_eq!(found("tenants"), Ok(3000.0));
        assert_eq!(found("tenant_bytes"), Err("the report has none".to_owned()));
        let elsewhere = Prediction { platform: "kata".into(), ..prediction(None, "tenants", Over::Mean) };
        assert_eq!(density(&rows, &elsewhere), Err("the scenario is not carried out on kata".to_owned()));
    }
}
