//! One Teams message of an agent's message.

use services::graph::HostedImage;

/// One Teams message.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    /// What it shows.
    pub(super) html: String,
    /// The pictures in it.
    pub(super) images: Vec<HostedImage>,
}

impl Part {
    /// A part of words only.
    pub(super) fn of_html(html: String) -> Self {
        Self {
            html,
            images: Vec::new(),
        }
    }
}
