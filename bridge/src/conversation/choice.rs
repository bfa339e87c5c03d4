//! A customer's text that answers the agent's last question by a number or by the words of a choice.

use time::OffsetDateTime;

use super::case::{Case, Chat};
use super::series::Piece;
use crate::ids::TeamsMessageId;
use crate::state::question::{Choice, Question};
use crate::teams::convert;
use crate::teams::message::{ChatMessage, Mention};

/// The agent's question, while it is the last thing that the agent said and has no answer yet. A message from before it answers
/// nothing, however late it comes.
pub(super) fn open_question<'a>(chat: Chat<'a>, written: OffsetDateTime) -> Option<&'a Question> {
    let question = chat.outbound?.question.as_ref()?;
    let is_answered = chat.inbound.has_answer(&question.message);
    (!is_answered && written >= question.asked).then_some(question)
}

/// The choice that the message means. Should Genesys not take it as one, its words are sent as `named` writes them: who reads them
/// there does not see the numbers.
pub(super) fn piece(
    case: &Case<'_>,
    chat: Chat<'_>,
    message: &ChatMessage,
    named: impl Fn(&str) -> String,
) -> Option<Piece> {
    let question = open_question(chat, message.created)?;
    let choice = chosen(case, message, question)?;
    let mut quoted = convert::answered(message).into_iter();
    // What answers something else is for somebody to read who sees what it answers.
    if !quoted.all(|id| is_of(chat, question, &id)) {
        return None;
    }
    Some(Piece::Choice {
        question: question.message.clone(),
        choice: choice.clone(),
        otherwise: named(&choice.text),
    })
}

/// The choice that an edit of an answer means. Genesys has the answer by then, so it only tells which words are meant.
pub(super) fn of_edit<'a>(
    case: &Case<'_>,
    chat: Chat<'a>,
    message: &ChatMessage,
) -> Option<&'a Choice> {
    let mut answers = chat.inbound.answers.iter();
    let answer = answers.find(|answer| answer.message == message.id)?;
    chosen(case, message, answer.asked.as_ref()?)
}

fn chosen<'a>(
    case: &Case<'_>,
    message: &ChatMessage,
    question: &'a Question,
) -> Option<&'a Choice> {
    let words = convert::own_words(message);
    question.chosen(&without_mentions(case, message, &words), message.created)
}

/// Whether a Teams message is a part of the question.
fn is_of(chat: Chat<'_>, question: &Question, id: &str) -> bool {
    let posts = chat.outbound.map(|outbound| &outbound.posts);
    let post = posts.and_then(|posts| posts.get(&question.message));
    let id: Option<TeamsMessageId> = id.parse().ok();
    post.zip(id)
        .is_some_and(|(post, id)| post.teams.contains(&id))
}

/// In a group an answer has the mention that makes it ours before or behind it, with Teams' or the writer's signs between. A name
/// can stand in several mentions, because Teams lets its writer take words out of it.
fn without_mentions(case: &Case<'_>, message: &ChatMessage, text: &str) -> String {
    let is_ours = |mention: &&Mention| {
        let user = mention.user.as_ref();
        user.is_some_and(|user| case.policy.is_support_user(user))
    };
    let ours = message.mentions.iter().filter(is_ours);
    let mut names: Vec<String> = ours.map(|mention| words_of(&mention.text)).collect();
    names.retain(|name| !name.is_empty());
    // Of two that fit, the longer one is meant.
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let all = words_of(text);
    let mut left = all.as_str();
    let between = |sign: char| sign.is_whitespace() || matches!(sign, ',' | ':');
    // Each is taken out once: a choice may have the same name.
    while !names.is_empty() {
        // A word that only begins or ends like the name is a choice sooner than the name without a space.
        let mut cuts = names.iter().enumerate();
        let whole = cuts.find_map(|(place, name)| Some((place, cut(left, name, true)?)));
        let mut cuts = names.iter().enumerate();
        let part = || cuts.find_map(|(place, name)| Some((place, cut(left, name, false)?)));
        let Some((place, rest)) = whole.or_else(part) else {
            break;
        };
        names.remove(place);
        left = rest.trim_matches(between);
    }
    left.to_owned()
}

/// A text without a name at its beginning or end, where that is a word of its own if it must be.
fn cut<'a>(text: &'a str, name: &str, is_word: bool) -> Option<&'a str> {
    let is_apart = |next: Option<char>| !is_word || !next.is_some_and(char::is_alphanumeric);
    let behind = text.strip_prefix(name);
    let behind = behind.filter(|rest| is_apart(rest.chars().next()));
    let before = text.strip_suffix(name);
    let before = before.filter(|rest| is_apart(rest.chars().next_back()));
    behind.or(before)
}

fn words_of(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
