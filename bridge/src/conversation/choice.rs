//! A customer's text that answers the agent's last question by a number or by the words of a choice.

use time::OffsetDateTime;

use super::case::{Case, Chat};
use super::series::Piece;
use crate::state::question::Question;
use crate::teams::chat_kind::ChatKind;
use crate::teams::message::ChatMessage;

/// The agent's question, while it is the last thing that the agent said and has no answer yet. A message from before it answers
/// nothing, however late it comes.
pub(super) fn open_question<'a>(chat: Chat<'a>, written: OffsetDateTime) -> Option<&'a Question> {
    let question = chat.outbound?.question.as_ref()?;
    let is_answered = chat.inbound.answered.as_ref() == Some(&question.message);
    (!is_answered && written >= question.asked).then_some(question)
}

/// The choice that the text means. Should Genesys not take it as one, its words are sent as `named` writes them: who reads them
/// there does not see the numbers.
pub(super) fn piece(
    case: &Case<'_>,
    chat: Chat<'_>,
    message: &ChatMessage,
    kind: ChatKind,
    text: &str,
    named: impl Fn(&str) -> String,
) -> Option<Piece> {
    let question = open_question(chat, message.created)?;
    let text = match kind {
        ChatKind::OneOnOne => text,
        _ => without_mention(case, message, text),
    };
    let choice = question.chosen(text, message.created)?;
    Some(Piece::Choice {
        question: question.message.clone(),
        choice: choice.clone(),
        otherwise: named(&choice.text),
    })
}

/// In a group an answer begins with the mention that makes it ours.
fn without_mention<'a>(case: &Case<'_>, message: &ChatMessage, text: &'a str) -> &'a str {
    let mention = message.mentions.iter().find(|mention| {
        let user = mention.user.as_ref();
        user.is_some_and(|user| case.policy.is_support_user(user))
    });
    let bare = mention.and_then(|mention| text.trim_start().strip_prefix(mention.text.trim()));
    bare.map_or(text, str::trim_start)
}
