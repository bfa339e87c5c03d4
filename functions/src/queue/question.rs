//! The one question that a refusal raises: is something else to blame than the message?

use bridge::ids::{Digest, SupportAccountName};
use bridge::patience::Fault;
use services::error::{ErrorKind, Service, ServiceError};

use crate::app::App;
use crate::failure::fault_of;
use crate::outside::Kind;

/// Whether all else is well after a refusal: the Support User is signed in and can list chats; the integration exists and
/// answers. Whatever is not certain counts as not well: a message is given up on certainty alone. Chats that are refused
/// together ask once.
pub(super) async fn all_else_is_well(
    app: &App,
    refusal: &ServiceError,
    account: Option<&SupportAccountName>,
    subject: &Digest,
) -> bool {
    let key = (refusal.service, account.cloned());
    if let Some(answer) = app.well_besides.get(&key) {
        return answer;
    }
    let is_well = match (refusal.service, account) {
        (Service::Graph, Some(account)) => account_is_well(app, account).await,
        (Service::Genesys, _) => integration_is_well(app, refusal, subject).await,
        _ => false,
    };
    app.well_besides.insert(key, is_well);
    is_well
}

async fn account_is_well(app: &App, account: &SupportAccountName) -> bool {
    let answer = app.graph.as_user(account.as_str()).probe().await;
    if let Err(error) = &answer {
        tracing::error!(
            event = "account_in_doubt",
            account = account.as_str(),
            kind = error.kind.label(),
            status = error.status,
            "Graph refuses posts, and the Support User cannot list its chats: check its sign-in and licence"
        );
    }
    answer.is_ok()
}

async fn integration_is_well(app: &App, refusal: &ServiceError, subject: &Digest) -> bool {
    // What is wrong with the form of one message is its own fault, as long as Genesys answers us at all.
    if matches!(refusal.kind, ErrorKind::Rejected | ErrorKind::TooLarge) {
        let answer = app.genesys.probe().await;
        return answer.is_ok() || answer.is_err_and(|error| fault_of(&error) == Fault::Refusal);
    }
    match app.genesys.integration().await {
        Ok(()) => true,
        // The client may not look at integrations: that others are served says as much.
        Err(error) if error.kind == ErrorKind::Forbidden => {
            app.gate.served_others(Kind::GenesysMessage, subject)
        }
        Err(error) => {
            tracing::error!(
                event = "integration_in_doubt",
                unknown = error.kind == ErrorKind::NotFound,
                kind = error.kind.label(),
                status = error.status,
                "Genesys refuses messages, and the integration cannot be read: check GENESYS_INTEGRATION_ID and the client's role"
            );
            false
        }
    }
}
