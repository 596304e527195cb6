//! Rows of archives and of compressed streams.

use crate::measure::{Expected, Row, Source, is, of_tree, part, tree};
use crate::suite::made::{crc, rar4_block};
use Source::{Fixture, Made};

/// What the recipe `tape` packs.
const PACKED: [&str; 5] = [
    "Users/alice/.ssh/",
    "Users/alice/Documents/",
    "home/",
    "many/",
    "Users/alice/Pictures/text.log",
];
/// What the oldest formats of tar have room for.
const SHORT: [&str; 3] = ["Users/alice/.ssh/", "home/", "many/"];

fn token() -> Vec<u8> {
    of_tree("home/bob/.git-credentials")
}

/// An archive of members: name, bytes as they are stored, method, flags.
fn rar(members: &[(&str, &[u8], u8, u16)]) -> Vec<u8> {
    let mut archive = b"Rar!\x1a\x07\0".to_vec();
    archive.extend(rar4_block(0x73, 0, &[0; 6], &[]));
    for (name, stored, method, flags) in members {
        let mut rest = [(stored.len() as u32).to_le_bytes(); 2].concat();
        rest.push(3);
        rest.extend(crc(stored).to_le_bytes());
        rest.extend(0x5000_0000u32.to_le_bytes());
        rest.extend([29, *method]);
        rest.extend((name.len() as u16).to_le_bytes());
        rest.extend(0o100_644u32.to_le_bytes());
        rest.extend(name.as_bytes());
        archive.extend(rar4_block(0x74, 0x8000 | flags, &rest, stored));
    }
    archive.extend(rar4_block(0x7b, 0x4000, &[], &[]));
    archive
}

fn rar_row() -> Row {
    let members = rar(&[("stored.txt", b"as it is", 0x30, 0), ("packed.txt", b"noise", 0x33, 0)]);
    let expected: Expected =
        [is("stored.txt", b"as it is".to_vec()), is("packed.txt", b"a text".to_vec())]
            .into_iter()
            .flatten()
            .collect();
    let locked = rar(&[("secret.txt", b"noise", 0x30, 4)]);
    Row::new("RAR (stored members)")
        .made("x.rar", members, expected)
        .told(vec![Made("x.rar", locked)], "encrypted")
}

fn all(name: &'static str, samples: &[&'static str], roots: &[&str]) -> Row {
    samples.iter().fold(Row::new(name), |row, sample| row.shows(sample, part(&[""], roots)))
}

pub(crate) fn rows() -> Vec<Row> {
    let package = |inner: &str| is(inner, token());
    vec![
        all("zip, zip64, in parts", &["zip/tree.zip", "zip/parts.zip"], &[""])
            .shows("zip/Deflate64.zip", part(&[""], &["many/"]))
            .shows("zip/BZip2.zip", part(&[""], &["many/"]))
            .shows("zip/LZMA.zip", part(&[""], &["many/"]))
            .told(vec![Fixture("zip/aes.zip"), Fixture("zip/zipcrypto.zip")], "encrypted"),
        all(
            "7z",
            &["sevenzip/lzma2.7z", "sevenzip/lzma.7z", "sevenzip/deflate.7z", "sevenzip/bcj2.7z"],
            &[""],
        )
        .shows("sevenzip/ppmd.7z", part(&[""], &["Users/alice/Documents/", "home/", "many/"]))
        .told(vec![Fixture("sevenzip/content.7z"), Fixture("sevenzip/header.7z")], "encrypted"),
        rar_row(),
        all("tar (GNU, pax)", &["tape/oldgnu.tar", "tape/gnu.tar", "tape/posix.tar"], &PACKED),
        all("tar (V7, ustar)", &["tape/v7.tar", "tape/ustar.tar"], &SHORT),
        all("cpio", &["tape/newc.cpio", "tape/crc.cpio", "tape/odc.cpio"], &PACKED),
        Row::new("ar").shows("tape/gnu.a", is("short", token())),
        Row::new("deb")
            .shows("tape/gzip.deb", package("data.tar.gz!/data.tar!/./opt/tool/.git-credentials"))
            .shows("tape/xz.deb", package("data.tar.xz!/data.tar!/./opt/tool/.git-credentials"))
            .shows("tape/zstd.deb", package("data.tar.zst!/data.tar!/./opt/tool/.git-credentials"))
            .shows("tape/none.deb", package("data.tar!/./opt/tool/.git-credentials")),
        Row::new("rpm")
            .shows("tape/w9.gzdio.rpm", package("./opt/tool/.git-credentials"))
            .shows("tape/w9.bzdio.rpm", package("./opt/tool/.git-credentials"))
            .shows("tape/w6.xzdio.rpm", package("./opt/tool/.git-credentials"))
            .shows("tape/w6.lzdio.rpm", package("./opt/tool/.git-credentials"))
            .shows("tape/w3.zstdio.rpm", package("./opt/tool/.git-credentials"))
            .shows("tape/w.ufdio.rpm", package("./opt/tool/.git-credentials")),
        all("cabinet (stored, MSZIP)", &["cab/mszip.cab", "cab/stored.cab"], &[""]),
        all(
            "WIM, ESD, SWM",
            &[
                "wim/none.wim",
                "wim/xpress.wim",
                "wim/lzx.wim",
                "wim/large-chunks.wim",
                "wim/lzms.wim",
                "wim/solid-lzx.esd",
                "wim/parts.swm",
            ],
            &[""],
        ),
    ]
}

pub(crate) fn streams() -> Vec<Row> {
    let text = || is("text.log", of_tree("Users/alice/Pictures/text.log"));
    [
        ("gzip", "streams/text.log.gz"),
        ("bzip2", "streams/text.log.bz2"),
        ("xz", "streams/text.log.xz"),
        ("LZMA", "streams/text.log.lzma"),
        ("Zstandard", "streams/text.log.zst"),
        ("LZ4", "streams/text.log.lz4"),
        ("lzip", "streams/text.log.lz"),
        ("lzop", "streams/text.log.lzo"),
        ("compress", "streams/text.log.Z"),
        ("zlib", "streams/text.log.zz"),
    ]
    .into_iter()
    .map(|(name, path)| Row::new(name).stream(path, text()))
    .chain([Row::new("a tar in a stream").shows("tape/large.tar.gz", tree(&["large.tar!/./"]))])
    .collect()
}
