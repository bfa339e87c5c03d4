//! How an activity comes to the bot: signed, and again where it was refused.

use super::*;

#[tokio::test]
async fn what_is_delivered_is_signed_by_an_endorsed_key() {
    let mut stand = Stand::installed().await;
    let activity = stand
        .told(CHAT, json!({ "do": "say", "text": "Hello <you>" }))
        .await;
    assert_eq!(activity["type"], "message");
    assert_eq!(activity["text"], "Hello <you>");
    assert_eq!(html(&activity), "<div><p>Hello &lt;you&gt;</p></div>");
    assert_eq!(activity["from"]["aadObjectId"], ADA);
    assert_eq!(activity["conversation"]["conversationType"], "personal");
    assert_eq!(activity["channelData"]["tenant"]["id"], TENANT);

    let keys = ask(
        router(&stand.bot),
        "GET",
        "/v1/.well-known/keys",
        "",
        Value::Null,
    )
    .await
    .body;
    assert_eq!(keys["keys"][0]["endorsements"][0], "msteams");
    let token = stand.ours.token();
    let header = decode_header(&token).expect("a header");
    assert_eq!(
        keys["keys"][0]["kid"],
        header.kid.as_deref().expect("a key id")
    );
    let key: Jwk = serde_json::from_value(keys["keys"][0].clone()).expect("a key");
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[&stand.bot.world.config.bot_app]);
    validation.set_issuer(&["https://api.botframework.com"]);
    let key = DecodingKey::from_jwk(&key).expect("a key");
    let claims = decode::<Value>(&token, &key, &validation)
        .expect("valid")
        .claims;
    assert_eq!(claims["serviceurl"], activity["serviceUrl"]);

    let control = |path| ask(control(&stand.bot), "POST", path, "", Value::Null);
    let two = control("/local/bot/keys/unendorsed").await.body;
    assert_eq!(two["keys"][1]["endorsements"], json!(["webchat"]));
    let rotated = control("/local/bot/keys/rotate").await.text("kid");
    assert_ne!(Some(rotated), header.kid);
}

#[tokio::test]
async fn forged_deliveries_differ_from_a_good_one_in_one_thing() {
    let stand = Stand::installed().await;
    let raw = async |signing: &str, activity: Value| {
        let path = format!("/local/bot/chats/{}/raw", segment(CHAT));
        let body = json!({ "activity": activity, "signing": signing });
        let answer = ask(control(&stand.bot), "POST", &path, "", body).await;
        assert_eq!(answer.body["status"], 202, "{signing}: {}", answer.body);
        stand.ours.token()
    };
    let claims = |token: &str| {
        let claims = jsonwebtoken::dangerous::insecure_decode::<Value>(token);
        claims.map(|it| it.claims).unwrap_or_default()
    };
    let good = claims(&raw("good", json!({ "text": "a" })).await);
    for (signing, name) in [
        ("other-audience", "aud"),
        ("other-issuer", "iss"),
        ("other-service-url", "serviceurl"),
    ] {
        let forged = claims(&raw(signing, json!({})).await);
        assert_ne!(forged[name], good[name], "{signing}");
        assert!(forged["exp"].as_i64() >= good["exp"].as_i64(), "{signing}");
    }
    assert!(claims(&raw("expired", json!({})).await)["exp"].as_i64() < good["nbf"].as_i64());
    assert!(raw("none", json!({})).await.ends_with('.'));
    let header =
        async |signing: &str| decode_header(&raw(signing, json!({})).await).expect("a header");
    assert_eq!(header("hs256").await.alg, Algorithm::HS256);
    let good = header("good").await.kid;
    assert_ne!(header("unendorsed").await.kid, good);
    assert_ne!(header("unknown-key").await.kid, good);
    assert_eq!(raw("missing", json!({})).await, "");
    // The token goes with whatever address the activity names.
    let evil = "https://evil.trafficmanager.net/amer/";
    let token = raw("good", json!({ "serviceUrl": evil })).await;
    assert_eq!(claims(&token)["serviceurl"], evil);
}

#[tokio::test]
async fn what_is_refused_comes_again_at_another_time_or_is_lost() {
    let mut stand = Stand::new(vec![202, 202, 500, 401]);
    stand.install(CHAT).await;
    let first = stand
        .told(CHAT, json!({ "do": "say", "text": "once" }))
        .await;
    let mut again = stand.ours.next().await;
    assert_ne!(again["timestamp"], first["timestamp"]);
    again["timestamp"] = first["timestamp"].clone();
    assert_eq!(again, first);
    assert_eq!(stand.ours.next().await["text"], "once");

    let mut stand = Stand::new(vec![202, 202, 500]);
    stand.install(CHAT).await;
    let lose = json!({ "lose_refused": true });
    ask(
        control(&stand.bot),
        "PUT",
        "/local/bot/deliveries",
        "",
        lose,
    )
    .await;
    stand
        .told(CHAT, json!({ "do": "say", "text": "lost" }))
        .await;
    // Between the two there is more time than until a repetition.
    pass(10).await;
    assert_eq!(
        stand
            .told(CHAT, json!({ "do": "say", "text": "next" }))
            .await["text"],
        "next"
    );
}
