//! `catamaran serve`: the built page on the loopback interface, and "run it for real" behind a token.

mod api;
mod caps;
mod door;
mod jobs;
mod page;
mod refusal;

use std::future::IntoFuture;
use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use catamaran_native::{Runner, RunnerOptions};
use catamaran_report::Backend;
use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tower_http::services::ServeDir;

use crate::args::Serve;
use crate::failure::Failure;
use crate::host;
use crate::terminal::Terminal;

use self::api::Api;
use self::caps::Caps;
use self::door::Door;
use self::jobs::{Jobs, Launch};

/// Most bytes of a request's body.
pub(crate) const BODY_LIMIT_BYTES: usize = 256 * 1024;

/// How long open connections may take to end after Ctrl-C.
const PATIENCE: Duration = Duration::from_secs(2);

/// Serves until interrupted.
pub(crate) fn serve(args: Serve, terminal: &Terminal) -> Result<(), Failure> {
    let begun = Instant::now();
    let address = loopback(&args.addr)?;
    let folder = page::find(args.dist)?;
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::Failed(format!("cannot start the server's threads: {error}")))?;
    runtime.block_on(listen(address, folder, args.open, begun, terminal))
}

async fn listen(
    address: SocketAddr,
    folder: PathBuf,
    open: bool,
    begun: Instant,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let signals = Signals::catch()?;
    let listener = TcpListener::bind(address).await.map_err(|error| cannot_listen(address, &error))?;
    let address = listener.local_addr().map_err(|error| cannot_listen(address, &error))?;
    let door = Door::new(address)?;
    let url = format!("http://{address}/#token={}", door.token());
    let jobs = Jobs::new(native());
    let app = app(&door, Api::new(jobs.clone(), Caps::of_this_machine()), folder);
    terminal.print(&format!("ready {url} {:.3}\n", begun.elapsed().as_secs_f64()))?;
    terminal
        .note("Ctrl-C ends it. The URL's token is what lets the page run things here: keep it to yourself.");
    let _way_in = if open { open_in_browser(&url, terminal) } else { None };

    let (end, mut ended) = watch::channel(false);
    let stop = async move {
        let _ = ended.wait_for(|over| *over).await;
    };
    let server = axum::serve(listener, app).with_graceful_shutdown(stop);
    let mut server = tokio::spawn(server.into_future());
    tokio::select! {
        () = signals.any() => {}
        result = &mut server => return Err(Failure::Failed(format!("the server broke off: {result:?}"))),
    }
    terminal.note("ending");
    jobs.close().await;
    end.send_replace(true);
    let _ = tokio::time::timeout(PATIENCE, server).await;
    Ok(())
}

/// The native runner in the shape of a job.
fn native() -> Arc<Launch> {
    Arc::new(|plan, platform, options| {
        let turns_per_cpu_s = host::cached().map(|calibration| calibration.cpu.turns_per_cpu_s);
        Runner::new(RunnerOptions { turns_per_cpu_s, ..options })?.run(plan, platform, 0)
    })
}

fn app(door: &Door, api: Api, folder: PathBuf) -> Router {
    let api = api::routes(api).layer(middleware::from_fn_with_state(door.clone(), door::only_with_token));
    let files = ServeDir::new(&folder);
    let folder: Arc<Path> = folder.into();
    Router::new()
        .nest("/api", api)
        .fallback_service(files)
        .layer(middleware::from_fn_with_state(door.clone(), door::only_from_here))
        .layer(middleware::from_fn(move |request: Request, next: Next| {
            let folder = Arc::clone(&folder);
            async move {
                let path = request.uri().path().to_owned();
                let mut response = next.run(request).await;
                page::dress(&path, page::policy_of(&folder, &path).await, response.headers_mut());
                response
            }
        }))
}

/// The address to listen on, refused where others than this machine could reach it.
fn loopback(text: &str) -> Result<SocketAddr, Failure> {
    let numeric = match text.strip_prefix("localhost:") {
        Some(port) => format!("{}:{port}", Ipv4Addr::LOCALHOST),
        None => text.to_owned(),
    };
    let address: SocketAddr = numeric.parse().map_err(|_| {
        Failure::input(format!(
            "--addr {text}: not an address and port; write it as 127.0.0.1:8080 or [::1]:8080"
        ))
    })?;
    if address.ip() == Ipv4Addr::LOCALHOST || address.ip() == Ipv6Addr::LOCALHOST {
        return Ok(address);
    }
    Err(Failure::input(format!(
        "--addr {text}: not this machine's own loopback address; whoever reaches this server may run programs here, so it listens on \
         127.0.0.1 or [::1] only (from elsewhere use an SSH tunnel: `ssh -L 8080:127.0.0.1:8080 HOST`)"
    )))
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Failure {
    Failure::input(format!(
        "cannot listen on {address}: {error}; choose another port with --addr, or port 0 for any"
    ))
}

/// The browser's command line can be read by every user of the machine, and the token is in the URL: so the browser is shown a
/// file that only we can read and that leads there. It goes when the server ends.
fn open_in_browser(url: &str, terminal: &Terminal) -> Option<NamedTempFile> {
    let written =
        tempfile::Builder::new().prefix("catamaran-").suffix(".html").tempfile().and_then(|mut file| {
            write!(file, "<!doctype html><meta http-equiv=\"refresh\" content=\"0; url={url}\">")?;
            Ok(file)
        });
    let opened = written.and_then(|file| {
        webbrowser::open(&format!("file://{}", file.path().display()))?;
        Ok(file)
    });
    opened
        .inspect_err(|error| {
            terminal.note(&format!("cannot open a browser: {error}; open the URL above yourself"));
        })
        .ok()
}

/// What ends the server.
struct Signals([Signal; 3]);

impl Signals {
    fn catch() -> Result<Self, Failure> {
        let catch =
            |kind| signal(kind).map_err(|error| Failure::Failed(format!("cannot catch signals: {error}")));
        Ok(Self([
            catch(SignalKind::interrupt())?,
            catch(SignalKind::terminate())?,
            catch(SignalKind::hangup())?,
        ]))
    }

    async fn any(self) {
        let [mut interrupt, mut terminate, mut hangup] = self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_listened_on() {
        for text in ["127.0.0.1:8080", "[::1]:8080", "localhost:0"] {
            assert!(loopback(text).is_ok(), "{text}");
        }
        for text in [
            "0.0.0.0:8080",
            "127.0.0.2:0",
            "[::]:8080",
            "192.168.1.2:80",
            "8080",
            "example.org:80",
            "",
            "127.0.0.1:99999",
        ] {
            assert!(loopback(text).is_err(), "{text}");
        }
    }
}
