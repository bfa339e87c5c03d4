//! The commands of a page of documentation, run as its reader runs them: block after block, in one shell.
//!
//! A block of commands is fenced with three backticks and nothing behind them, or `sh`; what else is fenced is shown and not run
//! (output as `text`). A block that needs a cloud says why in a comment directly before it, `<!-- cloud: reason -->`, which the page
//! does not show. There is no other way to leave a block out.

mod shell;

pub use shell::{Walk, Walked};

/// Words behind a fence that begin commands.
const COMMANDS: [&str; 2] = ["", "sh"];

/// A block of commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Line of its first command, from 1.
    pub line: usize,
    /// The commands, each line with its end.
    pub text: String,
    /// Why it needs a cloud, where it does; then it is not run.
    pub cloud: Option<String>,
}

/// The blocks of commands of a page, in its order.
///
/// # Errors
/// The line and what is wrong there: a fence without an end, a mark without a reason or a block, a block that shows a prompt.
pub fn blocks(page: &str) -> Result<Vec<Block>, String> {
    let mut blocks = Vec::new();
    let mut cloud: Option<(usize, String)> = None;
    let mut lines = page.lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        let text = line.trim();
        if let Some(reason) = mark(text) {
            if reason.is_empty() {
                return Err(format!("line {number}: the mark says no reason"));
            }
            cloud = Some((number, reason.to_owned()));
            continue;
        }
        let Some(word) = text.strip_prefix("```") else {
            if let Some((marked, _)) = cloud.take_if(|_| !text.is_empty()) {
                return Err(format!("line {marked}: the mark stands before no block"));
            }
            continue;
        };
        let indent = line.len() - line.trim_start().len();
        let mut content = String::new();
        loop {
            let (line, _) = lines
                .next()
                .ok_or_else(|| format!("line {number}: the block has no end"))?;
            if line.trim() == "```" {
                break;
            }
            content.push_str(line.get(indent..).unwrap_or_else(|| line.trim_start()));
            content.push('\n');
        }
        let is_commands = COMMANDS.contains(&word.trim());
        let cloud = match (cloud.take(), is_commands) {
            (Some((marked, _)), false) => {
                return Err(format!("line {marked}: this block is not run in any case"));
            }
            (cloud, _) => cloud.map(|(_, reason)| reason),
        };
        if is_commands {
            if content.lines().any(|line| line.starts_with("$ ")) {
                return Err(format!(
                    "line {number}: the block shows a prompt: what is shown only is ```text"
                ));
            }
            blocks.push(Block {
                line: number + 1,
                text: content,
                cloud,
            });
        }
    }
    match cloud {
        Some((marked, _)) => Err(format!("line {marked}: the mark stands before no block")),
        None => Ok(blocks),
    }
}

/// The reason in a mark; nothing where the line is none.
fn mark(line: &str) -> Option<&str> {
    let inside = line.strip_prefix("<!--")?.strip_suffix("-->")?;
    Some(inside.trim().strip_prefix("cloud:")?.trim())
}
