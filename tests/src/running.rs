//! Platform processes: some that many tests use side by side, others for one test alone.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError, mpsc};

use crate::platform::PATIENCE;

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
    /// The first one is that of `local.settings.json`.
    fn number(number: usize) -> Self {
        let name = match number {
            0 => "support".to_owned(),
            _ => format!("desk{number}"),
        };
        let user = format!("00000000-0000-0000-{number:04}-000000000004");
        Self { name, user }
    }
}

impl Default for Account {
    fn default() -> Self {
        Self::number(0)
    }
}

/// The platforms that were started with these arguments.
type Shared = Mutex<HashMap<Vec<String>, Arc<OnceLock<Running>>>>;

static SHARED: LazyLock<Shared> = LazyLock::new(Mutex::default);

/// The platform that all tests with these arguments use, started by the first of them, and a Support User for this one.
pub(crate) fn shared(arguments: &[&str]) -> (String, Account) {
    let key = arguments.iter().map(|it| (*it).to_owned()).collect();
    let cell = Arc::clone(
        SHARED
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(key)
            .or_default(),
    );
    let running = cell.get_or_init(|| {
        let accounts: Vec<String> = (0..ACCOUNTS)
            .map(Account::number)
            .map(|account| format!("{}={}", account.name, account.user))
            .collect();
        let accounts = format!("SUPPORT_ACCOUNTS={}", accounts.join(","));
        Running::start(&[arguments, &["--set", &accounts]].concat())
    });
    let number = running.taken.fetch_add(1, Ordering::Relaxed);
    assert!(number < ACCOUNTS, "more tests than Support Users");
    (running.address.clone(), Account::number(number))
}

impl Running {
    /// Starts a platform with the defaults and these further arguments, and waits until it is ready.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let platform = program("LOCAL_PLATFORM_BIN", "local-platform");
        let mut process = Command::new(&platform)
            .args(["--port", "0", "--until-stdin-closes"])
            .arg("--handler")
            .arg(program("HANDLER_BIN", "handler"))
            .arg("--app-root")
            .arg(directory("APP_ROOT", "."))
            .arg("--azurite")
            .arg(directory("AZURITE_DIR", "target/tools/azurite"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} cannot be started: {error}", platform.display()));
        let output = BufReader::new(process.stdout.take().expect("piped"));
        let (ready, address) = mpsc::channel();
        // Whatever it prints later is read, so that it never blocks on a full pipe.
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some(address) = line.strip_prefix("ready ") {
                    let _ = ready.send(address.trim_end_matches('/').to_owned());
                }
            }
        });
        let address = address
            .recv_timeout(PATIENCE)
            .expect("the platform ended before it was ready, or was not ready in time");
        Self {
            address,
            taken: AtomicUsize::new(0),
            _process: process,
        }
    }
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a parent")
        .to_owned()
}

fn directory(variable: &str, default: &str) -> PathBuf {
    std::env::var_os(variable).map_or_else(|| workspace().join(default), PathBuf::from)
}

/// A program of the workspace: named by a variable, or beside the test's own build.
fn program(variable: &str, name: &str) -> PathBuf {
    if let Some(path) = std::env::var_os(variable) {
        return PathBuf::from(path);
    }
    let test = std::env::current_exe().expect("a path");
    let built = test
        .parent()
        .and_then(Path::parent)
        .expect("a build directory")
        .join(name);
    assert!(
        built.exists(),
        "{name} is not built: run the tests through `cargo xtask test`"
    );
    built
}
