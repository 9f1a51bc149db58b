//! The option words of a mount, told apart by what carries them out.
//!
//! **Source.** Runtime specification 1.2, config.md "Linux mount options"; words that mount(8) keeps for itself are left to
//! nobody, as there; everything else is the file system's. Of words that contradict each other the later holds.
//! **Law.** A word without `r` is for the mount alone, with `r` for all mounts below it too (`AT_RECURSIVE`). `ro`, `sync` and
//! their like are also the file system's, where one is made (`fs/namespace.c`, `path_mount`): mount(2) takes them for both.

use catamaran_oci_init::mount::{Attributes, Kind, Options, Propagation, Reach};
use oci_spec::runtime::Mount;

use crate::Problem;

mod words;

use words::{Time, Word};

/// The words that are understood, for `features`.
pub fn known() -> impl Iterator<Item = &'static str> {
    words::TABLE.iter().map(|(name, _)| *name)
}

/// What `mount`, found at the JSON path `at`, asks for. A type `bind` makes a bind mount also without the option, as crun has
/// it, and mappings without `idmap` hold for the mount alone ("Mounts", `uidMappings`).
///
/// # Errors
/// Those of [`options`], with the place.
pub fn of(mount: &Mount, at: &str) -> Result<Options, Problem> {
    let mut options = read(mount.options().as_deref().unwrap_or_default(), at)?;
    if mount.typ().as_deref() == Some("bind") && options.bind.is_none() {
        options.bind = Some(Reach::Alone);
        forget_the_file_system(&mut options);
    }
    let mapped = mount.uid_mappings().is_some() || mount.gid_mappings().is_some();
    if mapped && options.idmap.is_none() {
        options.idmap = Some(Reach::Alone);
    }
    Ok(options)
}

/// What the option words of one mount ask for.
///
/// # Errors
/// A NUL in a word: it could not be handed to the kernel.
pub fn options(words: &[String]) -> Result<Options, Problem> {
    read(words, "mounts[]")
}

fn read(words: &[String], at: &str) -> Result<Options, Problem> {
    let mut reading = Reading::default();
    for (place, word) in words.iter().enumerate() {
        if word.contains('\0') {
            let at = format!("{at}.options[{place}]");
            return Err(Problem::config(at, "a NUL", "no string for the kernel may have one"));
        }
        match words::find(word) {
            Some(known) => reading.take(known, word),
            None if words::is_mounts_own(word) => {}
            None => reading.options.data.extend(parts(word)),
        }
    }
    Ok(reading.finish())
}

/// While words are read.
#[derive(Default)]
struct Reading {
    options: Options,
    alone: Access,
    recursive: Access,
}

/// When reads are noted in `atime`, as far as a word chose.
#[derive(Default)]
struct Access(Option<Time>);

impl Reading {
    fn take(&mut self, word: Word, name: &str) {
        let options = &mut self.options;
        match word {
            Word::Nothing => {}
            Word::Attribute { reach, bit, on } => {
                let attributes = match reach {
                    Reach::Alone => &mut options.attributes,
                    Reach::Recursive => &mut options.recursive,
                };
                put(attributes, bit, on);
                if reach == Reach::Alone && bit == libc::MOUNT_ATTR_RDONLY {
                    superblock(options, name);
                }
            }
            Word::Access { reach, time } => match reach {
                Reach::Alone => self.alone.take(time),
                Reach::Recursive => self.recursive.take(time),
            },
            Word::Superblock => superblock(options, name),
            Word::Bind(reach) => options.bind = Some(reach),
            Word::Remount => options.remount = true,
            Word::Propagation(propagation) => propagate(&mut options.propagation, propagation),
            Word::Idmap(reach) => options.idmap = Some(reach),
            Word::CopyUp => options.copy_up = true,
        }
    }

    fn finish(self) -> Options {
        let mut options = self.options;
        self.alone.put(&mut options.attributes);
        self.recursive.put(&mut options.recursive);
        if options.bind.is_some() {
            forget_the_file_system(&mut options);
        }
        options
    }
}

/// A bind mount makes no file system: mount(2) ignores what would be for one.
fn forget_the_file_system(options: &mut Options) {
    options.superblock.clear();
    options.data.clear();
    options.copy_up = false;
}

fn put(attributes: &mut Attributes, bit: u64, on: bool) {
    let (there, gone) = if on { (bit, 0) } else { (0, bit) };
    attributes.set = (attributes.set & !bit) | there;
    attributes.clear = (attributes.clear & !bit) | gone;
}

/// Keeps the last word of each pair.
fn superblock(options: &mut Options, word: &str) {
    options.superblock.retain(|old| old != word && words::opposite(old) != Some(word));
    options.superblock.push(word.to_owned());
}

impl Access {
    fn take(&mut self, word: Time) {
        self.0 = match (word, self.0) {
            // `atime` and `nostrictatime` take their opposite back; what is left is the kernel's default, `relatime`.
            (Time::NotNone, _) => Some(Time::Relative),
            (Time::NotStrict, Some(Time::None)) => Some(Time::None),
            (Time::NotStrict, _) => Some(Time::Relative),
            // There is no bit for "not relatime": the word only takes an earlier `relatime` back.
            (Time::NotRelative, Some(Time::Relative)) => None,
            (Time::NotRelative, before) => before,
            (chosen, _) => Some(chosen),
        };
    }

    /// mount_setattr(2): whoever sets an access time must clear the whole field.
    fn put(&self, attributes: &mut Attributes) {
        let value = match self.0 {
            None => return,
            Some(Time::None) => libc::MOUNT_ATTR_NOATIME,
            Some(Time::Strict) => libc::MOUNT_ATTR_STRICTATIME,
            Some(_) => libc::MOUNT_ATTR_RELATIME,
        };
        attributes.set |= value;
        attributes.clear |= libc::MOUNT_ATTR__ATIME;
    }
}

/// Appends a propagation and drops what it makes void: all that reaches no further. A slave can be shared too, if it becomes
/// so afterwards.
fn propagate(list: &mut Vec<Propagation>, new: Propagation) {
    let reaches_further = |old: &Propagation| old.reach == Reach::Recursive && new.reach == Reach::Alone;
    let goes_together = |old: &Propagation| old.kind == Kind::Slave && new.kind == Kind::Shared;
    list.retain(|old| reaches_further(old) || goes_together(old));
    list.push(new);
}

/// A word of the file system's, cut at commas as `generic_parse_monolithic` cuts what mount(2) gets; not inside of quotes (of
/// SELinux's contexts, which lose them) nor behind a backslash (of overlay's layers, which keep it).
fn parts(word: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for character in word.chars() {
        match character {
            ',' if !quoted && !escaped => parts.push(String::new()),
            '"' if !escaped => quoted = !quoted,
            _ => {
                if let Some(last) = parts.last_mut() {
                    last.push(character);
                }
            }
        }
        escaped = character == '\\' && !escaped;
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests;
