//! What the directory's refusals mean, and who can do what was refused.

use std::time::Duration;

use anyhow::{anyhow, bail};
use services::error::{ErrorKind, ServiceError};
use services::graph::registration::{Deleted, is_already_there, is_not_yet_known};

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

/// The next pause: at least our own, also where the directory asks for less, and no longer than there is time; `None` when there is
/// none left.
pub fn next_pause(own: Duration, asked: Option<Duration>, left: Duration) -> Option<Duration> {
    let pause = own.max(asked.unwrap_or_default()).min(left);
    (!pause.is_zero()).then_some(pause)
}

/// Whether a refusal says that the change is made: by a try whose answer was lost, or by somebody else. Of what replaces something
/// that is there it does not.
pub fn is_done(change: &Change, error: &ServiceError) -> bool {
    use Change::{AddCredential, AddGrant, AddOwner, AssignRole};
    let adds = matches!(
        change,
        AddOwner(_) | AddCredential(_) | AddGrant(..) | AssignRole(..)
    );
    adds && is_already_there(error)
}

/// Whether the same change may succeed in a while.
pub fn passes(change: &Change, error: &ServiceError) -> bool {
    use ErrorKind::{Conflict, Connection, NotFound, Throttled, TimedOut, Unavailable};
    let refers = matches!(
        change,
        Change::AddOwner(_) | Change::AddGrant(..) | Change::AssignRole(..) | Change::MakePrincipal
    );
    let is_new = is_not_yet_known(error) && (refers || error.kind == NotFound);
    is_new
        || matches!(
            error.kind,
            Conflict | Connection | Throttled | TimedOut | Unavailable
        )
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
        ErrorKind::Conflict if matches!(change, Change::MakeApplication(_)) => Some(format!(
            "something keeps its unique name: {APPLICATION_ADMINISTRATOR} looks among the deleted ones (Entra ID > App registrations > Deleted applications), or the command is run again in some minutes"
        )),
        ErrorKind::Conflict => Some(
            "somebody else changes the same at the same time: run the command again".to_owned(),
        ),
        _ => None,
    }
}

/// What to do about a deleted registration that keeps the unique name.
pub fn kept_name(deleted: &Deleted) -> String {
    let id = &deleted.app_id;
    format!(
        "none can be made, for application id {id} was deleted and keeps the name for 30 days: delete it for good (handler setup graph --remove), or restore it (Entra ID > App registrations > Deleted applications) and put graph_client_id = \"{id}\" into the file; then run the command again"
    )
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
pub fn lost(path: &std::path::Path, id: &str, was_deleted: bool) -> anyhow::Result<()> {
    let path = path.display();
    if was_deleted {
        bail!(
            "{path} names graph_client_id {id}, which was deleted: restore it (Entra ID > App registrations > Deleted applications), or delete it for good, and its line in the file (handler setup graph --remove); then run the command again"
        )
    }
    bail!(
        "{path} names graph_client_id {id}, which your tenant does not have: if it was made minutes ago, run the command again; if it was deleted, take the line out, and a new one is made"
    )
}

#[cfg(test)]
mod tests {
    use services::error::{Sent, Service};

    use super::*;
    use crate::setup::registration::{ALL_CHATS, Holder, SupportUser};
    use services::graph::registration::{Application, FederatedCredential};

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
        let conflict = refusal(ErrorKind::Conflict, "x");
        let set = Change::SetApplication(Application::default(), vec![]);
        let role = Change::AssignRole(Holder::App, ALL_CHATS);
        for (change, error, expected) in [
            (&role, &reference, true),
            (&set, &reference, false),
            (&set, &missing, true),
            (&role, &denied, false),
            (&set, &busy, true),
            (&set, &conflict, true),
        ] {
            assert_eq!(passes(change, error), expected, "{change:?} {error}");
        }
    }

    #[test]
    fn what_is_there_already_is_done_only_where_something_is_added() {
        let taken = refusal(
            ErrorKind::Conflict,
            "Request_MultipleObjectsWithSameKeyValue",
        );
        let busy = refusal(ErrorKind::Conflict, "Directory_ConcurrencyViolation");
        let id = || "id".to_owned();
        let app = Application::default;
        let credential = FederatedCredential {
            id: id(),
            name: id(),
            issuer: id(),
            subject: id(),
            audiences: vec![],
        };
        let user = SupportUser {
            name: id(),
            id: id(),
        };
        for (change, expected) in [
            (Change::MakeApplication(app()), false),
            (Change::SetApplication(app(), vec![]), false),
            (Change::AddOwner(id()), true),
            (Change::RemoveOwner(id()), false),
            (Change::AddCredential(credential.clone()), true),
            (Change::SetCredential(id(), credential), false),
            (Change::RemoveSecret(id()), false),
            (Change::MakePrincipal, false),
            (Change::AddGrant(user.clone(), id()), true),
            (Change::SetGrant(user, id(), id()), false),
            (Change::RemoveGrant(None, id()), false),
            (Change::AssignRole(Holder::App, ALL_CHATS), true),
        ] {
            assert_eq!(is_done(&change, &taken), expected, "{change:?}");
            assert!(!is_done(&change, &busy), "{change:?}");
            assert!(passes(&change, &busy), "{change:?}");
            assert!(advice(&change, &busy).is_some(), "{change:?}");
        }
    }

    #[test]
    fn a_pause_is_never_none_and_never_longer_than_there_is_time() {
        let seconds = Duration::from_secs;
        for (own, asked, left, expected) in [
            (1, None, 10, Some(1)),
            (1, Some(0), 10, Some(1)),
            (1, Some(5), 10, Some(5)),
            (1, Some(u64::MAX), 10, Some(10)),
            (4, None, 3, Some(3)),
            (1, Some(u64::MAX), 0, None),
        ] {
            let pause = next_pause(seconds(own), asked.map(seconds), seconds(left));
            assert_eq!(pause, expected.map(seconds), "{own} {asked:?} {left}");
        }
    }
}
