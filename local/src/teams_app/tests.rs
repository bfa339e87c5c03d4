//! The connector between a person in Teams and a bot.

mod calls;
mod deliveries;

use std::sync::Arc;
use std::time::Duration;

use http::header;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use super::control;
use crate::bot::{Bot, router};
use crate::entra::Entra;
use crate::graph::{self, Graph};
use crate::shared::download::segment;
use crate::testing::{Answer, OurSide, ask, world};
use crate::world::Config;

const CHAT: &str = "a:17I0kl";
const GROUP: &str = "19:room@thread.v2";
const ADA: &str = "9a6f0c1d-4b3e-4f27-a8d1-0e5b7c6a1a01";
const TENANT: &str = "3f1c2a90-8a4e-4d57-9c1b-5f0a7d2e1101";

struct Stand {
    bot: Arc<Bot>,
    ours: OurSide,
}

impl Stand {
    /// Our side answers with these statuses first, then 202.
    fn new(statuses: Vec<u16>) -> Self {
        let ours = OurSide::start(statuses, |_| ("text/plain", String::new()));
        let world = world(Config::default(), &ours.address);
        let entra = Entra::new(Arc::clone(&world));
        let graph = Graph::new(Arc::clone(&world), Arc::clone(&entra));
        let bot = Bot::new(world, entra, graph);
        Self { bot, ours }
    }

    /// With the app installed for Ada; what that told us is over.
    async fn installed() -> Self {
        let mut stand = Self::new(Vec::new());
        stand.install(CHAT).await;
        stand
    }

    async fn install(&mut self, chat: &str) -> [Value; 2] {
        let ada = json!({ "user": ADA, "name": "Ada Kovacs", "tenant": TENANT, "upn": "ada@northwind.example" });
        let done = self
            .act(chat, json!({ "do": "install", "from": ada }))
            .await;
        assert_eq!(done.status, 200, "{}", done.body);
        [self.ours.next().await, self.ours.next().await]
    }

    async fn act(&self, chat: &str, deed: Value) -> Answer {
        let path = format!("/local/bot/chats/{}", segment(chat));
        ask(control(&self.bot), "POST", &path, "", deed).await
    }

    /// What comes of something that is done.
    async fn told(&mut self, chat: &str, deed: Value) -> Value {
        let done = self.act(chat, deed).await;
        assert_eq!(done.status, 200, "{}", done.body);
        let activity = self.ours.next().await;
        assert_eq!(activity["id"], done.body["message"]);
        activity
    }

    async fn shown(&self, chat: &str) -> Value {
        let path = format!("/local/bot/chats/{}", segment(chat));
        ask(control(&self.bot), "GET", &path, "", Value::Null)
            .await
            .body
    }

    fn token(&self, changes: Value) -> String {
        let app = &self.bot.world.config.bot_app;
        let mut claims = json!({ "aud": "https://api.botframework.com", "appid": app, "idtyp": "app", "ver": "1.0" });
        for (name, value) in changes.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        self.bot.entra.issue(claims)
    }

    /// A call of the bot below its conversations.
    async fn call(&self, method: &str, below: &str, body: Value) -> Answer {
        let path = format!("/amer/v3/conversations{below}");
        ask(
            router(&self.bot),
            method,
            &path,
            &self.token(json!({})),
            body,
        )
        .await
    }

    async fn post(&self, chat: &str, activity: Value) -> Answer {
        let below = format!("/{}/activities", segment(chat));
        self.call("POST", &below, activity).await
    }
}

/// Lets so many seconds pass.
async fn pass(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

fn text(text: &str) -> Value {
    json!({ "type": "message", "text": text, "textFormat": "plain" })
}

fn code(answer: &Answer) -> (u16, &str) {
    (
        answer.status,
        answer.body["error"]["code"].as_str().unwrap_or_default(),
    )
}

fn html(activity: &Value) -> &str {
    let attachments = activity["attachments"].as_array().expect("attachments");
    let html = attachments
        .iter()
        .find(|it| it["contentType"] == "text/html");
    html.and_then(|it| it["content"].as_str()).expect("HTML")
}

#[tokio::test]
async fn everything_that_a_person_does_has_its_activity() {
    let mut stand = Stand::new(Vec::new());
    let [update, members] = stand.install(CHAT).await;
    assert_eq!(
        (&update["type"], &update["action"]),
        (&json!("installationUpdate"), &json!("add"))
    );
    assert_eq!(members["membersAdded"][0]["id"], members["recipient"]["id"]);
    let said = stand
        .told(CHAT, json!({ "do": "say", "text": "one" }))
        .await;
    let id = said["id"].clone();

    let edited = stand
        .told(CHAT, json!({ "do": "edit", "message": id, "text": "two" }))
        .await;
    assert_eq!(
        (&edited["type"], &edited["text"]),
        (&json!("messageUpdate"), &json!("two"))
    );
    assert_eq!(edited["channelData"]["eventType"], "editMessage");
    assert_eq!(edited["channelData"]["tenant"]["id"], TENANT);
    assert_eq!(html(&edited), "<div><p>two</p></div>");
    let deleted = stand
        .told(CHAT, json!({ "do": "delete", "message": id }))
        .await;
    assert_eq!(
        (&deleted["type"], &deleted["id"]),
        (&json!("messageDelete"), &id)
    );
    assert_eq!(
        stand
            .act(CHAT, json!({ "do": "delete", "message": id }))
            .await
            .status,
        409
    );
    let restored = stand
        .told(CHAT, json!({ "do": "restore", "message": id }))
        .await;
    assert_eq!(restored["channelData"]["eventType"], "undeleteMessage");
    assert_eq!(restored["text"], "two");

    assert_eq!(
        stand.told(CHAT, json!({ "do": "type" })).await["type"],
        "typing"
    );
    let read = stand
        .told(CHAT, json!({ "do": "read", "message": id }))
        .await;
    assert_eq!(read["name"], "application/vnd.microsoft.readReceipt");
    assert_eq!(read["value"]["lastReadMessageId"], id);

    let reaction =
        |message: &Value| json!({ "do": "react", "message": message, "reaction": "like" });
    assert_eq!(
        stand.act(CHAT, reaction(&id)).await.status,
        404,
        "not the bot's"
    );
    let posted = stand.post(CHAT, text("answer")).await.body["id"].clone();
    let liked = stand.told(CHAT, reaction(&posted)).await;
    assert_eq!(
        (&liked["replyToId"], &liked["reactionsAdded"]),
        (&posted, &json!([{ "type": "like" }]))
    );
    assert_eq!(
        stand
            .act(CHAT, json!({ "do": "say", "text": "a", "odd": 1 }))
            .await
            .status,
        422
    );

    let gone = stand.told(CHAT, json!({ "do": "uninstall" })).await;
    assert_eq!(gone["action"], "remove");
    assert_eq!(
        stand
            .act(CHAT, json!({ "do": "say", "text": "a" }))
            .await
            .status,
        409
    );
}

#[tokio::test]
async fn quoted_replies_come_in_two_forms_and_mentions_are_marked() {
    let mut stand = Stand::installed().await;
    let posted = stand.post(CHAT, text("Which \"one\"?")).await.body["id"].clone();
    let say = |as_entity: bool| {
        json!({ "do": "say", "text": "That one",
        "quote": { "message": posted, "as_entity": as_entity } })
    };
    let first = stand.told(CHAT, say(false)).await;
    assert_eq!(first["text"], "BotWhich \"one\"?That one");
    assert!(
        html(&first).starts_with("<div><blockquote itemscope"),
        "{first}"
    );
    assert!(html(&first).ends_with("Which &quot;one&quot;?</p></blockquote><p>That one</p></div>"));
    assert_eq!(stand.told(CHAT, say(false)).await["text"], "That one");
    let entity = stand.told(CHAT, say(true)).await;
    assert_eq!(entity["entities"][1]["quotedReply"]["messageId"], posted);
    let placeholder = format!("<quoted messageId={posted}/> That one");
    assert_eq!(entity["text"], placeholder.as_str());

    stand.install(GROUP).await;
    let unheard = stand
        .act(GROUP, json!({ "do": "say", "text": "to all" }))
        .await;
    assert_eq!(
        (unheard.status, &unheard.body["message"]),
        (200, &Value::Null)
    );
    let heard = stand
        .told(
            GROUP,
            json!({ "do": "say", "text": "to you", "mention": true }),
        )
        .await;
    assert_eq!(
        (&heard["text"], &heard["conversation"]["isGroup"]),
        (&json!("<at>Bot</at> to you"), &json!(true))
    );
    assert_eq!(
        heard["entities"][1]["mentioned"]["id"],
        heard["recipient"]["id"]
    );
}

#[tokio::test]
async fn files_need_no_token_and_pictures_the_bots() {
    let mut stand = Stand::installed().await;
    let said = stand
        .told(
            CHAT,
            json!({ "do": "say",
        "files": [{ "name": "a.txt", "content_type": "text/plain", "base64": "YWJj" }],
        "pictures": [{ "content_type": "image/png", "base64": "AAAA" }] }),
        )
        .await;
    assert!(said["text"].is_null());
    let [picture, file, ..] = said["attachments"]
        .as_array()
        .expect("attachments")
        .as_slice()
    else {
        panic!("{said}");
    };
    assert_eq!(picture["contentType"], "image/*");
    let nowhere = stand.bot.world.endpoints.bot.clone();
    let path = |url: &Value| url.as_str().expect("an address").replace(&nowhere, "");
    let url = path(&picture["contentUrl"]);
    let get = async |token: &str| ask(router(&stand.bot), "GET", &url, token, Value::Null).await;
    assert_eq!(get("").await.status, 401);
    let answer = get(&stand.token(json!({}))).await;
    assert_eq!((answer.status, &answer.bytes[..]), (200, &[0, 0, 0][..]));

    assert_eq!(
        file["contentType"],
        "application/vnd.microsoft.teams.file.download.info"
    );
    assert_eq!(file["content"]["fileType"], "txt");
    let url = path(&file["content"]["downloadUrl"]);
    let download = |token| {
        ask(
            graph::downloads(&stand.bot.graph),
            "GET",
            &url,
            token,
            Value::Null,
        )
    };
    assert_eq!(download("").await.bytes, "abc");
    assert_eq!(download("a").await.status, 401, "no token belongs there");
    let file =
        json!({ "do": "say", "files": [{ "name": "a", "content_type": "a/b", "generate": 1 }] });
    stand.install(GROUP).await;
    assert_eq!(
        stand.act(GROUP, file).await.status,
        400,
        "in a group the bot never gets files"
    );
}

#[tokio::test]
async fn a_pressed_button_submits_its_data_and_the_inputs() {
    let mut stand = Stand::installed().await;
    let card = json!({ "type": "AdaptiveCard", "version": "1.5", "body": [
        { "type": "TextBlock", "text": "When?" }, { "type": "Input.Date", "id": "day" }],
        "actions": [{ "type": "Action.Submit", "title": "Send", "data": { "bridge": { "v": 1 } } }] });
    let attachment =
        json!({ "contentType": "application/vnd.microsoft.card.adaptive", "content": card });
    let posted = stand
        .post(
            CHAT,
            json!({ "type": "message", "attachments": [attachment] }),
        )
        .await;
    let id = posted.text("id");
    let press = |button: &str, inputs: Value| json!({ "do": "press", "message": id, "button": button, "inputs": inputs });
    let pressed = stand
        .told(CHAT, press("Send", json!({ "day": "2026-12-01" })))
        .await;
    assert_eq!(
        pressed["value"],
        json!({ "bridge": { "v": 1 }, "day": "2026-12-01" })
    );
    assert_eq!(
        (&pressed["type"], &pressed["replyToId"]),
        (&json!("message"), &json!(id))
    );
    assert!(pressed["text"].is_null());
    assert_eq!(stand.act(CHAT, press("Other", json!({}))).await.status, 409);
    assert_eq!(
        stand
            .act(CHAT, press("Send", json!({ "odd": 1 })))
            .await
            .status,
        409
    );
    // Without its actions the card shows nothing to press.
    let mut used = card;
    used.as_object_mut().expect("a card").remove("actions");
    let used = json!({ "contentType": "application/vnd.microsoft.card.adaptive", "content": used });
    let below = format!("/{}/activities/{id}", segment(CHAT));
    let used = json!({ "type": "message", "attachments": [used] });
    assert_eq!(stand.call("PUT", &below, used).await.status, 200);
    assert_eq!(stand.act(CHAT, press("Send", json!({}))).await.status, 409);
}
