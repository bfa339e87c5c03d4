//! What an administrator can do about a call that failed.

use services::error::{ErrorKind, ServiceError};
use services::genesys::admin::{CREATE_FAILED, STILL_CREATING, permissions};
use uuid::Uuid;

/// What a command was doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    SignIn,
    ReadIntegration(Uuid),
    ReadRecipient,
    BindFlow(Uuid),
    ReadTimeline,
    WriteTimeline,
    RenewSecret(Uuid),
    ReadQueue(Uuid),
}

impl Step {
    const fn permission(self) -> Option<&'static str> {
        match self {
            Self::SignIn => None,
            Self::ReadIntegration(_) => Some(permissions::VIEW_INTEGRATION),
            Self::ReadRecipient | Self::BindFlow(_) => Some(permissions::MANAGE_MESSAGE_ROUTING),
            Self::ReadTimeline => Some(permissions::VIEW_THREADING_TIMELINE),
            Self::WriteTimeline => Some(permissions::EDIT_THREADING_TIMELINE),
            Self::RenewSecret(_) => Some(permissions::EDIT_CLIENT),
            Self::ReadQueue(_) => Some(permissions::VIEW_QUEUE),
        }
    }
}

/// Who can give the right that a call failed for, where it did.
pub fn missing_right(error: &ServiceError, step: Step) -> Option<String> {
    let permission = step.permission()?;
    let of_the_client = match step {
        Step::RenewSecret(_) => {
            ", and the client's own role, for Genesys Cloud lets nobody change a client that may do more than they"
        }
        _ => "",
    };
    (error.kind == ErrorKind::Forbidden).then(|| {
        format!(
            "whoever signs in lacks a permission: a Genesys administrator adds {permission} to a role of theirs (Admin > Roles/Permissions){of_the_client}"
        )
    })
}

/// One line: what is wrong and what to do, then what Genesys Cloud said.
pub fn explained(error: &ServiceError, step: Step) -> anyhow::Error {
    anyhow::anyhow!("{} ({error})", advice(error, step))
}

fn advice(error: &ServiceError, step: Step) -> String {
    if let Some(right) = missing_right(error, step) {
        return right;
    }
    match (error.kind, step) {
        (ErrorKind::Conflict, _) if error.code.as_deref() == Some(CREATE_FAILED) => {
            "Genesys Cloud could not make the integration: delete it there, then run the command again".to_owned()
        }
        (ErrorKind::TimedOut, _) if error.code.as_deref() == Some(STILL_CREATING) => {
            "Genesys Cloud is still making the integration: run the command again in a minute".to_owned()
        }
        (ErrorKind::Unauthorized, _) => {
            "Genesys Cloud does not take the token: it has ended, or is of another region; get a new one, and check genesys_domain".to_owned()
        }
        (ErrorKind::Configuration, Step::SignIn) if error.status.is_some() => {
            "Genesys Cloud does not know the OAuth client or its secret: check both, and genesys_domain".to_owned()
        }
        (ErrorKind::Forbidden, _) => "the OAuth client may not sign in here".to_owned(),
        (ErrorKind::NotFound, Step::ReadIntegration(id)) => format!(
            "there is no open messaging integration {id}: check genesys_domain, and that this is the organisation that Terraform was applied to"
        ),
        (ErrorKind::NotFound, Step::RenewSecret(id)) => format!(
            "there is no OAuth client {id}: check genesys_domain, and that this is the organisation that Terraform was applied to"
        ),
        (ErrorKind::Rejected | ErrorKind::NotFound | ErrorKind::Conflict, Step::BindFlow(flow)) => {
            format!(
                "Genesys Cloud does not take the flow {flow}: see in Architect that it is a published inbound message flow"
            )
        }
        (ErrorKind::TimedOut | ErrorKind::Connection, _) => {
            "Genesys Cloud could not be reached: check genesys_domain and the network".to_owned()
        }
        (ErrorKind::Throttled | ErrorKind::Unavailable, _) => {
            "Genesys Cloud is busy or down: try again later".to_owned()
        }
        _ => "Genesys Cloud did not answer as documented".to_owned(),
    }
}
