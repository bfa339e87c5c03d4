//! The id that follows a message from its webhook to its delivery.
//!
//! The rule is the handler's, written down a second time on purpose: a simulator that borrowed the handler's code
//! could not notice a change to it.

use aws_lc_rs::digest::{SHA256, digest};
use uuid::Uuid;

/// The correlation id of a message that a customer wrote in Teams.
#[must_use]
pub fn of_teams_message(chat: &str, message: &str) -> String {
    of_text(&format!("teams\n{chat}\n{message}"))
}

/// The correlation id of a message that an agent wrote in Genesys.
#[must_use]
pub fn of_genesys_message(message: &str) -> String {
    of_text(&format!("genesys\n{message}"))
}

/// A GUID made of the digest of a text.
#[must_use]
pub fn of_text(text: &str) -> String {
    let mut first = [0; 16];
    first.copy_from_slice(&digest(&SHA256, text.as_bytes()).as_ref()[..16]);
    Uuid::from_bytes(first).to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_correlation_id_is_a_lowercase_guid_and_depends_on_all_parts() {
        let id = super::of_teams_message("19:a@unq.gbl.spaces", "1");
        assert_eq!(id.len(), 36);
        assert_eq!(id, id.to_lowercase());
        assert_ne!(id, super::of_teams_message("19:a@unq.gbl.spaces", "2"));
        assert_ne!(id, super::of_genesys_message("1"));
    }
}
