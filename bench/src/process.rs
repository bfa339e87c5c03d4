//! What the operating system knows about a process (Linux, "proc" manual page).

use std::fs;

use anyhow::{Context, Result};

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
