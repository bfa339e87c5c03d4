//! Whether a built program runs on the images that run Functions: an x86-64 Linux program that needs no newer glibc.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// Prefix of the names under which a program asks for symbols of glibc (ELF symbol versions).
const SYMBOL_VERSION: &[u8] = b"GLIBC_2.";

/// `e_machine` of x86-64 (System V ABI, AMD64 supplement).
const X86_64: [u8; 2] = [0x3e, 0];

/// Checks the program and returns the newest glibc 2.x that it asks for; `None` when it needs none.
///
/// # Errors
/// It is no x86-64 Linux program, or it needs a newer glibc than 2.`newest`.
pub fn check(program: &Path, newest: u32) -> Result<Option<u32>> {
    let bytes = fs::read(program).with_context(|| program.display().to_string())?;
    check_bytes(&bytes, newest).with_context(|| program.display().to_string())
}

fn check_bytes(bytes: &[u8], newest: u32) -> Result<Option<u32>> {
    // Magic, 64 bits, little-endian.
    if bytes.get(..6) != Some(b"\x7fELF\x02\x01") || bytes.get(18..20) != Some(&X86_64) {
        bail!("it is no x86-64 Linux program");
    }
    let needed = bytes
        .windows(SYMBOL_VERSION.len())
        .enumerate()
        .filter(|(_, window)| *window == SYMBOL_VERSION)
        .filter_map(|(at, _)| number(&bytes[at + SYMBOL_VERSION.len()..]))
        .max();
    match needed {
        Some(needed) if needed > newest => {
            bail!("it needs glibc 2.{needed}, but must run with 2.{newest}")
        }
        needed => Ok(needed),
    }
}

/// The decimal number at the start.
fn number(bytes: &[u8]) -> Option<u32> {
    let digits = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    std::str::from_utf8(&bytes[..digits]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(machine: u8, text: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(18, 0);
        bytes.extend([machine, 0]);
        bytes.extend_from_slice(text);
        bytes
    }

    #[test]
    fn the_newest_symbol_version_counts() {
        let needs = |text: &[u8]| check_bytes(&program(0x3e, text), 28);
        assert_eq!(needs(b"\0GLIBC_2.2.5\0GLIBC_2.17\0").unwrap(), Some(17));
        assert_eq!(
            needs(b"\0GLIBC_2.28\0GLIBC_PRIVATE\0GLIBC_2.x").unwrap(),
            Some(28)
        );
        assert_eq!(needs(b"static").unwrap(), None);
        let error = needs(b"\0GLIBC_2.4\0GLIBC_2.32\0").unwrap_err().to_string();
        assert!(error.contains("needs glibc 2.32"), "{error}");
    }

    #[test]
    fn other_programs_are_refused() {
        assert!(
            check_bytes(&program(0xb7, b"GLIBC_2.17"), 28).is_err(),
            "ARM"
        );
        assert!(check_bytes(b"MZ\x90\0", 28).is_err(), "Windows");
        assert!(check_bytes(b"#!/bin/sh\nexec ./handler\n", 28).is_err());
        assert!(check_bytes(b"", 28).is_err());
    }
}
