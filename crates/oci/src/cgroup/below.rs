//! Groups below the container's own, for one more process (`exec --cgroup`).

use std::path::{Component, Path, PathBuf};

use rustix::io::Errno;

use super::Manager;
use super::group::Group;
use crate::Problem;

/// What one `[CONTROLLER,…:]PATH` says.
struct Wanted<'a> {
    text: &'a str,
    controllers: Vec<&'a str>,
    path: PathBuf,
}

impl<'a> Wanted<'a> {
    fn read(text: &'a str) -> Result<Self, Problem> {
        let (names, path) = text.split_once(':').unwrap_or(("", text));
        let controllers = names.split(',').filter(|name| !name.is_empty()).collect();
        let mut below = PathBuf::new();
        for part in Path::new(path).components() {
            match part {
                Component::Normal(name) => below.push(name),
                Component::RootDir | Component::CurDir => {}
                Component::ParentDir | Component::Prefix(_) => {
                    return Err(refuse(text, "takes a path below the container's group, without `..`"));
                }
            }
        }
        Ok(Self { text, controllers, path: below })
    }

    fn is_meant(&self, group: &Group) -> bool {
        self.controllers.is_empty() || self.controllers.iter().any(|name| has(group, name))
    }
}

fn refuse(text: &str, why: &str) -> Problem {
    Problem::Usage(format!("--cgroup {text:?}: {why}"))
}

fn has(group: &Group, controller: &str) -> bool {
    group.controllers.iter().any(|own| own == controller)
}

impl Manager {
    /// The groups for one more process: those below the container's that `wanted` names.
    ///
    /// # Errors
    /// A controller that the container has no group of, a group that is not there, a path that leads out.
    pub fn below(&self, wanted: &[String]) -> Result<Self, Problem> {
        let mut manager = self.clone();
        for text in wanted {
            manager.go_below(&Wanted::read(text)?)?;
        }
        Ok(manager)
    }

    fn go_below(&mut self, wanted: &Wanted<'_>) -> Result<(), Problem> {
        let missing = |name: &&&str| !self.groups.iter().any(|group| has(group, name));
        if let Some(name) = wanted.controllers.iter().find(missing) {
            return Err(refuse(
                wanted.text,
                &format!("the container has no group of the controller {name:?}"),
            ));
        }
        if wanted.path.as_os_str().is_empty() {
            return Ok(());
        }
        let mut found = false;
        for group in self.groups.iter_mut().filter(|group| wanted.is_meant(group)) {
            let below = group.open().and_then(|folder| folder.inside(&wanted.path));
            match below.and_then(|folder| folder.number()) {
                Ok(number) => {
                    group.path.push(&wanted.path);
                    group.number = number;
                    found = true;
                }
                // Who names no controller means the hierarchies that have such a group.
                Err(Errno::NOENT) if wanted.controllers.is_empty() => {}
                Err(error) => {
                    let at = group.place().join(&wanted.path);
                    return Err(refuse(wanted.text, &format!("{}: {error}", at.display())));
                }
            }
        }
        if found { Ok(()) } else { Err(refuse(wanted.text, "the container has no such group")) }
    }
}
