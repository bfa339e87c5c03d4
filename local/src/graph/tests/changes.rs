use super::*;

/// A message with a file and a quotation, and its path in the control interface.
async fn written(caller: &Caller) -> (String, String) {
    let first = caller.view().await[0]["id"].clone();
    let id = caller
        .writes(json!({ "html": "<p>old</p>", "reply_to": [first],
            "files": [{ "name": "a.txt", "content_type": "text/plain", "generate": 3 }] }))
        .await;
    let path = format!("{WRITE}/{id}");
    (id, path)
}

async fn done(caller: &Caller, method: &str, path: &str, body: Option<Value>) -> u16 {
    caller.control(method, path, body).await.0.as_u16()
}

#[tokio::test]
async fn an_edit_moves_both_times_and_keeps_attachments() {
    let caller = Caller::new().await;
    let (id, path) = written(&caller).await;
    let before = caller.shown(&id);
    let edit = json!({ "html": "<p>new</p>" });
    assert_eq!(done(&caller, "PATCH", &path, Some(edit.clone())).await, 204);
    let after = caller.shown(&id);
    assert_eq!(after["attachments"], before["attachments"]);
    let old = before["body"]["content"].as_str().expect("text");
    assert_eq!(after["body"]["content"], old.replace("old", "new"));
    assert_eq!(after["createdDateTime"], before["createdDateTime"]);
    assert_ne!(after["etag"], before["etag"]);
    assert_eq!(after["lastEditedDateTime"], after["lastModifiedDateTime"]);
    assert_eq!(before["lastEditedDateTime"], Value::Null);
    assert_eq!(done(&caller, "PATCH", &path, Some(edit)).await, 204);
    assert_ne!(caller.shown(&id)["etag"], after["etag"], "however quick");
    assert_eq!(
        caller.view().await[1]["edited"],
        caller.shown(&id)["lastEditedDateTime"]
    );
}

#[tokio::test]
async fn an_edit_may_bring_other_files_and_images() {
    let caller = Caller::new().await;
    let (id, path) = written(&caller).await;
    let edit = json!({ "html": "<p>{image 0}</p>",
        "images": [{ "content_type": "image/png", "generate": 2 }],
        "files": [{ "name": "b.txt", "content_type": "text/plain", "generate": 4 }] });
    assert_eq!(done(&caller, "PATCH", &path, Some(edit)).await, 204);
    let view = caller.view().await;
    let attachments = view[1]["attachments"].as_array().expect("attachments");
    assert_eq!(attachments.len(), 1);
    assert_eq!(attachments[0]["name"], "b.txt");
    let image = view[1]["images"][0]["id"].as_str().expect("an id");
    let picture = format!("{CHAT}/messages/{id}/hostedContents/{image}/$value");
    assert_eq!(caller.bytes(&picture).await.2.len(), 2);

    let edit = json!({ "html": "<p>x</p>", "attachments": [] });
    assert_eq!(done(&caller, "PATCH", &path, Some(edit)).await, 204);
    let view = caller.view().await;
    assert_eq!(
        (&view[1]["attachments"], &view[1]["images"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(view[1]["html"], "<p>x</p>");
    let unknown = format!("{WRITE}/1");
    let edit = json!({ "html": "x" });
    assert_eq!(done(&caller, "PATCH", &unknown, Some(edit)).await, 404);
}

#[tokio::test]
async fn a_deleted_message_is_empty_until_it_is_restored() {
    let caller = Caller::new().await;
    let (id, path) = written(&caller).await;
    let react = json!({ "from": anna(), "reaction": "👍" });
    done(
        &caller,
        "POST",
        &format!("{path}/reactions"),
        Some(react.clone()),
    )
    .await;
    let before = caller.shown(&id);
    assert_eq!(done(&caller, "DELETE", &path, None).await, 204);
    let deleted = caller.shown(&id);
    assert_eq!(deleted["deletedDateTime"], deleted["lastModifiedDateTime"]);
    assert_ne!(deleted["etag"], before["etag"]);
    assert_eq!(deleted["body"]["content"], "");
    assert_eq!(deleted["attachments"], json!([]));
    assert_eq!(deleted["reactions"], json!([]));
    let view = caller.view().await;
    assert_eq!(view[1]["deleted"], deleted["deletedDateTime"]);
    assert_eq!(view[1]["html"], "");

    let edit = Some(json!({ "html": "x" }));
    assert_eq!(done(&caller, "PATCH", &path, edit).await, 409);
    assert_eq!(done(&caller, "DELETE", &path, None).await, 409);
    let reactions = format!("{path}/reactions");
    assert_eq!(done(&caller, "POST", &reactions, Some(react)).await, 409);

    let restore = format!("{path}/restore");
    assert_eq!(done(&caller, "POST", &restore, None).await, 204);
    let restored = caller.shown(&id);
    for name in ["body", "attachments", "reactions", "deletedDateTime"] {
        assert_eq!(restored[name], before[name]);
    }
    assert_ne!(restored["etag"], deleted["etag"]);
    assert_eq!(restored["lastEditedDateTime"], Value::Null);
    assert_eq!(done(&caller, "POST", &restore, None).await, 409);
    let unknown = format!("{WRITE}/1/restore");
    assert_eq!(done(&caller, "POST", &unknown, None).await, 404);
}

#[tokio::test]
async fn a_deleted_messages_images_are_gone() {
    let caller = Caller::new().await;
    let id = caller
        .writes(json!({ "html": "", "images": [{ "content_type": "image/png", "generate": 2 }] }))
        .await;
    let image = caller.view().await[1]["images"][0].clone();
    let path = format!("{WRITE}/{id}?notify=false");
    assert_eq!(done(&caller, "DELETE", &path, None).await, 204);
    assert_eq!(caller.view().await[1]["images"], json!([]));
    let image = image["id"].as_str().expect("an id");
    let value = format!("{CHAT}/messages/{id}/hostedContents/{image}/$value");
    assert_eq!(caller.bytes(&value).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_reaction_moves_the_modification_but_is_no_edit() {
    let caller = Caller::new().await;
    let path = format!("{CHAT}/messages");
    let (_, ours) = caller.call("POST", &path, Some(html("from us"))).await;
    let id = ours["id"].as_str().expect("an id");
    let reactions = format!("{WRITE}/{id}/reactions");
    let like = json!({ "from": anna(), "reaction": "👍" });
    for _ in 0..2 {
        assert_eq!(
            done(&caller, "POST", &reactions, Some(like.clone())).await,
            204
        );
    }
    let reacted = caller.shown(id);
    assert_ne!(reacted["etag"], ours["etag"]);
    assert_eq!(reacted["lastEditedDateTime"], Value::Null);
    let all = reacted["reactions"].as_array().expect("reactions");
    assert_eq!(all.len(), 1, "the same one counts once");
    assert_eq!(all[0]["reactionType"], "👍");
    assert_eq!(all[0]["createdDateTime"], reacted["lastModifiedDateTime"]);
    assert_eq!(
        all[0]["user"]["user"]["id"],
        "0f0e0d0c-0000-4000-8000-00000000000a"
    );
    let shown = &caller.view().await[1]["reactions"][0];
    assert_eq!(shown["from"]["name"], "Anna");
    assert_eq!(shown["reaction"], "👍");

    let other = json!({ "from": anna(), "reaction": "❤️" });
    assert_eq!(done(&caller, "DELETE", &reactions, Some(other)).await, 404);
    assert_eq!(done(&caller, "DELETE", &reactions, Some(like)).await, 204);
    let taken_back = caller.shown(id);
    assert_eq!(taken_back["reactions"], json!([]));
    assert_ne!(taken_back["etag"], reacted["etag"]);
    let nothing = json!({ "from": anna(), "reaction": "" });
    assert_eq!(done(&caller, "POST", &reactions, Some(nothing)).await, 400);
    let unknown = format!("{WRITE}/1/reactions");
    let like = json!({ "from": anna(), "reaction": "👍" });
    assert_eq!(done(&caller, "POST", &unknown, Some(like)).await, 404);
}
