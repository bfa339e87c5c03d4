//! The events of the log: what the field `event` of a line can say, and what the line tells then.
//!
//! Alerts and the workbook ask for these names; `infra/checks` holds their queries against this list.

/// Each event with its meaning and its further fields, by name.
pub const ALL: &[(&str, &str)] = &[
    (
        "account_in_doubt",
        "Graph refuses posts, and the Support User cannot list its chats either, so nothing is given up: account, kind, status",
    ),
    (
        "attempt_failed",
        "a call to an outside service did not succeed and will be tried again: service, kind, status, retry_after_ms, and the service's own ids of the request",
    ),
    (
        "attempt_panicked",
        "the handler panicked on a message and tries it again: attempts",
    ),
    (
        "chat_forbidden",
        "Graph refuses the Support User a chat: the digests of the chat and of the tenant that created it",
    ),
    (
        "dropped",
        "a receipt was given up, which nobody could do anything with: kind, status",
    ),
    (
        "enqueue_failed",
        "a webhook's message did not get onto its queue, so its sender was told to try again: service, kind, status",
    ),
    (
        "enqueued",
        "a webhook's message lies on its queue: correlation, what",
    ),
    (
        "envelope_newer",
        "an envelope of a newer release was given back, for an instance of that release to take",
    ),
    (
        "failed_not_read",
        "whether a message was given up before could not be read, so it went back to its queue",
    ),
    (
        "failed_not_stored",
        "a given-up message did not get into the container failed, so it is not given up yet",
    ),
    (
        "file_host_failed",
        "the host of a file did not deliver it and is tried again: kind, status",
    ),
    (
        "file_not_fetched",
        "a line of text stands in the place of a file: reason",
    ),
    (
        "foreign_tenant",
        "notifications with the secret of our subscription name another tenant; they are taken all the same: tenant, as a digest",
    ),
    (
        "handed_back",
        "a delivery went back to its queue: elapsed_ms, age_s since it was accepted",
    ),
    (
        "integration_in_doubt",
        "Genesys refuses messages, and the integration cannot be read either, so nothing is given up: unknown, kind, status",
    ),
    (
        "invocation_overdue",
        "a delivery took longer than its time limit and was given back",
    ),
    (
        "invocation_panicked",
        "the handler panicked outside of an attempt, and the delivery went back to its queue",
    ),
    (
        "known_serves",
        "Graph could not be asked about a chat, so what is known, or what the chat's id suggests, serves: kind",
    ),
    (
        "lifecycle_notification",
        "Graph says that something is the matter with a subscription, and nobody renews it: lifecycle, subscription as a digest",
    ),
    (
        "list_cut",
        "Graph has more pages of a list than are read: pages",
    ),
    (
        "media_host_not_allowed",
        "neither FILE_ORIGINS nor FILE_HOSTS allows the host of a file: host",
    ),
    (
        "members_not_shown",
        "Graph does not show the members of a chat: status",
    ),
    (
        "message_failed",
        "a message was given up and lies in the container failed: kind, service, status, attempt, blob",
    ),
    (
        "notice_not_enqueued",
        "the notice to a customer that a message was given up did not get onto its queue",
    ),
    (
        "notification_key_unknown",
        "a notification is encrypted for a certificate that we do not have, so its message is read from Graph",
    ),
    (
        "notification_key_unusable",
        "the secret with the notifications' key cannot be read: error",
    ),
    ("panic", "a fault in the handler: place"),
    (
        "pause_not_shared",
        "the other instances do not know of a pause: error",
    ),
    ("paused", "a service asked to be left alone: key, wait_ms"),
    (
        "payload_malformed",
        "what the Functions host sent is no queue message: error",
    ),
    (
        "payload_unreadable",
        "what the Functions host sent did not arrive whole",
    ),
    (
        "pending_post_absent",
        "an earlier attempt had not posted to Teams, so it is posted now",
    ),
    (
        "pending_post_forgotten",
        "a chat cannot be read, so whether an earlier attempt posted is not asked any more: status",
    ),
    (
        "pending_post_recognised",
        "an earlier attempt had posted to Teams although its answer was lost",
    ),
    (
        "receipt_not_enqueued",
        "the receipt of an agent's message did not get onto its queue",
    ),
    (
        "refresh_token_not_stored",
        "Key Vault did not take the renewed token of a Support User: account, error",
    ),
    (
        "sent_as_text",
        "Genesys did not take a choice or file, so it went as text",
    ),
    (
        "service_down",
        "an outside service does not answer, one attempt at a time from now on: service",
    ),
    ("service_up", "an outside service answers again: service"),
    (
        "setting_placeholder",
        "a webhook's caller was told to try again, because a setting still holds a placeholder: setting",
    ),
    (
        "settled",
        "a delivery is done: outcome (delivered, skipped, failed), reason, elapsed_ms, age_s since it was accepted",
    ),
    (
        "sign_in_needed",
        "a Support User must sign in again before its chats can be read or written: account, code",
    ),
    ("started", "the handler listens: version"),
    (
        "thread_moved",
        "a thread's chat is another one than before: its digest",
    ),
    (
        "unsaved_part_noted",
        "an earlier attempt had posted a part to Genesys and not saved it: part",
    ),
    (
        "validation_handshake",
        "Graph asked whether the address of its subscription is ours",
    ),
    (
        "validation_token_doubtful",
        "the tokens of a batch do not prove that Graph enclosed its content, so the messages are read from Graph: reason",
    ),
    (
        "warm_up_failed",
        "secrets or signing keys could not be loaded yet: service, kind",
    ),
    ("warmed_up", "secrets and signing keys are loaded"),
    (
        "webhook_refused",
        "a webhook's call was refused, or its sender told to try again: status, reason, elapsed_ms",
    ),
    (
        "webhook_taken",
        "a webhook's call that was not just one message for a queue: enqueued, dropped, reasons, elapsed_ms",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The names of all events that the sources below a folder log; tests are left out.
    fn logged(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            if path.is_dir() && name != "tests" && name != "target" {
                logged(&path, found);
            } else if path.extension().is_some_and(|it| it == "rs") && name != "tests" {
                let text = fs::read_to_string(&path).expect("a source file");
                for before in ["event = \"", "handed_back(\""] {
                    let names = text.split(before).skip(1);
                    found.extend(names.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
                }
            }
        }
    }

    #[test]
    fn the_list_is_what_the_program_logs() {
        let mut found = BTreeSet::new();
        for part in ["functions", "services/src", "handler/src"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(part);
            logged(&folder, &mut found);
        }
        // This file splits sources at the very words that it looks for.
        found.retain(|name| {
            name.bytes()
                .all(|it| it == b'_' || it.is_ascii_alphanumeric())
        });
        let listed: BTreeSet<String> = ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
        let missing: Vec<&String> = found.difference(&listed).collect();
        let extra: Vec<&String> = listed.difference(&found).collect();
        assert!(
            missing.is_empty() && extra.is_empty(),
            "in functions/src/events.rs add {missing:?}, which the program logs, and remove {extra:?}, which it does not"
        );
    }

    #[test]
    fn the_list_is_sorted_and_says_what_each_means() {
        assert!(ALL.is_sorted_by(|(one, _), (other, _)| one < other));
        assert!(ALL.iter().all(|(_, meaning)| meaning.len() > 15));
    }
}
