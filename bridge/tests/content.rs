//! What each kind of content becomes on the other side: the cases of `fixtures/cases`, and `docs/CONTENT.md`, which is made of
//! them. After a change that is meant, `CONTENT=accept cargo test -p bridge --test content` writes both anew; look at what
//! `git diff` shows.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use bridge::genesys::webhook::{Piece, Webhook, pieces, question};
use bridge::teams::convert::{SentFile, inbound};
use bridge::teams::from_text::{TEAMS_BODY_LIMIT, split_for_teams};
use bridge::teams::message::{ChatMessage, Sender};
use bridge::teams::to_text::ReplyContext;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// One file of cases.
#[derive(Serialize, Deserialize)]
struct Group {
    title: String,
    to: Reader,
    kinds: Vec<Kind>,
}

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "camelCase")]
enum Reader {
    Agent,
    Customer,
}

#[derive(Serialize, Deserialize)]
struct Kind {
    kind: String,
    /// Where content of this kind was seen or is described.
    source: String,
    cases: Vec<Case>,
}

#[derive(Serialize, Deserialize)]
struct Case {
    label: String,
    /// The fields of the message or of the webhook's body that matter; a text alone is the customer's HTML or the agent's text;
    /// `card` and `content` alone are a message of one card.
    input: Value,
    /// What the other side sees, line by line.
    #[serde(default)]
    shows: Vec<String>,
}

fn merged(mut base: Value, input: &Value) -> Vec<u8> {
    for (name, value) in input.as_object().into_iter().flatten() {
        base[name] = value.clone();
    }
    base.to_string().into_bytes()
}

fn for_the_agent(input: &Value) -> Vec<String> {
    let base = json!({
        "id": "1755000000001", "messageType": "message", "createdDateTime": "2026-09-25T13:03:39.181Z",
        "from": { "user": { "id": "0f0e0d0c-0000-4000-8000-0000000000c1", "displayName": "Anna Adler",
                            "userIdentityType": "aadUser", "tenantId": "be9c1b6e-0000-4000-8000-c0ffee000002" } },
    });
    let marker = json!({ "contentType": "html", "content": "<attachment id=\"a1\"></attachment>" });
    let input = match (input, input["card"].as_str()) {
        (Value::String(html), _) => json!({ "body": { "contentType": "html", "content": html } }),
        (_, Some(kind)) => json!({
            "body": marker,
            "attachments": [{ "id": "a1", "contentType": format!("application/vnd.microsoft.{kind}"),
                              "content": input["content"].to_string() }],
        }),
        _ => input.clone(),
    };
    let message = ChatMessage::parse(&merged(base, &input)).expect("a chat message");
    let found = inbound(&message, ReplyContext::Quote, &|_| true);
    let mut shows = Vec::new();
    if input.get("from").is_some() {
        let name = message.from.as_ref().and_then(Sender::shown_name);
        shows.push(format!("from {}", name.expect("a name")));
    }
    shows.extend(found.text.lines().map(str::to_owned));
    shows.extend(found.files.iter().map(|file| match file {
        SentFile::Picture {
            kind, description, ..
        } => {
            let description = description.as_deref().unwrap_or_default();
            format!("+ {} {description}", kind.label())
                .trim_end()
                .to_owned()
        }
        SentFile::Shared { name, .. } => format!("+ file {name}"),
        SentFile::Snippet { .. } => "+ code snippet".to_owned(),
    }));
    shows
}

fn for_the_customer(input: &Value) -> Vec<String> {
    let base =
        json!({ "id": "c327c2078ca056db130c55ce648d9fa2", "type": "Text", "text": input.as_str() });
    let webhook = Webhook::parse(&merged(base, input), time::OffsetDateTime::UNIX_EPOCH);
    let webhook = webhook.expect("a webhook");
    let mut shows: Vec<String> = pieces(&webhook)
        .into_iter()
        .flat_map(|piece| match piece {
            Piece::Text(text) => split_for_teams(&text, TEAMS_BODY_LIMIT),
            Piece::File(file) => vec![format!(
                "+ {} {}",
                file.media_type,
                file.filename.as_deref().unwrap_or_default()
            )],
        })
        .collect();
    let question = question(&webhook);
    shows.extend(question.iter().flat_map(|question| {
        let choices = question.choices.iter().zip(1..);
        choices.map(|(choice, number)| format!("{number} → {:?} {}", choice.kind, choice.payload))
    }));
    shows
}

fn row(cells: &[&str]) -> String {
    let cell = |text: &&str| {
        text.replace('|', "\\|")
            .replace('<', "&lt;")
            .replace('\n', "<br>")
    };
    let cells: Vec<String> = cells.iter().map(cell).collect();
    format!("| {} |\n", cells.join(" | "))
}

#[test]
fn each_kind_of_content_is_shown_as_it_should_be() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let accept = std::env::var_os("CONTENT").is_some_and(|value| value == "accept");
    let mut files: Vec<PathBuf> = fs::read_dir(root.join("fixtures/cases"))
        .expect("the cases")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    let mut document = "# What each side sees\n\nMade of the cases in `bridge/fixtures/cases`, each of which is a test. `+` stands for a \
         file that follows the text, `from` for the name that the sender has, `1 →` for what an answer with this number sends.\n"
        .to_owned();
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a file of cases");
        let mut group: Group = serde_json::from_str(&text).expect("cases");
        let (from, to) = match group.to {
            Reader::Agent => ("The customer sends", "The agent sees"),
            Reader::Customer => ("Genesys sends", "The customer sees"),
        };
        write!(document, "\n## {}\n\n", group.title).expect("written");
        document += &row(&[from, "Case", to]);
        document += "| --- | --- | --- |\n";
        for kind in &mut group.kinds {
            for case in &mut kind.cases {
                let shows = match group.to {
                    Reader::Agent => for_the_agent(&case.input),
                    Reader::Customer => for_the_customer(&case.input),
                };
                document += &row(&[&kind.kind, &case.label, &shows.join("\n")]);
                if shows != case.shows {
                    wrong.push(format!(
                        "{}: {}\n  expected {:#?}\n  shown {shows:#?}",
                        kind.kind, case.label, case.shows
                    ));
                    case.shows = shows;
                }
            }
        }
        if accept {
            let text = serde_json::to_string_pretty(&group).expect("JSON");
            fs::write(&file, text + "\n").expect("written");
        }
    }
    let page = root.join("../docs/CONTENT.md");
    if accept {
        fs::create_dir_all(page.parent().expect("a folder")).expect("the folder");
        fs::write(&page, document).expect("written");
        return;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(fs::read_to_string(&page).unwrap_or_default(), document);
}
