//! Classes of service for cache and memory bandwidth: folders of the file system `resctrl`.
//!
//! **Source.** Runtime specification 1.3, config-linux.md "IntelRdt"; Linux `Documentation/filesystems/resctrl.rst`.
//! **Law.** A class that the configuration names (`closID`) is made where it is missing, must have the schemata that are asked for
//! where it is there, and stays at the container's end; one without a name has the container's id and goes with it. A monitoring
//! group is always the container's own.

use std::fs;
use std::path::{Path, PathBuf};

use oci_spec::runtime::LinuxIntelRdt;
use serde::{Deserialize, Serialize};

use crate::Problem;

const AT: &str = "linux.intelRdt";
/// Where a class says which of its processes are whose, and what it may use.
const TASKS: &str = "tasks";
const SCHEMATA: &str = "schemata";
/// Folder of a class with its monitoring groups.
const MONITORED: &str = "mon_groups";

/// What a container has there. `state.json` holds it between two commands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Class {
    folder: PathBuf,
    /// Whether this runtime has made the folder.
    made: bool,
    /// Whether the configuration names it.
    named: bool,
    /// Its own monitoring group.
    monitored: Option<PathBuf>,
}

impl Class {
    /// What `wanted` asks for in the file system at `root`, for the container `id`. What was made is undone where it fails.
    pub(crate) fn make(root: &Path, wanted: &LinuxIntelRdt, id: &str) -> Result<Self, Problem> {
        let named = wanted.clos_id().as_deref();
        let folder = match named {
            // "value `/` means that the container MUST be assigned to the default CLOS"
            Some("/") => root.to_owned(),
            Some(name) => root.join(name),
            None => root.join(id),
        };
        let there = folder.is_dir();
        let asks = wanted.l3_cache_schema().is_some()
            || wanted.mem_bw_schema().is_some()
            || wanted.schemata().as_ref().is_some_and(|lines| !lines.is_empty());
        if named.is_none() && there {
            let advice = "there is a class of the container's id; give it a closID, or remove the folder";
            return Err(Problem::config(AT, folder.display().to_string(), advice));
        }
        if named.is_some() && !there && !asks {
            let accepted = "a class that is there, or schemata for a new one";
            return Err(Problem::config(format!("{AT}.closID"), format!("{named:?}"), accepted));
        }
        let mut class = Self { folder, made: false, named: named.is_some(), monitored: None };
        let filled = class.fill(root, wanted, id, there);
        if let Err(problem) = filled {
            // Of what fails here the first reason is of more use.
            let _ = class.undo();
            return Err(problem);
        }
        Ok(class)
    }

    fn fill(&mut self, root: &Path, wanted: &LinuxIntelRdt, id: &str, there: bool) -> Result<(), Problem> {
        if !there {
            make(&self.folder)?;
            self.made = true;
        }
        let first: Vec<&str> = [wanted.l3_cache_schema(), wanted.mem_bw_schema()]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        if there {
            self.compare(&first)?;
        }
        self.write(root, &first)?;
        let last: Vec<&str> = wanted.schemata().iter().flatten().map(String::as_str).collect();
        self.write(root, &last)?;
        if wanted.enable_monitoring().unwrap_or(false) {
            let folder = self.folder.join(MONITORED).join(id);
            make(&folder)?;
            self.monitored = Some(folder);
        }
        Ok(())
    }

    /// "runtimes MUST compare `l3CacheSchema` and/or `memBwSchema` value with `schemata` file"
    fn compare(&self, wanted: &[&str]) -> Result<(), Problem> {
        if wanted.is_empty() {
            return Ok(());
        }
        let path = self.folder.join(SCHEMATA);
        let there = fs::read_to_string(&path)
            .map_err(|error| Problem::system(format!("{AT}: read {}", path.display()), error))?;
        let there: Vec<_> = parts(&there).collect();
        match parts(&wanted.join("\n")).find(|part| !there.contains(part)) {
            None => Ok(()),
            Some((resource, domain, value)) => Err(Problem::config(
                format!("{AT}.closID"),
                format!("a class whose {SCHEMATA} have not {resource}:{domain}={value}"),
                "the schemata of the class that is there, or another class",
            )),
        }
    }

    /// Writes lines of schemata; what the kernel says of a refusal stands in a file of its own.
    fn write(&self, root: &Path, lines: &[&str]) -> Result<(), Problem> {
        if lines.is_empty() {
            return Ok(());
        }
        let path = self.folder.join(SCHEMATA);
        fs::write(&path, format!("{}\n", lines.join("\n"))).map_err(|error| {
            let said = fs::read_to_string(root.join("info/last_cmd_status")).unwrap_or_default();
            let what = format!("{AT}: write {lines:?} to {}", path.display());
            Problem::system(what, format!("{error} {}", said.trim()).trim())
        })
    }

    /// Puts a process into the class, and into the monitoring group.
    pub(crate) fn enter(&self, pid: i32) -> Result<(), Problem> {
        [Some(&self.folder), self.monitored.as_ref()].into_iter().flatten().try_for_each(|folder| {
            let path = folder.join(TASKS);
            fs::write(&path, format!("{pid}\n")).map_err(|error| {
                Problem::system(format!("{AT}: write process {pid} to {}", path.display()), error)
            })
        })
    }

    /// At the container's end: its monitoring group, and a class that nobody named.
    pub(crate) fn remove(&self) -> Result<(), Problem> {
        self.monitored.as_deref().map_or(Ok(()), gone)?;
        if self.made && !self.named { gone(&self.folder) } else { Ok(()) }
    }

    /// After a container that could not be made: everything that was made for it.
    pub(crate) fn undo(&self) -> Result<(), Problem> {
        self.monitored.as_deref().map_or(Ok(()), gone)?;
        if self.made { gone(&self.folder) } else { Ok(()) }
    }
}

fn make(folder: &Path) -> Result<(), Problem> {
    fs::create_dir(folder).map_err(|error| {
        let what =
            format!("{AT}: make {} (a machine has few classes and groups: info/*/num_*)", folder.display());
        Problem::system(what, error)
    })
}

fn gone(folder: &Path) -> Result<(), Problem> {
    match fs::remove_dir(folder) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Problem::system(format!("{AT}: remove {}", folder.display()), error)),
    }
}

/// Resource, domain and value of each setting in lines such as `L3:0=7f0;1=1f`. Values of bit masks are written by the kernel
/// with zeros before them.
fn parts(lines: &str) -> impl Iterator<Item = (String, String, String)> {
    lines.lines().flat_map(|line| {
        let (resource, rest) = line.split_once(':').unwrap_or((line, ""));
        let resource = resource.trim().to_owned();
        let settings = rest.split(';').filter(|setting| !setting.trim().is_empty()).map(move |setting| {
            let (domain, value) = setting.split_once('=').unwrap_or((setting, ""));
            let value = value.trim().trim_start_matches('0').to_ascii_lowercase();
            (resource.clone(), domain.trim().to_owned(), value)
        });
        settings.collect::<Vec<_>>()
    })
}

#[cfg(test)]
mod tests;
