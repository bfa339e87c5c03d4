//! `infra/genesys` in a folder of its own, where OpenTofu or Terraform can be let loose on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::inputs::root;
use crate::tool::{self, left_out, printed};

const PROVIDER: &str = "terraform-provider-genesyscloud";

/// The version that a provider beside the tool is taken for: what the lock file has.
const VERSION: &str = "1.84.1";

/// A copy, with the tool that runs there.
pub struct Staged {
    folder: TempDir,
    program: PathBuf,
    /// Whether the provider stands beside the tool, so that no registry is asked.
    is_beside: bool,
}

impl Staged {
    /// A copy with these further files, made ready by `init`; nothing, with a line that says so, where there is no tool or the
    /// provider cannot be brought.
    pub fn new(further: &[(&str, &str)]) -> Option<Self> {
        let Some(found) = tool::find("TOFU", &["tofu", "terraform"], None) else {
            left_out(
                "infra/genesys",
                "neither OpenTofu nor Terraform: set TOFU or the PATH",
            );
            return None;
        };
        let beside = found.parent().map(|it| it.join("opentofu"));
        let beside = beside.filter(|it| it.join(PROVIDER).is_file());
        let folder = tempfile::tempdir().expect("a folder");
        let configuration = folder.path().join("infra/genesys");
        copy(&root().join("infra/genesys"), &configuration);
        for (name, text) in further {
            fs::write(configuration.join(name), text).expect("a file");
        }
        if let Some(beside) = &beside {
            mirror(folder.path(), beside);
        }
        let staged = Self {
            program: beside.as_ref().map_or(found, |it| it.join("tofu")),
            is_beside: beside.is_some(),
            folder,
        };
        let init = staged.run(&["init", "-input=false"], &[]);
        if !init.status.success() {
            assert!(!staged.is_beside, "{}", printed(&init));
            left_out("infra/genesys", "the provider cannot be brought");
            return None;
        }
        Some(staged)
    }

    /// Runs the tool there, with these variables.
    pub fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = Command::new(&self.program);
        command
            .current_dir(self.folder.path().join("infra/genesys"))
            .args(arguments)
            .arg("-no-color")
            .env("CHECKPOINT_DISABLE", "1")
            .envs(variables.iter().copied());
        if self.is_beside {
            command.env("TF_CLI_CONFIG_FILE", self.folder.path().join("tofurc"));
        }
        command.output().expect("the tool runs")
    }

    /// The same; anything but a success fails the test.
    pub fn succeed(&self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let output = self.run(arguments, variables);
        let words = printed(&output);
        assert!(output.status.success(), "{arguments:?}:\n{words}");
        words
    }
}

/// All but what a person's own work leaves there.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_ours = !name.contains("tfstate") && !name.ends_with(".tfvars");
        if entry.path().is_dir() && name != ".terraform" {
            copy(&entry.path(), &to.join(name));
        } else if is_ours && !entry.path().is_dir() {
            fs::copy(entry.path(), to.join(name)).expect("a copy");
        }
    }
}

/// Has the tool find the provider in a folder that looks like a registry.
fn mirror(folder: &Path, beside: &Path) {
    let platform = match std::env::consts::ARCH {
        "aarch64" => "linux_arm64",
        _ => "linux_amd64",
    };
    for registry in ["registry.opentofu.org", "registry.terraform.io"] {
        let place = format!("mirror/{registry}/mypurecloud/genesyscloud/{VERSION}/{platform}");
        let place = folder.join(place);
        fs::create_dir_all(&place).expect("a folder");
        let link = std::os::unix::fs::symlink(beside.join(PROVIDER), place.join(PROVIDER));
        link.expect("a link");
    }
    let text = format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
        folder.join("mirror").display()
    );
    fs::write(folder.join("tofurc"), text).expect("a file");
}
