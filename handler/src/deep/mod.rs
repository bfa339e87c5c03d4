//! `handler check --deep`: the whole installation as its operator sees it, in the order in which it was set up. Each line is ok, or
//! says what to do and who can. It changes nothing; with `--send` a marked message goes through the whole chain and back.

mod genesys;
mod send;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use bridge::status::{State, screen};
use functions::self_check::{self, Line};
use functions::settings::Settings;
use functions::status::now;
use reqwest::{StatusCode, Url};
use secrecy::ExposeSecret;
use serde::Deserialize;
use services::blob::Blobs;
use services::error::ErrorKind;
use services::http;

use crate::deployed;
use crate::installation::file::InstallationFile;
use crate::installation::keys;
use crate::login::{BLOBS, explained, identity, required};
use crate::report::{Finding, Report};
use crate::setup::azure::{Installation, login};
use crate::setup::settings::{differing_from, misplaced};
use crate::setup::steps::Steps;
use crate::status::outlook;
use crate::trusted;

/// The app looks at everything one after the other, each with its own limit.
const LOOK_LIMIT: Duration = Duration::from_secs(200);

/// What each step leaves in the file: the keys, and what to do where one is missing.
const STEPS: [(&str, &[&str], &str); 2] = [
    (
        "Graph app",
        &[keys::GRAPH_CLIENT_ID],
        "an administrator of Entra ID runs handler setup graph",
    ),
    (
        "Genesys Cloud",
        &[
            keys::GENESYS_INTEGRATION_ID,
            keys::GENESYS_CLIENT_IDS,
            keys::GENESYS_FLOW_ID,
            keys::GENESYS_QUEUE_ID,
        ],
        "an administrator of Genesys Cloud runs handler setup genesys",
    ),
];

/// Prints every line; tells whether all are good.
///
/// # Errors
/// The file cannot be read, or lacks what everything else is found by.
pub async fn run(
    path: &Path,
    is_sending: bool,
    lookup: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<bool> {
    let file = InstallationFile::read(path)?;
    let mut installation = Installation::open(file, Steps::new(true), &lookup)?;
    let mut report = Report { good: true };

    Report::title(path.display());
    installation.note_unread_keys();
    installation.learn_from_azure().await?;
    look_at_file(&installation.file, &mut report);

    Report::title("Settings of the Function App");
    let settings = look_at_settings(&installation, &mut report).await;
    // Where tokens go, and whose they are, is for environment and file to say; the rest is as the app has it.
    let mine = |name: &str| lookup(name).or_else(|| installation.file.setting(name));
    let deployed = |name: &str| match trusted::is_taken_from_the_app(name) {
        true => settings.get(name).cloned(),
        false => None,
    };
    let of_the_app = |name: &str| {
        let given = lookup(name).or_else(|| deployed(name));
        given.or_else(|| installation.file.setting(name))
    };

    let host = installation.file.required(keys::FUNCTION_APP_HOST_NAME)?;
    let app = Url::parse(&format!("https://{host}/"))
        .with_context(|| format!("{} is no host name", keys::FUNCTION_APP_HOST_NAME))?;
    report.good &= deployed::run(&app, Duration::from_secs(30)).await;

    Report::title("From inside of the app, with its own identity");
    match from_inside(&app, &mine).await {
        Ok(lines) => report.take(&lines),
        Err(advice) => report.note("the app's look at itself", Err::<String, _>(advice)),
    }

    Report::title("Genesys Cloud, as its administrator");
    genesys::look(&installation.file, &mine, &mut report).await;

    Report::title("What it has done so far");
    look_at_status(&of_the_app, &mut report).await?;

    if is_sending {
        Report::title("A message through the whole chain");
        send::run(&mine, &mut report).await?;
    }
    Ok(report.good)
}

/// Whether each step has left its ids.
fn look_at_file(file: &InstallationFile, report: &mut Report) {
    for (step, needed, advice) in STEPS {
        let is_missing = |key: &&&str| file.text(key).is_none() && file.list(key).is_empty();
        let missing: Vec<&str> = needed.iter().filter(is_missing).copied().collect();
        let finding: Finding = match missing.is_empty() {
            true => Ok("the file has its ids".to_owned()),
            false => Err(format!("no {} yet: {advice}", missing.join(", "))),
        };
        report.note(step, finding);
    }
}

/// The app's settings, as far as they are shown to whoever is logged in; each that is wrong is told.
async fn look_at_settings(
    installation: &Installation,
    report: &mut Report,
) -> BTreeMap<String, String> {
    let what = "settings";
    let settings = match installation.settings().await {
        Ok(settings) => settings.0,
        Err(error) if error.kind == ErrorKind::Forbidden => {
            let cost = "not shown to you (Website Contributor on the app): what the app says of itself below must do";
            Report::note_missing(what, cost);
            return BTreeMap::new();
        }
        Err(error) => {
            report.note(
                what,
                Err::<String, _>(format!("{} ({error})", login(&error))),
            );
            return BTreeMap::new();
        }
    };
    let read = Settings::from_lookup(|name| settings.get(name).cloned());
    for error in read.as_ref().err().into_iter().flatten() {
        let advice = format!("{}: put {} there", error.problem, error.expects);
        report.note(error.name, Err::<String, _>(advice));
    }
    if let Ok(read) = &read {
        for setting in &read.unset {
            let advice = format!(
                "not set yet, so the webhooks answer 503: {}",
                setting.remedy()
            );
            report.note(setting.name, Err::<String, _>(advice));
        }
        if read.is_set_up() {
            report.note(what, Ok::<_, String>("all are readable"));
        }
    }
    compare(&installation.file, &settings, report);
    settings
}

/// Whether the app has the ids of the file, and is where the file says that everything is.
fn compare(file: &InstallationFile, settings: &BTreeMap<String, String>, report: &mut Report) {
    let what = "the file and the app";
    for (setting, key) in misplaced(file, settings) {
        let advice = format!(
            "{setting} of the app is not {key} of the file, so its messages and secrets go elsewhere: find out who changed it (activity log of the app), then deploy again"
        );
        report.note(what, Err::<String, _>(advice));
    }
    let differing = differing_from(file, settings);
    let finding: Finding = match differing.is_empty() {
        true => Ok("the app's ids are those of the file".to_owned()),
        false => Err(format!(
            "{} differ from the file: whoever has Website Contributor on the app runs handler setup settings",
            differing.join(", ")
        )),
    };
    report.note(what, finding);
}

#[derive(Deserialize)]
struct Looked {
    lines: Vec<Line>,
}

/// Has the app look at itself.
async fn from_inside(
    app: &Url,
    lookup: &impl Fn(&str) -> Option<String>,
) -> Result<Vec<Line>, String> {
    let blobs = blobs(lookup).map_err(|error| error.to_string())?;
    let ticket = self_check::leave_ticket(&blobs).await;
    let ticket = ticket.map_err(|error| explained(&error).to_string())?;
    let client = http::client().map_err(|error| error.to_string())?;
    let url = app.join(self_check::PATH).map_err(|it| it.to_string())?;
    let mut answer = client
        .post(url)
        .header(self_check::TICKET, ticket.text().expose_secret())
        .header(reqwest::header::CONTENT_LENGTH, 0)
        .timeout(LOOK_LIMIT)
        .send()
        .await
        .map_err(|error| format!("no answer: {}", error.without_url()))?;
    match answer.status() {
        StatusCode::OK => {
            let body = deployed::whole(&mut answer).await?;
            let looked: Looked = serde_json::from_slice(&body)
                .map_err(|error| format!("an answer that is none of ours: {error}"))?;
            Ok(looked.lines)
        }
        StatusCode::NOT_FOUND => Err(
            "the app does not know the question: publish the release of this program there"
                .to_owned(),
        ),
        StatusCode::FORBIDDEN => Err(
            "the app does not find the ticket that you left in Blob: compare BLOB_ENDPOINT of its settings with blob_endpoint of \
             the file"
                .to_owned(),
        ),
        StatusCode::SERVICE_UNAVAILABLE => Err(
            "the app cannot read its container state: its identity needs Storage Blob Data Contributor there, as the templates \
             grant it"
                .to_owned(),
        ),
        StatusCode::TOO_MANY_REQUESTS => Err(
            "too many ask the app to look at itself at this moment: run the command again".to_owned(),
        ),
        status => Err(format!("the app answered {status}: look at its log")),
    }
}

/// What `handler status` shows, as far as it needs a person.
async fn look_at_status(
    lookup: &impl Fn(&str) -> Option<String>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let now = now(lookup);
    let screen = screen(&outlook(lookup)?.look(now).await, now);
    for line in &screen.lines {
        let what = format!("{} {}", crate::status::name(line.part), line.subject);
        match line.state {
            State::Well => report.note(what, Ok::<_, String>(&line.told)),
            State::Waits => Report::say("waits", what, &line.told),
            State::NeedsPerson | State::Unreadable => {
                report.note(what, Err::<String, _>(&line.told));
            }
        }
    }
    Ok(())
}

/// The data account, as whoever is logged in.
fn blobs(lookup: &impl Fn(&str) -> Option<String>) -> anyhow::Result<Blobs> {
    let endpoint = required(lookup, BLOBS)?;
    let client = http::client()?;
    let identity = identity(&client, lookup)?;
    Ok(Blobs::new(client, &endpoint, identity)?)
}
