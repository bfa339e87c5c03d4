//! What the directory's refusals mean, and who can do what was refused.

use std::time::Duration;

use anyhow::{anyhow, bail};
use services::error::{ErrorKind, ServiceError};
use services::graph::registration::is_not_yet_known;

use crate::setup::azure::login;
use crate::setup::registration::Change;

/// Between two tries of what the directory does not know yet.
pub const FIRST_PAUSE: Duration = Duration::from_millis(500);
pub const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// Who may change registrations ("Microsoft Entra built-in roles").
pub const APPLICATION_ADMINISTRATOR: &str = "somebody with the role Application Administrator or Cloud Application Administrator in Entra ID";
/// Who may give an app a permission of Microsoft Graph of its own; the application administrators may not.
pub const PRIVILEGED_ADMINISTRATOR: &str =
    "somebody with the role Privileged Role Administrator (or Global Administrator) in Entra ID";
pub const REGISTRATION: &str = "app registration";

/// What is only a matter of time.
pub const NOT_YET: &str = "Entra ID does not know everywhere yet what was just made: run the command again in some minutes";

/// Whether the same change may succeed in a while.
pub fn passes(change: &Change, error: &ServiceError) -> bool {
    use ErrorKind::{Connection, NotFound, Throttled, TimedOut, Unavailable};
    let refers = matches!(
        change,
        Change::AddOwner(_) | Change::AddGrant(..) | Change::AssignRole(..) | Change::MakePrincipal
    );
    let is_new = is_not_yet_known(error) && (refers || error.kind == NotFound);
    is_new || matches!(error.kind, Connection | Throttled | TimedOut | Unavailable)
}

/// What a person can do about a change that was refused; `None` for what nobody need be told of in particular.
pub fn advice(change: &Change, error: &ServiceError) -> Option<String> {
    let code = error.code.as_deref().unwrap_or_default();
    if code.contains("Policy") {
        return Some(
            "a policy of your tenant forbids it: whoever manages app management policies in Entra ID exempts this registration, then run the command again"
                .to_owned(),
        );
    }
    match error.kind {
        ErrorKind::Forbidden => {
            let who = match change {
                Change::AssignRole(..) | Change::RemoveRole(..) => PRIVILEGED_ADMINISTRATOR,
                _ => APPLICATION_ADMINISTRATOR,
            };
            Some(format!(
                "you may not do that: {who} runs this command with this file"
            ))
        }
        ErrorKind::NotFound | ErrorKind::Rejected if is_not_yet_known(error) => {
            Some(NOT_YET.to_owned())
        }
        _ => None,
    }
}

/// What to do when something cannot even be read.
pub fn unread(what: &str, error: &ServiceError) -> anyhow::Error {
    match error.kind {
        ErrorKind::Forbidden => anyhow!(
            "{what}: you may not read it: {APPLICATION_ADMINISTRATOR} runs this command with this file ({error})"
        ),
        ErrorKind::NotFound => anyhow!("{what}: {NOT_YET} ({error})"),
        _ => anyhow!("{what}: {} ({error})", login(error)),
    }
}

/// The id of a registration that is not there.
pub fn lost(path: &std::path::Path, id: &str) -> anyhow::Result<()> {
    bail!(
        "{} names graph_client_id {id}, which your tenant does not have: if it was made minutes ago, run the command again; if it was deleted, take the line out, and a new one is made",
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use services::error::{Sent, Service};

    use super::*;
    use crate::setup::registration::{ALL_CHATS, Holder};
    use services::graph::registration::Application;

    fn refusal(kind: ErrorKind, code: &str) -> ServiceError {
        ServiceError::new(Service::Graph, kind, Sent::No).with_code(code)
    }

    #[test]
    fn a_missing_right_names_who_has_it() {
        let denied = refusal(ErrorKind::Forbidden, "Authorization_RequestDenied");
        let role = Change::AssignRole(Holder::App, ALL_CHATS);
        for (change, who) in [
            (&Change::MakePrincipal, "Application Administrator"),
            (
                &Change::RemoveGrant(None, "g".to_owned()),
                "Application Administrator",
            ),
            (&role, "Privileged Role Administrator"),
        ] {
            let advice = advice(change, &denied).expect("advice");
            assert!(advice.contains(who), "{advice}");
        }
        let policy = refusal(
            ErrorKind::Forbidden,
            "CredentialTypeNotAllowedAsPerAppPolicy",
        );
        let said = advice(&Change::MakePrincipal, &policy).expect("advice");
        assert!(said.contains("policy"), "{said}");
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let reference = refusal(ErrorKind::Rejected, "Request_BadRequest");
        let missing = refusal(ErrorKind::NotFound, "Request_ResourceNotFound");
        let denied = refusal(ErrorKind::Forbidden, "Authorization_RequestDenied");
        let busy = refusal(ErrorKind::Unavailable, "x");
        let set = Change::SetApplication(Application::default(), vec![]);
        let role = Change::AssignRole(Holder::App, ALL_CHATS);
        for (change, error, expected) in [
            (&role, &reference, true),
            (&set, &reference, false),
            (&set, &missing, true),
            (&role, &denied, false),
            (&set, &busy, true),
        ] {
            assert_eq!(passes(change, error), expected, "{change:?} {error}");
        }
    }
}
