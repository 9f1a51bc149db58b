//! Errors and warnings: on standard error for people, and in the file that the engine reads (`--log`).

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use catamaran_oci::{Problem, Warning};

use super::args::{Global, LogFormat};

/// Where they go.
pub(super) struct Log {
    file: Option<PathBuf>,
    format: LogFormat,
}

impl Log {
    pub(super) fn new(global: &Global) -> Self {
        Self { file: global.log.clone(), format: global.log_format }
    }

    pub(super) fn error(&self, problem: &Problem) {
        self.say("error", &problem.to_string());
    }

    pub(super) fn warn(&self, warning: &Warning) {
        self.say("warning", &warning.to_string());
    }

    fn say(&self, level: &str, what: &str) {
        eprintln!("{level}: {what}");
        let Some(path) = &self.file else { return };
        let time = catamaran_oci::now();
        let line = match self.format {
            LogFormat::Json => serde_json::json!({ "level": level, "msg": what, "time": time }).to_string(),
            LogFormat::Text => format!("time={time:?} level={level} msg={what:?}"),
        };
        let mut line = line.into_bytes();
        line.push(b'\n');
        // It has been said above; a log that can't be written is not worth failing for.
        let _ =
            File::options().create(true).append(true).open(path).and_then(|mut file| file.write_all(&line));
    }
}
