//! Platform processes: some that many tests use side by side, others for one test alone.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError, mpsc};

use crate::PATIENCE;

/// Support Users of a shared platform. Each test has one of its own: the bridge paces what a Support User posts.
const ACCOUNTS: usize = 40;

/// A platform process. Dropping it closes its standard input, at which it ends itself and its processes; so does the end of
/// this process.
#[derive(Debug)]
pub(crate) struct Running {
    /// `http://127.0.0.1:port`.
    pub(crate) address: String,
    /// How many tests have taken a Support User.
    taken: AtomicUsize,
    _process: Child,
}

/// A Support User.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its short name in `SUPPORT_ACCOUNTS`.
    pub name: String,
    /// Its Entra object id.
    pub user: String,
}

impl Account {
    /// The first one, number 0, is that of `local.settings.json`.
    #[must_use]
    pub fn number(number: usize) -> Self {
        let name = match number {
            0 => "support".to_owned(),
            _ => format!("desk{number}"),
        };
        let user = format!("00000000-0000-0000-{number:04}-000000000004");
        Self { name, user }
    }

    /// The argument with which a platform has so many of them.
    #[must_use]
    pub fn argument(count: usize) -> String {
        let accounts = (0..count).map(Self::number);
        let accounts = accounts.map(|account| format!("{}={}", account.name, account.user));
        format!(
            "--set=SUPPORT_ACCOUNTS={}",
            Vec::from_iter(accounts).join(",")
        )
    }
}

/// The platforms that were started with these arguments.
type Shared = Mutex<HashMap<&'static [&'static str], Arc<OnceLock<Running>>>>;

static SHARED: LazyLock<Shared> = LazyLock::new(Mutex::default);

/// The platform that all tests with these arguments use, started by the first of them, and a Support User for this one.
pub(crate) fn shared(arguments: &'static [&'static str]) -> (String, Account) {
    let mut all = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let cell = Arc::clone(all.entry(arguments).or_default());
    drop(all);
    let accounts = Account::argument(ACCOUNTS);
    let running = cell.get_or_init(|| Running::start(&[arguments, &[&accounts]].concat()));
    let number = running.taken.fetch_add(1, Ordering::Relaxed);
    assert!(number < ACCOUNTS, "more tests than Support Users");
    (running.address.clone(), Account::number(number))
}

impl Running {
    /// Starts a platform with the defaults and these further arguments, and waits until it is ready.
    pub(crate) fn start(arguments: &[impl AsRef<OsStr>]) -> Self {
        let mut platform = Command::new(program("LOCAL_PLATFORM_BIN", "local-platform"));
        platform
            .args(["--port", "0", "--until-stdin-closes"])
            .arg("--handler")
            .arg(handler())
            .arg("--app-root")
            .arg(directory("APP_ROOT", "."))
            .arg("--azurite")
            .arg(directory("AZURITE_DIR", "target/tools/azurite"))
            .args(arguments);
        let (process, address) = start(&mut platform, |line| line.strip_prefix("ready "));
        Self {
            address: address.trim_end_matches('/').to_owned(),
            taken: AtomicUsize::new(0),
            _process: process,
        }
    }
}

/// Starts a program and waits for the line in which it tells what `ready` finds there.
pub(crate) fn start(command: &mut Command, ready: fn(&str) -> Option<&str>) -> (Child, String) {
    let name = command.get_program().display().to_string();
    let mut process = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("{name} cannot be started ({error}): run the tests through `cargo xtask test`")
        });
    let output = BufReader::new(process.stdout.take().expect("piped"));
    let (sender, receiver) = mpsc::channel();
    // Whatever it prints later is read, so that it never blocks on a full pipe.
    std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            if let Some(found) = ready(&line) {
                let _ = sender.send(found.to_owned());
            }
        }
    });
    let found = receiver.recv_timeout(PATIENCE).unwrap_or_else(|_| {
        panic!("{name} ended before it was ready, or was not ready in time");
    });
    (process, found)
}

pub(crate) fn directory(variable: &str, default: &str) -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let default = workspace.expect("a parent").join(default);
    std::env::var_os(variable).map_or(default, PathBuf::from)
}

/// The handler's program.
#[must_use]
pub fn handler() -> PathBuf {
    program("HANDLER_BIN", "handler")
}

/// A program of the workspace: named by a variable, or beside the test's own build.
pub(crate) fn program(variable: &str, name: &str) -> PathBuf {
    std::env::var_os(variable).map_or_else(
        || {
            let test = std::env::current_exe().expect("a path");
            // A test is one folder deeper than the programs.
            let folders = test.ancestors().skip(1).take(2);
            let mut programs = folders.map(|folder| folder.join(name));
            programs
                .find(|it| it.exists())
                .unwrap_or_else(|| name.into())
        },
        PathBuf::from,
    )
}
