//! A customer's text that answers the agent's last question by a number or by the words of a choice.

use bridge::ids::GenesysMessageId;
use bridge::state::question::Choice;
use bridge::teams::chat_kind::ChatType;
use bridge::teams::message::ChatMessage;

use super::chat::ChatMemory;
use crate::app::App;

/// The choice that the text means, while the question is the last thing that the agent said and has no answer yet.
pub fn of(
    memory: &ChatMemory,
    message: &ChatMessage,
    app: &App,
    kind: ChatType,
    text: &str,
) -> Option<(GenesysMessageId, Choice)> {
    let question = memory.outbound.as_ref()?.question.as_ref()?;
    // A message from before the question answers nothing, however late it comes.
    if memory.inbound.answered.as_ref() == Some(&question.message)
        || message.created < question.asked
    {
        return None;
    }
    let text = match kind {
        ChatType::OneOnOne => text,
        _ => without_mention(app, message, text),
    };
    let choice = question.chosen(text, message.created)?;
    Some((question.message.clone(), choice.clone()))
}

/// In a group an answer begins with the mention that makes it ours.
fn without_mention<'a>(app: &App, message: &ChatMessage, text: &'a str) -> &'a str {
    let mention = message.mentions.iter().find(|mention| {
        mention
            .user
            .as_ref()
            .is_some_and(|user| app.settings.is_support_user(user))
    });
    let bare = mention.and_then(|mention| text.trim_start().strip_prefix(mention.text.trim()));
    bare.map_or(text, str::trim_start)
}
