use super::*;

fn receipt(id: &str, status: &str) -> Value {
    json!({
        "id": id,
        "channel": { "to": { "id": THREAD, "idType": "Opaque" }, "time": "2026-01-02T03:04:05.678Z" },
        "isFinalReceipt": true,
        "status": status,
    })
}

fn failed(id: &str, reasons: Value) -> Value {
    let mut body = receipt(id, "Failed");
    body["reasons"] = reasons;
    body
}

#[tokio::test]
async fn receipts_are_recorded_in_order() {
    let genesys = organisation();
    let token = token(&genesys).await;
    let id = genesys.agent_writes(THREAD, &Outgoing::text("hello"));
    let reasons = json!([{ "code": "InvalidDestination", "message": "no chat" }]);
    for body in [failed(&id, reasons), receipt(&id, "Delivered")] {
        let answer = send(&genesys, &token, "receipt", &body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    }
    let view = genesys.conversations().view("");
    assert_eq!(
        view["conversations"][0]["messages"][0]["receipts"],
        json!([{ "status": "Failed", "reason": "InvalidDestination" }, { "status": "Delivered" }])
    );
    let hops: Vec<String> = hops(&genesys, &correlation::of_genesys_message(&id))
        .into_iter()
        .filter(|hop| !hop.starts_with("webhook"))
        .collect();
    assert_eq!(
        hops,
        [
            "genesys 1 written",
            "receipt 1 Failed",
            "receipt 2 Delivered"
        ]
    );
}

#[tokio::test]
async fn a_receipt_for_an_unknown_or_a_customers_message_is_not_found() {
    let genesys = organisation();
    let token = token(&genesys).await;
    let inbound = send(&genesys, &token, "message", &message("hello")).await;
    for id in [
        "b71f5f0c0000400080000000000000aa",
        inbound.body["id"].as_str().expect("an id"),
    ] {
        let answer = send(&genesys, &token, "receipt", &receipt(id, "Delivered")).await;
        assert_refused(&answer, 404, "not.found");
    }
}

#[tokio::test]
async fn what_a_receipt_cannot_say_is_refused() {
    let genesys = organisation();
    let token = token(&genesys).await;
    let id = genesys.agent_writes(THREAD, &Outgoing::text("hello"));
    let reason = json!([{ "code": "GeneralError", "message": "m" }]);
    let mut delivered_with_reason = receipt(&id, "Delivered");
    delivered_with_reason["reasons"] = reason;
    let mut elsewhere = receipt(&id, "Delivered");
    elsewhere["channel"]["to"]["id"] = json!("other");
    let mut timeless = receipt(&id, "Delivered");
    timeless["channel"]["time"] = Value::Null;
    let mut unsure = receipt(&id, "Delivered");
    unsure["isFinalReceipt"] = json!("yes");
    let refused = [
        receipt(&id, "Read"),
        receipt(&id, "delivered"),
        delivered_with_reason,
        failed(&id, json!([{ "code": "Error", "message": "m" }])),
        failed(&id, json!([{ "code": "GeneralError" }])),
        failed(&id, json!({ "code": "GeneralError", "message": "m" })),
        elsewhere,
        timeless,
        unsure,
    ];
    for body in refused {
        let answer = send(&genesys, &token, "receipt", &body).await;
        assert_refused(&answer, 400, "bad.request");
    }
    let view = genesys.conversations().view("");
    assert_eq!(
        view["conversations"][0]["messages"][0]["receipts"],
        json!([])
    );
}

#[tokio::test]
async fn typing_is_accepted_and_other_events_are_not() {
    let genesys = organisation();
    let token = token(&genesys).await;
    let event = |kind: &str| {
        json!({
            "channel": {
                "from": { "id": THREAD, "idType": "Opaque" },
                "time": "2026-01-02T03:04:05.678Z",
            },
            "events": [{ "eventType": kind }],
        })
    };
    let answer = send(&genesys, &token, "event", &event("Typing")).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let answer = send(&genesys, &token, "event", &event("Presence")).await;
    assert_refused(&answer, 400, "bad.request");
    let mut empty = event("Typing");
    empty["events"] = json!([]);
    let answer = send(&genesys, &token, "event", &empty).await;
    assert_refused(&answer, 400, "bad.request");
}
