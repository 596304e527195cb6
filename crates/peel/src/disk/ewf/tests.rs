use super::Ewf;
use crate::disk::beside::Beside;
use crate::disk::image::{Disk, Image};
use crate::error::PeelError;
use lidless_core::Limits;
use lidless_io::read_vec;

const FORMATS: [(&str, &str); 8] = [
    ("encase6", "E"),
    ("encase5", "E"),
    ("encase7", "E"),
    ("encase1", "e"),
    ("linen6", "E"),
    ("ftk", "E"),
    ("smart", "s"),
    ("ewfx", "e"),
];

fn open(beside: &Beside, name: &str) -> Result<Disk, PeelError> {
    let artifact = beside.artifact(name);
    let head = read_vec(&*artifact.bytes, 0, 16 << 10).unwrap();
    assert!(Ewf.recognises(&artifact, &head));
    Ewf.open(&artifact, &head, &Limits::default())
}

fn raw() -> Option<Vec<u8>> {
    Some(std::fs::read(lidless_kit::fixture("ewf/disk.raw")?).unwrap())
}

#[test]
fn every_format_gives_the_disk_byte_for_byte() {
    let Some(raw) = raw() else { return };
    for (name, letter) in FORMATS {
        let beside = Beside::fixture("ewf", &format!("{name}.")).unwrap();
        let disk = open(&beside, &format!("{name}.{letter}01")).unwrap();
        assert!(disk.gaps.is_empty(), "{name}: {:?}", disk.gaps);
        assert_eq!(disk.bytes.len(), raw.len() as u64, "{name}");
        assert!(read_vec(&*disk.bytes, 0, u64::MAX).unwrap() == raw, "{name}: another disk");
        // Again in reads of an odd size, forwards and back.
        let disk = open(&beside, &format!("{name}.{letter}01")).unwrap();
        let step = 70_001;
        let mut places: Vec<usize> = (0..raw.len()).step_by(step).collect();
        places.extend((0..raw.len()).step_by(9 * step).rev());
        for place in places {
            let end = (place + step).min(raw.len());
            let read = read_vec(&*disk.bytes, place as u64, step as u64).unwrap();
            assert!(read == raw[place..end], "{name} at {place}");
        }
        assert_eq!(disk.bytes.read_at(raw.len() as u64, &mut [0; 8]).unwrap(), 0);
    }
}

#[test]
fn another_tool_exports_the_same_disk() {
    let Some(raw) = raw() else { return };
    for name in ["encase6", "smart"] {
        let path = lidless_kit::fixture(&format!("ewf/{name}.exported.raw")).unwrap();
        assert!(std::fs::read(path).unwrap() == raw, "{name}");
    }
    // The sleuth kit reads them through the same library, and only those of EnCase.
    let image = lidless_kit::fixture("ewf/encase6.E01").unwrap();
    let printed = std::process::Command::new("img_cat").arg(image).output().unwrap();
    assert!(printed.stdout == raw);
}

#[test]
fn what_the_examiner_wrote_is_told_but_no_secrets() {
    let Some(beside) = Beside::fixture("ewf", "encase6.") else { return };
    let facts = open(&beside, "encase6.E01").unwrap().facts;
    let of =
        |name: &str| facts.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    assert_eq!(of("case"), Some("CASE-7".into()));
    assert_eq!(of("evidence"), Some("EV-1".into()));
    assert_eq!(of("examiner"), Some("examiner one".into()));
    assert_eq!(of("description"), Some("disk of ws-alice-01".into()));
    assert_eq!(of("acquired_on"), Some("Linux".into()));
    assert_eq!(of("notes"), Some("[not told: may hold a secret]".into()));
    let acquired = of("acquired").unwrap().to_string();
    assert!(acquired.starts_with("\"20") && acquired.ends_with("Z\""), "{acquired}");
    assert_eq!(of("segments"), Some(3.into()));
    for (name, letter) in FORMATS {
        let beside = Beside::fixture("ewf", &format!("{name}.")).unwrap();
        let facts = open(&beside, &format!("{name}.{letter}01")).unwrap().facts;
        assert!(facts.contains(&("case", "CASE-7".into())), "{name}");
    }
}

#[test]
fn a_missing_segment_is_a_gap_and_the_others_are_read() {
    let Some(raw) = raw() else { return };
    let mut beside = Beside::fixture("ewf", "encase6.").unwrap();
    beside.files.remove("encase6.E02");
    let disk = open(&beside, "encase6.E01").unwrap();
    let reasons: Vec<&str> = disk.gaps.iter().map(|(why, _)| why.as_str()).collect();
    assert_eq!(reasons, ["an E01 image with a missing segment"]);
    let lost = disk.gaps[0].1.unwrap() as usize;
    assert!((1_000_000..3_500_000).contains(&lost), "{lost}");
    assert!(read_vec(&*disk.bytes, 0, 900_000).unwrap() == raw[..900_000]);
    let end = raw.len() - 200_000;
    assert!(read_vec(&*disk.bytes, end as u64, 200_000).unwrap() == raw[end..]);
    let middle = read_vec(&*disk.bytes, 1_500_000, 10).unwrap_err();
    assert!(middle.message.contains("missing segment"), "{middle}");

    beside.files.remove("encase6.E03");
    let disk = open(&beside, "encase6.E01").unwrap();
    assert_eq!(disk.gaps[0].0, "an E01 image whose last segments are missing");
    assert!(read_vec(&*disk.bytes, 0, 900_000).unwrap() == raw[..900_000]);
    assert!(read_vec(&*disk.bytes, 1_500_000, 10).is_err());

    let mut beside = Beside::fixture("ewf", "encase6.").unwrap();
    beside.files.get_mut("encase6.E03").unwrap().truncate(200_000);
    let disk = open(&beside, "encase6.E01").unwrap();
    assert_eq!(disk.gaps[0].0, "an E01 image that breaks off");
}

#[test]
fn a_segment_whose_table_comes_first_is_read_up_to_where_it_was_cut() {
    let Some(raw) = raw() else { return };
    let mut beside = Beside::fixture("ewf", "smart.").unwrap();
    beside.files.retain(|name, _| name == "smart.s01");
    beside.files.get_mut("smart.s01").unwrap().truncate(600_000);
    let disk = open(&beside, "smart.s01").unwrap();
    assert_eq!(disk.gaps[0].0, "an E01 image that breaks off");
    assert!(read_vec(&*disk.bytes, 0, 500_000).unwrap() == raw[..500_000]);
    assert!(read_vec(&*disk.bytes, 700_000, 10).is_err());
}

#[test]
fn later_segments_are_parts_while_the_first_is_there() {
    let Some(mut beside) = Beside::fixture("ewf", "encase6.") else { return };
    let is_part = |beside: &Beside, name: &str| {
        let artifact = beside.artifact(name);
        let head = read_vec(&*artifact.bytes, 0, 16 << 10).unwrap();
        Ewf.is_part(&artifact, &head)
    };
    assert!(!is_part(&beside, "encase6.E01"));
    assert!(is_part(&beside, "encase6.E02"));
    beside.files.remove("encase6.E01");
    assert!(!is_part(&beside, "encase6.E02"));
    assert!(matches!(open(&beside, "encase6.E02"), Err(PeelError::Closed(_))));
}

#[test]
fn tables_are_read_where_they_are_needed_and_neighbours_together() {
    let Some(beside) = Beside::fixture("ewf", "encase6.") else { return };
    let disk = open(&beside, "encase6.E01").unwrap();
    let before = beside.tally.requests();
    assert!(before <= 12, "{before} reads to open");
    read_vec(&*disk.bytes, 0, 512).unwrap();
    // The sections around the chunks, the table, the chunk.
    assert!(beside.tally.requests() - before <= 5, "{}", beside.tally.requests() - before);
    let before = (beside.tally.requests(), beside.tally.bytes());
    read_vec(&*disk.bytes, 0, 900_000).unwrap();
    assert_eq!(beside.tally.requests() - before.0, 1);
    assert!(beside.tally.bytes() - before.1 < 950_000);
}

#[test]
fn a_damaged_table_is_read_from_its_copy() {
    let Some(raw) = raw() else { return };
    let mut beside = Beside::fixture("ewf", "encase6.").unwrap();
    let first = beside.files.get_mut("encase6.E01").unwrap();
    let table = find(first, b"table\0");
    first[table + 76 + 24..table + 76 + 24 + 40].fill(0x11);
    let disk = open(&beside, "encase6.E01").unwrap();
    assert!(read_vec(&*disk.bytes, 0, 900_000).unwrap() == raw[..900_000]);
}

#[test]
fn sections_that_point_back_end_the_walk() {
    let Some(mut beside) = Beside::fixture("ewf", "encase6.") else { return };
    let first = beside.files.get_mut("encase6.E01").unwrap();
    for (kind, next) in [(&b"table2"[..], 13u64), (b"sectors", 13), (b"header2", 13)] {
        let section = find(first, kind);
        first[section + 16..section + 24].copy_from_slice(&next.to_le_bytes());
        let sum = super::layout::adler32(&first[section..section + 72]);
        first[section + 72..section + 76].copy_from_slice(&sum.to_le_bytes());
        let beside = Beside {
            files: [("encase6.E01".to_owned(), first.clone())].into(),
            ..Beside::default()
        };
        if let Ok(disk) = open(&beside, "encase6.E01") {
            let _ = read_vec(&*disk.bytes, 0, u64::MAX);
            let _ = read_vec(&*disk.bytes, 2_000_000, 10);
        }
        assert!(beside.tally.requests() < 100, "{}", beside.tally.requests());
    }
}

#[test]
fn cut_and_changed_images_cost_a_bounded_number_of_reads() {
    let Some(beside) = Beside::fixture("ewf", "tiny.E") else { return };
    lidless_kit::cut_and_flip(&beside.files["tiny.E01"], |bytes| {
        let files = [("tiny.E01".to_owned(), bytes.to_vec())].into();
        let beside = Beside { files, ..Beside::default() };
        let artifact = beside.artifact("tiny.E01");
        let Ok(disk) = Ewf.open(&artifact, &bytes[..bytes.len().min(4096)], &Limits::default())
        else {
            return;
        };
        for at in [0, 1000, 20_000, 30_000, disk.bytes.len().saturating_sub(9)] {
            let _ = read_vec(&*disk.bytes, at, 9000);
        }
        assert!(beside.tally.requests() < 200, "{} reads", beside.tally.requests());
    });
}

#[test]
fn an_offset_past_31_bits_goes_on_in_32() {
    // EnCase 6.7 wrote such tables; no tool makes them, and 2 GiB are not kept here: a sparse
    // segment is put together by hand.
    use super::chunks::parse_wide;
    let starts = parse_wide(&[0x7fff_0000, 0x7fff_8004, 0x8000_0008, 0x8000_800c], 0x9000_0000);
    let expected = [0x7fff_0000u64, 0x7fff_8004, 0x8000_0008, 0x8000_800c];
    assert_eq!(starts, Some(expected.map(|start| (start, false)).to_vec()));
    assert_eq!(parse_wide(&[0x20, 0x10], 0x9000_0000), None);
}

fn find(bytes: &[u8], word: &[u8]) -> usize {
    bytes.windows(word.len()).position(|window| window == word).unwrap()
}
