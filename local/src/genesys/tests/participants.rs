//! Who takes part in a conversation, and its end.

use super::*;

const CONVERSATIONS: &str = "/api/v2/conversations/messages";

/// The first conversation with its participants, each as purpose, name and state.
fn taking_part(genesys: &Genesys) -> (String, Vec<[String; 4]>) {
    let mut view = genesys.conversations.lock().view("");
    let conversation = view["conversations"][0].take();
    let participants = conversation["participants"].as_array();
    let text = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
    let all = participants.expect("a list").iter();
    let all = all.map(|one| ["id", "purpose", "name", "state"].map(|name| text(one, name)));
    (text(&conversation, "id"), all.collect())
}

fn told(all: &[[String; 4]]) -> Vec<String> {
    let told = all.iter().map(|it| {
        let [_, purpose, name, state] = it;
        format!("{purpose} {name} {state}").replace("  ", " ")
    });
    told.collect()
}

#[tokio::test]
async fn another_agent_takes_a_conversation_over_and_it_ends_with_its_customer() {
    let mut ours = OurSide::start(Vec::new(), |token| ("", token));
    let genesys = Genesys::new(testing::world(Config::default(), &ours.address));
    send(&genesys, "message", message("hello")).await;
    for agent in ["Ada King", "Ada King", "Ben Noel"] {
        let answer = write(&genesys, json!({ "text": "hello", "agent": agent })).await;
        assert_eq!(answer.status, 201);
        ours.next().await;
    }
    let (id, all) = taking_part(&genesys);
    assert_eq!(
        told(&all),
        [
            "customer connected",
            "agent Ada King disconnected",
            "agent Ben Noel connected"
        ]
    );
    let token = token(&genesys).await;
    let ask = async |method: &str, path: &str, body: Value| {
        let path = format!("{CONVERSATIONS}/{path}");
        api(&genesys, method, &path, &token, body).await
    };
    let shown = ask("GET", &id, Value::Null).await;
    assert_eq!(shown.body["id"], id.as_str());
    assert_eq!(shown.body["participants"][2]["name"], "Ben Noel");
    assert_eq!(shown.body["participants"][2]["purpose"], "agent");

    let customer = format!("{id}/participants/{}", all[0][0]);
    let gone = json!({ "state": "disconnected" });
    for (path, body, status) in [
        ("none", Value::Null, 404),
        (
            &*format!("none/participants/{}", all[0][0]),
            gone.clone(),
            404,
        ),
        (&format!("{id}/participants/none"), gone.clone(), 404),
        (
            &format!("{id}/participants/{}", all[1][0]),
            gone.clone(),
            400,
        ),
        (&customer, json!({ "state": "connected" }), 400),
        (&customer, Value::Null, 400),
    ] {
        let method = if path.contains('/') { "PATCH" } else { "GET" };
        assert_eq!(ask(method, path, body).await.status, status, "{path}");
    }
    assert_eq!(ask("PATCH", &customer, gone.clone()).await.status, 204);
    assert_eq!(ask("PATCH", &customer, gone).await.status, 400);
    let (_, all) = taking_part(&genesys);
    assert!(all.iter().all(|it| it[3] == "disconnected"), "{all:?}");
    let typing = format!("threads/{THREAD}/typing");
    let nobody = control(&genesys, "POST", &typing, json!({})).await;
    assert_eq!(nobody.status, 404, "{}", nobody.body);

    // Within the threading window it goes on.
    send(&genesys, "message", message("again")).await;
    let (same, all) = taking_part(&genesys);
    assert_eq!(
        (same, told(&all[3..])),
        (id, vec!["customer connected".to_owned()])
    );
}

#[tokio::test]
async fn a_role_without_the_rights_ends_nothing() {
    let genesys = organisation();
    send(&genesys, "message", message("hello")).await;
    let clients = json!({ "let_customers_end": false });
    let put = control(&genesys, "PUT", "clients", clients).await;
    assert_eq!(put.status, 204);
    let (id, all) = taking_part(&genesys);
    let token = token(&genesys).await;
    let shown = format!("{CONVERSATIONS}/{id}");
    let refused = api(&genesys, "GET", &shown, &token, Value::Null).await;
    assert_refused(&refused, 403, "missing.permissions");
    let customer = format!("{shown}/participants/{}", all[0][0]);
    let gone = json!({ "state": "disconnected" });
    let refused = api(&genesys, "PATCH", &customer, &token, gone).await;
    assert_refused(&refused, 403, "missing.permissions");
    assert!(!told(&all)[0].contains("disconnected"));
}
