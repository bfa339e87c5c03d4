use serde_json::json;
use time::macros::datetime;

use super::*;
use crate::testing::{Double, Reply, client, serve_broken};

const CHAT: &str = "19:a/b'c@thread.v2";
const SEGMENT: &str = "19%3Aa%2Fb%27c%40thread.v2";

async fn graph(replies: impl IntoIterator<Item = Reply>) -> (Double, Graph, SecretString) {
    let double = Double::start(replies).await;
    let graph = Graph::new(client(), &double.base);
    (double, graph, SecretString::from("token"))
}

#[tokio::test]
async fn a_chat_is_read() {
    let body = json!({"id": CHAT, "chatType": "oneOnOne", "topic": "private", "tenantId": "t"});
    let (double, graph, token) = graph([Reply::json(200, &body)]).await;
    let chat = graph.get_chat(&token, "c-1", CHAT).await.expect("a chat");
    assert_eq!(
        (chat.id.as_str(), chat.chat_type.as_str()),
        (CHAT, "oneOnOne")
    );
    let seen = double.only();
    assert_eq!(seen.target, format!("/v1.0/chats/{SEGMENT}"));
    assert_eq!(seen.header("authorization"), "Bearer token");
    assert_eq!(seen.header("client-request-id"), "c-1");
    assert_eq!(seen.header("accept"), "application/json");
}

#[tokio::test]
async fn a_message_comes_as_graph_sent_it() {
    let (double, graph, token) = graph([Reply::new(200, "{\"id\" : \"1\"}")]).await;
    let message = graph
        .get_message(&token, "c-1", CHAT, "17/1")
        .await
        .expect("a message");
    assert_eq!(message, b"{\"id\" : \"1\"}");
    assert_eq!(
        double.only().target,
        format!("/v1.0/chats/{SEGMENT}/messages/17%2F1")
    );
}

#[tokio::test]
async fn messages_are_listed_to_the_last_page() {
    let (double, graph, token) = graph([]).await;
    let next = format!("{}/v1.0/chats/x/messages?$skiptoken=2", double.base);
    double.push(Reply::json(
        200,
        &json!({"value": [{"id": "2"}], "@odata.nextLink": next}),
    ));
    double.push(Reply::json(200, &json!({"value": [{"id": "1"}]})));
    let since = datetime!(2026-11-03 10:00:00 +1);
    let messages = graph
        .list_messages(&token, "c-1", CHAT, since)
        .await
        .expect("messages");
    assert_eq!(messages, [json!({"id": "2"}), json!({"id": "1"})]);
    let seen = double.seen();
    let query = "%24top=50&%24orderby=lastModifiedDateTime+desc&%24filter=lastModifiedDateTime+gt+2026-11-03T09%3A00%3A00Z";
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
    let (_, graph, token) = graph([Reply::json(200, &page)]).await;
    let error = graph
        .members(&token, "c-1", CHAT)
        .await
        .expect_err("a foreign link");
    assert_eq!(error.kind, ErrorKind::Malformed);
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn an_endless_list_ends() {
    let (double, graph, token) = graph([]).await;
    let next = format!("{}/v1.0/chats/x/members?page", double.base);
    let page = json!({"value": [{"userId": "u"}], "@odata.nextLink": next});
    (0..MEMBER_PAGES + 5).for_each(|_| double.push(Reply::json(200, &page)));
    let members = graph.members(&token, "c-1", CHAT).await.expect("members");
    assert_eq!(
        (members.len(), double.seen().len()),
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
    let (double, graph, token) = graph([Reply::json(200, &body)]).await;
    let members = graph.members(&token, "c-1", CHAT).await.expect("members");
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
        double.only().target,
        format!("/v1.0/chats/{SEGMENT}/members")
    );
    assert!(!format!("{members:?}").contains("anna"));
}

#[tokio::test]
async fn a_post_is_html() {
    let (double, graph, token) = graph([Reply::json(201, &json!({"id": "1700000000000"}))]).await;
    let limit = Duration::from_secs(5);
    let id = graph
        .post_message(&token, "c-1", CHAT, "<p>hi</p>", &[], limit)
        .await
        .expect("posted");
    assert_eq!(id, "1700000000000");
    let seen = double.only();
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
    let (double, graph, token) = graph([
        Reply::new(201, ""),
        Reply::new(502, ""),
        Reply::new(403, ""),
    ])
    .await;
    for sent in [Sent::Yes, Sent::Maybe, Sent::No] {
        let error = graph
            .post_message(&token, "c-1", CHAT, "x", &[], limit)
            .await
            .expect_err("an error");
        assert_eq!(error.sent, sent);
    }
    assert_eq!(double.seen().len(), 3);
    let (base, count) = serve_broken("").await;
    let broken = Graph::new(client(), &base);
    let error = broken
        .post_message(&token, "c-1", CHAT, "x", &[], limit)
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
    let (double, graph, token) = graph([]).await;
    let error = graph
        .get_message(&token, "c-1", CHAT, "..")
        .await
        .expect_err("no id");
    assert_eq!((error.kind, error.sent), (ErrorKind::Rejected, Sent::No));
    assert!(double.seen().is_empty());
}

#[tokio::test]
async fn the_probe_reads_one_chat() {
    let (double, graph, token) = graph([Reply::json(200, &json!({"value": []}))]).await;
    graph.probe(&token).await.expect("an answer");
    assert_eq!(double.only().target, "/v1.0/me/chats?%24top=1");
}

#[tokio::test]
async fn images_travel_beside_the_html() {
    let double = Double::start([Reply::json(201, &json!({"id": "1"}))]).await;
    let graph = Graph::new(client(), &double.base);
    let images = [HostedImage {
        content_type: "image/png".to_owned(),
        bytes: Bytes::from_static(b"\x89PNG"),
    }];
    let html = "<img src=\"../hostedContents/1/$value\">";
    graph
        .post_message(
            &"t".into(),
            "c-1",
            CHAT,
            html,
            &images,
            Duration::from_secs(5),
        )
        .await
        .expect("posted");
    insta::assert_json_snapshot!(double.only().json());
}

#[test]
fn addresses_of_bytes_are_made_of_whole_segments() {
    let graph = Graph::new(client(), "https://graph.example/");
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
