//! What the operating system knows about a process (Linux, "proc" manual page), and which processor cores it may use (`taskset`,
//! util-linux).

use std::ffi::OsStr;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};

/// Clock ticks per second in `/proc/{pid}/stat` (USER_HZ, which is 100 on every Linux ABI in use).
const TICKS: f64 = 100.0;

/// Resident memory now, in MB.
pub fn resident(process: u32) -> Result<f64> {
    megabytes(process, "VmRSS:")
}

/// The most resident memory since the start, or since [`forget_peak`], in MB.
pub fn peak(process: u32) -> Result<f64> {
    megabytes(process, "VmHWM:")
}

fn megabytes(process: u32, figure: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let kibibytes: f64 = status
        .lines()
        .find_map(|line| line.strip_prefix(figure)?.split_whitespace().next())
        .with_context(|| format!("no {figure}"))?
        .parse()?;
    Ok(kibibytes * 1024.0 / 1e6)
}

/// Lets the most resident memory start anew.
pub fn forget_peak(process: u32) -> Result<()> {
    Ok(fs::write(format!("/proc/{process}/clear_refs"), "5")?)
}

/// Processor time used so far, in seconds.
pub fn processor_seconds(process: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The fields after the program's name, which may hold spaces: utime and stime are the 12th and 13th.
    let (_, fields) = stat.rsplit_once(')').context("unexpected /proc/stat")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks =
        |place: usize| -> Result<f64> { Ok(fields.get(place).context("short stat")?.parse()?) };
    Ok((ticks(11)? + ticks(12)?) / TICKS)
}

/// A program that will run on this processor core alone.
pub fn on_core(core: usize, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &core.to_string()]).arg(program);
    command
}

/// Runs the work while these processes keep off the core that a program under test has for itself.
///
/// On a machine with one core all share it.
pub async fn apart<T>(
    core: usize,
    processes: &[u32],
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let cores = thread::available_parallelism().context("the number of cores")?;
    let others: Vec<String> = (0..cores.get())
        .filter(|other| *other != core)
        .map(|other| other.to_string())
        .collect();
    if others.is_empty() {
        return work.await;
    }
    allow(processes, &others.join(","))?;
    let outcome = work.await;
    allow(processes, &format!("0-{}", cores.get() - 1))?;
    outcome
}

fn allow(processes: &[u32], cores: &str) -> Result<()> {
    for process in processes {
        let status = Command::new("taskset")
            .args(["--all-tasks", "--cpu-list", "--pid", cores])
            .arg(process.to_string())
            .stdout(Stdio::null())
            .status()
            .context("cannot start taskset (util-linux)")?;
        if !status.success() {
            bail!("taskset ended with {status}");
        }
    }
    Ok(())
}
