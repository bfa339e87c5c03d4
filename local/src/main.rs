//! `local-platform`: the handler against a simulated outside world.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use local::options::Options;
use local::platform::Platform;
use local::watchdog;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let outcome = if std::env::args_os()
        .nth(1)
        .is_some_and(|it| it == watchdog::ARGUMENT)
    {
        watchdog::run(std::io::stdin().lock()).map_err(Into::into)
    } else {
        let mut options = Options::parse();
        options.watchdog = std::env::current_exe().ok();
        tracing_subscriber::fmt()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .init();
        run(&options)
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("local-platform: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(options: &Options) -> anyhow::Result<()> {
    // Before anything starts, so that no signal ends us halfway with processes left behind.
    let asked_to_stop = asked_to_stop(options.until_stdin_closes)?;
    tokio::pin!(asked_to_stop);
    let mut platform = tokio::select! {
        started = Platform::start(options) => started?,
        () = &mut asked_to_stop => return Ok(()),
    };
    let mut out = std::io::stdout();
    writeln!(out, "ready {}/", platform.address)
        .and_then(|()| out.flush())
        .context("nobody reads our output")?;
    let outcome = tokio::select! {
        () = &mut asked_to_stop => Ok(()),
        reason = platform.broken() => Err(anyhow::Error::msg(reason)),
    };
    platform.stop().await;
    outcome
}

/// Completes on SIGINT, SIGTERM, SIGHUP and, when wanted, at the end of standard input.
fn asked_to_stop(until_stdin_closes: bool) -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let (closed, stdin_closed) = tokio::sync::oneshot::channel();
    if until_stdin_closes {
        // A thread of its own: a blocked read must not hold up the end of the runtime.
        std::thread::spawn(move || {
            // Whatever is written there is not for us.
            let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
            let _ = closed.send(());
        });
    } else {
        std::mem::forget(closed);
    }
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
            _ = stdin_closed => {}
        }
    })
}
