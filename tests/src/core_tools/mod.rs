//! The packaged handler under Azure Functions Core Tools, which are Microsoft's own Functions host, with the simulated services
//! around it.
//!
//! What this rests on: azure-functions-core-tools, `StartHostAction.cs` (`func start`, its settings) and `CliAuthenticationHandler.cs`
//! (the admin interface asks for no key on a developer's machine); azure-functions-host, `FunctionsController.cs` and
//! `HostController.cs` (that interface).

mod checks;
mod host;

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use self::checks::Checks;
use self::host::{Host, Storage, Watchdog};
use crate::{Platform, view};

/// What was found, or what is wrong.
type Finding = Result<String, String>;

/// What is to be tried.
#[derive(Debug)]
pub struct Trial {
    /// `func` of Core Tools.
    pub func: PathBuf,
    /// A staged package that is the trial's own: its `local.settings.json` is written anew.
    pub package: PathBuf,
}

impl Trial {
    /// Starts everything, makes every check, ends everything; tells a line of each check as soon as it is known, and returns whether
    /// all are good.
    ///
    /// # Panics
    /// When the simulated services or Azurite cannot be started.
    pub async fn run(&self, mut tell: impl FnMut(&str)) -> bool {
        let port = free_port();
        let address = format!("http://127.0.0.1:{port}");
        let platform = Platform::start(&["--subscribe=false", "--functions", &address]).await;
        let started = self.start(&platform, port).await;
        let (host, functions) = match started {
            Ok(started) => started,
            Err(problem) => {
                tell(&line("Core Tools", &Err(problem)));
                return false;
            }
        };
        let mut is_well = true;
        let mut note = |what: &str, finding: Finding| {
            is_well &= finding.is_ok();
            tell(&line(what, &finding));
        };
        let ready = host.until_running().await;
        let is_running = ready.is_ok();
        note("the host", ready);
        if is_running {
            Checks::new(&platform, &host, functions)
                .make(&mut note)
                .await;
        }
        let said = host.last_lines();
        note("the end", host.end().await);
        if !is_well {
            tell("The last lines of Core Tools:");
            said.iter().for_each(|line| tell(line));
        }
        tell(&format!(
            "  missing {}",
            "what calls the queue functions: they are disabled here, as the simulated Service Bus does not speak AMQP, so that \
             sessions, locks and scaling show in Azure alone; and function keys, which Core Tools ask nobody for"
        ));
        is_well
    }

    /// Writes the settings and starts `func`; the functions of the package with their triggers come along.
    async fn start(&self, platform: &Platform, port: u16) -> Result<(Host, Vec<Function>), String> {
        let functions = functions_of(&self.package)?;
        let mut watchdog = Watchdog::start();
        let storage = Storage::start(&mut watchdog);
        let mut settings = platform.get("/local/settings").await["settings"].take();
        let values = settings.as_object_mut().ok_or("no settings")?;
        complete(values, &functions, &storage.connection_string());
        let file = self.package.join("local.settings.json");
        let text = json!({ "IsEncrypted": false, "Values": settings }).to_string();
        std::fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
        let names = settings.as_object().into_iter().flat_map(Map::keys);
        let host = Host::start(&self.func, &self.package, port, names, watchdog)?;
        Ok((host, functions))
    }
}

/// A function of the package.
#[derive(Debug)]
struct Function {
    name: String,
    /// Whether a queue calls it, which is not to be had here.
    is_queue: bool,
}

/// The functions of a staged package, by name.
fn functions_of(package: &Path) -> Result<Vec<Function>, String> {
    let told = |error: std::io::Error| format!("{}: {error}", package.display());
    let mut functions = Vec::new();
    for entry in std::fs::read_dir(package).map_err(told)? {
        let entry = entry.map_err(told)?;
        let Ok(text) = std::fs::read_to_string(entry.path().join("function.json")) else {
            continue;
        };
        let name = entry.file_name().to_string_lossy().into_owned();
        let file: Value =
            serde_json::from_str(&text).map_err(|error| format!("{name}: {error}"))?;
        let bindings = view::list(file, "bindings");
        let is_queue = bindings.iter().any(|it| it["type"] == "serviceBusTrigger");
        functions.push(Function { name, is_queue });
    }
    functions.sort_by(|one, other| one.name.cmp(&other.name));
    match functions.is_empty() {
        true => Err(format!("{} holds no function", package.display())),
        false => Ok(functions),
    }
}

/// Makes settings of what the simulated services tell.
///
/// `WEBSITE_HOSTNAME` is Core Tools' own: they refuse to start where it is given. `PATH` is this machine's.
fn complete(settings: &mut Map<String, Value>, functions: &[Function], storage: &str) {
    settings.remove("WEBSITE_HOSTNAME");
    settings.remove("PATH");
    settings.insert("AzureWebJobsStorage".to_owned(), json!(storage));
    for function in functions.iter().filter(|function| function.is_queue) {
        let name = format!("AzureWebJobs.{}.Disabled", function.name);
        settings.insert(name, json!("true"));
    }
}

/// The line of one check.
fn line(what: &str, finding: &Finding) -> String {
    match finding {
        Ok(found) => format!("  ok      {what}: {found}"),
        Err(problem) => format!("  FAILED  {what}: {problem}"),
    }
}

/// A port that nobody has now. `func` wants to be told one, and both the services and the checks must know it.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}
