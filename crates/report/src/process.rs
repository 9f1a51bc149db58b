//! Who takes part in a start, and who stays beside a tenant: `report.processes`, and figures of it.

use serde::{Deserialize, Serialize};

use crate::report::{Report, TenantReport};

/// Name of the row of the tenant's own program.
pub const PROGRAM: &str = "program";
/// Parent of a process that the machine's first process started, or took over when whoever started it was gone.
pub const INIT: &str = "init";
/// Parent of a process that a person started.
pub const SHELL: &str = "shell";

/// `report.processes[]`: a process on a platform whose actors are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessRow {
    /// As in `startup_stages[].actor`, or [`PROGRAM`].
    pub name: String,
    /// Another row's name, [`INIT`] or [`SHELL`].
    pub parent: String,
    /// For how long it is there.
    pub stays: Stays,
    /// As whom it runs on the machine.
    pub user: RunsAs,
    /// The row that it turns into by `execve`, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub becomes: Option<String>,
    /// Who else ends when it is killed (`SIGKILL`); `None`: no source says.
    pub killed_with: Option<Vec<String>>,
    /// Who else ends when it is a service and is stopped as one; `None`: it is none, or no source says.
    pub stopped_with: Option<Vec<String>>,
}

/// `report.processes[].stays`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stays {
    /// Until the container has started.
    Start,
    /// As long as its container.
    Container,
    /// Whether there is a container or not: a daemon.
    Machine,
}

/// `report.processes[].user`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunsAs {
    /// Root of the machine.
    Root,
    /// An ordinary user of the machine, or one that is mapped to users of theirs.
    User,
}

impl ProcessRow {
    /// Its name in a path of a figure, where there are no spaces.
    fn word(&self) -> String {
        self.name.replace(' ', "-")
    }

    fn lasts(&self) -> bool {
        self.stays != Stays::Start
    }
}

/// A figure by its path below `processes.`: how many `stay` beside the program, are `daemons`, or stay as `root` (the program
/// counts too).
pub(crate) fn count(report: &Report, which: &str) -> Option<f64> {
    if report.processes.is_empty() {
        return None;
    }
    let counts = |row: &&ProcessRow| match which {
        "stay" => Some(row.lasts() && row.name != PROGRAM),
        "daemons" => Some(row.stays == Stays::Machine),
        "root" => Some(row.lasts() && row.user == RunsAs::Root),
        _ => None,
    };
    let each: Option<Vec<bool>> = report.processes.iter().map(|row| counts(&row)).collect();
    Some(each?.into_iter().filter(|counted| *counted).count() as f64)
}

/// A figure by its path below `process.`: `NAME.there` (1 or 0), `NAME.kills` and `NAME.stops` (1 where the program ends
/// with it). Spaces of a name are hyphens.
pub(crate) fn answer(report: &Report, path: &str) -> Option<f64> {
    let (name, question) = path.rsplit_once('.')?;
    let row = report.processes.iter().find(|row| row.word() == name);
    let ends = |with: Option<&Vec<String>>| with.map(|names| names.iter().any(|name| name == PROGRAM));
    let holds = match question {
        "there" if report.processes.is_empty() => return None,
        "there" => row.is_some(),
        "kills" => ends(row?.killed_with.as_ref())?,
        "stops" => ends(row?.stopped_with.as_ref())?,
        _ => return None,
    };
    Some(f64::from(u8::from(holds)))
}

/// How many stages a tenant's start has.
pub(crate) fn stages(tenant: &TenantReport) -> Option<f64> {
    (!tenant.startup_stages.is_empty()).then_some(tenant.startup_stages.len() as f64)
}
