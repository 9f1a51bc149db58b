//! `catamaran compare --json`, as far as it matters here. Errors are natural logarithms (0.05 is about 5 %).

use std::collections::BTreeMap;

use serde::Deserialize;

/// One platform of a scenario.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Comparison {
    pub(super) platform: String,
    pub(super) rows: Vec<Row>,
    pub(super) summary: Summary,
    /// The simulation at the median speed of the trials.
    pub(super) simulated: Option<Report>,
    /// The native trials that were used.
    pub(super) native: Vec<Report>,
}

/// A metric of a tenant.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Row {
    pub(super) tenant: String,
    pub(super) replica: u32,
    pub(super) metric: String,
    pub(super) group: String,
    pub(super) simulated: f64,
    pub(super) native: f64,
    pub(super) error: f64,
    pub(super) excess: Option<f64>,
    pub(super) undecidable: bool,
    /// Of conserved rows that can be decided.
    pub(super) within: Option<bool>,
    pub(super) alone_error: Option<f64>,
    pub(super) fluid_error: Option<f64>,
}

impl Row {
    /// It follows from the arrivals; the other rows are what the model is judged by.
    pub(super) fn is_conserved(&self) -> bool {
        self.group == "conserved"
    }

    /// `web`, or `web/1` for replica 1.
    pub(super) fn label(&self) -> String {
        match self.replica {
            0 => self.tenant.clone(),
            replica => format!("{}/{replica}", self.tenant),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Summary {
    pub(super) discarded_trials: u32,
}

/// A report of either backend.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Report {
    pub(super) tenants: Vec<Tenant>,
    pub(super) identity: Identity,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Tenant {
    pub(super) startup_stages: Vec<Stage>,
}

/// A start-up stage (s from the request).
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Stage {
    pub(super) name: String,
    pub(super) start_s: f64,
    pub(super) end_s: f64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Identity {
    pub(super) machine: Option<BTreeMap<String, String>>,
}
