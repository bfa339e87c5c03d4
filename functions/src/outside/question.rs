//! The one question that a refusal raises: is something else to blame than the message?

use std::sync::Arc;
use std::time::Duration;

use bridge::ids::{Digest, SupportAccountName};
use bridge::patience::Fault;
use services::error::{ErrorKind, Service, ServiceError};
use services::genesys::Genesys;
use services::graph::Graph;

use super::Kind;
use super::gate::Gate;
use crate::failure::fault_of;
use crate::store::bounded::Bounded;

/// How long an answer counts: chats that are refused together ask once.
const COUNTS_FOR: Duration = Duration::from_secs(5);
const REMEMBERED: usize = 1_000;

/// Asks it.
#[derive(Debug)]
pub struct Question {
    gate: Arc<Gate>,
    graph: Arc<Graph>,
    genesys: Arc<Genesys>,
    answers: Bounded<(Service, Option<SupportAccountName>), bool>,
}

impl Question {
    /// Nothing was asked yet.
    pub fn new(gate: Arc<Gate>, graph: Arc<Graph>, genesys: Arc<Genesys>) -> Self {
        Self {
            gate,
            graph,
            genesys,
            answers: Bounded::new(REMEMBERED, COUNTS_FOR),
        }
    }

    /// Whether all else is well after a refusal: the Support User is signed in and can list chats; the integration exists and
    /// answers. Whatever is not certain counts as not well: a message is given up on certainty alone.
    pub(crate) async fn all_else_is_well(
        &self,
        refusal: &ServiceError,
        account: Option<&SupportAccountName>,
        subject: &Digest,
    ) -> bool {
        let key = (refusal.service, account.cloned());
        if let Some(answer) = self.answers.get(&key) {
            return answer;
        }
        let is_well = match refusal.service {
            Service::Graph => match account {
                Some(account) => self.account_is_well(account).await,
                None => false,
            },
            Service::Genesys => self.integration_is_well(refusal, subject).await,
            _ => false,
        };
        self.answers.insert(key, is_well);
        is_well
    }

    async fn account_is_well(&self, account: &SupportAccountName) -> bool {
        let answer = self.graph.as_user(account.as_str()).probe().await;
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

    async fn integration_is_well(&self, refusal: &ServiceError, subject: &Digest) -> bool {
        // What is wrong with the form of one message is its own fault, as long as Genesys answers us at all.
        if matches!(refusal.kind, ErrorKind::Rejected | ErrorKind::TooLarge) {
            let answer = self.genesys.probe().await;
            return answer
                .err()
                .is_none_or(|error| fault_of(&error) == Fault::Refusal);
        }
        match self.genesys.integration().await {
            Ok(()) => true,
            // The client may not look at integrations: that others are served says as much.
            Err(error) if error.kind == ErrorKind::Forbidden => {
                self.gate.served_others(Kind::GenesysMessage, subject)
            }
            Err(error) => {
                let unknown = error.kind == ErrorKind::NotFound;
                tracing::error!(
                    event = "integration_in_doubt",
                    unknown,
                    kind = error.kind.label(),
                    status = error.status,
                    "Genesys refuses messages, and the integration cannot be read: check GENESYS_INTEGRATION_ID and the client's role"
                );
                false
            }
        }
    }
}
