use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::json;
use time::macros::datetime;

use super::user::MEMBER_PAGES;
use super::*;
use crate::entra::ClientAuthentication;
use crate::files::FetchError;
use crate::testing::{
    Double, Reply, brought, client, client_of, delegated, files_at, redirect, secret, serve_broken,
    serve_tls, text_of, vault,
};

const CHAT: &str = "19:a/b'c@thread.v2";
const SEGMENT: &str = "19%3Aa%2Fb%27c%40thread.v2";
const LIMIT: Duration = Duration::from_secs(10);

/// Graph with these answers, and Entra ID, which gives the tokens `token`, `token-2` and so on.
struct Setting {
    graph: Graph,
    double: Double,
    entra: Double,
}

impl Setting {
    async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let double = Double::start(replies).await;
        let (graph, entra) = graph_at(client(), &double.base).await;
        Self {
            graph,
            double,
            entra,
        }
    }

    fn user(&self) -> UserGraph<'_> {
        self.graph.as_user("support")
    }

    async fn members(&self) -> Result<Vec<MemberRecord>> {
        self.user().members("c-1", CHAT).await
    }

    async fn post(&self, images: &[HostedImage]) -> Result<String> {
        let user = self.user();
        user.post("c-1", CHAT, "<p>hi</p>", images, LIMIT).await
    }
}

async fn graph_at(http: reqwest::Client, base: &str) -> (Graph, Double) {
    let grant = |token| {
        let body = json!({"access_token": token, "expires_in": 3599, "refresh_token": "r"});
        Reply::json(200, &body)
    };
    let entra = Double::start([grant("token"), grant("token-2"), grant("token-3")]).await;
    let (_, secrets) = vault((0..9).map(|_| secret("r"))).await;
    let tokens = delegated(&entra, ClientAuthentication::Federated, secrets);
    (Graph::new(http, base, tokens), entra)
}

#[tokio::test]
async fn chats_and_messages_are_read() {
    let body = json!({"id": CHAT, "chatType": "oneOnOne", "topic": "private", "tenantId": "t"});
    let message = Reply::new(200, "{\"id\" : \"1\"}");
    let setting = Setting::start([Reply::json(200, &body), message]).await;
    let user = setting.user();
    let chat = user.chat("c-1", CHAT).await.expect("a chat");
    let fields = (&*chat.id, &*chat.chat_type, chat.tenant_id.as_deref());
    assert_eq!(fields, (CHAT, "oneOnOne", Some("t")));
    let message = user.message("c-1", CHAT, "17/1").await;
    assert_eq!(message.expect("a message"), b"{\"id\" : \"1\"}");
    let error = user.message("c-1", CHAT, "..").await;
    let error = error.expect_err("an id that would climb");
    assert_eq!((error.kind, error.sent), (ErrorKind::Rejected, Sent::No));
    let seen = setting.double.seen();
    assert_eq!(seen.len(), 2);
    for (seen, end) in seen.iter().zip(["", "/messages/17%2F1"]) {
        assert_eq!(seen.target, format!("/v1.0/chats/{SEGMENT}{end}"));
        assert_eq!(seen.header("authorization"), "Bearer token");
        assert_eq!(seen.header("client-request-id"), "c-1");
        assert_eq!(seen.header("accept"), "application/json");
    }
}

#[tokio::test]
async fn messages_are_listed_to_the_last_page() {
    let setting = Setting::start([]).await;
    let next = format!("{}/v1.0/chats/x/messages?$skiptoken=2", setting.double.base);
    let first = json!({"value": [{"id": "2"}], "@odata.nextLink": next});
    setting.double.push(Reply::json(200, &first));
    let last = json!({"value": [{"id": "1"}]});
    setting.double.push(Reply::json(200, &last));
    let since = datetime!(2026-11-03 10:00:00.123_456_789 +1);
    let messages = setting.user().messages_since("c-1", CHAT, since).await;
    let messages = messages.expect("messages");
    assert_eq!(messages, [json!({"id": "2"}), json!({"id": "1"})]);
    let seen = setting.double.seen();
    let query = "%24top=50&%24orderby=lastModifiedDateTime+desc&%24filter=lastModifiedDateTime+gt+2026-11-03T09%3A00%3A00.123Z";
    let target = format!("/v1.0/chats/{SEGMENT}/messages?{query}");
    assert_eq!(seen[0].target, target);
    assert_eq!(seen[1].target, "/v1.0/chats/x/messages?$skiptoken=2");
    assert_eq!(seen[1].header("authorization"), "Bearer token");
}

#[tokio::test]
async fn a_list_ends_and_its_token_goes_nowhere_else() {
    let other = Double::start([]).await;
    let setting = Setting::start([]).await;
    let page = |base: &str| {
        let next = format!("{base}/v1.0/chats/x/members?page");
        let page = json!({"value": [{"userId": "u"}], "@odata.nextLink": next});
        setting.double.push(Reply::json(200, &page));
    };
    page(&other.base);
    let error = setting.members().await.expect_err("a foreign link");
    assert_eq!(error.kind, ErrorKind::Malformed);
    assert!(other.seen().is_empty());
    (0..MEMBER_PAGES + 5).for_each(|_| page(&setting.double.base));
    let members = setting.members().await.expect("members");
    assert_eq!(members.len(), MEMBER_PAGES);
    assert_eq!(setting.double.seen().len(), 1 + MEMBER_PAGES);
}

#[tokio::test]
async fn members_may_be_strangers() {
    let body = json!({"value": [
        {"@odata.type": "#microsoft.graph.aadUserConversationMember", "id": "opaque", "roles": ["owner"],
         "displayName": "Anna", "userId": "u-1", "email": "anna@fabrikam.com", "tenantId": "t-1"},
        {"@odata.type": "#microsoft.graph.aadUserConversationMember", "displayName": null, "userId": "u-2",
         "email": null, "tenantId": "t-2"},
        {"@odata.type": "#microsoft.graph.microsoftAccountUserConversationMember", "userId": "u-3"},
        {"@odata.type": "#microsoft.graph.anonymousGuestConversationMember", "anonymousGuestId": "u-4"},
        {"@odata.type": "#microsoft.graph.skypeUserConversationMember", "skypeId": "u-5", "userId": null},
        {"@odata.type": "#microsoft.graph.azureCommunicationServicesUserConversationMember",
         "azureCommunicationServicesId": "8:acs:u-6"},
    ]});
    let setting = Setting::start([Reply::json(200, &body)]).await;
    let members = setting.members().await.expect("members");
    let known = |it: &MemberRecord| {
        let fields = [it.user(), it.tenant_id.as_deref(), it.email.as_deref()];
        fields.map(|field| field.unwrap_or_default().to_owned())
    };
    let known: Vec<_> = members.iter().map(known).collect();
    let anna = ["u-1", "t-1", "anna@fabrikam.com"];
    assert_eq!(known[..2], [anna, ["u-2", "t-2", ""]]);
    let strangers = ["u-3", "u-4", "u-5", "8:acs:u-6"];
    assert_eq!(known[2..], strangers.map(|id| [id, "", ""]));
    let target = format!("/v1.0/chats/{SEGMENT}/members");
    assert_eq!(setting.double.only().target, target);
    assert!(!format!("{members:?}").contains("anna"));
}

#[tokio::test]
async fn a_post_is_html_and_images_travel_beside_it() {
    let posted = || Reply::json(201, &json!({"id": "1700000000000"}));
    let setting = Setting::start([posted(), posted()]).await;
    let id = setting.post(&[]).await.expect("posted");
    assert_eq!(id, "1700000000000");
    let image = HostedImage {
        content_type: "image/png".to_owned(),
        bytes: Bytes::from_static(b"\x89PNG"),
    };
    setting.post(&[image]).await.expect("posted");
    let seen = setting.double.seen();
    assert_eq!(seen[0].method, "POST");
    assert_eq!(seen[0].target, format!("/v1.0/chats/{SEGMENT}/messages"));
    let body = json!({"content": "<p>hi</p>", "contentType": "html"});
    assert_eq!(seen[0].json(), json!({ "body": body }));
    let image = json!({
        "@microsoft.graph.temporaryId": "1",
        "contentBytes": "iVBORw==",
        "contentType": "image/png",
    });
    let expected = json!({"body": body, "hostedContents": [image]});
    assert_eq!(seen[1].json(), expected);
}

#[tokio::test]
async fn a_post_is_never_repeated_and_tells_what_may_have_happened() {
    let replies = [201, 502, 403].map(|status| Reply::new(status, ""));
    let setting = Setting::start(replies).await;
    for sent in [Sent::Yes, Sent::Maybe, Sent::No] {
        assert_eq!(setting.post(&[]).await.expect_err("an error").sent, sent);
    }
    assert_eq!(setting.double.seen().len(), 3);
    let (base, count) = serve_broken("").await;
    let (graph, _) = graph_at(client(), &base).await;
    let user = graph.as_user("support");
    let error = user.post("c-1", CHAT, "x", &[], LIMIT).await;
    let error = error.expect_err("broken");
    assert!(error.is_broken_connection(), "{error:?}");
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_probe_reads_one_chat() {
    let setting = Setting::start([Reply::json(200, &json!({"value": []}))]).await;
    setting.user().probe().await.expect("an answer");
    assert_eq!(setting.double.only().target, "/v1.0/me/chats?%24top=1");
}

#[tokio::test]
async fn addresses_of_bytes_are_made_of_whole_segments() {
    let (graph, _) = graph_at(client(), "https://graph.example/").await;
    let url = graph.hosted_content_url(CHAT, "1700000000000", "aWQ9eF8w/=");
    let expected = format!(
        "https://graph.example/v1.0/chats/{SEGMENT}/messages/1700000000000/hostedContents/aWQ9eF8w%2F%3D/$value"
    );
    assert_eq!(url.expect("a URL").as_str(), expected);
    assert!(graph.hosted_content_url(CHAT, "1", "..").is_err());
    // The example of "Access shared items".
    let shared = "https://onedrive.live.com/redir?resid=1231244193912!12&authKey=1201919!12921!1";
    let path = "/v1.0/shares/u!aHR0cHM6Ly9vbmVkcml2ZS5saXZlLmNvbS9yZWRpcj9yZXNpZD0xMjMxMjQ0MTkzOTEyITEyJmF1dGhLZXk9MTIwMTkxOSExMjkyMSEx/driveItem/content";
    assert_eq!(graph.shared_file_url(shared).expect("a URL").path(), path);
}

fn unauthorized() -> Reply {
    let body = json!({"error": {"code": "InvalidAuthenticationToken", "message": "no"}});
    Reply::json(401, &body)
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let members = Reply::json(200, &json!({"value": [{"userId": "u"}]}));
    let setting = Setting::start([unauthorized(), unauthorized(), members]).await;
    assert_eq!(setting.members().await.expect("members").len(), 1);
    let seen = setting.double.seen();
    let told: Vec<_> = seen.iter().map(|it| it.header("authorization")).collect();
    assert_eq!(told, ["Bearer token", "Bearer token", "Bearer token-2"]);
    let paths: Vec<_> = seen.iter().map(|it| it.path()).collect();
    let path = &*format!("/v1.0/chats/{SEGMENT}/members");
    assert_eq!(paths, [path, "/v1.0/me/chats", path]);
    // The next that is refused within the minute is left as it is.
    (0..2).for_each(|_| setting.double.push(unauthorized()));
    let error = setting.members().await.expect_err("refused");
    assert_eq!(error.kind, ErrorKind::Unauthorized);
    assert_eq!(error.sent, Sent::No);
    assert_eq!(setting.entra.seen().len(), 2);
}

#[tokio::test]
async fn what_is_refused_to_a_good_token_is_no_matter_of_the_token() {
    let setting = Setting::start([]).await;
    for (status, kind) in [
        (200, ErrorKind::Forbidden),
        (200, ErrorKind::Forbidden),
        // A plain read that fails otherwise says nothing of the token.
        (503, ErrorKind::Unauthorized),
    ] {
        setting.double.push(unauthorized());
        setting.double.push(Reply::new(status, "{\"value\": []}"));
        let error = setting.members().await.expect_err("refused");
        assert_eq!((error.kind, error.status), (kind, Some(401)));
    }
    assert_eq!(setting.entra.seen().len(), 1);
}

#[tokio::test]
async fn only_graph_sees_the_token_of_a_file() {
    let router = Router::new()
        .route("/v1.0/file", get(async || redirect("/told")))
        .route("/told", get(brought))
        .route("/v1.0/refused", get(async || StatusCode::UNAUTHORIZED))
        .route("/v1.0/hop", get(async || redirect("/v1.0/refused")))
        .route("/v1.0/direct", get(brought))
        .route("/v1.0/me/chats", get(async || "{\"value\": []}"));
    let (base, authority) = serve_tls(router).await;
    let files = files_at(&[&base], &authority);
    let (graph, entra) = graph_at(client_of(&authority), &base).await;
    let open = async |path: &str| {
        let url = Url::parse(&format!("{base}{path}")).expect("a URL");
        let user = graph.as_user("support");
        user.download(&files, "c-1", &url, LIMIT).await
    };
    let text = async |path: &str| text_of(open(path).await.expect("a file")).await;
    let direct = text("/v1.0/direct").await;
    assert_eq!(direct, "Bearer token redeemSharingLinkIfNecessary c-1");
    assert_eq!(text("/v1.0/file").await, "none none none");
    for (path, service, kind) in [
        ("/v1.0/refused", Service::Graph, ErrorKind::Forbidden),
        ("/v1.0/hop", Service::Files, ErrorKind::Unauthorized),
    ] {
        let Err(FetchError::Service(error)) = open(path).await else {
            panic!("{path}");
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
        let expected = ["contoso-my.sharepoint.com", "contoso.sharepoint.com"];
        assert_eq!(hosts, expected);
    }
    let seen = setting.double.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].target, "/v1.0/me/drive?%24select=webUrl");
}

#[tokio::test]
async fn whoever_is_shown_only_oneself_sees_no_others() {
    let page = |ids: &[&str]| {
        let users: Vec<_> = ids.iter().map(|id| json!({ "id": id })).collect();
        Reply::json(200, &json!({ "value": users }))
    };
    let replies = [
        page(&["me", "you"]),
        page(&["you"]),
        page(&["ME"]),
        page(&[]),
        Reply::new(403, ""),
    ];
    let setting = Setting::start(replies).await;
    let user = setting.user();
    for expected in [true, true, false, false] {
        let sees = user.sees_others("c-1", "me").await;
        assert_eq!(sees.expect("an answer"), expected);
    }
    let refused = user.sees_others("c-1", "me").await.expect_err("refused");
    assert_eq!(refused.kind, ErrorKind::Forbidden);
    let seen = setting.double.seen();
    assert_eq!(seen[0].target, "/v1.0/users?%24select=id&%24top=2");
}

#[tokio::test]
async fn tenants_and_people_are_found_or_not_there() {
    let tenant = json!({
        "tenantId": "t", "displayName": "Customer", "defaultDomainName": "customer.example",
        "federationBrandName": null,
    });
    let person = json!({ "userPrincipalName": "a_b.example#EXT#@c", "mail": null });
    let replies = [
        Reply::json(200, &tenant),
        Reply::json(200, &tenant),
        Reply::json(200, &person),
        Reply::new(404, ""),
        Reply::new(403, ""),
    ];
    let setting = Setting::start(replies).await;
    let user = setting.user();
    let found = user.tenant("c-1", "t").await.expect("an answer");
    assert_eq!(
        found.as_ref().and_then(|it| it.display_name.as_deref()),
        Some("Customer")
    );
    let owner = user.tenant_of_domain("c-1", "a.example')/x('").await;
    assert_eq!(owner.expect("an answer"), found);
    let found = user
        .user("c-1", "u/1")
        .await
        .expect("an answer")
        .expect("a user");
    assert_eq!(
        (found.user_principal_name.as_deref(), found.mail),
        (Some("a_b.example#EXT#@c"), None)
    );
    assert_eq!(user.tenant("c-1", "t").await.expect("an answer"), None);
    let refused = user.tenant("c-1", "t").await.expect_err("refused");
    assert_eq!(refused.kind, ErrorKind::Forbidden);
    let seen = setting.double.seen();
    let functions = "/v1.0/tenantRelationships/findTenantInformationBy";
    let targets: Vec<_> = seen[..3].iter().map(|it| it.target.clone()).collect();
    let expected = [
        format!("{functions}TenantId(tenantId='t')"),
        format!("{functions}DomainName(domainName='a.example%27%29%2Fx%28%27')"),
        "/v1.0/users/u%2F1?%24select=userPrincipalName%2Cmail".to_owned(),
    ];
    assert_eq!(targets, expected);
}
