//! What manifests say: whose inventory it is, which files it has, and what they should hold.

use lidless_core::Timestamp;
use serde::Deserialize;

/// The store an inventory is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Blobs of an account of Azure.
    Azure {
        /// Its name.
        account: String,
    },
    /// A bucket of S3.
    S3 {
        /// Its name.
        bucket: String,
    },
    /// Buckets of Google Cloud Storage.
    Gcs {
        /// The one bucket, when the manifest says; rows say it as well.
        bucket: Option<String>,
    },
}

impl Origin {
    /// The name of the store, as grants and cases have it: `az://ACCOUNT`, `s3:/`, `gs:/`.
    #[must_use]
    pub fn store(&self) -> String {
        match self {
            Self::Azure { account } => format!("az://{account}"),
            Self::S3 { .. } => "s3:/".to_owned(),
            Self::Gcs { .. } => "gs:/".to_owned(),
        }
    }

    /// The only container there is in it, when that is known from the manifest.
    #[must_use]
    pub fn container(&self) -> Option<&str> {
        match self {
            Self::Azure { .. } => None,
            Self::S3 { bucket } => Some(bucket),
            Self::Gcs { bucket } => bucket.as_deref(),
        }
    }

    /// As a target is written: `az://ACCOUNT`, `s3://BUCKET`.
    #[must_use]
    pub fn place(&self) -> String {
        match self.container() {
            Some(container) => format!("{}/{container}", self.store()),
            None => self.store(),
        }
    }
}

/// One file with rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Its key in the bucket or container that the inventory was written to.
    pub key: String,
    /// Its size, when the manifest says.
    pub size_bytes: Option<u64>,
    /// Its MD5 in hexadecimal, lower case, when the manifest says.
    pub md5: Option<String>,
}

/// A manifest, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Whose inventory it is.
    pub origin: Origin,
    /// When the snapshot was taken.
    pub made: Option<Timestamp>,
    /// The files.
    pub files: Vec<DataFile>,
    /// The columns of CSV files without a header, in order.
    pub columns: Vec<String>,
    /// Whether CSV files begin with a header; none when only the file knows.
    pub header: Option<bool>,
    /// Between the cells of CSV files.
    pub delimiter: u8,
    /// How many rows there should be.
    pub rows: Option<u64>,
    /// How many bytes the objects should have together.
    pub bytes: Option<u64>,
    /// What the store says went wrong when it made the inventory.
    pub trouble: Option<String>,
}

/// No manifest names more files: S3 writes a file a million or so objects.
const MOST_FILES: usize = 1_000_000;

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// In words, what it is instead, or what in it this version does not read.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.starts_with(b"PAR1") {
            return Err("it is a data file (Parquet); name the manifest (JSON) beside it".into());
        }
        if bytes.starts_with(&[0x1f, 0x8b]) {
            return Err("it is compressed; the manifest is JSON (manifest.json), the compressed \
                        files are its data"
                .into());
        }
        let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| {
            if bytes.len() == 32 && bytes.iter().all(u8::is_ascii_hexdigit) {
                "it is the checksum of a manifest; name the manifest beside it".to_owned()
            } else if bytes.first().is_some_and(|byte| *byte != b'{') {
                "it is not JSON; name the manifest (manifest.json), not a data file".to_owned()
            } else {
                format!("its JSON does not parse ({error})")
            }
        })?;
        let has = |name: &str| value.get(name).is_some();
        let malformed = |error: serde_json::Error| format!("it does not parse ({error})");
        let manifest = if has("ruleDefinition") {
            azure(serde_json::from_value(value).map_err(malformed)?)?
        } else if has("sourceBucket") {
            s3(serde_json::from_value(value).map_err(malformed)?)?
        } else if has("report_shards_file_names") || has("reportShardsFileNames") {
            gcs(serde_json::from_value(value).map_err(malformed)?)
        } else {
            return Err("it has none of the fields of Azure Blob Inventory (ruleDefinition), S3 \
                        Inventory (sourceBucket) or Storage Insights (report_shards_file_names)"
                .into());
        };
        if manifest.files.len() > MOST_FILES {
            return Err(format!("it names more than {MOST_FILES} files"));
        }
        Ok(manifest)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AzureManifest {
    endpoint: String,
    #[serde(default)]
    files: Vec<AzureFile>,
    inventory_start_time: Option<String>,
    rule_definition: AzureRule,
    status: Option<String>,
    summary: Option<AzureSummary>,
}

#[derive(Deserialize)]
struct AzureFile {
    blob: String,
    size: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AzureRule {
    object_type: Option<String>,
    #[serde(default)]
    schema_fields: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AzureSummary {
    object_count: Option<u64>,
    total_object_size: Option<u64>,
}

fn azure(manifest: AzureManifest) -> Result<Manifest, String> {
    let kind = manifest.rule_definition.object_type.unwrap_or_default();
    if kind.eq_ignore_ascii_case("container") {
        return Err("it is an inventory of containers, which names no objects: take that of a \
                    rule whose objectType is blob"
            .into());
    }
    let status = manifest.status.unwrap_or_default();
    if status.eq_ignore_ascii_case("Pending") {
        return Err("the service was still writing it (status Pending): download it again".into());
    }
    let failed = !status.is_empty() && !status.eq_ignore_ascii_case("Succeeded");
    let summary = manifest.summary;
    Ok(Manifest {
        origin: Origin::Azure { account: account_of(&manifest.endpoint)? },
        made: time(manifest.inventory_start_time.as_deref()),
        files: manifest
            .files
            .into_iter()
            .map(|file| DataFile { key: file.blob, size_bytes: file.size, md5: None })
            .collect(),
        columns: manifest.rule_definition.schema_fields,
        header: Some(true),
        delimiter: b',',
        rows: summary.as_ref().and_then(|summary| summary.object_count),
        bytes: summary.and_then(|summary| summary.total_object_size),
        trouble: failed.then(|| format!("the service says of it: {}", word(&status))),
    })
}

/// The account of an endpoint: the first label of its host, or, on an emulator's or a private
/// cloud's address, the first part of its path.
fn account_of(endpoint: &str) -> Result<String, String> {
    let rest = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let by_path = host == "localhost" || host.bytes().all(|byte| b"0123456789.".contains(&byte));
    let name = if by_path { path.split('/').next() } else { host.split('.').next() };
    let name = name.unwrap_or("").trim_end_matches("-secondary");
    let valid = (3..=24).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric());
    if valid {
        Ok(name.to_ascii_lowercase())
    } else {
        Err("its endpoint names no storage account".into())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct S3Manifest {
    source_bucket: String,
    creation_timestamp: Option<serde_json::Value>,
    #[serde(default)]
    file_format: String,
    #[serde(default)]
    file_schema: String,
    #[serde(default)]
    files: Vec<S3File>,
}

#[derive(Deserialize)]
struct S3File {
    key: String,
    size: Option<u64>,
    #[serde(rename = "MD5checksum")]
    md5: Option<String>,
}

fn s3(manifest: S3Manifest) -> Result<Manifest, String> {
    let format = &manifest.file_format;
    if format.eq_ignore_ascii_case("ORC") {
        return Err("its files are ORC, which is not read: have the inventory written as Parquet \
                    or CSV"
            .into());
    }
    let is_csv = format.eq_ignore_ascii_case("CSV");
    if !is_csv && !format.eq_ignore_ascii_case("Parquet") {
        return Err(format!("its format {} is not known: CSV and Parquet are read", word(format)));
    }
    let columns = if is_csv {
        manifest.file_schema.split(',').map(|name| name.trim().to_owned()).collect()
    } else {
        Vec::new()
    };
    let made = match manifest.creation_timestamp {
        Some(serde_json::Value::String(text)) => text.parse::<i64>().ok(),
        Some(serde_json::Value::Number(number)) => number.as_i64(),
        _ => None,
    };
    let files = manifest.files.into_iter().map(|file| DataFile {
        key: file.key,
        size_bytes: file.size,
        md5: file.md5.filter(|md5| !md5.is_empty()).map(|md5| md5.to_ascii_lowercase()),
    });
    Ok(Manifest {
        origin: Origin::S3 { bucket: manifest.source_bucket },
        made: made.and_then(crate::cells::millis),
        files: files.collect(),
        columns,
        header: Some(false),
        delimiter: b',',
        rows: None,
        bytes: None,
        trouble: None,
    })
}

#[derive(Deserialize)]
struct GcsManifest {
    #[serde(alias = "reportConfig")]
    report_config: Option<GcsConfig>,
    #[serde(alias = "recordsProcessed")]
    records_processed: Option<Count>,
    #[serde(alias = "snapshotTime")]
    snapshot_time: Option<String>,
    #[serde(alias = "reportShardsFileNames")]
    report_shards_file_names: Vec<String>,
}

#[derive(Deserialize)]
struct GcsConfig {
    #[serde(alias = "csvOptions")]
    csv_options: Option<GcsCsv>,
    #[serde(alias = "objectMetadataReportOptions")]
    object_metadata_report_options: Option<GcsOptions>,
}

#[derive(Deserialize)]
struct GcsCsv {
    delimiter: Option<String>,
    #[serde(alias = "headerRequired")]
    header_required: Option<bool>,
}

#[derive(Deserialize)]
struct GcsOptions {
    #[serde(default, alias = "metadataFields")]
    metadata_fields: Vec<String>,
    #[serde(alias = "storageFilters")]
    storage_filters: Option<GcsFilters>,
}

#[derive(Deserialize)]
struct GcsFilters {
    bucket: Option<String>,
}

/// A number, which JSON of Google's services writes as text.
struct Count(u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Number(number) => number.as_u64(),
            serde_json::Value::String(text) => text.parse().ok(),
            _ => None,
        };
        number.map(Self).ok_or_else(|| serde::de::Error::custom("not a count"))
    }
}

fn gcs(manifest: GcsManifest) -> Manifest {
    let (csv, options) = manifest
        .report_config
        .map_or((None, None), |config| (config.csv_options, config.object_metadata_report_options));
    let delimiter = csv.as_ref().and_then(|csv| csv.delimiter.as_deref());
    let (columns, filters) = options
        .map_or((Vec::new(), None), |options| (options.metadata_fields, options.storage_filters));
    let files = manifest.report_shards_file_names.into_iter();
    Manifest {
        origin: Origin::Gcs { bucket: filters.and_then(|filters| filters.bucket) },
        made: time(manifest.snapshot_time.as_deref()),
        files: files.map(|key| DataFile { key, size_bytes: None, md5: None }).collect(),
        columns,
        header: csv.as_ref().and_then(|csv| csv.header_required),
        delimiter: delimiter.and_then(|text| text.bytes().next()).unwrap_or(b','),
        rows: manifest.records_processed.map(|count| count.0),
        bytes: None,
        trouble: None,
    }
}

fn time(text: Option<&str>) -> Option<Timestamp> {
    text.and_then(|text| text.trim().parse().ok())
}

/// A word of the manifest, short enough to be shown.
fn word(text: &str) -> String {
    text.chars().filter(|letter| letter.is_ascii_graphic()).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AZURE: &str = r#"{"destinationContainer":"inv","endpoint":"https://contoso.blob.core.windows.net",
        "files":[{"blob":"2026/01/02/03-04-05/r/r.csv","size":12}],
        "inventoryCompletionTime":"2026-01-02T03:14:05Z","inventoryStartTime":"2026-01-02T03:04:05Z",
        "ruleDefinition":{"format":"csv","objectType":"blob","schemaFields":["Name","Content-Length"]},
        "ruleName":"r","status":"Succeeded","summary":{"objectCount":3,"totalObjectSize":40},"version":"1.0"}"#;

    #[test]
    fn each_provider_is_known_by_its_own_fields() {
        let azure = Manifest::parse(AZURE.as_bytes()).unwrap();
        assert_eq!(azure.origin.place(), "az://contoso");
        assert_eq!((azure.rows, azure.bytes, azure.header), (Some(3), Some(40), Some(true)));
        let s3 = Manifest::parse(
            br#"{"sourceBucket":"b-1","destinationBucket":"arn:aws:s3:::d","version":"2016-11-30",
               "creationTimestamp":"1514944800000","fileFormat":"CSV",
               "fileSchema":"Bucket, Key, Size","files":[{"key":"x/data/1.csv.gz","size":9,
               "MD5checksum":"F11166069F1990ABEB9C97ACE9CDFABC"}]}"#,
        )
        .unwrap();
        assert_eq!(s3.origin.place(), "s3://b-1");
        assert_eq!(s3.columns, ["Bucket", "Key", "Size"]);
        assert_eq!(s3.made.unwrap().to_string(), "2018-01-03T02:00:00Z");
        assert_eq!(s3.files[0].md5.as_deref(), Some("f11166069f1990abeb9c97ace9cdfabc"));
        let gcs = Manifest::parse(
            br#"{"report_config":{"csv_options":{"delimiter":";","header_required":false},
               "object_metadata_report_options":{"metadata_fields":["bucket","name","size"],
               "storage_filters":{"bucket":"weights"}}},"records_processed":"7",
               "snapshot_time":"2026-01-20T00:00:00Z","shard_count":1,
               "report_shards_file_names":["r_0.csv"]}"#,
        )
        .unwrap();
        assert_eq!(gcs.origin.place(), "gs://weights");
        assert_eq!((gcs.rows, gcs.delimiter, gcs.header), (Some(7), b';', Some(false)));
    }

    #[test]
    fn what_is_not_read_says_what_to_do() {
        let orc = br#"{"sourceBucket":"b","fileFormat":"ORC","fileSchema":"struct<>","files":[]}"#;
        assert!(Manifest::parse(orc).unwrap_err().contains("ORC, which is not read"));
        assert!(Manifest::parse(b"PAR1....").unwrap_err().contains("data file"));
        assert!(Manifest::parse(b"a,b,c\n").unwrap_err().contains("not JSON"));
        assert!(Manifest::parse(b"{}").unwrap_err().contains("none of the fields"));
        assert!(
            Manifest::parse(b"0123456789abcdef0123456789abcdef").unwrap_err().contains("checksum")
        );
        let pending = AZURE.replace("Succeeded", "Pending");
        assert!(Manifest::parse(pending.as_bytes()).unwrap_err().contains("Pending"));
        let containers = AZURE.replace("\"blob\",\"schema", "\"container\",\"schema");
        assert!(Manifest::parse(containers.as_bytes()).unwrap_err().contains("containers"));
    }

    #[test]
    fn an_endpoint_with_the_account_in_its_path_is_an_emulator() {
        assert_eq!(
            account_of("http://127.0.0.1:10000/devstoreaccount1").unwrap(),
            "devstoreaccount1"
        );
        assert_eq!(
            account_of("https://contoso-secondary.blob.core.windows.net/").unwrap(),
            "contoso"
        );
        assert!(account_of("https://").is_err());
    }
}
