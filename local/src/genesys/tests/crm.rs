//! What the agent is shown of a customer, with either CRM.

use super::*;
use crate::crm::Kind;

#[tokio::test(start_paused = true)]
async fn the_agent_sees_what_the_organisations_crm_knows() {
    let id = "d1000000-0000-4000-8000-000000000001";
    let dynamics =
        json!({ "name": "Contoso", "accountcategorycode": "2", "websiteurl": "contoso.example" });
    let salesforce = json!({ "Name": "Contoso", "Type": "Gold", "Website": "contoso.example" });
    for (crm, object, record, other) in [
        (Kind::Salesforce, "Account", &salesforce, &dynamics),
        (Kind::Dynamics, "accounts", &dynamics, &salesforce),
    ] {
        let config = Config {
            crm,
            ..Config::default()
        };
        let genesys = Genesys::new(testing::world(config, "http://127.0.0.1:9"));
        let path = format!("/local/crm/{object}/{id}");
        for (record, status) in [(other, 400), (record, 204)] {
            let answer = ask(
                super::super::control(&genesys),
                "PUT",
                &path,
                "",
                record.clone(),
            )
            .await;
            assert_eq!(answer.status, status, "{}", answer.body);
        }
        let domain = json!("contoso.example");
        let attribute = "/channel/metadata/customAttributes/teamsTenantDomain";
        let answer = send(
            &genesys,
            "message",
            with(message("hello"), attribute, domain),
        )
        .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let view = genesys.conversations.lock().view("");
        let pop = &view["conversations"][0]["screen_pop"];
        let found = json!([
            pop["matched"],
            pop["account_id"],
            pop["account"],
            pop["tier"]
        ]);
        assert_eq!(found, json!(["account", id, "Contoso", "Gold"]));
    }
}
