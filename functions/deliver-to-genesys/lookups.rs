//! Looking up what the directories tell of a customer. A message never waits longer than `CUSTOMER_LOOKUP_SECONDS` for all that it
//! can do without, and never fails for it.

use bridge::conversation::case::{Asked, DirectoryEntry, TenantInformation};
use bridge::ids::{Digest, DomainName, TenantId, UserId};
use services::error::{ErrorKind, Sent, Service, ServiceError};
use services::graph::{TenantRecord, UserGraph};
use tokio::time::{Instant, timeout_at};

use super::message::CustomerMessage;
use crate::failure::Failure;
use crate::outside::Call;

/// Most characters of a company's name that are kept; the form in Entra's admin center takes fewer.
const LONGEST_NAME: usize = 256;

/// What is asked of all tenants.
pub(super) enum TenantQuestion {
    /// Which company a tenant is.
    Of(TenantId),
    /// Which tenant owns a domain.
    Owning(DomainName),
}

impl TenantQuestion {
    /// What its answer is remembered by.
    fn key(&self) -> Digest {
        match self {
            Self::Of(tenant) => Digest::of("tenant", tenant.as_str()),
            Self::Owning(domain) => Digest::of("domain name", domain.as_str()),
        }
    }
}

impl CustomerMessage<'_> {
    /// Somebody of our own directory; nothing for anybody else.
    pub(super) async fn directory_entry(&self, user: &UserId) -> Asked<Option<DirectoryEntry>> {
        let correlation = self.caller.correlation.as_str();
        let ask = async |graph: UserGraph<'_>| graph.user(correlation, user.as_str()).await;
        match self.look_up(ask).await {
            Asked::Told(found) => Asked::Told(found.map(|found| DirectoryEntry {
                upn: found.user_principal_name,
                mail: found.mail,
            })),
            _ => Asked::CannotTell,
        }
    }

    /// A tenant, as this process learnt it lately or as Graph tells it now.
    pub(super) async fn tenant(
        &self,
        question: TenantQuestion,
    ) -> Asked<Option<TenantInformation>> {
        let (known, key) = (&self.app.tenants, question.key());
        if let Some(known) = known.get(&key) {
            return Asked::Told(known);
        }
        let correlation = self.caller.correlation.as_str();
        let ask = async |graph: UserGraph<'_>| match &question {
            TenantQuestion::Of(tenant) => graph.tenant(correlation, tenant.as_str()).await,
            TenantQuestion::Owning(domain) => {
                graph.tenant_of_domain(correlation, domain.as_str()).await
            }
        };
        let Asked::Told(found) = self.look_up(ask).await else {
            return Asked::CannotTell;
        };
        let found = found.and_then(information);
        known.insert(key, found.clone());
        Asked::Told(found)
    }

    /// When the message stops waiting for what it can do without; the time runs from the first wait.
    pub(super) fn lookups_end(&self) -> Instant {
        let limit = self.app.settings.customer_lookup;
        *self.first_wait.get_or_init(Instant::now) + limit
    }

    async fn look_up<'g, T, F>(&'g self, ask: impl FnOnce(UserGraph<'g>) -> F) -> Asked<T>
    where
        F: Future<Output = Result<T, ServiceError>>,
    {
        let app = self.app;
        // A bot sees no directory: whichever Support User there is asks in its place.
        let account = match &self.activity {
            None => Some(&self.notification.account),
            Some(_) => app.settings.support_accounts.first().map(|it| &it.name),
        };
        let Some(account) = account.filter(|_| !app.settings.customer_lookup.is_zero()) else {
            return Asked::CannotTell;
        };
        let end = self.lookups_end();
        let mut caller = self.caller.clone();
        caller.deadline = caller.deadline.min(end);
        let asking = ask(app.graph.as_user(account.as_str()));
        let late = || ServiceError::new(Service::Graph, ErrorKind::TimedOut, Sent::Maybe);
        // Inside the gate, so that it notes an answer that does not come.
        let asking = async {
            timeout_at(end, asking)
                .await
                .unwrap_or_else(|_| Err(late()))
        };
        let call = Call::GraphDirectory(account);
        let failure = match app.gate.call(call, &caller, asking).await {
            Ok(answer) => return Asked::Told(answer),
            Err(failure) => failure,
        };
        let (kind, status) = match &failure {
            Failure::Service(error) => (error.kind.label(), error.status),
            _ => ("no_turn", None),
        };
        tracing::warn!(
            event = "customer_lookup_failed",
            kind,
            status,
            "the message goes on with what is known of the customer"
        );
        Asked::CannotTell
    }
}

/// What of an answer can be used.
fn information(record: TenantRecord) -> Option<TenantInformation> {
    let name = record.display_name.filter(|name| {
        let is_word = !name.trim().is_empty();
        is_word && name.chars().count() <= LONGEST_NAME
    });
    Some(TenantInformation {
        tenant: record.tenant_id?.parse().ok()?,
        name,
        domain: record
            .default_domain_name
            .and_then(|domain| domain.parse().ok()),
    })
}
