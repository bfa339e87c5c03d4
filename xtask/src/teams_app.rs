//! `cargo xtask teams-app`: the app of the bot, as an administrator uploads it to Teams.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::workspace::Workspace;
use crate::zip;

/// Where the manifest and the icons lie.
const FOLDER: &str = "infra/teams-app";

/// The icons and their sides in pixels (the manifest's schema, `icons`).
const ICONS: [(&str, u32); 2] = [("color.png", 192), ("outline.png", 32)];

/// The most commands in a list (the manifest's schema, `bots.commandLists.commands`).
const MOST_COMMANDS: usize = 10;

/// With which the bot is told of what people have read, in one-to-one chats.
const READ_RECEIPTS: &str = "ChatMessageReadReceipt.Read.Chat";

/// With which the bot gets the messages of a group chat that do not mention it.
const ALL_MESSAGES: &str = "ChatMessage.Read.Chat";

/// What an installation puts into the manifest. What is not here is changed in `infra/teams-app/manifest.json`.
#[derive(clap::Args)]
pub struct Options {
    /// The bot's application id: output botAppId of the Azure deployment.
    #[arg(long, value_name = "GUID")]
    bot_app_id: String,
    /// Host name of the Function App: output functionAppHostName.
    #[arg(long)]
    host: String,
    /// Name of the app and of the bot in Teams, at most 30 characters.
    #[arg(long)]
    name: String,
    /// Who offers it, at most 32 characters.
    #[arg(long)]
    developer: String,
    /// The developer's https address.
    #[arg(long, value_name = "URL")]
    website: String,
    /// Where the developer says how data is protected; the website when it is left out.
    #[arg(long, value_name = "URL")]
    privacy: Option<String>,
    /// The terms of use; the website when they are left out.
    #[arg(long, value_name = "URL")]
    terms: Option<String>,
    /// Version of the app, higher with each upload.
    #[arg(long, default_value = "1.0.0", value_name = "X.Y.Z")]
    app_version: String,
    /// Words of END_WORDS that Teams offers as commands, separated by commas, or `off`.
    #[arg(
        long,
        default_value = "off",
        value_delimiter = ',',
        value_name = "WORDS"
    )]
    end_words: Vec<String>,
    /// Ask for read receipts.
    #[arg(long)]
    read_receipts: bool,
    /// Ask for all messages of group chats, not only for those that mention the bot.
    #[arg(long)]
    all_messages: bool,
}

/// Writes target/teams-app.zip and prints where it is.
pub fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let archive = package(workspace.root(), options)?;
    let file = workspace.target().join("teams-app.zip");
    fs::write(&file, &archive).with_context(|| file.display().to_string())?;
    println!("{}", file.display());
    println!(
        "upload it in the Teams admin centre, Teams apps > Manage apps > Actions > Upload new app"
    );
    Ok(ExitCode::SUCCESS)
}

/// The archive: the same bytes for the same options.
fn package(root: &Path, options: &Options) -> Result<Vec<u8>> {
    let folder = root.join(FOLDER);
    let read = |name: &str| {
        let path = folder.join(name);
        fs::read(&path).with_context(|| path.display().to_string())
    };
    let template = serde_json::from_slice(&read("manifest.json")?).context("manifest.json")?;
    let manifest = serde_json::to_string_pretty(&filled(template, options)?)? + "\n";
    let mut icons = Vec::new();
    for (name, side) in ICONS {
        let icon = read(name)?;
        ensure!(
            sides(&icon) == Some([side, side]),
            "{FOLDER}/{name} must be a PNG of {side} by {side} pixels"
        );
        icons.push((name, icon));
    }
    let mut files = vec![("manifest.json", manifest.as_bytes())];
    files.extend(icons.iter().map(|(name, icon)| (*name, icon.as_slice())));
    Ok(zip::archive(&files, None))
}

/// The manifest of one installation.
///
/// Each value keeps the rule of the manifest's schema (version 1.19), which `infra/checks` holds the rest of it against.
fn filled(mut manifest: Value, options: &Options) -> Result<Value> {
    let id = options.bot_app_id.to_ascii_lowercase();
    ensure!(is_guid(&id), "--bot-app-id must be a GUID");
    ensure!(
        is_host_name(&options.host),
        "--host must be a host name, without https:// and path"
    );
    ensure!(
        is_version(&options.app_version),
        "--app-version must be three numbers, 1.0.0 for example"
    );
    let url = |name: &str, given: &str| match given.strip_prefix("https://") {
        Some(rest)
            if !rest.is_empty() && given.len() <= 2048 && !given.contains(char::is_whitespace) =>
        {
            Ok(given.to_owned())
        }
        _ => bail!("{name} must be an https address"),
    };
    let website = url("--website", &options.website)?;
    let linked = |name: &str, given: &Option<String>| match given {
        Some(given) => url(name, given),
        None => Ok(website.clone()),
    };
    let name = text("--name", &options.name, 30)?;
    let developer = text("--developer", &options.developer, 32)?;

    manifest["id"] = json!(id);
    manifest["version"] = json!(options.app_version);
    manifest["developer"] = json!({
        "name": developer,
        "websiteUrl": website,
        "privacyUrl": linked("--privacy", &options.privacy)?,
        "termsOfUseUrl": linked("--terms", &options.terms)?,
    });
    // Microsoft wants two different names.
    manifest["name"] = json!({ "short": name, "full": format!("{name} ({developer})") });
    manifest["validDomains"] = json!([options.host]);

    let bot = &mut manifest["bots"][0];
    bot["botId"] = json!(id);
    offer(bot, &options.end_words)?;
    ask(&mut manifest, options, &id);
    Ok(manifest)
}

/// Puts the words that end a conversation in the place of the example's command.
fn offer(bot: &mut Value, words: &[String]) -> Result<()> {
    if words == ["off"] {
        if let Some(bot) = bot.as_object_mut() {
            bot.remove("commandLists");
        }
        return Ok(());
    }
    ensure!(
        words.len() <= MOST_COMMANDS,
        "Teams shows {MOST_COMMANDS} commands: give fewer --end-words"
    );
    let commands = &mut bot["commandLists"][0]["commands"];
    let description = commands[0]["description"].clone();
    let words = words.iter().map(|word| {
        let word = text("--end-words", word, 32)?;
        Ok(json!({ "title": word, "description": description }))
    });
    *commands = Value::Array(words.collect::<Result<_>>()?);
    Ok(())
}

/// Leaves of the permissions those that are asked for. They belong to an app registration, which `webApplicationInfo` names.
fn ask(manifest: &mut Value, options: &Options, id: &str) {
    let asked = |permission: &Value| match permission["name"].as_str() {
        Some(READ_RECEIPTS) => options.read_receipts,
        Some(ALL_MESSAGES) => options.all_messages,
        _ => true,
    };
    let permissions = &mut manifest["authorization"]["permissions"]["resourceSpecific"];
    if let Some(permissions) = permissions.as_array_mut() {
        permissions.retain(asked);
        if !permissions.is_empty() {
            // Teams wants a resource, and does not use it.
            let resource = format!("https://{}", options.host);
            manifest["webApplicationInfo"] = json!({ "id": id, "resource": resource });
            return;
        }
    }
    if let Some(manifest) = manifest.as_object_mut() {
        manifest.remove("authorization");
        manifest.remove("webApplicationInfo");
    }
}

/// A line of text that Teams shows, not longer than this many characters as JSON Schema counts them.
fn text<'a>(name: &str, given: &'a str, longest: usize) -> Result<&'a str> {
    let given = given.trim();
    ensure!(
        !given.is_empty() && given.chars().count() <= longest && !given.contains(char::is_control),
        "{name} must be one line of 1 to {longest} characters"
    );
    Ok(given)
}

fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|it| it.len()).eq([8, 4, 4, 4, 12])
        && groups.concat().bytes().all(|it| it.is_ascii_hexdigit())
}

fn is_host_name(text: &str) -> bool {
    let sound = |label: &str| {
        let allowed = |it: u8| it.is_ascii_alphanumeric() || it == b'-';
        (1..=63).contains(&label.len()) && label.bytes().all(allowed)
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(sound)
}

fn is_version(text: &str) -> bool {
    let number = |part: &str| {
        let digits = (1..=9).contains(&part.len()) && part.bytes().all(|it| it.is_ascii_digit());
        digits && (part == "0" || !part.starts_with('0'))
    };
    text.split('.').count() == 3 && text.split('.').all(number)
}

/// Width and height of a PNG (RFC 2083, sections 3.1 and 4.1.1).
fn sides(png: &[u8]) -> Option<[u32; 2]> {
    let header = png.strip_prefix(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR")?;
    let number = |at: usize| Some(u32::from_be_bytes(header.get(at..at + 4)?.try_into().ok()?));
    Some([number(0)?, number(4)?])
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::zip::tests::read;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        options: Options,
    }

    const GIVEN: [&str; 6] = [
        "teams-app",
        "--bot-app-id=AAAAAAAA-0000-4000-8000-0000000000bb",
        "--host=func-one.azurewebsites.net",
        "--name=Contoso Support",
        "--developer=Contoso",
        "--website=https://contoso.example",
    ];

    fn made(further: &[&str]) -> Result<Vec<u8>> {
        let words = GIVEN.iter().chain(further);
        // The last of two counts.
        let command = <Command as clap::CommandFactory>::command().args_override_self(true);
        let matches = command.try_get_matches_from(words)?;
        let options = <Options as clap::FromArgMatches>::from_arg_matches(&matches)?;
        package(
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap(),
            &options,
        )
    }

    fn manifest(further: &[&str]) -> Value {
        let files = read(&made(further).unwrap());
        let names: Vec<&str> = files.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["manifest.json", "color.png", "outline.png"]);
        let manifest: Value = serde_json::from_slice(&files[0].1).unwrap();
        for (place, (name, _)) in [("color", ICONS[0]), ("outline", ICONS[1])] {
            assert_eq!(manifest["icons"][place], name);
        }
        manifest
    }

    /// Every value of the example in the template belongs to somebody else.
    #[test]
    fn an_installation_has_its_own_values_only() {
        let manifest = manifest(&["--read-receipts", "--all-messages", "--end-words=end,fin"]);
        let id = "aaaaaaaa-0000-4000-8000-0000000000bb";
        assert_eq!(manifest["id"], id);
        assert_eq!(manifest["bots"][0]["botId"], id);
        assert_eq!(manifest["webApplicationInfo"]["id"], id);
        assert_eq!(
            manifest["validDomains"],
            json!(["func-one.azurewebsites.net"])
        );
        assert_eq!(manifest["name"]["short"], "Contoso Support");
        assert_eq!(
            manifest["developer"]["privacyUrl"],
            "https://contoso.example"
        );
        let commands = manifest["bots"][0]["commandLists"][0]["commands"].as_array();
        let titles: Vec<&Value> = commands.unwrap().iter().map(|it| &it["title"]).collect();
        assert_eq!(titles, ["end", "fin"]);
        let silent = self::manifest(&["--end-words=off"]);
        assert!(silent["bots"][0].get("commandLists").is_none());
        let text = manifest.to_string().to_lowercase();
        for example in [
            "00000000-0000-4000-8000-000000000001",
            "func-example",
            "www.example.com",
        ] {
            assert!(!text.contains(example), "{example}: {text}");
        }
    }

    #[test]
    fn permissions_are_asked_for_one_by_one() {
        let names = |further: &[&str]| {
            let manifest = manifest(further);
            let asked = &manifest["authorization"]["permissions"]["resourceSpecific"];
            let names = asked.as_array().into_iter().flatten();
            let names = names.map(|it| it["name"].as_str().unwrap().to_owned());
            (
                manifest.get("webApplicationInfo").is_some(),
                names.collect::<Vec<_>>(),
            )
        };
        assert_eq!(names(&[]), (false, Vec::new()));
        assert_eq!(
            names(&["--read-receipts"]),
            (true, vec![READ_RECEIPTS.to_owned()])
        );
        assert_eq!(
            names(&["--all-messages"]),
            (true, vec![ALL_MESSAGES.to_owned()])
        );
    }

    #[test]
    fn the_same_options_give_the_same_bytes() {
        assert_eq!(made(&[]).unwrap(), made(&[]).unwrap());
        assert_ne!(made(&[]).unwrap(), made(&["--app-version=1.0.1"]).unwrap());
    }

    #[test]
    fn what_teams_would_refuse_is_refused() {
        let long = format!("--name={}", "x".repeat(31));
        let words = format!("--end-words={}", "end,".repeat(10) + "end");
        for wrong in [
            "--bot-app-id=support",
            "--bot-app-id=aaaaaaaa-0000-4000-8000-0000000000b",
            "--bot-app-id=gaaaaaaa-0000-4000-8000-0000000000bb",
            "--host=https://func-one.azurewebsites.net",
            "--host=func-one.azurewebsites.net/api",
            "--host=localhost",
            "--host=.azurewebsites.net",
            &long,
            "--name= ",
            "--name=two\nlines",
            "--developer=",
            "--website=http://contoso.example",
            "--website=https://",
            "--privacy=contoso.example/privacy",
            "--terms=https://contoso example",
            "--app-version=1.0",
            "--app-version=1.0.01",
            "--app-version=1.0.0-rc.1",
            &words,
            "--end-words=end,",
        ] {
            assert!(made(&[wrong]).is_err(), "{wrong}");
        }
        // Characters are counted, not bytes.
        let longest = format!("--name={}", "\u{e9}".repeat(30));
        assert!(made(&[&longest]).is_ok());
    }

    #[test]
    fn the_sides_of_a_picture_are_read() {
        assert_eq!(
            sides(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\xc0\0\0\0\x20"),
            Some([192, 32])
        );
        assert_eq!(sides(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\xc0"), None);
        assert_eq!(sides(b"GIF89a"), None);
    }
}
