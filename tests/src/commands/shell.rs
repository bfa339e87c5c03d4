//! The one shell in which the blocks of a page are run.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::Block;

/// Longest time of the whole page.
const LIMIT: Duration = Duration::from_secs(600);

/// Lines of output that are told of a failure.
const TOLD: usize = 40;

/// What is noted when the last block is over.
const END: &str = "end";

/// What stands for a value that the reader is to fill in.
const LEFT_OUT: char = '…';

/// How a page is walked through.
#[derive(Debug, Default)]
pub struct Walk {
    /// Where the reader stands: a copy of the repository, in which the commands may write.
    pub root: PathBuf,
    /// Of the shell, which has no other variables.
    pub environment: Vec<(String, String)>,
    /// What the reader fills in: a piece of the page, and what stands in its place. Each must occur.
    pub values: Vec<(String, String)>,
    /// What the reader does between two blocks, in an editor for example: a piece of a block, and commands to run after that block.
    /// Each must occur.
    pub between: Vec<(String, String)>,
}

/// What became of a page.
#[derive(Debug)]
pub struct Walked {
    /// Lines of the blocks that were run.
    pub run: Vec<usize>,
    /// All that was printed.
    pub output: String,
}

impl Walk {
    /// Runs the blocks that need no cloud, one after the other, in one bash that ends at the first command that fails. There is
    /// nobody at the keyboard: who asks, reads the end of the file.
    ///
    /// # Errors
    /// The line of the block that failed with the last lines of output, or what does not occur or is left out.
    ///
    /// # Panics
    /// When the shell cannot be started.
    pub fn run(&self, blocks: &[Block]) -> Result<Walked, String> {
        let (script, run) = self.script(blocks)?;
        // Beside the reader's folder: it stays as the reader knows it.
        let file = |name: &str| self.root.with_extension(name);
        let [commands, progress, output] = ["commands", "progress", "output"].map(file);
        fs::write(&commands, script).expect("a file");
        let printed = File::create(&output).expect("a file");
        let errors = printed.try_clone().expect("a file");
        let mut shell = Command::new("bash");
        shell
            .arg("--norc")
            .arg(&commands)
            .current_dir(&self.root)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("WALK_PROGRESS", &progress)
            .stdin(Stdio::null())
            .stdout(printed)
            .stderr(errors);
        let status = ended(shell);
        let output = fs::read(&output).expect("output");
        let output = String::from_utf8_lossy(&output).into_owned();
        let begun = fs::read_to_string(&progress).unwrap_or_default();
        let at = begun.lines().last().unwrap_or("none");
        // A shell that a block ends before the page is over says that all is well.
        if at != END || !status.is_some_and(|status| status.success()) {
            let lines: Vec<&str> = output.lines().collect();
            let last = lines[lines.len().saturating_sub(TOLD)..].join("\n");
            let how = match status {
                Some(status) => format!("ended with {status}"),
                None => format!("did not end within {} s", LIMIT.as_secs()),
            };
            return Err(format!("the block of line {at} {how}:\n{last}"));
        }
        Ok(Walked { run, output })
    }

    /// The commands, and the lines of the blocks among them.
    fn script(&self, blocks: &[Block]) -> Result<(String, Vec<usize>), String> {
        let mut script = "set -e -o pipefail\nexec 9>\"$WALK_PROGRESS\"\n".to_owned();
        let mut run = Vec::new();
        let mut occurred = Vec::new();
        for block in blocks.iter().filter(|block| block.cloud.is_none()) {
            let line = block.line;
            let mut text = block.text.clone();
            for (piece, value) in &self.values {
                if text.contains(piece.as_str()) {
                    text = text.replace(piece.as_str(), value);
                    occurred.push(piece);
                }
            }
            if text.contains(LEFT_OUT) {
                return Err(format!(
                    "line {line}: nobody says what the reader puts in the place of {LEFT_OUT}"
                ));
            }
            script += &format!("echo {line} >&9\n{text}");
            for (piece, commands) in &self.between {
                if block.text.contains(piece.as_str()) {
                    script += &format!("{commands}\n");
                    occurred.push(piece);
                }
            }
            run.push(line);
        }
        script += &format!("echo {END} >&9\n");
        let pieces = self.values.iter().chain(&self.between);
        for (piece, _) in pieces {
            if !occurred.contains(&piece) {
                return Err(format!("the page does not say: {piece}"));
            }
        }
        Ok((script, run))
    }
}

/// Waits for the end of a shell; none when it took too long and was killed with what it had started.
fn ended(mut shell: Command) -> Option<ExitStatus> {
    let mut shell = shell.process_group(0).spawn().expect("a shell");
    let group = format!("-{}", shell.id());
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(shell.wait()));
    match receiver.recv_timeout(LIMIT) {
        Ok(status) => Some(status.expect("a child")),
        Err(_) => {
            let kill = Command::new("kill").args(["-KILL", "--", &group]).status();
            assert!(kill.is_ok_and(|status| status.success()), "it lives on");
            None
        }
    }
}
