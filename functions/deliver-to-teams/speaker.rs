//! By which name an agent's message is shown to the customer.

use std::time::Duration;

use bridge::genesys::speaker::{NamePolicy, Speaker};
use bridge::genesys::webhook::Webhook;
use tokio::time::{Instant, timeout_at};

use crate::app::App;
use crate::outside::{Call, Caller};

/// Longest that a message waits for a name: it can do without.
const WAIT: Duration = Duration::from_secs(3);

/// The name of whoever wrote a message: as the webhook tells it, else as the conversation has it of the agent who is in it.
pub(super) async fn of(app: &App, caller: &Caller, webhook: &Webhook) -> Option<String> {
    let policy = app.settings.agent_name;
    if policy == NamePolicy::Off {
        return None;
    }
    let told = &webhook.speaker;
    if !told.is_nameless() {
        return told.shown(policy, &app.settings.virtual_agent_name);
    }
    participant(app, caller, webhook).await?.shown(policy, "")
}

/// The agent of the conversation, as this process learnt it lately or as Genesys tells it now.
async fn participant(app: &App, caller: &Caller, webhook: &Webhook) -> Option<Speaker> {
    let conversation = webhook.conversation.as_ref()?;
    if let Some(known) = app.speakers.get(conversation) {
        return known;
    }
    let mut caller = caller.clone();
    caller.deadline = caller.deadline.min(Instant::now() + WAIT);
    let turn = app
        .gate
        .turn(Call::GenesysConversation, &caller)
        .await
        .ok()?;
    let genesys = app.genesys_by(turn.client());
    let asked = timeout_at(
        caller.deadline,
        turn.make(genesys.participants(conversation.as_str())),
    );
    let found = match asked.await {
        Ok(Ok(participants)) => {
            let agents = participants.into_iter().rev();
            let mut agents = agents.filter(|one| one.purpose == "agent" && !one.is_gone());
            let name = agents.find_map(|agent| agent.name);
            name.map(|name| Speaker::of_name(&name))
        }
        Ok(Err(error)) => {
            let (kind, status) = (error.kind.label(), error.status);
            tracing::warn!(
                event = "agent_name_unknown",
                kind,
                status,
                "the message goes without the agent's name"
            );
            None
        }
        Err(_) => None,
    };
    app.speakers.insert(conversation.clone(), found.clone());
    found
}
