use std::time::Duration;

use axum::Router;
use axum::routing::get;
use futures::TryStreamExt;
use http::StatusCode;
use serde_json::json;
use time::macros::datetime;

use super::user::MEMBER_PAGES;
use super::*;
use crate::entra::ClientAuthentication;
use crate::files::{FetchError, Files, Rules};
use crate::testing::{
    Double, Reply, brought, client, client_of, identity, redirect, secret, serve_broken, serve_tls,
    vault,
};

const CHAT: &str = "19:a/b'c@thread.v2";
const SEGMENT: &str = "19%3Aa%2Fb%27c%40thread.v2";

/// Graph with these answers, and Entra ID, which gives the tokens `token`, `token-2` and so on.
struct Setting {
    graph: Graph,
    double: Double,
    entra: Double,
}

impl Setting {
    async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let double = Double::start(replies).await;
        let (graph, entra) = graph_at(&double.base).await;
        Self {
            graph,
            double,
            entra,
        }
    }

    fn user(&self) -> UserGraph<'_> {
        self.graph.as_user("support")
    }
}

async fn graph_at(base: &str) -> (Graph, Double) {
    graph_with(client(), base).await
}

async fn graph_with(http: reqwest::Client, base: &str) -> (Graph, Double) {
    let grant = |token| {
        let body = json!({"access_token": token, "expires_in": 3599, "refresh_token": "r"});
        Reply::json(200, &body)
    };
    let entra = Double::start([grant("token"), grant("token-2"), grant("token-3")]).await;
    let (_, secrets) = vault((0..9).map(|_| secret("r"))).await;
    let tokens = DelegatedTokens::new(
        client(),
        &entra.base,
        "tenant",
        "client",
        ClientAuthentication::Federated,
        identity(),
        secrets,
    );
    (Graph::new(http, base, tokens), entra)
}

#[tokio::test]
async fn a_chat_is_read() {
    let body = json!({"id": CHAT, "chatType": "oneOnOne", "topic": "private", "tenantId": "t"});
    let setting = Setting::start([Reply::json(200, &body)]).await;
    let chat = setting.user().chat("c-1", CHAT).await.expect("a chat");
    assert_eq!(
        (chat.id.as_str(), chat.chat_type.as_str()),
        (CHAT, "oneOnOne")
    );
    assert_eq!(chat.tenant_id.as_deref(), Some("t"));
    let seen = setting.double.only();
    assert_eq!(seen.target, format!("/v1.0/chats/{SEGMENT}"));
    assert_eq!(seen.header("authorization"), "Bearer token");
    assert_eq!(seen.header("client-request-id"), "c-1");
    assert_eq!(seen.header("accept"), "application/json");
}

#[tokio::test]
async fn a_message_comes_as_graph_sent_it() {
    let setting = Setting::start([Reply::new(200, "{\"id\" : \"1\"}")]).await;
    let message = setting
        .user()
        .message("c-1", CHAT, "17/1")
        .await
        .expect("a message");
    assert_eq!(message, b"{\"id\" : \"1\"}");
    assert_eq!(
        setting.double.only().target,
        format!("/v1.0/chats/{SEGMENT}/messages/17%2F1")
    );
}

#[tokio::test]
async fn messages_are_listed_to_the_last_page() {
    let setting = Setting::start([]).await;
    let next = format!("{}/v1.0/chats/x/messages?$skiptoken=2", setting.double.base);
    setting.double.push(Reply::json(
        200,
        &json!({"value": [{"id": "2"}], "@odata.nextLink": next}),
    ));
    setting
        .double
        .push(Reply::json(200, &json!({"value": [{"id": "1"}]})));
    let since = datetime!(2026-11-03 10:00:00.123_456_789 +1);
    let messages = setting
        .user()
        .messages_since("c-1", CHAT, since)
        .await
        .expect("messages");
    assert_eq!(messages, [json!({"id": "2"}), json!({"id": "1"})]);
    let seen = setting.double.seen();
    let query = "%24top=50&%24orderby=lastModifiedDateTime+desc&%24filter=lastModifiedDateTime+gt+2026-11-03T09%3A00%3A00.123Z";
    assert_eq!(
        seen[0].target,
        format!("/v1.0/chats/{SEGMENT}/messages?{query}")
    );
    assert_eq!(seen[1].target, "/v1.0/chats/x/messages?$skiptoken=2");
    assert_eq!(seen[1].header("authorization"), "Bearer token");
}

#[tokio::test]
async fn the_token_goes_nowhere_else() {
    let other = Double::start([]).await;
    let page = json!({"value": [], "@odata.nextLink": format!("{}/v1.0/chats", other.base)});
    let setting = Setting::start([Reply::json(200, &page)]).await;
    let error = setting
        .user()
        .members("c-1", CHAT)
        .await
        .expect_err("a foreign link");
    assert_eq!(error.kind, ErrorKind::Malformed);
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn an_endless_list_ends() {
    let setting = Setting::start([]).await;
    let next = format!("{}/v1.0/chats/x/members?page", setting.double.base);
    let page = json!({"value": [{"userId": "u"}], "@odata.nextLink": next});
    (0..MEMBER_PAGES + 5).for_each(|_| setting.double.push(Reply::json(200, &page)));
    let members = setting.user().members("c-1", CHAT).await.expect("members");
    assert_eq!(
        (members.len(), setting.double.seen().len()),
        (MEMBER_PAGES, MEMBER_PAGES)
    );
}

#[tokio::test]
async fn members_may_be_strangers() {
    let body = json!({"value": [
        {"@odata.type": "#microsoft.graph.aadUserConversationMember", "id": "opaque", "roles": ["owner"],
         "displayName": "Anna", "userId": "u-1", "email": "anna@fabrikam.com", "tenantId": "t-1"},
        {"@odata.type": "#microsoft.graph.aadUserConversationMember", "displayName": null, "userId": "u-2",
         "email": null, "tenantId": "t-2"},
        {"@odata.type": "#microsoft.graph.microsoftAccountUserConversationMember", "userId": "u-3"},
    ]});
    let setting = Setting::start([Reply::json(200, &body)]).await;
    let members = setting.user().members("c-1", CHAT).await.expect("members");
    assert_eq!(members[0].email.as_deref(), Some("anna@fabrikam.com"));
    assert_eq!(
        (&members[1].email, members[1].tenant_id.as_deref()),
        (&None, Some("t-2"))
    );
    assert_eq!(
        (members[2].user_id.as_deref(), &members[2].tenant_id),
        (Some("u-3"), &None)
    );
    assert_eq!(
        setting.double.only().target,
        format!("/v1.0/chats/{SEGMENT}/members")
    );
    assert!(!format!("{members:?}").contains("anna"));
}

#[tokio::test]
async fn a_post_is_html() {
    let setting = Setting::start([Reply::json(201, &json!({"id": "1700000000000"}))]).await;
    let limit = Duration::from_secs(5);
    let id = setting
        .user()
        .post("c-1", CHAT, "<p>hi</p>", &[], limit)
        .await
        .expect("posted");
    assert_eq!(id, "1700000000000");
    let seen = setting.double.only();
    assert_eq!(seen.method, "POST");
    assert_eq!(seen.target, format!("/v1.0/chats/{SEGMENT}/messages"));
    insta::assert_json_snapshot!(seen.json(), @r#"
    {
      "body": {
        "content": "<p>hi</p>",
        "contentType": "html"
      }
    }
    "#);
}

#[tokio::test]
async fn a_post_is_never_repeated_and_tells_what_may_have_happened() {
    let limit = Duration::from_secs(5);
    let setting = Setting::start([
        Reply::new(201, ""),
        Reply::new(502, ""),
        Reply::new(403, ""),
    ])
    .await;
    for sent in [Sent::Yes, Sent::Maybe, Sent::No] {
        let error = setting
            .user()
            .post("c-1", CHAT, "x", &[], limit)
            .await
            .expect_err("an error");
        assert_eq!(error.sent, sent);
    }
    assert_eq!(setting.double.seen().len(), 3);
    let (base, count) = serve_broken("").await;
    let (broken, _) = graph_at(&base).await;
    let error = broken
        .as_user("support")
        .post("c-1", CHAT, "x", &[], limit)
        .await
        .expect_err("broken");
    assert_eq!(
        (error.kind, error.sent),
        (ErrorKind::Connection, Sent::Maybe)
    );
    assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_id_that_would_climb_calls_nothing() {
    let setting = Setting::start([]).await;
    let error = setting
        .user()
        .message("c-1", CHAT, "..")
        .await
        .expect_err("no id");
    assert_eq!((error.kind, error.sent), (ErrorKind::Rejected, Sent::No));
    assert!(setting.double.seen().is_empty());
}

#[tokio::test]
async fn the_probe_reads_one_chat() {
    let setting = Setting::start([Reply::json(200, &json!({"value": []}))]).await;
    setting.user().probe().await.expect("an answer");
    assert_eq!(setting.double.only().target, "/v1.0/me/chats?%24top=1");
}

#[tokio::test]
async fn images_travel_beside_the_html() {
    let setting = Setting::start([Reply::json(201, &json!({"id": "1"}))]).await;
    let images = [HostedImage {
        content_type: "image/png".to_owned(),
        bytes: Bytes::from_static(b"\x89PNG"),
    }];
    let html = "<img src=\"../hostedContents/1/$value\">";
    setting
        .user()
        .post("c-1", CHAT, html, &images, Duration::from_secs(5))
        .await
        .expect("posted");
    insta::assert_json_snapshot!(setting.double.only().json());
}

#[tokio::test]
async fn addresses_of_bytes_are_made_of_whole_segments() {
    let (graph, _) = graph_at("https://graph.example/").await;
    let url = graph
        .hosted_content_url(CHAT, "1700000000000", "aWQ9eF8w/=")
        .expect("a URL");
    assert_eq!(
        url.as_str(),
        format!(
            "https://graph.example/v1.0/chats/{SEGMENT}/messages/1700000000000/hostedContents/aWQ9eF8w%2F%3D/$value"
        )
    );
    assert!(graph.hosted_content_url(CHAT, "1", "..").is_err());
    let url = graph
        .shared_file_url(
            "https://onedrive.live.com/redir?resid=1231244193912!12&authKey=1201919!12921!1",
        )
        .expect("a URL");
    // The example of "Access shared items".
    assert_eq!(
        url.path(),
        "/v1.0/shares/u!aHR0cHM6Ly9vbmVkcml2ZS5saXZlLmNvbS9yZWRpcj9yZXNpZD0xMjMxMjQ0MTkzOTEyITEyJmF1dGhLZXk9MTIwMTkxOSExMjkyMSEx/driveItem/content"
    );
}

fn unauthorized() -> Reply {
    let body = json!({"error": {"code": "InvalidAuthenticationToken", "message": "no"}});
    Reply::json(401, &body)
}

fn chats() -> Reply {
    Reply::json(200, &json!({"value": []}))
}

/// Method and path of each request, with the token it brought.
fn told(setting: &Setting) -> Vec<(String, String)> {
    let path = |target: &str| target.split('?').next().unwrap_or_default().to_owned();
    setting
        .double
        .seen()
        .iter()
        .map(|seen| {
            (
                path(&seen.target),
                seen.header("authorization").replace("Bearer ", ""),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let members = json!({"value": [{"userId": "u"}]});
    let setting =
        Setting::start([unauthorized(), unauthorized(), Reply::json(200, &members)]).await;
    let found = setting.user().members("c-1", CHAT).await.expect("members");
    assert_eq!(found.len(), 1);
    let path = format!("/v1.0/chats/{SEGMENT}/members");
    let expected = [
        (path.clone(), "token".to_owned()),
        ("/v1.0/me/chats".to_owned(), "token".to_owned()),
        (path, "token-2".to_owned()),
    ];
    assert_eq!(told(&setting), expected);
    // The next that is refused within the minute is left as it is.
    (0..2).for_each(|_| setting.double.push(unauthorized()));
    let error = setting.user().members("c-1", CHAT).await;
    let error = error.expect_err("refused");
    assert_eq!(
        (error.kind, error.sent),
        (ErrorKind::Unauthorized, Sent::No)
    );
    assert_eq!(setting.entra.seen().len(), 2);
}

#[tokio::test]
async fn what_is_refused_to_a_good_token_is_no_matter_of_the_token() {
    let setting = Setting::start([]).await;
    for _ in 0..3 {
        setting.double.push(unauthorized());
        setting.double.push(chats());
        let error = setting.user().chat("c-1", CHAT).await.expect_err("refused");
        assert_eq!(
            (error.kind, error.status),
            (ErrorKind::Forbidden, Some(401))
        );
    }
    assert_eq!(setting.entra.seen().len(), 1);
}

#[tokio::test]
async fn a_plain_read_that_fails_otherwise_says_nothing_of_the_token() {
    let setting = Setting::start([unauthorized(), Reply::new(503, "")]).await;
    let error = setting.user().chat("c-1", CHAT).await.expect_err("refused");
    assert_eq!(error.kind, ErrorKind::Unauthorized);
    assert_eq!(setting.entra.seen().len(), 1);
}

#[tokio::test]
async fn only_graph_sees_the_token_of_a_file() {
    let (base, authority) = serve_tls(
        Router::new()
            .route("/v1.0/file", get(async || redirect("/told")))
            .route("/told", get(brought))
            .route("/v1.0/refused", get(async || StatusCode::UNAUTHORIZED))
            .route("/v1.0/hop", get(async || redirect("/v1.0/refused")))
            .route("/v1.0/direct", get(brought))
            .route("/v1.0/me/chats", get(async || "{\"value\": []}")),
    )
    .await;
    let files = Files::new(
        client_of(&authority),
        Rules {
            origins: vec![base.parse().expect("an origin")],
            hosts: Vec::new(),
        },
    );
    let (graph, entra) = graph_with(client_of(&authority), &base).await;
    let open = async |path: &str| {
        let url = Url::parse(&format!("{base}{path}")).expect("a URL");
        let limit = Duration::from_secs(10);
        graph
            .as_user("support")
            .download(&files, "c-1", &url, limit)
            .await
    };
    let text = async |path: &str| {
        let pieces: Vec<Bytes> = open(path)
            .await
            .expect("a file")
            .body()
            .try_collect()
            .await
            .expect("whole");
        String::from_utf8(pieces.concat()).expect("text")
    };
    assert_eq!(
        text("/v1.0/direct").await,
        "Bearer token redeemSharingLinkIfNecessary c-1"
    );
    assert_eq!(text("/v1.0/file").await, "none none none");
    for (path, service, kind) in [
        ("/v1.0/refused", Service::Graph, ErrorKind::Forbidden),
        ("/v1.0/hop", Service::Files, ErrorKind::Unauthorized),
    ] {
        let error = open(path).await.expect_err("refused");
        let FetchError::Service(error) = error else {
            panic!("{error}");
        };
        assert_eq!((error.service, error.kind), (service, kind), "{path}");
    }
    assert_eq!(entra.seen().len(), 1, "never the token's fault");
}

#[tokio::test]
async fn our_own_file_hosts_are_asked_for_once() {
    let drive = |url: &str| Reply::json(200, &json!({"webUrl": url}));
    let own = "https://Contoso-my.sharepoint.com/personal/support_contoso_com/Documents";
    let setting = Setting::start([Reply::new(404, ""), drive(own)]).await;
    let user = setting.user();
    assert_eq!(user.own_file_hosts("c-1").await, None);
    for _ in 0..2 {
        let hosts = user.own_file_hosts("c-1").await.expect("hosts");
        assert_eq!(
            hosts,
            ["contoso-my.sharepoint.com", "contoso.sharepoint.com"]
        );
    }
    let seen = setting.double.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].target, "/v1.0/me/drive?%24select=webUrl");
}
