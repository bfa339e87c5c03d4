//! Writing a ZIP archive whose bytes depend on its files alone: nothing is compressed, and all files have the same time.
//!
//! The layout is that of PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16. Permissions stand where Info-ZIP's programs
//! for Unix put them, which is where Azure's deployment reads them (azure-functions-core-tools, `ZipHelper.cs`).

/// A file's name and content.
pub type Entry<'a> = (&'a str, &'a [u8]);

/// `version made by` of a Unix program (section 4.4.2.2), without which a reader takes no permissions from the attributes.
const UNIX: u16 = 3 << 8;
/// A regular file that everybody may read, and one that everybody may run besides (`st_mode` of stat(2)).
const FILE: u32 = 0o100_644;
const PROGRAM: u32 = 0o100_755;

/// 2.0: the oldest version that every reader knows.
const VERSION: u16 = 20;
/// The names are UTF-8 (section 4.4.4, bit 11).
const UTF8: u16 = 1 << 11;
/// Midnight of 1 January 1980, the first moment that an archive can name: hours first, then year, month and day.
const TIME: [u16; 2] = [0, (1 << 5) | 1];

/// The archive of these files, in this order; the one of this name is a program that may be run. Each of them, and the whole, must
/// be smaller than 4 GB.
pub fn archive(entries: &[Entry<'_>], program: Option<&str>) -> Vec<u8> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for (name, content) in entries {
        let offset = long(archive.len());
        let common = common(name, content);
        archive.extend(b"PK\x03\x04");
        archive.extend(&common);
        archive.extend(name.as_bytes());
        archive.extend(*content);

        directory.extend(b"PK\x01\x02");
        directory.extend((UNIX | VERSION).to_le_bytes());
        directory.extend(&common);
        // No comment, the first disk, no internal attributes.
        directory.extend([0; 6]);
        let mode = match program == Some(*name) {
            true => PROGRAM,
            false => FILE,
        };
        directory.extend((mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (count, start) = (short(entries.len()), long(archive.len()));
    archive.extend(&directory);
    archive.extend(b"PK\x05\x06");
    // The first disk, where the directory is as well.
    archive.extend([0; 4]);
    archive.extend([count, count].map(u16::to_le_bytes).concat());
    archive.extend(long(directory.len()).to_le_bytes());
    archive.extend(start.to_le_bytes());
    // No comment.
    archive.extend([0; 2]);
    archive
}

/// What a file's own header and the directory say alike: how it is stored, when it was changed, its sum and its lengths.
fn common(name: &str, content: &[u8]) -> Vec<u8> {
    let stored = 0;
    let no_extra_field = 0;
    let mut header = Vec::new();
    header.extend(
        [VERSION, UTF8, stored, TIME[0], TIME[1]]
            .map(u16::to_le_bytes)
            .concat(),
    );
    let length = long(content.len());
    header.extend(
        [crc32(content), length, length]
            .map(u32::to_le_bytes)
            .concat(),
    );
    header.extend(
        [short(name.len()), no_extra_field]
            .map(u16::to_le_bytes)
            .concat(),
    );
    header
}

/// The checksum of ISO 3309, reflected, as section 4.4.7 wants it.
fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ if sum & 1 == 1 { 0xEDB8_8320 } else { 0 };
        }
    }
    !sum
}

fn short(length: usize) -> u16 {
    u16::try_from(length).expect("fewer than 65,536")
}

fn long(length: usize) -> u32 {
    u32::try_from(length).expect("less than 4 GB")
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// The files of an archive.
    pub fn read(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
        let files = read_with_modes(archive).into_iter();
        files.map(|(name, _, content)| (name, content)).collect()
    }

    /// The files of an archive with their permissions, found from its end as readers do, with their sums checked.
    pub fn read_with_modes(archive: &[u8]) -> Vec<(String, usize, Vec<u8>)> {
        let number = |at: usize, bytes: usize| {
            let bytes = archive[at..at + bytes].iter().rev();
            bytes.fold(0, |sum, byte| (sum << 8) | usize::from(*byte))
        };
        let end = archive.len() - 22;
        assert_eq!(archive[end..end + 4], *b"PK\x05\x06");
        let mut entry = number(end + 16, 4);
        assert_eq!(entry + number(end + 12, 4), end, "the directory ends here");
        let mut files = Vec::new();
        for _ in 0..number(end + 10, 2) {
            assert_eq!(archive[entry..entry + 4], *b"PK\x01\x02");
            let local = number(entry + 42, 4);
            assert_eq!(archive[local..local + 4], *b"PK\x03\x04");
            assert_eq!(
                archive[local + 4..local + 30],
                archive[entry + 6..entry + 32]
            );
            let (length, name_length) = (number(entry + 24, 4), number(entry + 28, 2));
            let name = archive[entry + 46..entry + 46 + name_length].to_vec();
            let content = local + 30 + name_length;
            let content = archive[content..content + length].to_vec();
            assert_eq!(
                number(entry + 16, 4),
                usize::try_from(crc32(&content)).unwrap()
            );
            assert_eq!(number(entry + 5, 1), 3, "made by a Unix program");
            let mode = number(entry + 40, 2);
            files.push((String::from_utf8(name).unwrap(), mode, content));
            entry += 46 + name_length;
        }
        assert_eq!(entry, end);
        files
    }

    /// The check value of this checksum in Ross Williams' catalogue of them.
    #[test]
    fn the_checksum_is_the_published_one() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn files_come_out_as_they_went_in() {
        let files: [Entry<'_>; 3] = [("a.json", b"{}"), ("empty", b""), ("\u{e9}.bin", &[0, 255])];
        let archive = archive(&files, None);
        let found = read(&archive);
        let found: Vec<Entry<'_>> = found.iter().map(|(name, it)| (&**name, &**it)).collect();
        assert_eq!(found, files);
    }

    /// The same file as Python's `zipfile` stores it with these permissions: another program's word for where each field lies.
    #[test]
    fn the_bytes_are_those_of_another_writer() {
        for (program, mode) in [(None, "a481"), (Some("\u{e9}"), "ed81")] {
            let expected = format!(
                "504b0304 1400 0008 0000 0000 2100 ac2a93d8 02000000 02000000 0200 0000 c3a9 6869 \
                 504b0102 1403 1400 0008 0000 0000 2100 ac2a93d8 02000000 02000000 0200 0000 \
                 0000 0000 0000 0000{mode} 00000000 c3a9 \
                 504b0506 0000 0000 0100 0100 30000000 22000000 0000"
            );
            let bytes = archive(&[("\u{e9}", b"hi")], program);
            let found: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(found, expected.replace(' ', ""), "{program:?}");
        }
    }
}
