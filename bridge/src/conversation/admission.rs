//! Whose messages are passed on at all: the setting `CUSTOMER_TENANTS`.

use time::{Duration, OffsetDateTime};

use super::case::{Asked, Case, Chat, Need, Plan};
use crate::ids::{TenantId, UserId};
use crate::state::customer::member_of;
use crate::state::inbound::InboundState;
use crate::teams::chat_kind::ChatKind;
use crate::teams::message::Sender;
use crate::teams::notification::ChangeType;

/// Time in which a chat is told once at most that its messages are not passed on.
pub const TOLD_EVERY: Duration = Duration::DAY;

/// The tenant in whose name Microsoft's personal accounts sign in (Microsoft Learn, "ID token claims reference", `tid`).
const PERSONAL_ACCOUNTS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Kinds of users whom no tenant knows, whatever tenant Graph names with them: that of a meeting, for example (Microsoft Learn,
/// "teamworkUserIdentity resource type").
const WITHOUT_TENANT: [&str; 5] = [
    "anonymousGuest",
    "skypeUser",
    "phoneUser",
    "emailUser",
    "azureCommunicationServicesUser",
];

/// The setting `CUSTOMER_TENANTS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CustomerTenants {
    /// Everybody may write.
    All,
    /// Only people of these tenants, and of our own.
    Listed(Vec<TenantId>),
}

/// Why somebody's messages are not passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exclusion {
    /// Their tenant is not listed.
    NotListed,
    /// They have no tenant.
    NoTenant,
    /// Graph does not tell their tenant, so nobody can say that it is listed.
    TenantNotTold,
}

impl Exclusion {
    /// A word for logs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotListed => "not_listed",
            Self::NoTenant => "no_tenant",
            Self::TenantNotTold => "tenant_not_told",
        }
    }
}

/// A message that is not passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnedAway {
    /// Why.
    pub why: Exclusion,
    /// Whose message it is, as far as Graph tells.
    pub tenant: Option<TenantId>,
    /// Whether its sender is to be told, which the chat's state then remembers.
    pub tell: bool,
    /// Kind of the chat, so that it need not be asked for each message.
    pub kind: ChatKind,
}

impl TurnedAway {
    /// Notes in the chat's state that its people are told.
    pub fn apply(&self, state: &mut InboundState, now: OffsetDateTime) {
        if self.tell {
            state.turned_away_at = Some(now);
            state.kind = Some(self.kind);
        }
    }
}

impl CustomerTenants {
    /// Whether somebody may write, by the kind of user that Graph names and the tenant.
    ///
    /// Our own tenant need not be listed: its people are colleagues, and its guests were let in by our own administrators.
    /// Personal Microsoft accounts may write when the tenant is listed that Microsoft has for all of them. Nobody else without
    /// a tenant may, since no list can mean them.
    ///
    /// # Errors
    /// Why not.
    pub fn admit(
        &self,
        user: Option<&UserId>,
        user_type: Option<&str>,
        tenant: Option<&TenantId>,
        home: &TenantId,
    ) -> Result<(), Exclusion> {
        let Self::Listed(listed) = self else {
            return Ok(());
        };
        if user_type == Some("personalMicrosoftAccountUser") {
            let mut listed = listed.iter();
            return match listed.any(|tenant| tenant.as_str() == PERSONAL_ACCOUNTS) {
                true => Ok(()),
                false => Err(Exclusion::NotListed),
            };
        }
        let has_tenant = user.is_some_and(UserId::is_entra)
            && !user_type.is_some_and(|it| WITHOUT_TENANT.contains(&it));
        match tenant {
            _ if !has_tenant => Err(Exclusion::NoTenant),
            None => Err(Exclusion::TenantNotTold),
            Some(tenant) if tenant == home || listed.contains(tenant) => Ok(()),
            Some(_) => Err(Exclusion::NotListed),
        }
    }
}

/// Stops the message of a sender who may not write. The tenant is the one that Graph names, in the message or for the chat's
/// member; where neither was asked yet and the message does not tell, the members are asked first.
pub(super) fn admit(
    case: &Case<'_>,
    chat: Chat<'_>,
    kind: ChatKind,
    sender: &Sender,
) -> Result<(), Plan> {
    let (policy, state) = (case.policy, chat.inbound);
    let known = state.customer.as_ref();
    let known = known.filter(|known| sender.user.as_ref() == Some(&known.user));
    let members = match &case.answers.members {
        Asked::Told(members) => members.as_slice(),
        Asked::NotYet | Asked::CannotTell => &[],
    };
    let member = member_of(members, sender.user.as_ref());
    let named = [
        sender.tenant.as_ref(),
        member.and_then(|member| member.tenant.as_ref()),
        known.and_then(|known| known.tenant.as_ref()),
    ];
    let mut named = named.into_iter().flatten();
    let tenant = named.find(|tenant| **tenant != TenantId::nil());
    let user_type = sender.user_type.as_deref();
    let why = match policy
        .tenants
        .admit(sender.user.as_ref(), user_type, tenant, &policy.home)
    {
        Ok(()) => return Ok(()),
        Err(Exclusion::TenantNotTold) if !matches!(case.answers.members, Asked::Told(_)) => {
            return Err(Plan::Need(Need::Tenant));
        }
        Err(why) => why,
    };
    let is_told = state
        .turned_away_at
        .is_some_and(|at| (case.now - at).abs() < TOLD_EVERY);
    Err(Plan::TurnAway(TurnedAway {
        why,
        tenant: tenant.cloned(),
        // Of a change nobody expects an answer.
        tell: !is_told && case.notification.change == ChangeType::Created,
        kind,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_write() {
        let tenant = |last: char| -> TenantId {
            let text = format!("be9c1b6e-0000-4000-8000-c0ffee00000{last}");
            text.parse().expect("a GUID")
        };
        let personal: TenantId = PERSONAL_ACCOUNTS.parse().expect("a GUID");
        let entra = "0f0e0d0c-0000-4000-8000-00000000000a";
        let some = CustomerTenants::Listed(vec![tenant('2')]);
        let with_personal = CustomerTenants::Listed(vec![tenant('2'), personal.clone()]);
        let (not_listed, no_tenant) = (Err(Exclusion::NotListed), Err(Exclusion::NoTenant));
        let not_told = Err(Exclusion::TenantNotTold);
        for (user, user_type, tenant, by_some, by_personal) in [
            (entra, Some("aadUser"), Some(tenant('2')), Ok(()), Ok(())),
            (entra, None, Some(tenant('2')), Ok(()), Ok(())),
            // Colleagues, and guests of our own directory.
            (entra, Some("aadUser"), Some(tenant('1')), Ok(()), Ok(())),
            (entra, None, Some(tenant('3')), not_listed, not_listed),
            (entra, Some("federatedUser"), None, not_told, not_told),
            (
                "c41f5bd88c39f6a1",
                Some("personalMicrosoftAccountUser"),
                None,
                not_listed,
                Ok(()),
            ),
            // Whatever tenant Graph names with it.
            (
                entra,
                Some("personalMicrosoftAccountUser"),
                Some(tenant('1')),
                not_listed,
                Ok(()),
            ),
            ("+4930000000", Some("phoneUser"), None, no_tenant, no_tenant),
            (
                entra,
                Some("anonymousGuest"),
                Some(tenant('2')),
                no_tenant,
                no_tenant,
            ),
            ("cora.c1", None, Some(tenant('1')), no_tenant, no_tenant),
            (entra, None, Some(personal.clone()), not_listed, Ok(())),
        ] {
            let id = user.parse().expect("an id");
            let admitted = |tenants: &CustomerTenants| {
                tenants.admit(
                    Some(&id),
                    user_type,
                    tenant.as_ref(),
                    &"be9c1b6e-0000-4000-8000-c0ffee000001"
                        .parse()
                        .expect("a GUID"),
                )
            };
            let case = format!("{user} {user_type:?} {tenant:?}");
            assert_eq!(admitted(&CustomerTenants::All), Ok(()), "{case}");
            assert_eq!(admitted(&some), by_some, "{case}");
            assert_eq!(admitted(&with_personal), by_personal, "{case}");
        }
    }
}
