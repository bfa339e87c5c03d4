//! Opening encrypted notifications, beside OpenSSL's private-key operations on the same core; both count processor time.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::on_core;
use crate::table::median;

/// Rounds, alternating.
const ROUNDS: usize = 5;

/// Medians of unwraps per second and of `openssl speed rsa2048` private-key operations per second.
pub fn medians(unwrap: &Path, core: usize) -> Result<(f64, f64)> {
    let mut ours = Vec::new();
    let mut reference = Vec::new();
    for _ in 0..ROUNDS {
        let printed = output(on_core(core, unwrap))?;
        ours.push(unwraps(&printed).context("the unwrap example printed no unwraps_per_second")?);
        let mut openssl = on_core(core, "openssl");
        openssl.args(["speed", "-seconds", "3", "rsa2048"]);
        let printed = output(openssl)?;
        reference.push(private_operations(&printed).context("openssl printed no rsa 2048 line")?);
    }
    Ok((median(ours), median(reference)))
}

fn output(mut command: Command) -> Result<String> {
    let output = command.output().context("cannot start taskset")?;
    if !output.status.success() {
        let (status, said) = (output.status, String::from_utf8_lossy(&output.stderr));
        bail!("{command:?} ended with {status}: {said}");
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn unwraps(printed: &str) -> Option<f64> {
    printed
        .lines()
        .find_map(|line| line.strip_prefix("unwraps_per_second "))?
        .trim()
        .parse()
        .ok()
}

/// `rsa 2048 bits 0.000373s 0.000011s   2682.4  88888.0`: the fourth number from the left is private operations a second.
/// Newer releases print encryption and decryption too; the private (`sign/s`) column stays the first rate.
fn private_operations(printed: &str) -> Option<f64> {
    let line = printed
        .lines()
        .find(|line| line.split_whitespace().take(3).eq(["rsa", "2048", "bits"]))?;
    line.split_whitespace()
        .skip(3)
        .find(|word| !word.ends_with('s'))?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_rates_are_read() {
        assert_eq!(unwraps("x\nunwraps_per_second 2711.5\n"), Some(2711.5));
        let openssl = "                  sign    verify    sign/s verify/s\n\
                       rsa 2048 bits 0.000373s 0.000011s   2682.4  88888.0\n";
        assert_eq!(private_operations(openssl), Some(2682.4));
        let newer = "                   sign    verify    encrypt   decrypt   sign/s verify/s  encr./s  decr./s\n\
                     rsa  2048 bits 0.000364s 0.000021s 0.000022s 0.000367s   2744.2  48309.4  45537.5   2727.4\n";
        assert_eq!(private_operations(newer), Some(2744.2));
    }
}
