//! Who may subscribe.

use super::*;

impl Play {
    fn delegated(&self, user: &str, scopes: &str) -> String {
        let audience = "https://graph.microsoft.com";
        self.graph.entra.issue(
            json!({ "aud": audience, "ver": "1.0", "appid": "app", "oid": user, "scp": scopes }),
        )
    }
}

#[tokio::test]
async fn an_app_needs_the_right_to_read_all_chats() {
    let play = Play::new();
    let token = |roles: Value| app_token(&play.graph, "app", roles);
    for (token, status) in [
        (String::new(), 401),
        ("nonsense".to_owned(), 401),
        (token(json!([])), 403),
        (token(json!(["Chat.ReadBasic.All"])), 403),
        (token(json!(["Chat.Read.All"])), 201),
        (token(json!(["Chat.ReadWrite.All"])), 409),
    ] {
        let answer = play.ask_as(&token, "POST", ALL, play.wanted()).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
}

#[tokio::test]
async fn a_signed_in_user_subscribes_to_the_own_chats_where_that_is_switched_on() {
    let play = Play::new();
    let own = play.delegated(play.support(), "Chat.Read");
    let stranger = play.delegated("0f0e0d0c-0000-4000-8000-0000000000ff", "Chat.Read");
    let other_scope = play.delegated(play.support(), "User.Read");
    let (named, me) = (play.resource(), "me/chats/getAllMessages".to_owned());
    let switch = "/local/graph/delegated-subscriptions";
    let on = json!({ "allowed": true });
    for (token, resource, status) in [(&own, &named, 403), (&own, &me, 403)] {
        let body = with(play.wanted(), json!({ "resource": resource }));
        assert_eq!(play.ask_as(token, "POST", ALL, body).await.status, status);
    }
    assert_eq!(play.control("PUT", switch, on).await, 204);
    for (token, resource, status) in [
        (&other_scope, &named, 403),
        (&stranger, &named, 403),
        (&own, &named, 201),
        (&own, &me, 201),
    ] {
        let body = with(play.wanted(), json!({ "resource": resource }));
        let answer = play.ask_as(token, "POST", ALL, body).await;
        assert_eq!(answer.status, status, "{resource} {}", answer.body);
    }
    // The app itself is another owner than the app on somebody's behalf.
    let app_alone = play.ask("GET", ALL, Value::Null).await;
    assert_eq!(app_alone.body["value"], json!([]));
    play.subscribed(json!({})).await;
    let with_user = play.ask_as(&own, "GET", ALL, Value::Null).await;
    let both = with_user.body["value"].as_array().expect("a list");
    assert_eq!(both.len(), 2);
    assert!(both.iter().all(|it| it["creatorId"] == play.support()));
}
