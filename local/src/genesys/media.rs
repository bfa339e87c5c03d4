//! Agents' files.

use serde::Deserialize;

use crate::shared::download::Download;
use crate::shared::kept::Kept;

/// All files of agents.
pub type Media = Kept<AgentFile>;

/// One of them.
pub struct AgentFile {
    pub download: Download,
    /// What the address in the webhook does.
    pub access: Access,
}

/// What the address of a file on the host for downloads does.
#[derive(Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Serves it.
    #[default]
    Open,
    /// 401
    Unauthorized,
    /// 403
    Forbidden,
}
