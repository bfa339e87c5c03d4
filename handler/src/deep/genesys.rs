//! Genesys Cloud as its administrator sees it: whether messages that arrive there come to an agent. The bridge's own client may not
//! look at any of this.

use std::time::Duration;

use services::genesys::admin::{GenesysAdmin, Member};
use uuid::Uuid;

use crate::genesys::{Connection, Step, explained};
use crate::installation::file::InstallationFile;
use crate::installation::keys;
use crate::report::{Finding, Report};

/// Between two looks at an integration that is being made.
const NEXT_LOOK: Duration = Duration::from_secs(1);

/// Looks at integration, flow and queue, where somebody signs in to Genesys Cloud.
pub async fn look(
    file: &InstallationFile,
    lookup: &impl Fn(&str) -> Option<String>,
    report: &mut Report,
) {
    let ids = [
        keys::GENESYS_INTEGRATION_ID,
        keys::GENESYS_FLOW_ID,
        keys::GENESYS_QUEUE_ID,
    ];
    let ids = ids.map(|key| file.text(key).and_then(|id| id.parse::<Uuid>().ok()));
    let [Some(integration), Some(flow), Some(queue)] = ids else {
        let cost = "not looked at: handler setup genesys has not put their ids into the file yet";
        return Report::note_missing("integration, flow and queue", cost);
    };
    let connection = match Connection::from_lookup(lookup) {
        Ok(connection) => connection,
        Err(error) => {
            let cost = format!("not looked at, for {error}");
            return Report::note_missing("integration, flow and queue", cost);
        }
    };
    let admin = match connection.sign_in().await {
        Ok(admin) => admin,
        Err(error) => return report.note("sign-in", Err::<String, _>(error)),
    };
    report.note(
        "integration and flow",
        bound(&admin, integration, flow).await,
    );
    report.note("queue", staffed(&admin, queue).await);
}

/// Whether the integration is there and its messages go to the flow.
async fn bound(admin: &GenesysAdmin, integration: Uuid, flow: Uuid) -> Finding {
    const SETUP: &str = "an administrator of Genesys Cloud runs handler setup genesys";
    let id = integration.to_string();
    let found = admin
        .completed_integration(&id, NEXT_LOOK, Duration::ZERO)
        .await;
    let found =
        found.map_err(|error| told(&explained(&error, Step::ReadIntegration(integration))))?;
    let recipient = found.ok_or_else(|| format!("Genesys Cloud routes nothing for it: {SETUP}"))?;
    let bound = admin.recipient(&recipient.id).await;
    let bound = bound.map_err(|error| told(&explained(&error, Step::ReadRecipient)))?;
    match bound.flow {
        Some(bound) if bound.id.eq_ignore_ascii_case(&flow.to_string()) => {
            Ok(format!("flow {flow} has the messages of {integration}"))
        }
        Some(_) => Err(format!(
            "another flow than {flow} has its messages: {SETUP}"
        )),
        None => Err(format!(
            "no flow has its messages, so no agent is offered them: {SETUP}"
        )),
    }
}

/// Whether anybody takes what the flow puts there.
async fn staffed(admin: &GenesysAdmin, queue: Uuid) -> Finding {
    let members = admin.members(&queue.to_string()).await;
    let members = members.map_err(|error| told(&explained(&error, Step::ReadQueue(queue))))?;
    judged(&members)
}

fn judged(members: &[Member]) -> Finding {
    let joined = members.iter().filter(|it| it.joined).count();
    match (members.len(), joined) {
        (0, _) => Err(
            "it has no members, so nobody is offered a conversation: a Genesys administrator adds agents (Admin > Contact Center > Queues)"
                .to_owned(),
        ),
        (all, 0) => Err(format!(
            "none of its {all} members has it switched on: agents join it in their queue list, or a supervisor activates them"
        )),
        (all, joined) => Ok(format!("{joined} of {all} members take conversations of it")),
    }
}

fn told(error: &anyhow::Error) -> String {
    format!("{error:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_without_anybody_is_a_failure() {
        let [on, off] = [true, false].map(|joined| Member { joined });
        assert!(judged(&[]).expect_err("empty").contains("no members"));
        assert!(
            judged(&[off, off])
                .expect_err("off")
                .contains("none of its 2")
        );
        assert_eq!(
            judged(&[on, off]).as_deref(),
            Ok("1 of 2 members take conversations of it")
        );
    }
}
