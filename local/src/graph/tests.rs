mod changes;
mod contents;
mod files;
mod posts;

use axum::body::{Body, Bytes};
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::Graph;
use crate::entra::Entra;
use crate::world::World;

const CHAT: &str = "/v1.0/chats/19%3Aanna_support%40unq.gbl.spaces";
const WRITE: &str = "/local/teams/chats/19%3Aanna_support%40unq.gbl.spaces/messages";

struct Caller {
    graph: std::sync::Arc<Graph>,
    token: String,
}

impl Caller {
    /// A Support User with the usual scopes, in a chat with one message.
    async fn new() -> Self {
        let world = World::for_tests();
        let entra = Entra::new(std::sync::Arc::clone(&world));
        let token = token(
            &entra,
            &world.config.support_accounts[0].user,
            "Chat.Read ChatMessage.Send Files.Read.All",
        );
        let graph = Graph::new(world, entra);
        let caller = Self { graph, token };
        caller.writes(json!({ "html": "<p>hello</p>" })).await;
        caller
    }

    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        self.call_as(&self.token, method, path, body).await
    }

    async fn call_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        send(self.graph.router(), token, method, path, body).await
    }

    /// Bytes of a Graph address, with the usual token.
    async fn bytes(&self, path: &str) -> (StatusCode, HeaderMap, Bytes) {
        let token = format!("Bearer {}", self.token);
        fetch(self.graph.router(), path, Some(&token)).await
    }

    /// Writes as Anna; the message's id.
    async fn writes(&self, mut message: Value) -> String {
        message["from"] = anna();
        let (status, answer) = self.control("POST", WRITE, Some(message)).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        answer["message"].as_str().expect("an id").to_owned()
    }

    /// A message as Graph shows it, without the throttling of its routes.
    fn shown(&self, id: &str) -> Value {
        let chats = self.graph.chats();
        let chat = chats.get("19:anna_support@unq.gbl.spaces");
        let message = chat.expect("the chat").message(id).expect("the message");
        super::views::message("19:anna_support@unq.gbl.spaces", message)
    }

    /// The messages as the control interface shows them.
    async fn view(&self) -> Vec<Value> {
        let (status, view) = self.control("GET", WRITE, None).await;
        assert_eq!(status, StatusCode::OK);
        view["messages"].as_array().expect("messages").clone()
    }

    async fn control(&self, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        send(self.graph.control(), "", method, path, body).await
    }
}

fn token(entra: &Entra, user: &str, scopes: &str) -> String {
    entra.issue(json!({ "aud": "https://graph.microsoft.com", "oid": user, "scp": scopes }))
}

fn anna() -> Value {
    json!({ "user": "0f0e0d0c-0000-4000-8000-00000000000a", "name": "Anna",
        "tenant": "be9c1b6e-0000-4000-8000-c0ffee000002", "upn": "anna@customer.example" })
}

/// Fetches bytes, presenting this.
async fn fetch(
    router: axum::Router,
    path: &str,
    authorization: Option<&str>,
) -> (StatusCode, HeaderMap, Bytes) {
    let mut request = Request::get(path);
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    let request = request.body(Body::empty()).expect("a request");
    let response = router.oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await;
    (parts.status, parts.headers, bytes.unwrap_or_default())
}

async fn send(
    router: axum::Router,
    token: &str,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> (StatusCode, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
        .expect("a request");
    let response = router.oneshot(request).await.expect("an answer");
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .expect("a body");
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

fn html(content: &str) -> Value {
    json!({ "body": { "contentType": "html", "content": content } })
}

#[tokio::test]
async fn a_member_reads_chat_members_and_messages() {
    let caller = Caller::new().await;
    let (_, chat) = caller.call("GET", CHAT, None).await;
    assert_eq!(chat["chatType"], "oneOnOne");
    let (_, members) = caller.call("GET", &format!("{CHAT}/members"), None).await;
    let anna = members["value"]
        .as_array()
        .expect("members")
        .iter()
        .find(|member| member["displayName"] == "Anna");
    assert_eq!(anna.expect("Anna")["email"], "anna@customer.example");
    let (_, list) = caller
        .call("GET", &format!("{CHAT}/messages?%24top=50"), None)
        .await;
    let message = &list["value"][0];
    assert_eq!(message["body"]["content"], "<p>hello</p>");
    let id = message["id"].as_str().expect("an id");
    let (status, single) = caller
        .call("GET", &format!("{CHAT}/messages/{id}"), None)
        .await;
    assert_eq!((status, &single), (StatusCode::OK, message));
}

#[tokio::test]
async fn tokens_scopes_and_membership_are_checked() {
    let caller = Caller::new().await;
    let entra = &caller.graph.entra;
    let support = caller.graph.world.config.support_accounts[0].user.clone();
    assert_eq!(
        caller.call_as("nonsense", "GET", CHAT, None).await.0,
        StatusCode::UNAUTHORIZED
    );
    let stranger = token(
        entra,
        "0f0e0d0c-0000-4000-8000-0000000000ff",
        "Chat.Read ChatMessage.Send",
    );
    assert_eq!(
        caller.call_as(&stranger, "GET", CHAT, None).await.0,
        StatusCode::FORBIDDEN
    );
    let reader = token(entra, &support, "Chat.Read");
    let path = format!("{CHAT}/messages");
    assert_eq!(
        caller
            .call_as(&reader, "POST", &path, Some(html("x")))
            .await
            .0,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        caller.call("GET", "/v1.0/chats/unknown", None).await.0,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn posts_are_rewritten_limited_and_throttled() {
    let caller = Caller::new().await;
    let path = format!("{CHAT}/messages");
    let (status, posted) = caller
        .call("POST", &path, Some(html("it&#39;s  <b>me</b>")))
        .await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(posted["body"]["content"], "<p>it's <b>me</b></p>");
    assert_eq!(
        caller.call("POST", &path, Some(html(""))).await.0,
        StatusCode::BAD_REQUEST
    );
    let large = html(&"x".repeat(29 * 1024));
    assert_eq!(
        caller.call("POST", &path, Some(large)).await.0,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let mut last = StatusCode::CREATED;
    for _ in 0..5 {
        last = caller.call("POST", &path, Some(html("again"))).await.0;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn lists_come_in_pages_and_filters_need_their_order() {
    let caller = Caller::new().await;
    let created = "2020-01-01T00:00:00Z";
    let old = json!({ "from": { "user": "0f0e0d0c-0000-4000-8000-00000000000a", "name": "Anna",
        "tenant": "be9c1b6e-0000-4000-8000-c0ffee000002" }, "html": "old", "created": created });
    caller.control("POST", WRITE, Some(old)).await;
    let filter = "%24filter=lastModifiedDateTime+gt+2021-01-01T00%3A00%3A00Z";
    let ordered = format!("{CHAT}/messages?{filter}&%24orderby=lastModifiedDateTime+desc");
    let (_, page) = caller.call("GET", &ordered, None).await;
    assert_eq!(page["value"].as_array().map(Vec::len), Some(1));
    let (_, page) = caller
        .call("GET", &format!("{CHAT}/messages?{filter}"), None)
        .await;
    assert_eq!(page["value"].as_array().map(Vec::len), Some(2));
    let (_, page) = caller
        .call("GET", &format!("{CHAT}/messages?%24top=1"), None)
        .await;
    assert!(
        page["@odata.nextLink"]
            .as_str()
            .is_some_and(|link| link.contains("skiptoken=1")),
        "{page}"
    );
}

#[tokio::test]
async fn a_group_of_another_tenant_hides_its_members_and_a_chat_of_two_does_not() {
    let caller = Caller::new().await;
    let customer = anna()["tenant"].clone();
    for (kind, status) in [
        ("group", StatusCode::FORBIDDEN),
        ("oneOnOne", StatusCode::OK),
    ] {
        let mut from = anna();
        from["user_principal_name"] = json!("anna@customer.example");
        let message =
            json!({ "html": "hi", "from": from, "chat_type": kind, "hosted_elsewhere": true });
        let write = format!("/local/teams/chats/{kind}/messages");
        let (_, written) = caller.control("POST", &write, Some(message)).await;
        let chat = format!("/v1.0/chats/{kind}");
        assert_eq!(
            caller.call("GET", &chat, None).await.1["tenantId"],
            customer
        );
        let members = caller.call("GET", &format!("{chat}/members"), None).await;
        assert_eq!(members.0, status, "{kind}");
        let message = written["message"].as_str().expect("an id");
        let message = caller
            .call("GET", &format!("{chat}/messages/{message}"), None)
            .await
            .1;
        let sender = &message["from"]["user"];
        assert_eq!(sender["userPrincipalName"], "anna@customer.example");
    }
    let ours = caller.graph.world.config.tenant.as_str();
    assert_eq!(caller.call("GET", CHAT, None).await.1["tenantId"], ours);
}
