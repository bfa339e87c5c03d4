//! Messages as somebody wants Graph to show them, whatever they hold. What is read here is for the lists and the page only.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::changes::ChangeType::{self, Created, Deleted, Updated};
use super::chats::{Chat, Message, Person, UserType};
use super::control::NewChat;
use super::parts::{Hosted, Parts};
use super::state::Graph;
use super::views;
use crate::shared::content::Content;
use crate::shared::correlation;
use crate::shared::download::media_type;
use crate::shared::refused::Refused;
use crate::shared::time_text;

/// A message as it is, as the control interface takes it.
#[derive(Deserialize)]
pub struct Raw {
    /// A `chatMessage`.
    message: Map<String, Value>,
    change: Option<ChangeType>,
    /// The author of a message that names none; a member of the chat from here on.
    from: Option<Person>,
    #[serde(flatten)]
    chat: NewChat,
}

/// `POST /local/teams/chats/{chat}/raw`: Graph shows this message from now on, in the place of the one with the same id when there
/// is one, and notifies of the change (`created` when none is named). `id`, `createdDateTime`, `chatId` and `from` are added
/// where they are absent; all else stays as it is. What stands in `hostedContents` with its `contentBytes` can be asked for
/// under its `id`, or its `@microsoft.graph.temporaryId`.
pub async fn write(
    State(graph): State<Arc<Graph>>,
    Path(chat): Path<String>,
    Json(raw): Json<Raw>,
) -> Result<(StatusCode, Json<Value>), Refused> {
    let change = raw.change.unwrap_or(Created);
    let author = raw.from.clone();
    let author = author.unwrap_or_else(|| graph.somebody(&chat));
    let new = graph.new_chat(&chat, &raw.chat, &author)?;
    let id = {
        let mut chats = graph.chats.lock();
        let open = chats.entry(chat.clone()).or_insert(new);
        if let Some(from) = raw.from {
            open.join(from);
        }
        open.put_raw(raw.message, author, OffsetDateTime::now_utc())
    };
    let outcome = match change {
        Created => "written",
        Updated => "updated",
        Deleted => "deleted",
    };
    graph.message_changed(&chat, &id, outcome, None, &[change]);
    let correlation = correlation::of_teams_message(&chat, &id);
    let told = json!({ "message": id, "correlation": correlation });
    Ok((StatusCode::CREATED, Json(told)))
}

impl Graph {
    /// Who writes in this chat where nothing says it: its customer, else the one whom the id of a chat of two names beside the
    /// Support User, else a person of this chat alone.
    fn somebody(&self, chat: &str) -> Person {
        let accounts = &self.world.config.support_accounts;
        let is_support = |user: &str| accounts.iter().any(|account| account.user == user);
        let chats = self.chats.lock();
        let members = chats.get(chat).into_iter().flat_map(|it| &it.members);
        if let Some(customer) = members.into_iter().find(|it| !is_support(&it.user)) {
            return customer.clone();
        }
        let mut named = chat.split([':', '_', '@']).filter(|it| it.len() == 36);
        let named = named.find_map(|it| guid(it).filter(|it| !is_support(it)));
        Person {
            user_type: UserType::AadUser,
            user: named.unwrap_or_else(|| correlation::of_text(&format!("user\n{chat}"))),
            name: "Customer".to_owned(),
            tenant: correlation::of_text(&format!("tenant\n{chat}")),
            upn: None,
            user_principal_name: None,
        }
    }
}

impl Chat {
    /// Puts in a message that is what was given, and returns the id by which it is found. An `id` that is no text stays in it
    /// and finds nothing. A person who wrote it is a member from here on.
    fn put_raw(
        &mut self,
        mut raw: Map<String, Value>,
        author: Person,
        now: OffsetDateTime,
    ) -> String {
        let given = raw.get("id").and_then(Value::as_str);
        let former = given.and_then(|id| self.message(id));
        let written = former.map_or(now, |it| it.created);
        let written = time(&raw, "createdDateTime").unwrap_or(written);
        let author = former.map_or(author, |it| it.from.clone());
        let kept = former.map(|it| it.parts.hosted.clone());
        let (id, created) = match given.filter(|id| !id.is_empty()) {
            Some(id) => (id.to_owned(), written),
            None => self.free(written),
        };
        let from = match raw.get("from") {
            None => author.clone(),
            Some(from) => sender(from, &author),
        };
        let is_guest = from.user_type != UserType::AadUser && !from.user.is_empty();
        if is_guest || guid(&from.user).is_some() {
            self.join(from.clone());
        }
        let mut add = |name: &str, value| {
            raw.entry(name).or_insert(value);
        };
        add("id", json!(id));
        add("createdDateTime", json!(time_text(created)));
        add("chatId", json!(self.id));
        add("from", views::sender(&author));
        let mut parts = parts(&raw);
        parts.hosted.extend(kept.into_iter().flatten());
        self.put(Message {
            id: id.clone(),
            from,
            parts,
            created,
            modified: time(&raw, "lastModifiedDateTime").unwrap_or(now),
            mentioned: None,
            reactions: Vec::new(),
            edited: time(&raw, "lastEditedDateTime"),
            deleted: time(&raw, "deletedDateTime"),
            raw: Some(raw),
        });
        id
    }
}

/// What can be shown of it.
fn parts(raw: &Map<String, Value>) -> Parts {
    let list = |name: &str| raw.get(name).and_then(Value::as_array);
    let html = raw.get("body").and_then(|body| body["content"].as_str());
    let attachments = list("attachments").into_iter().flatten();
    let hosted = list("hostedContents").into_iter().flatten();
    Parts {
        html: html.unwrap_or_default().to_owned(),
        attachments: attachments.filter(|it| it.is_object()).cloned().collect(),
        hosted: hosted.filter_map(hosted_content).collect(),
    }
}

fn hosted_content(item: &Value) -> Option<Hosted> {
    let names = ["id", "@microsoft.graph.temporaryId"].into_iter();
    let mut names = names.filter_map(|name| item[name].as_str());
    let bytes = STANDARD.decode(item["contentBytes"].as_str()?).ok()?;
    Some(Hosted {
        id: names.find(|name| !name.is_empty())?.to_owned(),
        content_type: media_type(item["contentType"].as_str()?).ok()?,
        content: Content::given(bytes),
    })
}

/// Whom a `chatMessageFromIdentitySet` names, as far as it can be read. A user of no known type is one of Entra ID, where a GUID
/// is the id.
fn sender(from: &Value, author: &Person) -> Person {
    let kinds = ["user", "application", "device"].into_iter();
    let mut kinds = kinds.filter(|kind| from[kind].is_object());
    let kind = kinds.next().unwrap_or_default();
    let text = |name: &str| from[kind][name].as_str();
    let id = text("id").unwrap_or_default();
    let user_type = UserType::deserialize(&from[kind]["userIdentityType"]).unwrap_or_default();
    let is_entra = kind == "user" && user_type == UserType::AadUser;
    let person = guid(id).filter(|_| is_entra);
    let other = || {
        if kind == "user" {
            id.to_owned()
        } else {
            String::new()
        }
    };
    Person {
        user: person.unwrap_or_else(other),
        user_type,
        name: text("displayName").unwrap_or_default().to_owned(),
        tenant: text("tenantId").unwrap_or(&author.tenant).to_owned(),
        upn: None,
        user_principal_name: None,
    }
}

fn guid(text: &str) -> Option<String> {
    Uuid::try_parse(text).ok().map(|id| id.to_string())
}

fn time(raw: &Map<String, Value>, name: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(raw.get(name)?.as_str()?, &Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entra::Entra;
    use crate::graph::{control, router};
    use crate::testing::{Answer, ask, world};
    use crate::world::Config;

    const USER: &str = "0f0e0d0c-0000-4000-8000-00000000000a";

    fn graph() -> Arc<Graph> {
        let world = world(Config::default(), "http://127.0.0.1:9");
        Graph::new(Arc::clone(&world), Entra::new(world))
    }

    fn chat() -> String {
        format!("19%3A{USER}_00000000-0000-0000-0000-000000000004%40unq.gbl.spaces")
    }

    async fn give(graph: &Arc<Graph>, message: Value) -> Answer {
        let path = format!("/local/teams/chats/{}/raw", chat());
        ask(
            control(graph),
            "POST",
            &path,
            "",
            json!({ "message": message }),
        )
        .await
    }

    /// Something of the chat, as Graph answers the Support User.
    async fn get(graph: &Arc<Graph>, below: &str) -> Answer {
        let user = &graph.world.config.support_accounts[0].user;
        let claims =
            json!({ "aud": "https://graph.microsoft.com", "oid": user, "scp": "Chat.Read" });
        let token = graph.entra.issue(claims);
        let path = format!("/v1.0/chats/{}/{below}", chat());
        ask(router(graph), "GET", &path, &token, Value::Null).await
    }

    #[tokio::test]
    async fn only_what_is_absent_is_added() {
        let graph = graph();
        let given = json!({ "body": 7, "attachments": [null, "x"], "mentions": {}, "odd": 1.5 });
        let answer = give(&graph, given.clone()).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let id = answer.text("message");
        let shown = get(&graph, &format!("messages/{id}")).await.body;
        for name in ["body", "attachments", "mentions", "odd"] {
            assert_eq!(shown[name], given[name], "{name}");
        }
        assert_eq!(shown["id"], id.as_str());
        assert_eq!(shown["from"]["user"]["id"], USER, "as the chat's id says");
        assert!(shown["chatId"].as_str().is_some_and(|it| it.contains(USER)));
        assert!(time(shown.as_object().expect("an object"), "createdDateTime").is_some());
        assert_eq!(shown.as_object().map(Map::len), Some(8), "{shown}");

        let whole = json!({ "id": null, "createdDateTime": "late", "chatId": 1, "from": null });
        let answer = give(&graph, whole.clone()).await;
        let id = answer.text("message");
        let list = get(&graph, "messages").await.body;
        let shown = list["value"].as_array().expect("messages");
        assert!(shown.contains(&whole), "{list}");
        let view = format!("/local/teams/chats/{}/messages", chat());
        let view = ask(control(&graph), "GET", &view, "", Value::Null).await;
        let ids = view.body["messages"].as_array().expect("messages").iter();
        assert!(ids.map(|it| &it["id"]).any(|it| it == id.as_str()));
    }

    #[tokio::test]
    async fn the_same_id_once_more_takes_the_place_of_the_message() {
        let graph = graph();
        let first = json!({ "id": "1", "createdDateTime": "2026-01-02T03:04:05Z",
            "from": { "user": { "id": USER, "displayName": "Anna" } },
            "hostedContents": [{ "@microsoft.graph.temporaryId": "a", "contentBytes": "YWJj",
                "contentType": "image/png" }, { "id": "b", "contentBytes": "*" }, 5] });
        give(&graph, first).await;
        let second = json!({ "id": "1", "body": { "content": "<p>new</p>" } });
        assert_eq!(give(&graph, second).await.text("message"), "1");
        let list = get(&graph, "messages").await.body;
        assert_eq!(list["value"].as_array().map(Vec::len), Some(1));
        let shown = &list["value"][0];
        assert_eq!(shown["createdDateTime"], "2026-01-02T03:04:05.000Z");
        assert_eq!(shown["from"]["user"]["displayName"], "Anna");
        let members = get(&graph, "members").await.body;
        assert_eq!(members["value"][1]["displayName"], "Anna");
        // What the first one brought stays, as it does at an edit.
        for (id, status) in [("a", 200), ("b", 404)] {
            let path = format!("messages/1/hostedContents/{id}/$value");
            assert_eq!(get(&graph, &path).await.status, status, "{id}");
        }
        let message = format!("/local/teams/chats/{}/messages/1", chat());
        let edit = json!({ "html": "<p>other</p>" });
        let edited = ask(control(&graph), "PATCH", &message, "", edit).await;
        assert_eq!(edited.status, 409, "it cannot stay as it is and change");
    }
}
