//! What the bot may ask of the connector, and what it is refused.

use super::*;

#[tokio::test]
async fn only_the_bot_may_call_and_only_where_it_is() {
    let stand = Stand::installed().await;
    let path = format!("/amer/v3/conversations/{}/activities", segment(CHAT));
    for token in [
        String::new(),
        "a.b.c".to_owned(),
        stand.token(json!({ "aud": "https://graph.microsoft.com" })),
        stand.token(json!({ "appid": stand.bot.world.config.graph_client_id })),
        stand.token(json!({ "exp": 1 })),
    ] {
        let answer = ask(router(&stand.bot), "POST", &path, &token, text("a")).await;
        assert_eq!(code(&answer), (401, "BotNotRegistered"));
    }
    assert_eq!(
        code(&stand.post("a:other", text("a")).await),
        (404, "ConversationNotFound")
    );
    assert_eq!(
        code(
            &stand
                .post(CHAT, json!({ "type": "typing", "text": "a" }))
                .await
        ),
        (400, "BadSyntax")
    );
    let long = text(&"x".repeat(51 * 1024));
    assert_eq!(
        code(&stand.post(CHAT, long).await),
        (413, "MessageSizeTooBig")
    );
    stand.act(CHAT, json!({ "do": "block" })).await;
    assert_eq!(
        code(&stand.post(CHAT, text("a")).await),
        (403, "ConversationBlockedByUser")
    );
    stand.act(CHAT, json!({ "do": "unblock" })).await;
    assert_eq!(stand.post(CHAT, text("a")).await.status, 201);
    stand.act(CHAT, json!({ "do": "uninstall" })).await;
    assert_eq!(
        code(&stand.post(CHAT, text("a")).await),
        (403, "BotNotInConversationRoster")
    );
}

#[tokio::test]
async fn the_bot_posts_changes_and_deletes_what_is_its_own() {
    let mut stand = Stand::installed().await;
    let customers = stand.told(CHAT, json!({ "do": "say", "text": "a" })).await;
    let customers = customers["id"].as_str().expect("an id");
    let posted = stand.post(CHAT, text("one")).await;
    let id = posted.text("id");
    assert!(
        posted.status == 201 && id.parse::<u64>().is_ok(),
        "{}",
        posted.body
    );
    let activity = |id: &str| format!("/{}/activities/{id}", segment(CHAT));
    assert_eq!(
        stand
            .call("POST", &activity(customers), text("reply"))
            .await
            .status,
        201
    );
    let changed = stand.call("PUT", &activity(&id), text("two")).await;
    assert_eq!((changed.status, changed.text("id")), (200, id.clone()));
    assert_eq!(
        code(&stand.call("PUT", &activity(customers), text("two")).await),
        (403, "NotEnoughPermissions")
    );
    let typing = stand.post(CHAT, json!({ "type": "typing" })).await;
    assert_eq!((typing.status, typing.bytes.len()), (202, 0));
    let mut both = text("text");
    both["attachments"] =
        json!([{ "contentType": "image/png", "contentUrl": "https://a.example/a.png" }]);
    let split = stand.post(CHAT, both).await;
    assert_eq!((split.status, &split.body["id"]), (202, &Value::Null));

    let shown = stand.shown(CHAT).await;
    let messages = shown["messages"].as_array().expect("messages");
    let texts: Vec<&Value> = messages.iter().map(|it| &it["activity"]["text"]).collect();
    assert_eq!(json!(texts), json!(["a", "two", "reply", "text", null]));
    let methods: Vec<&Value> = shown["posted"]
        .as_array()
        .expect("posted")
        .iter()
        .map(|it| &it["method"])
        .collect();
    assert_eq!(
        json!(methods),
        json!(["POST", "POST", "PUT", "POST", "POST"])
    );
    assert_eq!(shown["posted"][3]["activity"]["type"], "typing");

    pass(10).await;
    let deleted = stand.call("DELETE", &activity(&id), Value::Null).await;
    assert_eq!((deleted.status, deleted.bytes.len()), (200, 0));
    let missing = (404, "ActivityNotFoundInConversation");
    assert_eq!(
        code(&stand.call("PUT", &activity(&id), text("three")).await),
        missing
    );
    assert_eq!(
        code(&stand.call("POST", &activity("1"), text("reply")).await),
        missing
    );
}

#[tokio::test]
async fn writes_may_not_overlap_and_not_be_too_many() {
    let mut stand = Stand::installed().await;
    stand.install("a:other").await;
    // From here on nothing comes over the network.
    tokio::time::pause();
    let (one, other) = tokio::join!(stand.post(CHAT, text("a")), stand.post(CHAT, text("b")));
    assert_eq!(one.status, 201);
    assert_eq!(code(&other), (412, "PreconditionFailed"));
    for _ in 0..5 {
        assert_eq!(
            stand.post(CHAT, json!({ "type": "typing" })).await.status,
            202
        );
    }
    let refused = stand.post(CHAT, text("c")).await;
    assert_eq!(code(&refused), (429, "Throttled"));
    assert_eq!(refused.headers[header::RETRY_AFTER], "1");
    assert_eq!(
        stand.post("a:other", text("c")).await.status,
        201,
        "each chat has its own"
    );
}

#[tokio::test]
async fn members_are_found_by_each_of_their_ids_and_chats_by_theirs() {
    let stand = Stand::installed().await;
    let shown = stand.bot.chats.lock()[CHAT].members[0].clone();
    let own = stand.bot.id_of(&shown);
    for id in [own.as_str(), ADA, "ADA@northwind.example"] {
        let member = stand
            .call(
                "GET",
                &format!("/{}/members/{}", segment(CHAT), segment(id)),
                Value::Null,
            )
            .await;
        assert_eq!(
            member.body,
            json!({ "id": own, "aadObjectId": ADA, "name": "Ada Kovacs", "givenName": "Ada",
            "surname": "Kovacs", "email": "ada@northwind.example", "userPrincipalName": "ada@northwind.example",
            "tenantId": TENANT, "userRole": "user" })
        );
    }
    let page = format!("/{}/pagedmembers", segment(CHAT));
    let all = stand.call("GET", &page, Value::Null).await;
    assert_eq!(all.body["members"][0]["id"], own.as_str());
    assert_eq!(
        stand
            .call("GET", &format!("{page}?pageSize=2"), Value::Null)
            .await
            .status,
        400
    );
    let begin = |id: &str| {
        let app = format!("28:{}", stand.bot.world.config.bot_app);
        stand.call("POST", "", json!({ "bot": { "id": app }, "members": [{ "id": id }], "isGroup": false,
            "tenantId": TENANT, "channelData": { "tenant": { "id": TENANT } }, "activity": text("hello") }))
    };
    let begun = begin(ADA).await;
    assert_eq!((begun.status, begun.text("id")), (201, CHAT.to_owned()));
    assert!(begun.body["activityId"].is_string());
    assert_eq!(
        code(&begin("ada@northwind.example").await),
        (403, "BotNotInConversationRoster")
    );
}
