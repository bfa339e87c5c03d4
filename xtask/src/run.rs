//! `cargo xtask run`: the local platform with the handler behind it, until Ctrl-C.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;
use std::{io, thread};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::workspace::{PROGRAMS, Workspace};
use crate::{command, npm};

/// How long the platform may take to stop by itself after its standard input closed.
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// What `cargo xtask run` can be told.
#[derive(clap::Args)]
pub struct Options {
    /// Build and run the release profile.
    #[arg(long)]
    release: bool,
    /// Port of the page, the function routes and the control interface; 0 takes a free one.
    #[arg(long, default_value_t = 7071)]
    port: u16,
    /// Passed on to the local platform (see `local-platform --help`).
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    platform: Vec<String>,
}

enum Event {
    Signal,
    OutputClosed,
    Ended(io::Result<ExitStatus>),
}

/// Builds, installs and starts everything; returns the platform's exit code.
pub fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let build = match options.release {
        true => "build --release --bins --package handler --package local",
        false => PROGRAMS,
    };
    workspace.cargo(build.split(' '))?;
    let azurite = npm::AZURITE.install(workspace)?;

    // Signals are caught before the platform exists, so that none can end this program and leave it running.
    let (events, inbox) = mpsc::channel();
    catch_signals(events.clone())?;
    let program = |name: &str| workspace.program(options.release, name);
    let mut platform = Command::new(program("local-platform"))
        .arg("--handler")
        .arg(program("handler"))
        .arg("--app-root")
        .arg(workspace.root())
        .arg("--azurite")
        .arg(&azurite)
        .args(["--port", &options.port.to_string()])
        .arg("--until-stdin-closes")
        .args(&options.platform)
        .current_dir(workspace.root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // A group of its own: Ctrl-C reaches this program only, which then stops the platform in order.
        .process_group(0)
        .spawn()
        .context("cannot start the local platform")?;
    let group = platform.id();
    pass_output_on(&mut platform, events.clone());
    let stdin = platform.stdin.take();
    thread::spawn(move || events.send(Event::Ended(platform.wait())));

    let status = wait(&inbox, || drop(stdin), group);
    // Whatever outlived the platform (it was killed, say) goes with it.
    kill_group(group);
    status.map(command::exit_code)
}

/// Waits for the platform's end; asks for it when a signal arrives, and insists when it takes too long.
fn wait(inbox: &Receiver<Event>, ask_to_stop: impl FnOnce(), group: u32) -> Result<ExitStatus> {
    let mut ask_to_stop = Some(ask_to_stop);
    loop {
        let event = match ask_to_stop {
            Some(_) => inbox.recv().ok(),
            None => inbox.recv_timeout(STOP_LIMIT).ok(),
        };
        match (event, ask_to_stop.take()) {
            (Some(Event::Ended(status)), _) => {
                return status.context("waiting for the local platform");
            }
            (Some(Event::Signal | Event::OutputClosed), Some(ask)) => ask(),
            (_, _) => kill_group(group),
        }
    }
}

fn catch_signals(events: Sender<Event>) -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("catching signals")?;
    thread::spawn(move || {
        for _ in signals.forever() {
            if events.send(Event::Signal).is_err() {
                break;
            }
        }
    });
    Ok(())
}

/// Passes the platform's lines on, and tells when nobody reads them any more.
fn pass_output_on(platform: &mut Child, events: Sender<Event>) {
    let Some(output) = platform.stdout.take() else {
        return;
    };
    thread::spawn(move || {
        let mut reader = BufReader::new(output);
        let mut line = Vec::new();
        let mut readers_left = true;
        while matches!(reader.read_until(b'\n', &mut line), Ok(1..)) {
            if readers_left && write(&line).is_err() {
                // The platform must still be read from, else it would block while it stops.
                readers_left = false;
                let _ = events.send(Event::OutputClosed);
            }
            line.clear();
        }
    });
}

fn write(line: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(line)?;
    if line.starts_with(b"ready ") {
        out.write_all(b"Ctrl-C stops it.\n")?;
    }
    out.flush()
}

/// Kills every process of the group; does nothing when none is left.
fn kill_group(group: u32) {
    let _ = Command::new("sh")
        .args(["-c", "kill -KILL -- \"-$1\"", "sh", &group.to_string()])
        .stderr(Stdio::null())
        .status();
}
