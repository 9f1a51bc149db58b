//! `cargo xtask demo`: from a fresh clone to the lessons in the browser, able to run for real.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::http;
use crate::setup::{self, TO_SERVE, WASM};
use crate::shell::{Workspace, lines_of, run, stop_tree};

/// How the demo is shown.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where to serve; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8080")]
    addr: String,
    /// End as soon as the page and the server's status have answered
    #[arg(long)]
    once: bool,
}

/// How long the server may take to say that it is ready, and to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sets up, builds, serves.
pub(crate) fn demo(workspace: &Workspace, options: &Options) -> Result<()> {
    let begun = Instant::now();
    setup::some(workspace, &TO_SERVE)?;
    run(&mut page_programs(workspace)).context("compiling the page")?;
    run(&mut page_build(workspace)).context("building the page")?;
    let mut build = workspace.cargo(["build", "--release", "--locked", "--package", "catamaran-cli"]);
    run(&mut build).context("building catamaran")?;
    let program = workspace.target().join("release/catamaran");
    let mut server = Server::start(workspace, &program, &options.addr, !options.once && has_display())?;
    server.check()?;
    println!("ready {} {:.1}", server.url, begun.elapsed().as_secs_f64());
    if options.once {
        return server.end();
    }
    println!("Ctrl-C ends it");
    let status = server.child.wait()?;
    if !status.success() {
        bail!("`catamaran serve` ended with {status}");
    }
    Ok(())
}

/// What compiles the page and its worker, exactly as [`page_build`] would: that lets cargo do one after the other, and the
/// last pass over each, which is most of the time, uses one core.
pub(crate) fn page_programs(workspace: &Workspace) -> Command {
    let mut cargo = workspace.cargo(["build", "--locked", "--package", "catamaran-web", "--bins"]);
    cargo.args(["--profile", "wasm-release", "--target", WASM]);
    cargo
}

/// What builds the page as it is shipped, into `dist`.
pub(crate) fn page_build(workspace: &Workspace) -> Command {
    let mut trunk = workspace.command("trunk");
    trunk.args(["build", "--release"]);
    trunk
}

fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// A running `catamaran serve`, which ends with this value.
struct Server {
    child: Child,
    /// What to open: it holds the token that lets the page run things.
    url: String,
}

impl Server {
    /// Starts it and waits until it says where it is.
    fn start(workspace: &Workspace, program: &Path, address: &str, open: bool) -> Result<Self> {
        let mut command = Command::new(program);
        command.current_dir(workspace.root()).args(["serve", "--addr", address, "--dist", "dist"]);
        command.args(open.then_some("--open")).stdin(Stdio::null()).stdout(Stdio::piped());
        let child = command.spawn().with_context(|| format!("could not start {}", program.display()))?;
        let mut server = Self { child, url: String::new() };
        let lines = lines_of(&mut server.child);
        let until = Instant::now() + PATIENCE;
        while server.url.is_empty() {
            let line = lines.recv_timeout(until.saturating_duration_since(Instant::now()));
            let Ok(line) = line else { bail!("`catamaran serve` did not say that it is ready") };
            match line.strip_prefix("ready ").and_then(|said| said.split(' ').next()) {
                Some(url) => url.clone_into(&mut server.url),
                None => println!("{line}"),
            }
        }
        Ok(server)
    }

    /// Asks for the page, and with the token for the server's status, as the page will.
    fn check(&self) -> Result<()> {
        let (address, token) = parts(&self.url).with_context(|| format!("{} has no token", self.url))?;
        match http::get(address, "/", &[])? {
            (200, page) if page.contains("Catamaran") => {}
            (status, _) => bail!("the page answered with HTTP status {status} and not with Catamaran"),
        }
        let (status, answer) = http::get(address, "/api/status", &[("X-Catamaran-Token", token)])?;
        let platforms = serde_json::from_str::<serde_json::Value>(&answer).unwrap_or_default();
        let known = platforms.get("platforms").and_then(|list| list.as_array()).map_or(0, Vec::len);
        if status != 200 || known == 0 {
            bail!("/api/status answered with HTTP status {status} and no platforms: {answer}");
        }
        Ok(())
    }

    /// Asks it to end, so that it cleans up.
    fn end(mut self) -> Result<()> {
        crate::shell::ask_to_end(self.child.id());
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("`catamaran serve` ended with {status}"),
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
        bail!("`catamaran serve` does not end when asked to")
    }
}

/// Address and token of `http://127.0.0.1:8080/#token=…`.
fn parts(url: &str) -> Option<(&str, &str)> {
    url.strip_prefix("http://")?.split_once("/#token=")
}

impl Drop for Server {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            stop_tree(self.child.id());
            // Only its exit status is left, which nobody wants.
            let _ = self.child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn the_token_is_read_from_the_url() {
        assert_eq!(parts("http://127.0.0.1:8080/#token=ab"), Some(("127.0.0.1:8080", "ab")));
        assert_eq!(parts("http://127.0.0.1:8080/"), None);
    }
}
