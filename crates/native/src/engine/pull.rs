//! Images that an engine pulls by itself, from a registry on the machine's loopback, which its room has not: the runner answers in there
//! ([`Offer`]), and so sees what is asked for and when it was there.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use catamaran_image::offer::{NAME, Offer, Served};
use catamaran_image::registry::Pull;
use catamaran_image::{Error, Image, digest};
use catamaran_report::report::StageRow;
use catamaran_worker::clock::now_ns;
use catamaran_worker::stop::stop_at;
use rustix::fs::{Mode, OFlags};
use rustix::net::Shutdown;
use rustix::process::{Pid, Signal, kill_process};

use super::Engine;
use super::calls::{DAY_NS, Daemon};
use super::room::ASK_EVERY;
use crate::guard::Guard;
use crate::image::{self, BLOBS, Fetched, Images, short, worker};
use crate::interrupt::Interrupt;
use crate::network::in_namespace;
use crate::problem::Problem;
use crate::trace::Seen;

/// What a program is called that an engine starts anew from itself, to unpack a layer with that for its root.
const ITSELF: &str = "exe";
/// How long an engine may take to tell what has happened.
const PATIENCE: Duration = Duration::from_secs(1);

/// What an engine has of images.
#[derive(Default)]
pub(super) struct Pulls {
    /// What those are called that it has pulled.
    names: BTreeMap<String, String>,
    /// The layers that it has unpacked, each by all that are beneath it and itself.
    unpacked: BTreeSet<Vec<String>>,
}

impl Pulls {
    /// What the engine knows an image by.
    pub(super) fn name(&self, images: &Images, name: Option<&str>) -> String {
        let pulled = name.and_then(|name| self.names.get(name));
        pulled.cloned().unwrap_or_else(|| super::reference(images, name))
    }

    /// The engine has taken in an archive of that image with the worker on top, or of the worker alone.
    pub(super) fn loaded(&mut self, base: Option<&Image>) -> Result<(), Problem> {
        let layers = base.map(Image::layers).unwrap_or_default();
        let mut layers: Vec<String> = layers.iter().map(|layer| layer.diff_id.clone()).collect();
        layers.push(digest(&top()?));
        self.unpack(&layers);
        Ok(())
    }

    /// Which of these layers, bottom first, have to be unpacked; from now on they are.
    fn unpack(&mut self, layers: &[String]) -> Vec<usize> {
        let chains = layers.iter().enumerate().filter_map(|(at, _)| Some((at, layers.get(..=at)?.to_vec())));
        chains.filter_map(|(at, chain)| self.unpacked.insert(chain).then_some(at)).collect()
    }
}

/// The layer that is laid over every image.
fn top() -> Result<Vec<u8>, Problem> {
    worker::layer().map_err(|error| {
        Problem::new(format!("the worker's layer: {error}"), "free some memory and try again")
    })
}

/// How an image was pulled.
pub(crate) struct Pulled {
    actor: &'static str,
    asked_ns: u64,
    done_ns: u64,
    served: Served,
    /// Digests of the image's layers, bottom first.
    layers: Vec<String>,
    /// Those that were unpacked; the one after the last is the worker's.
    unpacked: Vec<usize>,
    /// When they were, by the engine's own word.
    told: Option<Vec<(u64, u64)>>,
}

impl Engine {
    /// Has the engine pull an image, if that is one of a registry and not there yet.
    ///
    /// # Errors
    /// [`Problem::Input`] where the registry has none for this machine; else where the engine does not get it.
    pub(crate) fn pull(
        &mut self,
        guard: &mut Guard,
        (images, name): (&mut Images, &str),
        interrupt: &Interrupt,
    ) -> Result<Option<Pulled>, Problem> {
        let Some(reference) = images.reference(name).filter(|_| !self.pulls.names.contains_key(name)) else {
            return Ok(None);
        };
        let failed = |error: Error| images.failed(name, error);
        let store = image::make_folder(guard, BLOBS)?;
        let pull = Pull::begin(reference, &store).map_err(failed)?;
        let offer = Offer::of(&pull, top()?, worker::config()).map_err(failed)?;
        let listener = self.listen()?;
        let address = listener.local_addr().map_err(|error| unheard(&error))?;
        let from = format!("{address}/{NAME}");
        let events = Events::begin(self, interrupt)?;
        let asked_ns = now_ns();
        let (mut served, said) = std::thread::scope(|scope| {
            let serving = scope.spawn(|| offer.serve(&listener, now_ns));
            let said = self.room.demand(self.calls.pull(&self.place, &from), interrupt);
            let done_ns = now_ns();
            // Whoever waits for the next question is told that there is none.
            let _ = rustix::net::shutdown(&listener, Shutdown::Read);
            (serving.join().unwrap_or_default(), said.map(|_| done_ns))
        });
        if let Some(error) = served.failed.take() {
            return Err(failed(error));
        }
        let done_ns = said?;
        let unpacked = self.pulls.unpack(offer.diff_ids());
        let told = events.map(|events| events.end(self, unpacked.len()));
        let layers = pull.layers().iter().map(|layer| layer.digest().to_string()).collect();
        let id = pull.id().to_owned();
        images.know(name, id);
        self.pulls.names.insert(name.to_owned(), from);
        stop_at("pulled");
        let actor = self.calls.puller();
        Ok(Some(Pulled { actor, asked_ns, done_ns, served, layers, unpacked, told }))
    }

    /// A socket on the loopback of the room.
    fn listen(&self) -> Result<TcpListener, Problem> {
        let path = format!("/proc/{}/ns/net", self.room.process());
        let namespace = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        let namespace = namespace.map_err(|error| unheard(&error.into()))?;
        in_namespace(namespace.as_fd(), || TcpListener::bind("127.0.0.1:0")).map_err(|error| unheard(&error))
    }
}

fn unheard(error: &std::io::Error) -> Problem {
    Problem::by_errno(format!("cannot listen in the engine's room: {error}"), "see the kernel's answer")
}

/// A client that tells what an engine does.
struct Events {
    log: PathBuf,
    process: Option<Pid>,
}

impl Events {
    /// Comes back when it listens; none where there is no such client.
    fn begin(engine: &mut Engine, interrupt: &Interrupt) -> Result<Option<Self>, Problem> {
        let Some(Daemon { call, answers }) = engine.calls.events(&engine.place) else { return Ok(None) };
        let log = engine.place.folder.join("events.log");
        let before = engine.processes();
        engine.room.spawn(call.words, &log, interrupt)?;
        let deadline = Instant::now() + PATIENCE;
        let number = engine.pulls.names.len();
        for question in 0.. {
            let name = vec![format!("catamaran-{number}-{question}")];
            engine.room.run([answers.clone(), name].concat(), interrupt)?;
            if !std::fs::read(&log).unwrap_or_default().is_empty() || Instant::now() > deadline {
                break;
            }
            std::thread::sleep(ASK_EVERY);
        }
        let process = engine.processes().into_iter().find(|process| !before.contains(process));
        let process = process.and_then(|process| Pid::from_raw(process.cast_signed()));
        Ok(Some(Self { log, process }))
    }

    /// When so many layers were unpacked, or as many as it tells in time; ends the client.
    fn end(self, engine: &Engine, layers: usize) -> Vec<(u64, u64)> {
        let deadline = Instant::now() + PATIENCE;
        let spans = loop {
            let told = std::fs::read_to_string(&self.log).unwrap_or_default();
            let (now, of_day) = (now_ns(), SystemTime::now().duration_since(SystemTime::UNIX_EPOCH));
            let of_day_ns = of_day.map_or(0, |since| since.as_nanos() % u128::from(DAY_NS));
            let of_day_ns = u64::try_from(of_day_ns).unwrap_or_default();
            let spans = engine.calls.unpacked_in(&told, of_day_ns);
            if spans.len() >= layers || Instant::now() > deadline {
                let at = |ago_ns: u64| now.saturating_sub(ago_ns);
                break spans.into_iter().map(|(from, to)| (at(from), at(to))).collect();
            }
            std::thread::sleep(ASK_EVERY);
        };
        // Nobody has waited for it yet, so that the number is still its own.
        self.process.map(|process| kill_process(process, Signal::KILL));
        spans
    }
}

impl Pulled {
    /// From the request on: until the first layer was asked for, each layer on its way, each layer unpacked.
    pub(crate) fn stages(&self, seen: Option<&Seen>) -> Fetched {
        let seconds = |at_ns: u64| at_ns.saturating_sub(self.asked_ns) as f64 / 1e9;
        let row = |name: String, span: Option<(u64, u64)>| StageRow {
            name,
            actor: self.actor.to_owned(),
            start_s: span.map(|(from_ns, _)| seconds(from_ns)),
            end_s: span.map(|(_, to_ns)| seconds(to_ns)),
            length_s: None,
            source: None,
        };
        let resolved_ns = self.served.layer_ns.unwrap_or(self.served.last_ns);
        let mut stages = vec![row("resolve".to_owned(), Some((self.asked_ns, resolved_ns)))];
        for (at, layer) in self.layers.iter().enumerate() {
            // What an image has twice comes once.
            if self.layers.iter().position(|other| other == layer) != Some(at) {
                continue;
            }
            let came = self.served.layers.iter().find(|(digest, ..)| digest == layer);
            stages
                .extend(came.map(|(_, from, to)| row(format!("pull {}", short(layer)), Some((*from, *to)))));
        }
        let spans = self.unpacking(seen);
        for (number, layer) in self.unpacked.iter().enumerate() {
            let Some(layer) = self.layers.get(*layer) else { continue };
            let span = spans.as_ref().ok().and_then(|spans| spans.get(number).copied());
            stages.push(row(format!("unpack {}", short(layer)), span));
        }
        Fetched { stages, lasted_s: seconds(self.done_ns), unseen: spans.err() }
    }

    /// When each layer was unpacked, or why that is not known.
    fn unpacking(&self, seen: Option<&Seen>) -> Result<Vec<(u64, u64)>, String> {
        let spans = match (&self.told, seen) {
            (Some(told), _) => told.clone(),
            (None, Some(Seen { blind: Some(why), .. })) => {
                return Err(format!("when layers were unpacked was not seen ({why})"));
            }
            (None, Some(seen)) => {
                let lives = seen.lives(ITSELF).into_iter();
                lives.filter_map(|(from, to)| Some((from, to?))).collect()
            }
            (None, None) => {
                return Err("when layers were unpacked was not seen: nobody looks at a start during the run"
                    .to_owned());
            }
        };
        let (found, expected) = (spans.len(), self.unpacked.len());
        let what = format!(
            "when layers were unpacked was not seen: {found} times something was, for {expected} layers"
        );
        if found == expected { Ok(spans) } else { Err(what) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pulled(layers: &[(&str, u64, u64)], told: &[(u64, u64)]) -> Pulled {
        Pulled {
            actor: "dockerd",
            asked_ns: 1_000_000_000,
            done_ns: 9_000_000_000,
            served: Served {
                layer_ns: layers.first().map(|(_, from, _)| *from),
                last_ns: 2_000_000_000,
                layers: layers.iter().map(|(name, from, to)| ((*name).to_owned(), *from, *to)).collect(),
                failed: None,
            },
            layers: vec!["sha256:a".into(), "sha256:b".into()],
            unpacked: vec![1, 2],
            told: Some(told.to_vec()),
        }
    }

    #[test]
    fn what_was_not_seen_is_not_known() {
        let second = 1_000_000_000;
        let one = [("sha256:b", 3 * second, 4 * second)];
        let fetched = pulled(&one, &[(5 * second, 6 * second), (6 * second, 7 * second)]).stages(None);
        let rows = |fetched: &Fetched| {
            let rows = fetched.stages.iter().map(|row| (row.name.clone(), row.start_s, row.end_s));
            rows.collect::<Vec<_>>()
        };
        let known = [("resolve", 0.0, 2.0), ("pull b", 2.0, 3.0), ("unpack b", 4.0, 5.0)];
        let known = known.map(|(name, from, to)| (name.to_owned(), Some(from), Some(to)));
        assert_eq!((rows(&fetched), fetched.lasted_s, fetched.unseen), (known.to_vec(), 8.0, None));
        // One layer was seen, of two: which of them is not known.
        let fetched = pulled(&one, &[(5 * second, 6 * second)]).stages(None);
        assert_eq!(rows(&fetched).last(), Some(&("unpack b".to_owned(), None, None)));
        assert!(fetched.unseen.is_some_and(|why| why.contains("1 times something was, for 2 layers")));
        let blind = Pulled { told: None, ..pulled(&[], &[]) };
        let fetched = blind.stages(Some(&Seen::nothing("no permission".to_owned())));
        assert_eq!(rows(&fetched).first(), Some(&("resolve".to_owned(), Some(0.0), Some(1.0))));
        assert!(fetched.unseen.is_some_and(|why| why.contains("no permission")));
        assert!(blind.stages(None).unseen.is_some());
    }

    #[test]
    fn a_layer_is_unpacked_anew_upon_others() {
        let mut pulls = Pulls::default();
        let layers = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(pulls.unpack(&layers(&["a", "b", "top"])), [0, 1, 2]);
        assert_eq!(pulls.unpack(&layers(&["a", "c", "top"])), [1, 2]);
        assert_eq!(pulls.unpack(&layers(&["a", "b", "top"])), [0_usize; 0]);
    }
}
