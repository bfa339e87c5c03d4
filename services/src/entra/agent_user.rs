//! Delegated Graph tokens of support accounts that are agent users: users of Microsoft Entra Agent ID, who cannot sign in and for
//! whom nobody has to ("Request agent's user account tokens for autonomous agents").
//!
//! An agent identity acts as its agent user, and their blueprint acts as the agent identity. So a token costs three calls: the
//! blueprint gets T1, which stands for the agent identity; the agent identity gets T2 with it; with both it gets the user's token.
//! T1 and T2 are as good as secrets: they live as long as these three calls and are shown to the token endpoint alone.

use std::collections::HashMap;

use secrecy::{ExposeSecret, SecretString};

use super::app::{Grant, OwnRegistration, assertion};
use super::refusal::{AgentStep, Reason};
use crate::address;
use crate::error::{Result, ServiceError};
use crate::graph::own_app::scope_of;

/// Support accounts that are agent users, by their configured names; all belong to one blueprint.
#[derive(Debug)]
pub struct AgentUsers {
    /// Client id of the agent identity blueprint.
    blueprint: String,
    /// The scope of tokens for Graph.
    graph_scope: String,
    by_account: HashMap<String, AgentUser>,
}

/// An agent user, and who may act as it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentUser {
    /// Client id of its agent identity.
    pub identity: String,
    /// Entra object id of the user.
    pub user: String,
}

impl AgentUsers {
    /// Those of this blueprint, with tokens for this Graph; nothing is called yet.
    pub fn new(
        blueprint: &str,
        graph_endpoint: &str,
        accounts: impl IntoIterator<Item = (String, AgentUser)>,
    ) -> Self {
        Self {
            blueprint: blueprint.to_owned(),
            graph_scope: scope_of(&address::base(graph_endpoint)),
            by_account: accounts.into_iter().collect(),
        }
    }

    /// The agent user that an account is, if it is one.
    pub(super) fn of(&self, account: &str) -> Option<&AgentUser> {
        self.by_account.get(account)
    }

    /// A token of this agent user by the three calls, or which of them was refused and why.
    pub(super) async fn grant(
        &self,
        app: &OwnRegistration,
        agent: &AgentUser,
    ) -> Result<Grant, (Option<Reason>, ServiceError)> {
        let refused = |step: AgentStep| {
            move |error: ServiceError| {
                let reason = Reason::of_agent(&error, step);
                let kind = reason.map_or(error.kind, Reason::kind);
                (reason, ServiceError { kind, ..error })
            }
        };
        let impersonation = self.impersonation(app, agent).await;
        let impersonation = impersonation.map_err(refused(AgentStep::Blueprint))?;
        let exchange = self.exchange(app, agent, &impersonation).await;
        let exchange = exchange.map_err(refused(AgentStep::Identity))?;
        let form = [
            ("grant_type", "user_fic"),
            ("scope", self.graph_scope.as_str()),
            ("user_id", agent.user.as_str()),
            (
                "user_federated_identity_credential",
                exchange.expose_secret(),
            ),
        ];
        let grant = app
            .send_as(&agent.identity, &form, &assertion(&impersonation))
            .await;
        grant.map_err(refused(AgentStep::User))
    }

    /// T1: the blueprint's token to act as the agent identity. The blueprint proves itself by the managed identity (federated
    /// credential) in every mode of the Graph app: that one's client secret is another application's, and Microsoft warns of
    /// client secrets of blueprints.
    async fn impersonation(
        &self,
        app: &OwnRegistration,
        agent: &AgentUser,
    ) -> Result<SecretString> {
        let own = app.own_assertion().await?;
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", app.exchange_scope),
            ("fmi_path", agent.identity.as_str()),
        ];
        let grant = app.send_as(&self.blueprint, &form, &assertion(&own)).await;
        Ok(grant?.access_token)
    }

    /// T2: the agent identity's token to act as its user.
    async fn exchange(
        &self,
        app: &OwnRegistration,
        agent: &AgentUser,
        impersonation: &SecretString,
    ) -> Result<SecretString> {
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", app.exchange_scope),
        ];
        let proof = assertion(impersonation);
        let grant = app.send_as(&agent.identity, &form, &proof).await;
        Ok(grant?.access_token)
    }
}
