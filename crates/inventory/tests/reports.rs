//! Reports as the three services write them: read, counted, and what is wrong with them told.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

use flate2::write::GzEncoder;
use lidless_inventory::{
    DataFile, Inventory, InventoryError, InventoryFile, InventoryFiles, Row, Told,
};
use lidless_io::{MemoryBytes, ReadAt, ReadError, ReadErrorKind};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::convert::Infallible;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const AZURE_CSV: &str = "Name,Creation-Time,Last-Modified,Content-Length,AccessTier,Etag,LeaseState\n\
    backups/alice.vhd,2026-01-01T00:00:00Z,2026-01-02T03:04:05Z,40,Archive,0x1,available\n\
    \"models/a, \"\"b\"\".ckpt\",2026-01-01T00:00:00Z,2026-01-02T03:04:05Z,2,Hot,0x2,available\n";

fn azure(folder: &Path, file: &str, rows: u64, bytes: u64) -> PathBuf {
    let manifest = folder.join("rule-manifest.json");
    let text = format!(
        r#"{{"destinationContainer":"inv","endpoint":"https://contoso.blob.core.windows.net",
        "files":[{{"blob":"2026/01/02/03-04-05/rule/{file}"}}],
        "inventoryStartTime":"2026-01-02T03:04:05Z","ruleDefinition":{{"format":"csv",
        "objectType":"blob","schemaFields":["Name"]}},"ruleName":"rule","status":"Succeeded",
        "summary":{{"objectCount":{rows},"totalObjectSize":{bytes}}},"version":"1.0"}}"#
    );
    std::fs::write(&manifest, text).unwrap();
    manifest
}

fn s3(folder: &Path, format: &str, schema: &str, file: &str, md5: &str) -> PathBuf {
    let manifest = folder.join("manifest.json");
    let text = format!(
        r#"{{"sourceBucket":"weights","destinationBucket":"arn:aws:s3:::inv","version":"2016-11-30",
        "creationTimestamp":"1767323045000","fileFormat":"{format}","fileSchema":"{schema}",
        "files":[{{"key":"p/weights/conf/data/{file}","MD5checksum":"{md5}"}}]}}"#
    );
    std::fs::write(&manifest, text).unwrap();
    manifest
}

fn read(manifest: &Path) -> (Vec<Row>, Told) {
    let mut rows = Vec::new();
    let inventory = Inventory::open(manifest).unwrap();
    let Ok(told) = inventory.read(|row| {
        rows.push(row);
        Ok::<(), Infallible>(())
    });
    (rows, told)
}

fn reasons(told: &Told) -> Vec<&str> {
    told.gaps.iter().map(|gap| gap.reason.as_str()).collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// A Parquet file as S3 Inventory writes it, snappy and in two groups of rows.
fn parquet(schema: &str, keys: &[&str], codec: parquet::basic::Compression) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = WriterProperties::builder().set_compression(codec).build();
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
    for group in keys.chunks(2) {
        let texts: Vec<ByteArray> = group.iter().map(|key| ByteArray::from(*key)).collect();
        let numbers: Vec<i64> = (0..group.len()).map(|index| index as i64 + 7).collect();
        let times = vec![1_767_323_045_000i64; group.len()];
        let present = vec![1i16; group.len()];
        let mut row_group = writer.next_row_group().unwrap();
        let mut index = 0;
        while let Some(mut column) = row_group.next_column().unwrap() {
            match column.untyped() {
                ColumnWriter::ByteArrayColumnWriter(writer) => {
                    writer.write_batch(&texts, Some(&present), None).unwrap();
                }
                ColumnWriter::Int64ColumnWriter(writer) => {
                    let values = if index == 1 { &numbers } else { &times };
                    writer.write_batch(values, Some(&present), None).unwrap();
                }
                _ => panic!("another column"),
            }
            column.close().unwrap();
            index += 1;
        }
        row_group.close().unwrap();
    }
    writer.into_inner().unwrap()
}

const S3_PARQUET: &str = "message s3.inventory { optional binary key (UTF8); optional int64 size; \
    optional int64 last_modified_date (TIMESTAMP_MILLIS); optional binary e_tag (UTF8); optional \
    binary storage_class (UTF8); }";

#[test]
fn azure_csv_gives_blobs_with_their_containers_and_agrees_with_its_manifest() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rule.csv"), AZURE_CSV).unwrap();
    let (rows, told) = read(&azure(folder.path(), "rule.csv", 2, 42));
    assert_eq!(told.gaps, []);
    assert_eq!((told.rows, told.bytes), (2, 42));
    assert_eq!((rows[0].container.as_str(), rows[0].object.key.as_str()), ("backups", "alice.vhd"));
    assert!(rows[0].object.is_offline());
    assert_eq!(rows[0].object.modified.unwrap().to_string(), "2026-01-02T03:04:05Z");
    assert_eq!(rows[1].object.key, "a, \"b\".ckpt");
    assert_eq!(rows[1].object.etag.as_deref(), Some("0x2"));
}

#[test]
fn counts_that_are_not_those_of_the_manifest_are_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rule.csv"), AZURE_CSV).unwrap();
    let (rows, told) = read(&azure(folder.path(), "rule.csv", 3, 50));
    assert_eq!(rows.len(), 2);
    assert_eq!(
        reasons(&told),
        [
            "the inventory has 2 rows, and its manifest says 3",
            "the objects of the inventory have 42 bytes, and its manifest says 50"
        ]
    );
    std::fs::write(folder.path().join("rule-manifest.checksum"), "0".repeat(32)).unwrap();
    let (_, told) = read(&folder.path().join("rule-manifest.json"));
    assert!(reasons(&told)[0].contains("checksum file"), "{told:?}");
}

#[test]
fn s3_csv_has_its_columns_in_the_manifest_and_its_keys_encoded() {
    let folder = tempfile::tempdir().unwrap();
    let text = "\"weights\",\"a+b/%C3%A4.txt\",\"5\",\"2026-01-02T03:04:05.000Z\",\"e\",\"GLACIER\",\"SSE-S3\"\n\
                \"weights\",\"no size\",\"\",\"\",\"\",\"\",\"\"\n";
    let bytes = gzip(text);
    std::fs::write(folder.path().join("1.csv.gz"), &bytes).unwrap();
    let schema = "Bucket, Key, Size, LastModifiedDate, ETag, StorageClass, EncryptionStatus";
    let (rows, told) = read(&s3(folder.path(), "CSV", schema, "1.csv.gz", &"0".repeat(32)));
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].object.key, "a b/ä.txt");
    assert_eq!(rows[0].object.tier.as_deref(), Some("glacier"));
    assert_eq!(rows[0].object.encryption, Some(lidless_core::Encryption::Service));
    assert!(reasons(&told)[0].contains("MD5"), "{told:?}");
    assert!(reasons(&told)[1].starts_with("1 rows"), "{told:?}");
}

#[test]
fn parquet_is_read_in_every_compression_that_stores_write() {
    use parquet::basic::{Compression, GzipLevel, ZstdLevel};
    for codec in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let bytes = parquet(S3_PARQUET, &["a+b", "c%20d", "e/f"], codec);
        std::fs::write(folder.path().join("1.parquet"), bytes).unwrap();
        let (rows, told) = read(&s3(folder.path(), "Parquet", "message", "1.parquet", ""));
        assert_eq!(told.gaps, [], "{codec:?}");
        let keys: Vec<&str> = rows.iter().map(|row| row.object.key.as_str()).collect();
        assert_eq!(keys, ["a+b", "c%20d", "e/f"]);
        assert_eq!((rows[1].object.size, rows[2].object.size), (8, 7));
        assert_eq!(rows[0].object.modified.unwrap().to_string(), "2026-01-02T03:04:05Z");
    }
}

#[test]
fn a_file_of_nothing_but_absent_rows_ends() {
    let folder = tempfile::tempdir().unwrap();
    let parsed = Arc::new(parse_message_type(S3_PARQUET).unwrap());
    // One page, so that one run of a few bytes says it all.
    let builder = WriterProperties::builder().set_data_page_row_count_limit(usize::MAX);
    let properties = Arc::new(builder.build());
    let mut writer = SerializedFileWriter::new(Vec::new(), parsed, properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let absent = vec![0i16; 3_000_000];
    while let Some(mut column) = group.next_column().unwrap() {
        match column.untyped() {
            ColumnWriter::ByteArrayColumnWriter(writer) => {
                writer.write_batch(&[], Some(&absent), None).unwrap();
            }
            ColumnWriter::Int64ColumnWriter(writer) => {
                writer.write_batch(&[], Some(&absent), None).unwrap();
            }
            _ => panic!("another column"),
        }
        column.close().unwrap();
    }
    group.close().unwrap();
    let bytes = writer.into_inner().unwrap();
    assert!(bytes.len() < 3_000, "{}", bytes.len());
    std::fs::write(folder.path().join("1.parquet"), bytes).unwrap();
    let (rows, told) = read(&s3(folder.path(), "Parquet", "message", "1.parquet", ""));
    assert_eq!(rows.len(), 0);
    assert!(told.rows < 3_000_000, "{told:?}");
    assert!(reasons(&told).iter().any(|gap| gap.contains("more rows than")), "{told:?}");
}

#[test]
fn columns_of_lists_and_unknown_ones_are_left_alone_and_missing_ones_told() {
    let folder = tempfile::tempdir().unwrap();
    let schema = "message x { optional binary key (UTF8); optional int64 size; optional binary \
                  lease_state (UTF8); optional group tags (LIST) { repeated group list { optional \
                  binary element (UTF8); } } }";
    let parsed = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(
        Vec::new(),
        parsed,
        Arc::new(WriterProperties::builder().build()),
    )
    .unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut index = 0;
    while let Some(mut column) = group.next_column().unwrap() {
        let (level, repeated) = if index == 3 { (3, Some(&[0i16][..])) } else { (1, None) };
        match column.untyped() {
            ColumnWriter::ByteArrayColumnWriter(writer) => {
                writer.write_batch(&[ByteArray::from("k")], Some(&[level]), repeated).unwrap();
            }
            ColumnWriter::Int64ColumnWriter(writer) => {
                writer.write_batch(&[3], Some(&[level]), repeated).unwrap();
            }
            _ => panic!("another column"),
        }
        column.close().unwrap();
        index += 1;
    }
    group.close().unwrap();
    std::fs::write(folder.path().join("1.parquet"), writer.into_inner().unwrap()).unwrap();
    let (rows, told) = read(&s3(folder.path(), "Parquet", "message", "1.parquet", ""));
    assert_eq!((rows.len(), rows[0].object.size), (1, 3));
    assert_eq!(told.gaps.len(), 3, "times, ETags and tiers are missing: {told:?}");
}

#[test]
fn google_csv_is_read_with_the_delimiter_of_its_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("r_manifest.json");
    std::fs::write(
        &manifest,
        r#"{"report_config":{"csv_options":{"delimiter":";","header_required":true}},
           "records_processed":1,"snapshot_time":"2026-01-20T00:00:00Z","shard_count":1,
           "report_shards_file_names":["inv/r_0.csv"]}"#,
    )
    .unwrap();
    std::fs::write(
        folder.path().join("r_0.csv"),
        "project;bucket;name;size;updated;storageClass;etag;md5Hash\n\
         1;weights;a/b.bin;9;2026-01-02T03:04:05Z;STANDARD;CJ;q\n",
    )
    .unwrap();
    let (rows, told) = read(&manifest);
    assert_eq!(told.gaps, []);
    assert_eq!((rows[0].container.as_str(), rows[0].object.key.as_str()), ("weights", "a/b.bin"));
    assert_eq!(rows[0].object.tier.as_deref(), Some("gcs standard"));
}

#[test]
fn a_missing_file_is_told_and_keeps_nothing_else_from_being_read() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = azure(folder.path(), "rule.csv", 2, 42);
    let opened = Inventory::open(&manifest);
    assert!(matches!(opened, Err(InventoryError::NoFiles { files: 1, .. })), "{opened:?}");
    std::fs::write(folder.path().join("rule.csv"), AZURE_CSV).unwrap();
    let text = std::fs::read_to_string(&manifest).unwrap();
    let two = text.replace(r#""files":["#, r#""files":[{"blob":"x/gone.csv","size":1},"#);
    std::fs::write(&manifest, two).unwrap();
    let (rows, told) = read(&manifest);
    assert_eq!(rows.len(), 2);
    assert_eq!(told.gaps.len(), 1);
    assert!(reasons(&told)[0].contains("is not here"), "{told:?}");
}

#[test]
fn orc_is_told_by_its_manifest_and_by_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let orc = Inventory::open(&s3(folder.path(), "ORC", "struct<>", "1.orc", ""));
    assert!(orc.unwrap_err().to_string().contains("ORC, which is not read"));
    std::fs::write(folder.path().join("1.parquet"), b"ORC....").unwrap();
    let (_, told) = read(&s3(folder.path(), "Parquet", "message", "1.parquet", ""));
    assert!(reasons(&told)[0].contains("ORC"), "{told:?}");
}

#[test]
fn a_cut_or_changed_parquet_file_ends_in_rows_or_a_gap() {
    use parquet::basic::{Compression, ZstdLevel};
    let folder = tempfile::tempdir().unwrap();
    let codec = Compression::ZSTD(ZstdLevel::default());
    let bytes = parquet(S3_PARQUET, &["a", "b", "c"], codec);
    let path = folder.path().join("1.parquet");
    let manifest = s3(folder.path(), "Parquet", "message", "1.parquet", "");
    // Every panic of the library that is caught would be printed.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    lidless_kit::cut_and_flip(&bytes, |bytes| {
        std::fs::write(&path, bytes).unwrap();
        let (rows, told) = read(&manifest);
        assert!(rows.len() <= 100_000);
        if bytes.len() < 12 {
            assert!(rows.is_empty() && !told.gaps.is_empty());
        }
    });
    std::panic::set_hook(hook);
}

#[test]
fn a_cut_or_changed_manifest_is_refused_or_read() {
    let folder = tempfile::tempdir().unwrap();
    for manifest in [
        azure(folder.path(), "rule.csv", 2, 42),
        s3(folder.path(), "CSV", "Bucket, Key, Size", "1.csv", "00"),
    ] {
        lidless_kit::cut_and_flip(&std::fs::read(manifest).unwrap(), |bytes| {
            let _ = lidless_inventory::Manifest::parse(bytes);
        });
    }
}

/// An inventory that lies far away: each read is counted, and some are refused.
struct Far {
    manifest: String,
    data: Vec<u8>,
    refused_from: u64,
    reads: Arc<std::sync::atomic::AtomicU64>,
}

struct FarBytes {
    bytes: MemoryBytes,
    refused_from: u64,
    reads: Arc<std::sync::atomic::AtomicU64>,
}

impl ReadAt for FarBytes {
    fn len(&self) -> u64 {
        self.bytes.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        self.reads.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        // The footer is read before anything else.
        if offset >= self.refused_from && offset < self.len() - 2_000 {
            return Err(ReadError::new(ReadErrorKind::Denied, "the service answers 403"));
        }
        self.bytes.read_at(offset, buffer)
    }

    fn lanes(&self) -> usize {
        8
    }
}

impl InventoryFiles for Far {
    fn place(&self) -> String {
        "s3://inv/manifest.json".into()
    }

    fn manifest(&self) -> Result<Arc<dyn ReadAt>, String> {
        Ok(Arc::new(MemoryBytes::new(self.manifest.clone().into_bytes())))
    }

    fn checksum(&self) -> Option<Arc<dyn ReadAt>> {
        None
    }

    fn open(&self, key: &str) -> Result<InventoryFile, String> {
        if key.contains("refused") {
            return Err("cannot be read: the service answers 403".into());
        }
        let bytes = Arc::new(FarBytes {
            bytes: MemoryBytes::new(self.data.clone()),
            refused_from: self.refused_from,
            reads: Arc::clone(&self.reads),
        });
        Ok(InventoryFile { place: format!("s3://inv/{key}"), bytes, md5: Some("ab".into()) })
    }

    fn any(&self, _: &[DataFile]) -> Result<(), String> {
        Ok(())
    }
}

fn far(files: &[String], data: Vec<u8>, refused_from: u64) -> (Vec<Row>, Told, u64) {
    let files: Vec<String> =
        files.iter().map(|key| format!(r#"{{"key":"{key}","MD5checksum":"AB"}}"#)).collect();
    let manifest = format!(
        r#"{{"sourceBucket":"weights","fileFormat":"Parquet","fileSchema":"m","files":[{}]}}"#,
        files.join(",")
    );
    let reads = Arc::default();
    let place = Far { manifest, data, refused_from, reads: Arc::clone(&reads) };
    let mut rows = Vec::new();
    let Ok(told) = Inventory::of(Arc::new(place)).unwrap().read(|row| {
        rows.push(row);
        Ok::<(), Infallible>(())
    });
    (rows, told, reads.load(std::sync::atomic::Ordering::Relaxed))
}

#[test]
fn a_file_far_away_is_read_by_ranges_and_what_is_refused_is_no_fault_of_the_file() {
    let names: Vec<String> = (0..3_000).map(|number| format!("folder/{number:09}.bin")).collect();
    let keys: Vec<&str> = names.iter().map(String::as_str).collect();
    let data = parquet(S3_PARQUET, &keys[..40], parquet::basic::Compression::UNCOMPRESSED);
    let (rows, told, _) = far(&["1.parquet".into()], data.clone(), u64::MAX);
    // Whoever keeps the file says that its MD5 is that of the manifest: it is not read for it.
    assert_eq!((rows.len(), told.gaps), (40, Vec::new()));
    let (rows, told, _) = far(&["1.parquet".into()], data.clone(), 200);
    assert!(rows.len() < 40);
    let told = reasons(&told);
    assert!(told.iter().any(|why| why.contains("to its end: the service answers 403")), "{told:?}");
    assert!(!told.iter().any(|why| why.contains("no Parquet")), "{told:?}");

    // Files that cannot be opened are told one by one, to a bound.
    let files: Vec<String> = (0..50).map(|number| format!("refused-{number}")).collect();
    let (rows, told, reads) = far(&files, data, u64::MAX);
    assert_eq!((rows.len(), told.gaps.len(), reads), (0, 21, 0));
    assert!(reasons(&told).last().unwrap().starts_with("30 more"), "{told:?}");
}
