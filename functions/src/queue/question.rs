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
    if refusal.service == Service::Bot {
        // It is about this conversation alone.
        return conversation_is_to_blame(app, refusal, subject);
    }
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

/// The connector says with a code of its own what is the matter with a conversation; what refuses without one may be in its place.
fn conversation_is_to_blame(app: &App, refusal: &ServiceError, subject: &Digest) -> bool {
    refusal.code.is_some() || app.gate.served_others(Kind::BotPost, subject)
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

#[cfg(test)]
mod tests {
    use services::error::Sent;
    use services::testing::Reply;

    use super::*;
    use crate::testing::start;

    /// Whether all else is well after a refusal, while this address of the services is answered with a status.
    async fn asked(service: Service, kind: ErrorKind, place: &str, status: u16) -> bool {
        let (world, app) = start().await;
        world.answer("GET", place, Reply::new(status, "{}"));
        let refusal = ServiceError::new(service, kind, Sent::No);
        let account = &app.settings.support_accounts[0].name;
        let subject = Digest::of("chat", "mine");
        let ask = || all_else_is_well(&app, &refusal, Some(account), &subject);
        let is_well = ask().await;
        // Who asks right after is told the same, whatever has become of it.
        let mended = if status == 200 { 503 } else { 200 };
        world.answer("GET", place, Reply::new(mended, "{}"));
        assert_eq!(ask().await, is_well);
        is_well
    }

    #[tokio::test]
    async fn only_what_answers_is_well() {
        let (chats, token, integration) = ("/me/chats", "/tokens/me", "/integrations/open/");
        let (forbidden, rejected) = (ErrorKind::Forbidden, ErrorKind::Rejected);
        let unknown = ErrorKind::NotFound;
        for (service, kind, place, status, is_well) in [
            (Service::Graph, forbidden, chats, 200, true),
            (Service::Graph, forbidden, chats, 403, false),
            (Service::Graph, forbidden, chats, 503, false),
            (Service::Genesys, rejected, token, 200, true),
            (Service::Genesys, rejected, token, 403, true),
            (Service::Genesys, rejected, token, 503, false),
            (Service::Genesys, unknown, integration, 200, true),
            (Service::Genesys, unknown, integration, 404, false),
            (Service::Genesys, unknown, integration, 503, false),
            // Nobody else was served either.
            (Service::Genesys, unknown, integration, 403, false),
            (Service::Blob, forbidden, chats, 200, false),
        ] {
            let told = asked(service, kind, place, status).await;
            assert_eq!(told, is_well, "{service} {place} {status}");
        }
    }

    #[tokio::test]
    async fn a_refusal_of_graph_that_no_account_answers_for_is_in_doubt() {
        let (_world, app) = start().await;
        let refusal = ServiceError::new(Service::Graph, ErrorKind::Forbidden, Sent::No);
        assert!(!all_else_is_well(&app, &refusal, None, &Digest::of("chat", "mine")).await);
    }
}
