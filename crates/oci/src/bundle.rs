//! The bundle: a folder with `config.json` and a root file system (runtime specification 1.2, bundle.md).

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use oci_spec::runtime::Spec;
use rustix::fs::OFlags;
use serde_json::Value;
use serde_json::error::Category;

use crate::{Problem, Warning, check};

/// Largest configuration that is read (bytes).
pub(crate) const CONFIG_MAX: u64 = 16 << 20;
/// Name of the configuration in its folder.
pub(crate) const CONFIG: &str = "config.json";

/// A bundle that was read.
#[derive(Debug)]
pub(crate) struct Bundle {
    /// Its folder, absolute and without links.
    pub(crate) folder: PathBuf,
    /// What `config.json` says.
    pub(crate) spec: Spec,
    /// Its very bytes: later commands go by the configuration as it was at creation.
    pub(crate) text: Vec<u8>,
}

impl Bundle {
    /// Reads the bundle in `folder`.
    pub(crate) fn read(folder: &Path, warnings: &mut Vec<Warning>) -> Result<Self, Problem> {
        let folder = folder
            .canonicalize()
            .map_err(|error| Problem::system(format!("open the bundle {}", folder.display()), error))?;
        let text = read_bounded(&folder.join(CONFIG))?;
        let spec = parse(&text, warnings)?;
        Ok(Self { folder, spec, text })
    }

    /// Where the root file system is: absolute.
    pub(crate) fn rootfs(&self) -> Result<PathBuf, Problem> {
        let root = self.spec.root().as_ref().ok_or_else(|| {
            Problem::config("root", "missing", "on Linux a root is required: {\"path\": \"rootfs\"}")
        })?;
        let path = self.folder.join(root.path());
        path.canonicalize().ok().filter(|path| path.is_dir()).ok_or_else(|| {
            Problem::config("root.path", path.display().to_string(), "must be a folder that is there")
        })
    }
}

/// Reads a JSON file of bounded length. What is no file at all is not opened for reading, as a pipe would keep us waiting and a
/// device never end.
pub(crate) fn read_bounded(path: &Path) -> Result<Vec<u8>, Problem> {
    read_at_most(path, CONFIG_MAX)
}

/// The same of another length (bytes).
pub(crate) fn read_at_most(path: &Path, longest: u64) -> Result<Vec<u8>, Problem> {
    let other = |what: String| Err(std::io::Error::other(what));
    let read = || -> std::io::Result<Vec<u8>> {
        let what = std::fs::metadata(path)?;
        // By now it may be another.
        let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
        let file =
            what.is_file().then(|| File::options().read(true).custom_flags(flags).open(path)).transpose()?;
        let Some(file) = file.filter(|file| file.metadata().is_ok_and(|what| what.is_file())) else {
            return other("it is no regular file; give one".to_owned());
        };
        let length = file.metadata()?.len();
        let mut text = Vec::with_capacity(length.min(longest) as usize + 1);
        if length <= longest {
            file.take(longest + 1).read_to_end(&mut text)?;
        }
        if length.max(text.len() as u64) > longest {
            return other(format!("longer than {} MiB", longest >> 20));
        }
        Ok(text)
    };
    read().map_err(|error| Problem::system(format!("read {}", path.display()), error))
}

/// Parses a configuration. serde_json bounds its depth.
pub(crate) fn parse(text: &[u8], warnings: &mut Vec<Warning>) -> Result<Spec, Problem> {
    parse_prepared(text, CONFIG, check::prepare, warnings)
}

/// Parses a document that may hold what the types of `oci-spec` can't: it is put into their words then, which nearly none needs.
pub(crate) fn parse_prepared<T: serde::de::DeserializeOwned>(
    text: &[u8],
    name: &str,
    prepare: fn(&mut Value) -> Vec<Warning>,
    warnings: &mut Vec<Warning>,
) -> Result<T, Problem> {
    parse_at(text, name).or_else(|problem| {
        let mut value: Value = serde_json::from_slice(text).map_err(|_| problem)?;
        warnings.extend(prepare(&mut value));
        let prepared =
            serde_json::to_vec(&value).map_err(|error| Problem::system(format!("read {name}"), error))?;
        parse_at(&prepared, name)
    })
}

/// Parses any JSON document; `name` is what it is called in a complaint.
pub(crate) fn parse_at<T: serde::de::DeserializeOwned>(text: &[u8], name: &str) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let found = error.into_inner();
        // The path of what is no JSON is where it ends; what has a path may have been prepared, and stands elsewhere in the file.
        let at = match found.classify() {
            Category::Data if path != "." => path,
            _ => format!("line {}, column {}", found.line(), found.column()),
        };
        let why = found.to_string();
        let why = why.rsplit_once(" at line ").map_or(why.as_str(), |(why, _)| why);
        refused(name, &at, why)
    })?;
    reader.end().map_err(|error| {
        let at = format!("line {}, column {}", error.line(), error.column());
        refused(name, &at, "more after the end of the document")
    })?;
    Ok(value)
}

fn refused(name: &str, at: &str, why: &str) -> Problem {
    if name == CONFIG {
        return Problem::config(at, why, "see config.md of the runtime specification");
    }
    Problem::system(format!("read {name}: {at}"), why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_found_by_its_path() {
        let table: [(&str, &str); 8] = [
            ("", "config.json: line 1, column 0: EOF while parsing a value;"),
            ("{", "config.json: line 1, column 1: EOF while parsing an object;"),
            ("{\n \"ociVersion\": \"1.0.2\",\n \"linux\": {\"names", "config.json: line 3, column "),
            ("\n\u{1}", "config.json: line 2, column 1: expected value;"),
            ("7", "expected struct"),
            (r#"{"ociVersion": 7}"#, "ociVersion"),
            (
                r#"{"ociVersion": "1.0.2", "linux": {"namespaces": [{"type": "pid"}, {"type": "x"}]}}"#,
                "linux.namespaces[1]",
            ),
            (r#"{"ociVersion": "1.0.2"} {}"#, "line 1, column 25: more after the end"),
        ];
        for (text, says) in table {
            let said = parse(text.as_bytes(), &mut Vec::new()).unwrap_err().to_string();
            assert!(said.contains(says), "{text}: {said}");
        }
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let deep = format!("{}{}", r#"{"annotations":"#.repeat(100_000), "}".repeat(100_000));
        assert!(parse(deep.as_bytes(), &mut Vec::new()).is_err());
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join(CONFIG)).unwrap();
        file.set_len(CONFIG_MAX + 1).unwrap();
        let said = Bundle::read(folder.path(), &mut Vec::new()).unwrap_err().to_string();
        assert!(said.contains("longer than 16 MiB"), "{said}");
    }
}
