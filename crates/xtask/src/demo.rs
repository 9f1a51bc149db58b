//! `cargo xtask demo`: from a fresh clone to the lessons in the browser, able to run for real.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::http;
use crate::setup::{self, TO_SERVE};
use crate::shell::{Workspace, run, stop_tree};

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

/// How long the server may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sets up, builds, serves.
pub(crate) fn demo(workspace: &Workspace, options: &Options) -> Result<()> {
    let begun = Instant::now();
    setup::some(workspace, &TO_SERVE)?;
    run(workspace.command("trunk").args(["build", "--release"])).context("building the page")?;
    let mut build = workspace.cargo(["build", "--release", "--locked", "--package", "catamaran-cli"]);
    run(&mut build).context("building catamaran")?;
    let mut server = Server::start(workspace, &options.addr)?;
    server.wait_until_ready()?;
    println!("ready http://{}/ {:.1}", server.address, begun.elapsed().as_secs_f64());
    if options.once {
        return Ok(());
    }
    show(workspace, &format!("http://{}/", server.address));
    println!("Ctrl-C ends it");
    let status = server.child.wait()?;
    if !status.success() {
        bail!("`catamaran serve` ended with {status}");
    }
    Ok(())
}

/// A running `catamaran serve`, which ends with this value.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(workspace: &Workspace, address: &str) -> Result<Self> {
        let program = workspace.target().join("release/catamaran");
        let mut command = Command::new(&program);
        command.current_dir(workspace.root()).args(["serve", "--addr", address, "--dist", "dist"]);
        let child = command.spawn().with_context(|| format!("could not start {}", program.display()))?;
        Ok(Self { child, address: address.to_owned() })
    }

    /// Waits until the page and the status of the server have answered.
    fn wait_until_ready(&mut self) -> Result<()> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!(
                    "`catamaran serve` ended at once with {status}: is {} taken? try `--addr 127.0.0.1:0`",
                    self.address
                );
            }
            match http::get(&self.address, "/", &[]) {
                Ok((200, page)) if page.contains("Catamaran") => return Ok(()),
                Ok((status, _)) => bail!("the page answered with HTTP status {status}"),
                Err(error) if begun.elapsed() > PATIENCE => return Err(error),
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        stop_tree(self.child.id());
        // Only its exit status is left, which nobody wants.
        let _ = self.child.wait();
    }
}

/// Opens the page where there is a display and something that opens pages.
fn show(workspace: &Workspace, url: &str) {
    let display = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    if display && workspace.find("xdg-open").is_some() {
        // A page that does not open by itself can be opened by hand: the address was printed.
        let _ = workspace.command("xdg-open").arg(url).spawn();
    }
}
