//! Finding Chromium and ChromeDriver for the page's tests, or installing Debian's packages of them.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::command;
use crate::workspace::Workspace;

const PACKAGES: [&str; 2] = ["chromium", "chromium-driver"];
const HELP: &str = "set CHROMIUM and CHROMEDRIVER to the two programs, of the same version";

/// A browser, and the program that drives it.
pub struct Browser {
    /// The browser's program.
    pub chromium: PathBuf,
    /// ChromeDriver, of the browser's version.
    pub driver: PathBuf,
    /// `LD_LIBRARY_PATH` for a browser whose libraries were unpacked rather than installed.
    pub library_path: Option<OsString>,
}

/// The browser named by `CHROMIUM` and `CHROMEDRIVER`, else the one on `PATH`, else Debian's, installed now.
pub fn find_or_install(workspace: &Workspace) -> Result<Browser> {
    let unpacked = workspace.tool("chromium");
    if let Some(browser) = find().or_else(|| find_unpacked(&unpacked)) {
        return Ok(browser);
    }
    if command::on_path(&["apt-get"]).is_none() {
        bail!("the page's tests need Chromium and ChromeDriver: {HELP}");
    }
    match rights() {
        Some(prefix) => install(&prefix)?,
        None => unpack(&unpacked)?,
    }
    find()
        .or_else(|| find_unpacked(&unpacked))
        .with_context(|| format!("Debian's packages held no chromium or chromedriver: {HELP}"))
}

fn find() -> Option<Browser> {
    let program = |variable: &str, names: &[&str]| {
        std::env::var_os(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_file())
            .or_else(|| command::on_path(names))
    };
    Some(Browser {
        chromium: program(
            "CHROMIUM",
            &["chromium", "chromium-browser", "google-chrome"],
        )?,
        driver: program("CHROMEDRIVER", &["chromedriver"])?,
        library_path: None,
    })
}

fn find_unpacked(directory: &Path) -> Option<Browser> {
    let root = directory.join("root");
    let libraries = fs::read_dir(root.join("usr/lib"))
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with("-linux-gnu"))
        .flat_map(|path| [path.join("pulseaudio"), path])
        .chain([root.join("usr/lib/chromium")]);
    let browser = Browser {
        // The program itself: `usr/bin/chromium` is a script that expects it in its installed place.
        chromium: root.join("usr/lib/chromium/chromium"),
        driver: root.join("usr/bin/chromedriver"),
        library_path: std::env::join_paths(libraries).ok(),
    };
    (browser.chromium.is_file() && browser.driver.is_file()).then_some(browser)
}

/// What to put before `apt-get` so that it may install: nothing for root, else sudo when it asks no password.
fn rights() -> Option<Vec<&'static str>> {
    let id = command::output(Command::new("id").arg("-u")).ok()?;
    if id.trim() == "0" {
        return Some(Vec::new());
    }
    let quiet = |program: &str, arguments: &[&str]| {
        Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    quiet("sudo", &["-n", "true"]).then(|| vec!["sudo", "-n"])
}

fn install(prefix: &[&str]) -> Result<()> {
    eprintln!("Installing Debian's packages {}", PACKAGES.join(" and "));
    let apt_get = |arguments: &[&str]| {
        let mut words = prefix.to_vec();
        words.push("apt-get");
        words.extend(["-q", "-o", "Dpkg::Use-Pty=0"]);
        words.extend(arguments);
        command::run(
            Command::new(words[0])
                .args(&words[1..])
                .env("DEBIAN_FRONTEND", "noninteractive"),
        )
    };
    apt_get(&["update"])?;
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(PACKAGES);
    apt_get(&arguments).with_context(|| format!("Chromium could not be installed: {HELP}"))
}

/// Without the right to install: downloads the packages and those they need, and unpacks them.
fn unpack(directory: &Path) -> Result<()> {
    eprintln!("Unpacking Debian's Chromium into {}", directory.display());
    let root = directory.join("root");
    let packages = directory.join("packages");
    fs::create_dir_all(&root).with_context(|| root.display().to_string())?;
    fs::create_dir_all(&packages).with_context(|| packages.display().to_string())?;
    let plan = command::output(
        Command::new("apt-get")
            .args(["install", "--simulate", "--no-install-recommends"])
            .args(PACKAGES),
    )
    .with_context(|| format!("Chromium is not among this machine's packages: {HELP}"))?;
    command::run(
        Command::new("apt-get")
            .arg("-q")
            .arg("download")
            .args(planned(&plan))
            .current_dir(&packages),
    )
    .with_context(|| format!("Chromium could not be downloaded: {HELP}"))?;
    for entry in fs::read_dir(&packages)? {
        let package = entry?.path();
        command::run(Command::new("dpkg").arg("-x").arg(&package).arg(&root))?;
    }
    fs::remove_dir_all(&packages).with_context(|| packages.display().to_string())
}

/// The packages that `apt-get install --simulate` says it would install.
fn planned(plan: &str) -> Vec<&str> {
    plan.lines()
        .filter_map(|line| line.strip_prefix("Inst ")?.split(' ').next())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::planned;

    #[test]
    fn planned_packages_are_read_from_a_simulated_installation() {
        let plan = "NOTE: This is only a simulation!\n\
                    Inst libogg0 (1.3.5-3 Debian:12.15/oldstable [amd64])\n\
                    Inst chromium (1 Debian:12 [amd64]) []\n\
                    Conf libogg0 (1.3.5-3 Debian:12.15/oldstable [amd64])\n";
        assert_eq!(planned(plan), ["libogg0", "chromium"]);
    }
}
