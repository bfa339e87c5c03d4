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
}

impl Step {
    fn permission(self) -> Option<&'static str> {
        match self {
            Self::SignIn => None,
            Self::ReadIntegration(_) => Some(permissions::VIEW_INTEGRATION),
            Self::ReadRecipient | Self::BindFlow(_) => Some(permissions::MANAGE_MESSAGE_ROUTING),
            Self::ReadTimeline => Some(permissions::VIEW_THREADING_TIMELINE),
            Self::WriteTimeline => Some(permissions::EDIT_THREADING_TIMELINE),
        }
    }
}

/// One line: what is wrong and what to do, then what Genesys Cloud said.
pub fn explained(error: &ServiceError, step: Step) -> anyhow::Error {
    anyhow::anyhow!("{} ({error})", advice(error, step))
}

fn advice(error: &ServiceError, step: Step) -> String {
    match (error.kind, step) {
        (ErrorKind::Conflict, _) if error.code.as_deref() == Some(CREATE_FAILED) => {
            "Genesys Cloud could not make the integration: delete it and apply Terraform again".to_owned()
        }
        (ErrorKind::TimedOut, _) if error.code.as_deref() == Some(STILL_CREATING) => {
            "Genesys Cloud is still making the integration: run the command again, or give it a longer --wait".to_owned()
        }
        (ErrorKind::Configuration, Step::SignIn) if error.status.is_some() => {
            "Genesys Cloud does not know the OAuth client or its secret: check GENESYS_ADMIN_CLIENT_ID, GENESYS_ADMIN_CLIENT_SECRET and GENESYS_DOMAIN".to_owned()
        }
        (ErrorKind::Forbidden, step) => match step.permission() {
            Some(permission) => format!(
                "the OAuth client lacks a permission: add {permission} to one of its roles in Genesys Cloud"
            ),
            None => "the OAuth client may not sign in here".to_owned(),
        },
        (ErrorKind::NotFound, Step::ReadIntegration(id)) => format!(
            "there is no open messaging integration {id}: check --integration or GENESYS_INTEGRATION_ID, and GENESYS_DOMAIN"
        ),
        (ErrorKind::Rejected | ErrorKind::NotFound | ErrorKind::Conflict, Step::BindFlow(flow)) => {
            format!(
                "Genesys Cloud does not take the flow {flow}: check that --flow is the id of a published inbound message flow"
            )
        }
        (ErrorKind::TimedOut | ErrorKind::Connection, _) => {
            "Genesys Cloud could not be reached: check GENESYS_DOMAIN and the network".to_owned()
        }
        (ErrorKind::Throttled | ErrorKind::Unavailable, _) => {
            "Genesys Cloud is busy or down: try again later".to_owned()
        }
        _ => "Genesys Cloud did not answer as documented".to_owned(),
    }
}
