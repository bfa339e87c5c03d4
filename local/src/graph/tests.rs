//! What Graph is documented to refuse and to do, where the end-to-end tests do not come by.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::*;
use crate::entra::Entra;
use crate::testing::{Answer, OurSide, ask, world};
use crate::world::Config;
use std::sync::Arc;

const CHAT: &str = "/v1.0/chats/19%3Aanna_support%40unq.gbl.spaces";
const WRITE: &str = "/local/teams/chats/19%3Aanna_support%40unq.gbl.spaces/messages";
const STRANGER: &str = "0f0e0d0c-0000-4000-8000-0000000000ff";

/// A Support User with the usual scopes, in a chat with one message.
struct Play {
    graph: Arc<Graph>,
    token: String,
}

impl Play {
    async fn new() -> Self {
        Self::at("http://127.0.0.1:9").await
    }

    /// With our own side at this address.
    async fn at(functions: &str) -> Self {
        let world = world(Config::default(), functions);
        let graph = Graph::new(Arc::clone(&world), Entra::new(world));
        let token = String::new();
        let mut play = Self { graph, token };
        let scopes = "Chat.Read ChatMessage.Send Files.Read.All";
        play.token = play.token(play.support(), scopes);
        play.writes(json!({ "html": "<p>hello</p>" })).await;
        play
    }

    fn support(&self) -> &str {
        &self.graph.world.config.support_accounts[0].user
    }

    fn token(&self, user: &str, scopes: &str) -> String {
        let claims = json!({ "aud": "https://graph.microsoft.com", "oid": user, "scp": scopes });
        self.graph.entra.issue(claims)
    }

    async fn get(&self, path: &str) -> Answer {
        self.get_as(&self.token, path).await
    }

    async fn get_as(&self, token: &str, path: &str) -> Answer {
        ask(router(&self.graph), "GET", path, token, Value::Null).await
    }

    async fn post(&self, body: Value) -> Answer {
        let path = format!("{CHAT}/messages");
        ask(router(&self.graph), "POST", &path, &self.token, body).await
    }

    async fn control(&self, method: &str, path: &str, body: Value) -> Answer {
        ask(control(&self.graph), method, path, "", body).await
    }

    /// Writes as Anna; the message's id.
    async fn writes(&self, mut message: Value) -> String {
        message["from"] = anna();
        let answer = self.control("POST", WRITE, message).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.text("message")
    }

    /// A message as Graph shows it, without the throttling of its routes.
    fn shown(&self, id: &str) -> Value {
        let chats = self.graph.chats.lock();
        let chat = chats
            .get("19:anna_support@unq.gbl.spaces")
            .expect("the chat");
        super::views::message(chat, chat.message(id).expect("the message"))
    }

    async fn view(&self) -> Value {
        self.control("GET", WRITE, Value::Null).await.body["messages"].take()
    }
}

fn anna() -> Value {
    json!({ "user": "0f0e0d0c-0000-4000-8000-00000000000a", "name": "Anna",
        "tenant": "be9c1b6e-0000-4000-8000-c0ffee000002", "upn": "anna@customer.example" })
}

fn html(content: &str) -> Value {
    json!({ "body": { "contentType": "html", "content": content } })
}

#[tokio::test]
async fn tokens_scopes_and_membership_are_checked() {
    let play = Play::new().await;
    let stranger = play.token(STRANGER, "Chat.Read ChatMessage.Send");
    assert_eq!(play.get_as("nonsense", CHAT).await.status, 401);
    assert_eq!(play.get_as(&stranger, CHAT).await.status, 403);
    assert_eq!(play.get("/v1.0/chats/unknown").await.status, 404);
    let reader = play.token(play.support(), "Chat.Read");
    let path = format!("{CHAT}/messages");
    let posted = ask(router(&play.graph), "POST", &path, &reader, html("x")).await;
    assert_eq!(posted.status, 403);
}

#[tokio::test]
async fn tenants_and_users_are_told_to_whoever_may_ask_and_unknown_ones_are_not_there() {
    const ID: &str = "/v1.0/tenantRelationships/findTenantInformationByTenantId(tenantId='be9c1b6e-0000-4000-8000-c0ffee000002')";
    const DOMAIN: &str = "/v1.0/tenantRelationships/findTenantInformationByDomainName(domainName='Shop.Customer.example')";
    const USER: &str = "/v1.0/users/0f0e0d0c-0000-4000-8000-00000000000a";
    let play = Play::new().await;
    let scopes = "CrossTenantInformation.ReadBasic.All User.ReadBasic.All";
    let reader = play.token(play.support(), scopes);
    for path in [ID, DOMAIN, USER] {
        assert_eq!(play.get_as(&reader, path).await.status, 404, "{path}");
    }
    let named =
        json!({ "name": "Customer", "domains": ["customer.example", "shop.customer.example"] });
    let place = "/local/graph/tenants/be9c1b6e-0000-4000-8000-c0ffee000002";
    assert_eq!(play.control("PUT", place, named.clone()).await.status, 204);
    let other = "/local/graph/tenants/be9c1b6e-0000-4000-8000-c0ffee000003";
    assert_eq!(play.control("PUT", other, named).await.status, 400);
    let guest = json!({ "upn": "anna_customer.example#EXT#@ours.example", "mail": null });
    let place = USER.replace("/v1.0/", "/local/graph/");
    assert_eq!(play.control("PUT", &place, guest).await.status, 204);
    for path in [ID, DOMAIN] {
        let told = play.get_as(&reader, path).await.body;
        assert_eq!(told["tenantId"], "be9c1b6e-0000-4000-8000-c0ffee000002");
        assert_eq!(told["displayName"], "Customer");
        assert_eq!(told["defaultDomainName"], "customer.example");
    }
    let told = play.get_as(&reader, USER).await.body;
    assert_eq!(
        told["userPrincipalName"],
        "anna_customer.example#EXT#@ours.example"
    );
    let chats_only = play.token(play.support(), "Chat.Read User.Read");
    for path in [ID, DOMAIN, USER] {
        assert_eq!(play.get_as(&chats_only, path).await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn posts_are_rewritten_limited_and_throttled() {
    let play = Play::new().await;
    let posted = play.post(html("it&#39;s  <b>me</b>")).await;
    assert_eq!(posted.body["body"]["content"], "<p>it's <b>me</b></p>");
    assert_eq!(play.post(html("")).await.status, 400);
    assert_eq!(play.post(html(&"x".repeat(29 * 1024))).await.status, 413);
    let mut last = 201;
    for _ in 0..5 {
        last = play.post(html("again")).await.status;
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn lists_come_in_pages_and_filters_need_their_order() {
    let play = Play::new().await;
    let old = json!({ "html": "old", "created": "2020-01-01T00:00:00Z" });
    play.writes(old).await;
    let list = format!("{CHAT}/messages");
    let filter = "%24filter=lastModifiedDateTime+gt+2021-01-01T00%3A00%3A00Z";
    let order = "%24orderby=lastModifiedDateTime+desc";
    for (query, found) in [(format!("{filter}&{order}"), 1), (filter.to_owned(), 2)] {
        let page = play.get(&format!("{list}?{query}")).await;
        assert_eq!(page.body["value"].as_array().map(Vec::len), Some(found));
    }
    let page = play.get(&format!("{list}?%24top=1")).await;
    assert!(page.text("@odata.nextLink").contains("skiptoken=1"));
}

#[tokio::test]
async fn somebody_s_chats_are_listed_by_their_newest_message() {
    let play = Play::new().await;
    for (chat, created) in [
        ("19:b", "2020-01-02T00:00:00Z"),
        ("19:a", "2020-01-01T00:00:00Z"),
    ] {
        let message = json!({ "html": "hi", "from": anna(), "created": created });
        let write = format!("/local/teams/chats/{chat}/messages");
        play.control("POST", &write, message).await;
    }
    let order = "%24orderby=lastMessagePreview/createdDateTime+desc";
    let page = play
        .get(&format!(
            "/v1.0/me/chats?{order}&%24expand=lastMessagePreview&%24top=2"
        ))
        .await;
    let listed = page.body["value"].as_array().expect("a list");
    assert_eq!(
        [&listed[0]["id"], &listed[1]["id"]].map(|it| it != "19:a"),
        [true, true]
    );
    let newest = &listed[1]["lastMessagePreview"];
    assert_eq!(newest["createdDateTime"], "2020-01-02T00:00:00.000Z");
    assert_eq!(newest["from"]["user"]["id"], anna()["user"]);
    assert!(page.text("@odata.nextLink").contains("skiptoken=2"));
    // Unless it is asked for, nothing is told of it; and no other order is known.
    let plain = play.get("/v1.0/me/chats").await;
    assert!(plain.body["value"][0]["lastMessagePreview"].is_null());
    let refused = play
        .get("/v1.0/me/chats?%24orderby=lastUpdatedDateTime+desc")
        .await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn a_group_of_another_tenant_hides_its_members_and_a_chat_of_two_does_not() {
    let play = Play::new().await;
    for (kind, status) in [("group", 403), ("oneOnOne", 200)] {
        let mut from = anna();
        from["user_principal_name"] = json!("anna@customer.example");
        let message =
            json!({ "html": "hi", "from": from, "chat_type": kind, "hosted_elsewhere": true });
        let write = format!("/local/teams/chats/{kind}/messages");
        let written = play.control("POST", &write, message).await;
        let chat = format!("/v1.0/chats/{kind}");
        assert_eq!(play.get(&chat).await.body["tenantId"], anna()["tenant"]);
        assert_eq!(play.get(&format!("{chat}/members")).await.status, status);
        let message = format!("{chat}/messages/{}", written.text("message"));
        let sender = &play.get(&message).await.body["from"]["user"];
        assert_eq!(sender["userPrincipalName"], "anna@customer.example");
    }
    let ours = play.graph.world.config.tenant.as_str();
    assert_eq!(play.get(CHAT).await.body["tenantId"], ours);
}

#[tokio::test]
async fn only_an_edit_moves_the_time_of_the_last_edit() {
    let play = Play::new().await;
    let file = json!({ "name": "a.txt", "content_type": "text/plain", "generate": 3 });
    let message = json!({ "html": "<p>old</p>", "files": [file] });
    let id = play.writes(message).await;
    let path = format!("{WRITE}/{id}");
    let written = play.shown(&id);
    let like = json!({ "from": anna(), "reaction": "👍" });
    let reactions = format!("{path}/reactions");
    for _ in 0..2 {
        let answer = play.control("POST", &reactions, like.clone()).await;
        assert_eq!(answer.status, 204);
    }
    let reacted = play.shown(&id);
    assert_ne!(reacted["etag"], written["etag"]);
    assert_eq!(reacted["lastEditedDateTime"], Value::Null);
    let all = reacted["reactions"].as_array().expect("reactions");
    assert_eq!(all.len(), 1, "the same one counts once");
    assert_eq!(all[0]["createdDateTime"], reacted["lastModifiedDateTime"]);

    let edit = json!({ "html": "<p>new</p>" });
    assert_eq!(play.control("PATCH", &path, edit.clone()).await.status, 204);
    let edited = play.shown(&id);
    assert_eq!(edited["lastEditedDateTime"], edited["lastModifiedDateTime"]);
    assert_eq!(edited["createdDateTime"], written["createdDateTime"]);
    assert_eq!(edited["attachments"], written["attachments"]);
    assert_eq!(play.control("PATCH", &path, edit).await.status, 204);
    assert_ne!(play.shown(&id)["etag"], edited["etag"], "however quick");
}

#[tokio::test]
async fn hosted_contents_are_for_those_who_may_read_the_chat_and_not_too_often() {
    let play = Play::new().await;
    let image = json!({ "content_type": "image/png", "generate": 1 });
    let id = play.writes(json!({ "html": "", "images": [image] })).await;
    let image = play.view().await[1]["images"][0]["id"].take();
    let image = image.as_str().expect("an id");
    let path = format!("{CHAT}/messages/{id}/hostedContents/{image}/$value");
    let stranger = play.token(STRANGER, "Chat.Read");
    let sender = play.token(play.support(), "ChatMessage.Send Files.Read.All");
    for (token, status) in [("nonsense", 401), (&stranger, 403), (&sender, 403)] {
        assert_eq!(play.get_as(token, &path).await.status, status);
    }
    let elsewhere = format!("{CHAT}/messages/1/hostedContents/{image}/$value");
    assert_eq!(play.get(&elsewhere).await.status, 404);
    for _ in 0..5 {
        play.get(&path).await;
    }
    assert_eq!(play.get(&path).await.headers["retry-after"], "1");
}

fn hosted(name: &str, bytes: &[u8]) -> Value {
    json!({ "@microsoft.graph.temporaryId": name, "contentBytes": STANDARD.encode(bytes),
        "contentType": "image/png" })
}

fn image(name: &str) -> String {
    format!("<img src=\"../hostedContents/{name}/$value\">")
}

/// The status of one post, with nobody's throttling in the way.
async fn status(html: &str, hosted: Value, attachments: Value) -> u16 {
    let body = json!({ "body": { "contentType": "html", "content": html },
        "hostedContents": hosted, "attachments": attachments });
    Play::new().await.post(body).await.status
}

#[tokio::test]
async fn what_a_post_refers_to_belongs_to_it() {
    let one = hosted("1", b"x");
    let marker = "<p>x</p><attachment id=\"1\"></attachment>";
    let card = json!({ "id": "1", "content": "{}",
        "contentType": "application/vnd.microsoft.card.adaptive" });
    for (html, hosted, attachments, expected) in [
        (image("1").as_str(), json!([one]), json!([]), 201),
        (&image("1").repeat(2), json!([one]), json!([]), 201),
        (&image("1"), json!([]), json!([]), 400),
        ("<p>x</p>", json!([one]), json!([]), 400),
        (&image("2"), json!([one]), json!([]), 400),
        (&image("1"), json!([one, one]), json!([]), 400),
        (&image("1"), json!("x"), json!([]), 400),
        (marker, json!([]), json!([card]), 201),
        (marker, json!([]), json!([]), 400),
        ("<p>x</p>", json!([]), json!([card]), 400),
        (marker, json!([]), json!([{ "id": "1" }]), 400),
    ] {
        let status = status(html, hosted.clone(), attachments.clone()).await;
        assert_eq!(status, expected, "{html} {hosted} {attachments}");
    }
    let mut as_text = html(&image("1"));
    as_text["body"]["contentType"] = json!("text");
    as_text["hostedContents"] = json!([one]);
    assert_eq!(Play::new().await.post(as_text).await.status, 400);
    for (name, value) in [
        ("contentBytes", json!("*")),
        ("contentBytes", json!("")),
        ("contentBytes", Value::Null),
        ("contentType", json!("text/plain")),
        ("contentType", json!("image/")),
        ("contentType", Value::Null),
        ("@microsoft.graph.temporaryId", Value::Null),
        ("@microsoft.graph.temporaryId", json!("")),
    ] {
        let mut item = one.clone();
        item[name] = value.clone();
        let status = status(&image("1"), json!([item]), json!([])).await;
        assert_eq!(status, 400, "{name} {value}");
    }
}

#[tokio::test]
async fn the_sizes_of_a_post_are_limited() {
    const LARGEST: usize = 4 * 1024 * 1024;
    let both = format!("{}{}", image("1"), image("2"));
    let long = format!("{}{}", image("1"), "x".repeat(28 * 1024));
    let large = |name: &str| hosted(name, &vec![0; LARGEST]);
    let larger = hosted("1", &vec![0; LARGEST + 1]);
    for (html, hosted, expected) in [
        (both, json!([large("1"), large("2")]), 201),
        (image("1"), json!([larger]), 413),
        (long, json!([hosted("1", b"x")]), 413),
    ] {
        assert_eq!(status(&html, hosted, json!([])).await, expected);
    }
}

fn share(url: &str) -> String {
    let encoded = URL_SAFE_NO_PAD.encode(url);
    format!("/v1.0/shares/u!{encoded}/driveItem/content")
}

/// Shares a file; its attachment.
async fn shared(play: &Play) -> Value {
    let file = json!({ "name": "Größe 1.pdf", "content_type": "application/pdf", "generate": 9 });
    let message = json!({ "html": "<p>x</p>", "files": [file] });
    let id = play.writes(message).await;
    play.shown(&id)["attachments"][0].take()
}

#[tokio::test]
async fn a_share_is_for_members_of_the_chat_with_a_scope() {
    let play = Play::new().await;
    let url = shared(&play).await["contentUrl"].take();
    let url = url.as_str().expect("an address");
    for (user, scope, status) in [
        (play.support(), "Files.Read", 302),
        (play.support(), "Files.ReadWrite.All", 302),
        (play.support(), "Chat.Read", 403),
        (STRANGER, "Files.Read.All", 403),
    ] {
        let token = play.token(user, scope);
        let answer = play.get_as(&token, &share(url)).await;
        assert_eq!(answer.status, status, "{scope}");
    }
    assert_eq!(play.get_as("nonsense", &share(url)).await.status, 401);
    let unknown = play.get(&share(&format!("{url}x"))).await;
    assert_eq!(unknown.body["error"]["code"], "itemNotFound");
    for wrong in ["u!***", "x!aaaa", "u!YQ=="] {
        let path = format!("/v1.0/shares/{wrong}/driveItem/content");
        let answer = play.get(&path).await;
        assert_eq!(answer.body["error"]["code"], "invalidRequest");
    }
}

#[tokio::test]
async fn a_download_takes_no_token_and_no_foreign_proof() {
    let play = Play::new().await;
    let (first, second) = (shared(&play).await, shared(&play).await);
    let url = first["contentUrl"].as_str().expect("an address");
    let answer = play.get(&share(url)).await;
    let target = answer.headers["location"].to_str().expect("text");
    let target = target
        .strip_prefix("https://127.0.0.1:9")
        .expect("the files' host");
    let status = async |path: &str, token: &str| {
        let router = downloads(&play.graph);
        ask(router, "GET", path, token, Value::Null).await.status
    };
    assert_eq!(status(target, "").await, 200);
    assert_eq!(status(target, &play.token).await, 401);
    let id = |attachment: &Value| attachment["id"].as_str().expect("an id").to_owned();
    let other = target.replace(&id(&first), &id(&second));
    assert_eq!(status(&other, "").await, 403);
    let (bare, _) = target.split_once("&tempauth").expect("a proof");
    assert_eq!(status(bare, "").await, 403);
}

fn echoed(token: String) -> (&'static str, String) {
    ("text/plain", token)
}

fn message_of(notification: &Value) -> String {
    let id = notification["value"][0]["resourceData"]["id"].as_str();
    id.expect("an id").to_owned()
}

#[tokio::test]
async fn a_refused_notification_comes_again_and_the_next_ones_do_not_wait() {
    let mut ours = OurSide::start(vec![503], echoed);
    let play = Play::at(&ours.address).await;
    play.graph.subscribe().await.expect("the token was echoed");
    let first = play.writes(json!({ "html": "1" })).await;
    let second = play.writes(json!({ "html": "2" })).await;
    for expected in [&first, &second, &first] {
        assert_eq!(message_of(&ours.next().await), *expected);
    }
}

#[tokio::test]
async fn every_second_post_is_notified_before_it_is_answered() {
    let mut ours = OurSide::start(Vec::new(), echoed);
    let play = Play::at(&ours.address).await;
    play.graph.subscribe().await.expect("the token was echoed");
    let first = play.post(html("<p>hi</p>")).await;
    let early = ours.here().expect("the notification is there already");
    assert_eq!(message_of(&early), first.text("id"));
    let second = play.post(html("<p>ho</p>")).await;
    assert_eq!(message_of(&ours.next().await), second.text("id"));
}

#[tokio::test]
async fn an_address_that_does_not_echo_the_token_gets_no_subscription() {
    let wrong: [crate::testing::Handshake; 2] = [
        |_| ("text/plain", "something else".to_owned()),
        |token| ("text/html", token),
    ];
    for handshake in wrong {
        let ours = OurSide::start(Vec::new(), handshake);
        let play = Play::at(&ours.address).await;
        assert!(play.graph.subscribe().await.is_err());
        let made = play.control("GET", "/local/graph/subscriptions", Value::Null);
        assert_eq!(made.await.body["subscriptions"], json!([]));
    }
}

#[tokio::test]
async fn people_without_an_entra_id_are_shown_as_what_they_are() {
    let play = Play::new().await;
    let mut guest = anna();
    guest["user"] = json!("8578568e393e4ffe8763e0b7c3da01ab!");
    let refused = play
        .control("POST", WRITE, json!({ "from": guest, "html": "hello" }))
        .await;
    assert_eq!(refused.status, 422);
    guest["user_type"] = json!("anonymousGuest");
    let written = json!({ "from": guest, "html": "hello" });
    let answer = play.control("POST", WRITE, written).await;
    let id = answer.text("message");
    let message = play.get(&format!("{CHAT}/messages/{id}")).await.body;
    let user = &message["from"]["user"];
    assert_eq!(user["id"], guest["user"]);
    assert_eq!(user["userIdentityType"], "anonymousGuest");
    assert!(user["tenantId"].is_null());
    let members = play.get(&format!("{CHAT}/members")).await.body;
    let members = members["value"].as_array().expect("members");
    let member = members
        .iter()
        .find(|it| it["anonymousGuestId"] == guest["user"]);
    assert!(member.is_some_and(|member| member.get("userId").is_none()));
}
