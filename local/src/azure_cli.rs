//! `az`, as far as the handler's commands for operators use it: tokens of whoever is logged in.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::entra::{Entra, OPERATORS_RESOURCES};

/// Refuses what the Azure CLI refuses, with its words: another command, another tenant, a resource that is not there.
const PROGRAM: &str = r#"#!/bin/sh
if [ "$1 $2" != "account get-access-token" ]; then
    echo "ERROR: '$1' is misspelled or not recognized by the system." >&2
    exit 2
fi
shift 2
while [ $# -gt 0 ]; do
    case "$1" in
        --scope) scope=$2 ;;
        --tenant) tenant=$2 ;;
        -o|--output) ;;
        *) echo "ERROR: unrecognized arguments: $1" >&2; exit 2 ;;
    esac
    shift 2
done
if [ "${tenant:-TENANT}" != "TENANT" ]; then
    echo "ERROR: AADSTS90002: Tenant '$tenant' not found. Check to make sure you have the correct tenant ID." >&2
    exit 1
fi
host=${scope#https://}
host=${host%/.default}
if [ ! -f "DIRECTORY/$host.json" ]; then
    echo "ERROR: AADSTS500011: The resource principal named $scope was not found in the tenant." >&2
    exit 1
fi
cat "DIRECTORY/$host.json"
"#;

/// Puts the program and its tokens below this directory; where the program is.
///
/// # Errors
/// They cannot be written.
pub fn install(files: &Path, entra: &Entra) -> std::io::Result<PathBuf> {
    let (programs, tokens) = (files.join("bin"), files.join("login"));
    fs::create_dir(&programs)?;
    fs::create_dir(&tokens)?;
    for host in OPERATORS_RESOURCES {
        let login = entra.operator_login(host).to_string();
        fs::write(tokens.join(format!("{host}.json")), login)?;
    }
    let program = PROGRAM
        .replace("DIRECTORY", &tokens.display().to_string())
        .replace("TENANT", &entra.tenant());
    let az = programs.join("az");
    fs::write(&az, program)?;
    fs::set_permissions(&az, fs::Permissions::from_mode(0o700))?;
    Ok(programs)
}
