//! What else is to be found out about a customer, and what follows from the answers. Nothing of it is needed to carry a message:
//! what cannot be told now is asked again later.

use time::Duration;

use super::case::{Asked, Case, Need, Plan};
use crate::ids::DomainName;
use crate::state::customer::{Customer, guest_address, is_guest};

/// Time after which a look-up that failed is tried again, with the next message.
pub const TRIED_AGAIN_AFTER: Duration = Duration::minutes(10);

/// Whether something about a known customer could not be told, and may be by now.
pub(super) fn is_due(case: &Case<'_>, known: &Customer) -> bool {
    // A clock that ran ahead must not put it off for ever.
    known
        .lookup_failed_at
        .is_some_and(|at| (case.now - at).abs() >= TRIED_AGAIN_AFTER)
}

/// Adds to a customer what the directories tell. Where they cannot be asked, what they told earlier of the same person stays.
pub(super) fn complete(
    case: &Case<'_>,
    mut customer: Customer,
    known: Option<&Customer>,
) -> Result<Customer, Plan> {
    let known = known.filter(|known| known.user == customer.user);
    let own = own_entry(case, &mut customer, known)?;
    let company = company(case, &mut customer, known)?;
    let verified = verified(case, &mut customer, known)?;
    let is_complete = own && company && verified;
    customer.lookup_failed_at = (!is_complete).then_some(case.now);
    Ok(customer)
}

/// Our own directory knows its people and guests, also where the chat's members have no address. Says whether all that was to be
/// asked was told.
fn own_entry(
    case: &Case<'_>,
    customer: &mut Customer,
    known: Option<&Customer>,
) -> Result<bool, Plan> {
    let home = &case.policy.home;
    let is_ours = customer.tenant.as_ref() == Some(home) && customer.upn.is_none();
    // A name alone makes nobody our guest.
    let may_be_ours = customer.tenant.is_none() && customer.guest;
    if !customer.user.is_entra() || !(is_ours || may_be_ours) {
        return Ok(true);
    }
    match &case.answers.directory {
        Asked::NotYet => Err(Plan::Need(Need::DirectoryEntry(customer.user.clone()))),
        Asked::Told(None) => Ok(true),
        Asked::Told(Some(entry)) => {
            let name = entry.upn.as_deref().unwrap_or_default();
            customer.tenant = Some(home.clone());
            customer.guest = is_guest(name);
            let address = match customer.guest {
                true => guest_address(name).or_else(|| entry.mail.clone()),
                false => entry.upn.clone().or_else(|| entry.mail.clone()),
            };
            customer.upn = customer.upn.take().or(address);
            Ok(true)
        }
        Asked::CannotTell => {
            let known = known.filter(|known| known.tenant.as_ref() == Some(home));
            if let Some(known) = known {
                customer.tenant = known.tenant.clone();
                customer.guest = known.guest;
                customer.upn = customer.upn.take().or_else(|| known.upn.clone());
            }
            Ok(false)
        }
    }
}

/// The company behind a tenant. Our own is not asked for: it is nobody's customer.
fn company(
    case: &Case<'_>,
    customer: &mut Customer,
    known: Option<&Customer>,
) -> Result<bool, Plan> {
    let tenant = customer.tenant.clone();
    let Some(tenant) = tenant.filter(|tenant| *tenant != case.policy.home) else {
        return Ok(true);
    };
    match &case.answers.tenant {
        Asked::NotYet => Err(Plan::Need(Need::TenantInformation(tenant))),
        Asked::Told(found) => {
            // An answer about another tenant is none.
            let found = found.as_ref().filter(|found| found.tenant == tenant);
            customer.company = found.and_then(|found| found.name.clone());
            customer.domain = found.and_then(|found| found.domain.clone());
            Ok(true)
        }
        Asked::CannotTell => {
            let known = known.filter(|known| known.tenant.as_ref() == Some(&tenant));
            customer.company = known.and_then(|known| known.company.clone());
            customer.domain = known.and_then(|known| known.domain.clone());
            Ok(false)
        }
    }
}

/// Whether the customer's address is one that its tenant can vouch for: whoever administers a tenant can give its people any
/// address, but the domain of one belongs to a single tenant.
fn verified(
    case: &Case<'_>,
    customer: &mut Customer,
    known: Option<&Customer>,
) -> Result<bool, Plan> {
    customer.upn_verified = false;
    let domain = customer.upn.as_deref().and_then(DomainName::of_address);
    let (Some(tenant), Some(domain)) = (&customer.tenant, domain) else {
        return Ok(true);
    };
    match &case.answers.domain {
        Asked::NotYet => Err(Plan::Need(Need::TenantOfDomain(domain))),
        Asked::Told(owner) => {
            customer.upn_verified = owner.as_ref() == Some(tenant);
            Ok(true)
        }
        Asked::CannotTell => {
            customer.upn_verified = known.is_some_and(|known| {
                known.upn_verified && known.upn == customer.upn && known.tenant == customer.tenant
            });
            Ok(false)
        }
    }
}
