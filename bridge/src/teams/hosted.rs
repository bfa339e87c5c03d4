//! Addresses of what Graph keeps for a message: pictures and code snippets.

use percent_encoding::percent_decode_str;

use crate::ids::{ChatId, TeamsMessageId};

/// The id of a hosted content of exactly this message, out of its address
/// (`…/chats/{chat}/messages/{message}/hostedContents/{id}/$value`; Microsoft Learn, "Get chatMessageHostedContent").
///
/// The host does not matter: the content is asked for at our own Graph. Another chat or message does: a forged address must not
/// make the Support User fetch what it can see elsewhere.
#[must_use]
pub fn content_id(address: &str, chat: &ChatId, message: &TeamsMessageId) -> Option<String> {
    let path = address.split(['?', '#']).next()?;
    let segments: Vec<_> = path
        .rsplit('/')
        .take(7)
        .map(|segment| {
            percent_decode_str(segment)
                .decode_utf8()
                .unwrap_or_default()
        })
        .collect();
    let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
    match segments[..] {
        [
            "$value",
            id,
            "hostedContents",
            in_message,
            "messages",
            in_chat,
            "chats",
        ] if in_message == message.as_str() && in_chat == chat.as_str() => {
            (!matches!(id, "" | "." | "..")).then(|| id.to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_contents_of_the_message_itself_have_an_id() {
        let chat: ChatId = "19:a_b@unq.gbl.spaces".parse().expect("an id");
        let message: TeamsMessageId = "1616".parse().expect("an id");
        let id = |address: &str| content_id(address, &chat, &message);
        let base = "https://graph.microsoft.com/v1.0/chats";
        for address in [
            format!("{base}/19:a_b@unq.gbl.spaces/messages/1616/hostedContents/aWQ9/$value"),
            format!(
                "{base}/19%3Aa_b%40unq.gbl.spaces/messages/1616/hostedContents/aWQ9/%24value?x=/y"
            ),
        ] {
            assert_eq!(id(&address).as_deref(), Some("aWQ9"), "{address}");
        }
        for address in [
            format!("{base}/19:other@thread.v2/messages/1616/hostedContents/aWQ9/$value"),
            format!("{base}/19:a_b@unq.gbl.spaces/messages/1617/hostedContents/aWQ9/$value"),
            format!("{base}/19:a_b@unq.gbl.spaces/messages/1616/hostedContents/aWQ9"),
            format!("{base}/19:a_b@unq.gbl.spaces/messages/1616/hostedContents/../$value"),
            format!("{base}/19:a_b@unq.gbl.spaces/messages/1616/hostedContents//$value"),
            "https://graph.microsoft.com/v1.0/me/messages".to_owned(),
            String::new(),
        ] {
            assert_eq!(id(&address), None, "{address}");
        }
    }
}
