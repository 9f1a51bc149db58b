//! An engine's containers as shell lines that a person can type: its room, its image, and each container by the very words that a run has.

use std::path::Path;

use catamaran_image::{MANIFEST, configuration, manifest};
use catamaran_scenario::plan::Tenant;
use catamaran_worker::program::PATH;
use catamaran_worker::room_plan::RoomPlan;
use serde_json::json;

use super::calls::{Call, Calls, Container, Daemon, Laid, Place};
use super::furniture::{CORES, furniture, own_groups};
use super::{Found, WORKER_IMAGE, writes};
use crate::cgroup::Cgroup;
use crate::dry_run::{
    PUT_IN, WORKER, entering, in_memory, make_root, missing, quote, quoted, shell, show, word, words,
};
use crate::image::worker::FOLDERS;
use crate::platform;
use crate::problem::Problem;
use crate::root_by_hand;
use crate::shown::Shown;

/// Stands for a layer's digest in a configuration, until the shell has put it in.
const DIGEST: &str = "CATAMARAN_DIGEST";
/// Files of the image.
const LAYER: &str = "top.tar";
const CONFIGURATION: &str = "config.json";

/// An engine in a room that lines make.
pub(crate) struct ByHand {
    calls: &'static dyn Calls,
    version: String,
    place: Place,
    room: RoomPlan,
}

impl Found {
    /// As lines have it that make a guard called `name` on version 1 of the control groups, and lay everything into `folder`.
    pub(crate) fn by_hand(&self, cgroup: &dyn Cgroup, name: &str, folder: &Path) -> ByHand {
        let room = furniture(cgroup, folder, Shown::of(cgroup, name), self.calls.stays());
        let place = self.place(&room, cgroup.version(), String::new());
        ByHand { calls: self.calls, version: self.version(), place, room }
    }
}

impl ByHand {
    /// The process of the container that was started last.
    pub(crate) const PROCESS: &str = "$PROCESS";
    /// What stands in paths for `$GROUP`: with the number of a tenant, what its group is called.
    pub(crate) const GROUP: &str = "CATAMARAN_GROUP";

    /// The room, with the engine at work and its image there. Groups are added to `made`.
    pub(crate) fn open(&self, made: &mut Vec<String>) -> Vec<String> {
        let mut lines = vec![format!(
            "# {}, in a room: namespaces of its own, with the guard as all control groups there are. What is at work in there ends with it.",
            self.version
        )];
        lines.extend(missing(&self.room.shown, made));
        lines.extend(self.own_groups());
        lines.push(format!("mkdir -p {}", quoted(&self.room.folder)));
        lines.extend(self.room());
        if let Some(Daemon { call, answers }) = self.calls.daemon(&self.place) {
            lines.extend(call.laid_out.iter().map(laid_out));
            let log = quoted(&self.place.daemon_log());
            lines.push(format!("{} > {log} 2>&1 &", in_room(&call.words)));
            let answered = format!("{} > /dev/null 2>&1", in_room(&answers));
            lines.push(format!("while kill -0 $! && ! {answered}; do sleep 0.1; done"));
        }
        if self.calls.knows_images() {
            lines.extend(self.image());
        }
        lines
    }

    /// Groups of the engine's own processes; they are removed with those of the containers.
    fn own_groups(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for own in own_groups(&self.room) {
            lines.push(format!("mkdir {}", quoted(own)));
            let guard = own.parent().unwrap_or(Path::new(""));
            let base = guard.parent().unwrap_or(Path::new(""));
            for name in CORES.into_iter().filter(|name| base.join(name).exists()) {
                let [from, to] = [guard, own].map(|group| quoted(&group.join(name)));
                lines.push(format!("cat {from} > {to}"));
            }
        }
        lines
    }

    /// The room itself, and a function that carries out a command in it.
    fn room(&self) -> Vec<String> {
        let RoomPlan { folder, enter, settle, shown, hidden, .. } = &self.room;
        let (store, ready, end) =
            (self.room.store(), quoted(&folder.join("ready")), quoted(&folder.join("end")));
        let mut inside = vec!["set -e".to_owned()];
        // The engine finds its groups there, whatever is hidden.
        inside.extend(hidden.iter().filter(|at| at.is_dir()).map(|at| in_memory(at)));
        inside.extend(shown.iter().map(show));
        inside.extend([format!("mkdir {}", quoted(&store)), in_memory(&store)]);
        inside.push("mount -t proc proc /proc".to_owned());
        inside.push("if command -v ip > /dev/null; then ip link set lo up; fi".to_owned());
        // Its first process takes from the kernel who has ended in there.
        inside.push(format!(": > {ready}; until [ -e {end} ]; do sleep 0.1; done"));
        let make = format!("set -e; {}exec unshare --cgroup sh -c \"$1\" sh \"$2\"", entering(enter));
        let unshare = "exec unshare --mount --pid --ipc --uts --net --fork --kill-child sh -c \"$1\"";
        let work = format!("set -e; {}{unshare}", entering(settle));
        let namespaces = "--mount --ipc --uts --net --cgroup --pid=\"/proc/$0/ns/pid_for_children\"";
        let own: Vec<_> = own_groups(&self.room).cloned().collect();
        let store = quoted(&store);
        let command = format!(
            "set -e; {}exec nsenter --target \"$0\" {namespaces} env -i PATH={PATH} HOME={store} TMPDIR={store} \"$@\"",
            entering(&own)
        );
        vec![
            format!("sh -c {} sh {} {} &", quote(&make), quote(&work), quote(&inside.join("; "))),
            "ROOM=$!".to_owned(),
            format!("while kill -0 $ROOM && ! [ -e {ready} ]; do sleep 0.1; done"),
            format!("room() {{ sh -c {} $ROOM \"$@\" < /dev/null; }}", quote(&command)),
        ]
    }

    /// An image whose only layer is folders.
    fn image(&self) -> Vec<String> {
        let folder = self.place.folder.join("image");
        let root = folder.join("root");
        let [layer, config, manifest_file] =
            [LAYER, CONFIGURATION, MANIFEST].map(|name| quoted(&folder.join(name)));
        let of_image = configuration(json!({ "WorkingDir": "/" }), None, &[format!("sha256:{DIGEST}")]);
        let names = FOLDERS.map(|(name, _)| name).join(" ");
        let archive = self.place.folder.join("image.tar");
        vec![
            "# The image: a layer of folders, on which the machine's programs are shown so that any can be the WORKER.".to_owned(),
            make_root(&root),
            format!("tar --create --file {layer} --directory {} {names}", quoted(&root)),
            format!(
                "printf '%s\\n' {} | sed \"s|{DIGEST}|$(sha256sum {layer} | cut -d ' ' -f 1)|\" > {config}",
                quote(&of_image)
            ),
            format!(
                "printf '%s\\n' {} > {manifest_file}",
                quote(&manifest(WORKER_IMAGE, CONFIGURATION, &[LAYER.to_owned()]))
            ),
            format!(
                "tar --create --file {} --directory {} {MANIFEST} {CONFIGURATION} {LAYER}",
                quoted(&archive),
                quoted(&folder)
            ),
            in_room(&self.calls.load(&self.place, &archive)),
        ]
    }

    /// A tenant's container; its group and its process are then in `$GROUP` with its number, and [`Self::PROCESS`].
    ///
    /// # Errors
    /// Where an engine wants something by another name that this machine does not tell.
    pub(crate) fn start(
        &self,
        how: &platform::Plan,
        (tenant, label, instance): (&Tenant, &str, usize),
    ) -> Result<Vec<String>, Problem> {
        let programs = root_by_hand::programs();
        let container = Container {
            image: WORKER_IMAGE.to_owned(),
            programs: &programs,
            words: words(),
            ..Container::of(how, tenant, label)?
        };
        let Call { laid_out: laid, words } = self.calls.start(&self.place, &container);
        let mut lines: Vec<String> = laid.iter().map(laid_out).collect();
        lines.push(in_room(&words));
        let guard = self.room.enter.first().map(|group| quoted(group)).unwrap_or_default();
        lines.push("# Engines name groups as they like: this one was made last.".to_owned());
        lines.push(format!(
            "GROUP{instance}=$(find {guard} -mindepth 1 -type d -printf '%i %P\\n' | sort -n | tail -n 1 | cut -d ' ' -f 2)"
        ));
        lines.push(format!("PROCESS=$(head -n 1 {guard}/$GROUP{instance}/cgroup.procs)"));
        if !self.calls.takes_all_limits() {
            lines.push("# Its client has no option for some limits.".to_owned());
            lines.extend(writes(&how.groups.make).map(|step| shell(step, &mut Vec::new())));
        }
        lines.extend(how.script.nice.map(|nice| format!("renice -n {nice} -p $PROCESS > /dev/null")));
        let adjustment = how.script.oom_score_adj;
        lines.extend(adjustment.map(|value| format!("echo {value} > /proc/$PROCESS/oom_score_adj")));
        Ok(lines)
    }

    /// Ends the room after so many seconds.
    pub(crate) fn end(&self, seconds: f64) -> Vec<String> {
        let end = quoted(&self.room.folder.join("end"));
        vec![format!("sleep {seconds}"), format!(": > {end}"), "wait".to_owned()]
    }

    /// Removes the groups that the engine has left.
    pub(crate) fn remove(&self) -> String {
        let guards: Vec<_> = self.room.enter.iter().map(|group| quoted(group)).collect();
        format!("find {} -mindepth 1 -depth -type d -exec rmdir {{}} ';'", guards.join(" "))
    }
}

/// A command that is carried out in the room.
fn in_room(words: &[String]) -> String {
    let words = words.iter().map(|text| {
        let put_in = text.replace(WORKER, "$WORKER");
        if put_in == *text { word(text) } else { format!("\"{put_in}\"") }
    });
    std::iter::once("room".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

fn laid_out(laid: &Laid) -> String {
    match laid {
        Laid::Folder(folder) => format!("mkdir -p {}", quoted(folder)),
        Laid::Root(root) => make_root(root),
        Laid::File(file, text) => {
            let lines: Vec<_> = text.lines().map(quote).collect();
            let put_in = if text.contains(WORKER) { format!(" | {PUT_IN}") } else { String::new() };
            format!("printf '%s\\n' {}{put_in} > {}", lines.join(" "), quoted(file))
        }
    }
}
