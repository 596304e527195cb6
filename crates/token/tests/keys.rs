//! Keys, pairs and links in the forms in which they leak, and what only looks like one.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use lidless_core::{Mechanism, Severity, Timestamp};
use lidless_token::{AccountSasParameters, Credential, KeyRing, Sighting, read, recognise};

const KEY: &str =
    "kJx0q3Zr9vT1mYwB7eNcHs5oLdU2aFgPi8RtXzQ4bVnCj6SyWuEpGhMkA0lDfO+I/KrTq1w2e3y4u5i6o7p8QA==";

fn secrets(text: &str) -> Vec<Sighting> {
    let mut all = recognise(text);
    all.retain(|one| one.credential.secret().is_some());
    all
}

#[test]
fn account_keys_are_found_with_their_account() {
    assert_eq!(KEY.len(), 88);
    let json = KEY.replace('/', "\\/").replace('+', "\\u002b").replace('=', "\\u003d");
    let encoded = KEY.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D");
    for text in [
        format!(
            "DefaultEndpointsProtocol=https;AccountName=contosolab;AccountKey={KEY};EndpointSuffix=core.windows.net"
        ),
        format!(
            "EndpointSuffix=core.windows.net;AccountKey={KEY};AccountName=contosolab;DefaultEndpointsProtocol=https"
        ),
        format!(
            "<add key=\"Storage\" connectionString=\"DefaultEndpointsProtocol=https;AccountName=contosolab;AccountKey={KEY}\" />"
        ),
        format!(
            "AzureWebJobsStorage: DefaultEndpointsProtocol=https;AccountName=contosolab;AccountKey={KEY};EndpointSuffix=core.windows.net"
        ),
        format!(
            "{{\"c\": \"DefaultEndpointsProtocol=https;AccountName=contosolab;AccountKey={json};EndpointSuffix=core.windows.net\"}}"
        ),
        format!("c=AccountName%3Dcontosolab%3BAccountKey%3D{encoded}%3B"),
        format!(
            "conn = (\"DefaultEndpointsProtocol=https;AccountName=contosolab;\"\n    \"AccountKey={KEY};EndpointSuffix=core.windows.net\")"
        ),
        format!("AZURE_STORAGE_ACCOUNT=contosolab\nAZURE_STORAGE_KEY={KEY}\n"),
        format!(
            "export AZURE_STORAGE_ACCOUNT=\"contosolab\"\nexport AZURE_STORAGE_ACCESS_KEY=\"{KEY}\"\n"
        ),
        format!("az storage blob list --account-name contosolab --account-key {KEY} -c models"),
        format!("storage_account_name = \"contosolab\"\nstorage_account_key  = \"{KEY}\"\n"),
        format!("BlockBlobService(account_name='contosolab', account_key='{KEY}')"),
        format!("new StorageSharedKeyCredential(\"contosolab\", \"{KEY}\")"),
        format!(
            "spark.conf.set(\"fs.azure.account.key.contosolab.blob.core.windows.net\", \"{KEY}\")"
        ),
        format!(
            "resource \"x\" {{ storage_account_name = \"contosolab\"\n primary_access_key = \"{KEY}\" }}"
        ),
        format!(
            "account: contosolab\nkeys: [{{\"keyName\": \"key1\", \"permissions\": \"FULL\", \"value\": \"{KEY}\"}}]\n"
        ),
        format!("{{\"storageAccount\": \"contosolab\", \"storageKey\": \"{KEY}\"}}"),
        format!("[remote]\ntype = azureblob\naccount = contosolab\naccess_key = {KEY}\n"),
    ] {
        let all = secrets(&text);
        assert_eq!(all.len(), 1, "{text} {all:?}");
        assert_eq!(all[0].credential.secret().unwrap().expose(), KEY, "{text}");
        let access = all[0].credential.access().unwrap_or_else(|| panic!("{text}"));
        assert_eq!(access.account, "contosolab", "{text}");
        assert_eq!(access.origin, "https://contosolab.blob.core.windows.net", "{text}");
        let span = &text[all[0].span.clone()];
        assert!(!span.ends_with(['"', '\'', ')', '\n']), "{span}");
    }
    let prose = format!(
        "Use the storage account with care. Your account, please note, has AccountKey={KEY}"
    );
    assert_eq!(secrets(&prose)[0].credential.access(), None, "no word of a sentence is an account");
    let local = format!("BlobEndpoint=http://127.0.0.1:4321/lab;AccountName=lab;AccountKey={KEY}");
    let access = read(&local).unwrap().access().unwrap();
    assert_eq!((access.origin.as_str(), access.path_style), ("http://127.0.0.1:4321", true));
}

#[test]
fn the_published_key_is_named_and_no_other() {
    let published = concat!(
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq",
        "/K1SZFPTOtr/KBHBeksoGMGw=="
    );
    let grant = |key: &str| {
        let text = format!(
            "AccountName=devstoreaccount1;AccountKey={key};BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;"
        );
        let credential = read(&text).unwrap();
        let grant = credential.grant(Timestamp::UNIX_EPOCH, &KeyRing::default());
        (credential.is_public_test_value(), grant.severity, grant.problems[0].rule.clone())
    };
    let rule = "key.published_emulator_key".to_owned();
    assert_eq!(grant(published), (true, Severity::Info, rule));
    assert_eq!(grant(KEY), (false, Severity::Critical, "key.account_key".to_owned()));
}

#[test]
fn pairs_of_access_keys_are_found() {
    let id = format!("AKIA{}", "IOSFODNN7ABCDEFG");
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYabcdefghij";
    let hmac = format!("GOOG{}", "7ABCDEFGHIJKLMNOPQRS");
    let long = format!("GOOG1E{}", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567ABCDEFGHIJKLMNOPQRSTUVW");
    for (text, mechanism) in [
        (
            format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"),
            Mechanism::AwsAccessKey,
        ),
        (
            format!("AWS_SECRET_ACCESS_KEY={secret}\nAWS_ACCESS_KEY_ID={id}\n"),
            Mechanism::AwsAccessKey,
        ),
        (
            format!("{{\"AccessKeyId\": \"{id}\", \"SecretAccessKey\": \"{secret}\"}}"),
            Mechanism::AwsAccessKey,
        ),
        (
            format!("new AWS.S3({{accessKeyId: '{id}', secretAccessKey: '{secret}'}})"),
            Mechanism::AwsAccessKey,
        ),
        (format!("Access key ID,Secret access key\n{id},{secret}\n"), Mechanism::AwsAccessKey),
        (format!("hadoop fs -ls s3a://{id}:{secret}@bucket/"), Mechanism::AwsAccessKey),
        (
            format!("access_key = {}\nsecret_key = {secret}\n", id.replace("AKIA", "ASIA")),
            Mechanism::AwsAccessKey,
        ),
        (
            format!("gs_access_key_id = {hmac}\ngs_secret_access_key = {secret}\n"),
            Mechanism::GcsHmacKey,
        ),
        (format!("accessId: {long}\nsecret: {secret}\n"), Mechanism::GcsHmacKey),
    ] {
        let all = secrets(&text);
        assert_eq!(all.len(), 1, "{text}");
        assert_eq!(all[0].credential.mechanism(), mechanism, "{text}");
        assert_eq!(all[0].credential.secret().unwrap().expose(), secret, "{text}");
        assert!(!format!("{all:?}").contains(secret));
    }
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC".repeat(30);
    let file = format!(
        "{{\n \"type\": \"service_account\",\n \"project_id\": \"p\",\n \"private_key_id\": \"1\",\n \"private_key\": \"-----BEGIN {} KEY-----\\n{body}\\n-----END {} KEY-----\\n\",\n \"client_email\": \"sa@p.iam.gserviceaccount.com\"\n}}\n",
        "PRIVATE", "PRIVATE"
    );
    let all = secrets(&file);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].credential.mechanism(), Mechanism::GcsServiceAccount);
    let hint = all[0].credential.grant(Timestamp::UNIX_EPOCH, &KeyRing::default()).key_hint;
    assert_eq!(hint.as_deref(), Some("sa@p.iam.gserviceaccount.com"));
}

#[test]
fn look_alikes_stay_silent() {
    let sig = "XU9vVDvdBUWTusHpd4JYXiDMqemtGI6IIU8EyqlN%2Bxk%3D";
    let row = format!("{}==", "x".repeat(86));
    let id = format!("AKIA{}", "IOSFODNN7ABCDEFG");
    for text in [
        format!("AccountName=contosolab;AccountKey={row};EndpointSuffix=core.windows.net"),
        "AccountName=contosolab;AccountKey=<your key>;EndpointSuffix=core.windows.net".into(),
        "AccountName=contosolab;AccountKey=${KEY};EndpointSuffix=core.windows.net".into(),
        format!("AccountEndpoint=https://x.documents.azure.com:443/;AccountKey={KEY};"),
        format!("integrity sha512-{KEY}"),
        format!("\"integrity\": \"sha512-{KEY}\", \"storage\": 1"),
        format!("access key {id} was rotated"),
        format!("{id} secret = {}", "a".repeat(40)),
        format!("{id} secret = {}", "0123456789abcdef0123456789abcdef01234567"),
        "AKIAIOSFODNN7EXAMPLE secret = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
        "class AsiaPacificRegion { secret = false }".into(),
        "https://GOOGLE.com/GOOGLEANALYTICS".into(),
        format!("https://prod-1.westeurope.logic.azure.com/workflows/a/triggers/manual/paths/invoke?api-version=2016-10-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={sig}"),
        format!("SharedAccessSignature sr=https%3a%2f%2fbus.servicebus.windows.net&sig={sig}&se=1700000000&skn=Root"),
        format!("https://maps.example.com/x?sig={sig}"),
        format!("sv=2020-08-04&ss=b&srt=sco&sp=r&se=2030-01-01&sig={}", "A".repeat(43) + "%3D"),
        format!("sv=2020-08-04&ss=b&srt=sco&sp=r&se=2030-01-01&sig={}", "x".repeat(43) + "="),
        "sv=2020-08-04&ss=b&srt=sco&sp=r&se=2030-01-01&sig=<signature>".into(),
        "sv=2020-08-04&ss=b&srt=sco&sp=r&se=2030-01-01&sig=%3Csignature%3E".into(),
        "sv=2020-08-04&ss=b&srt=sco&sp=r&se=2030-01-01&sig=...".into(),
        "sv=2020-08-04&ss=b&srt=sco&sp=r&se=2030-01-01&sig=REDACTED\nandthenthereisalonglineoftextthatgoeson=".into(),
        "sv=2020-08-04&ss=b&srt=sco&sp=r&se=2030-01-01&sig=${{ secrets.SIG }}".into(),
        "sv=2020-08-04&ss=b&srt=sco&sp=r&se=2030-01-01&sig=[44 characters]".into(),
        "https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIA&X-Amz-Date=20200101T000000Z&X-Amz-Signature=<sig>".into(),
        "https://b.s3.amazonaws.com/k?AWSAccessKeyId=AKIA&Expires=1&Signature=short".into(),
        "git log --format=%G? --show-signature=always design=1 config=2 multisig=3".into(),
    ] {
        assert!(secrets(&text).is_empty(), "{text}: {:?}", secrets(&text));
    }
}

#[test]
fn presigned_links_of_every_cloud_are_read_whole_or_wrapped() {
    let hex = "9573a5cc05dd97dc40563919592d535a9f9fd8d6ba39897800f439da7ba97812";
    let v2 = "g1mzTROHh6KLmsXa93ThV0EOgyI%3D";
    for (url, mechanism, resource, expires) in [
        (
            format!(
                "https://lab.s3.eu-west-1.amazonaws.com/a/b.bin?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7ABCDEFG%2F20261123%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Date=20261123T120000Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature={hex}"
            ),
            Mechanism::S3PresignedV4,
            "s3://lab/a/b.bin",
            "2026-11-23T13:00:00Z",
        ),
        (
            format!(
                "http://127.0.0.1:9000/lab/a.bin?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=minio%2F20261123%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20261123T120000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature={hex}"
            ),
            Mechanism::S3PresignedV4,
            "s3://lab/a.bin",
            "2026-11-23T12:01:00Z",
        ),
        (
            format!(
                "https://lab.s3.amazonaws.com/a.txt?AWSAccessKeyId=AKIAIOSFODNN7ABCDEFG&Expires=2110795200&Signature={v2}"
            ),
            Mechanism::S3PresignedV2,
            "s3://lab/a.txt",
            "2036-11-20T12:00:00Z",
        ),
        (
            format!(
                "https://storage.googleapis.com/lab/a.txt?GoogleAccessId=GOOG7ABCDEFGHIJKLMNOPQRS&Expires=2110795200&Signature={v2}"
            ),
            Mechanism::GcsSignedV2,
            "gs://lab/a.txt",
            "2036-11-20T12:00:00Z",
        ),
        (
            format!(
                "https://lab.oss-cn-hangzhou.aliyuncs.com/a.txt?OSSAccessKeyId=LTAI5tABC&Expires=2110795200&Signature={v2}"
            ),
            Mechanism::OssPresignedV1,
            "oss://lab/a.txt",
            "2036-11-20T12:00:00Z",
        ),
        (
            format!(
                "https://lab.oss-cn-hangzhou.aliyuncs.com/a.txt?x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-credential=LTAI5tABC%2F20261123%2Fcn-hangzhou%2Foss%2Faliyun_v4_request&x-oss-date=20261123T120000Z&x-oss-expires=3600&x-oss-signature={hex}"
            ),
            Mechanism::OssPresignedV4,
            "oss://lab/a.txt",
            "2026-11-23T13:00:00Z",
        ),
    ] {
        let id = read(&url).unwrap_or_else(|| panic!("{url}")).id();
        let cut = url.find("ignature=").unwrap() + 20;
        let (a, b) = url.split_at(cut);
        for text in [
            format!("get {url}, now"),
            format!("<a href=\"{}\">", url.replace('&', "&amp;")),
            format!("{{\"u\": \"{}\"}}", url.replace('&', "\\u0026")),
            format!("u = \"{a}\" \\\n  \"{b}\"\n"),
            format!("curl\n  {a}\n  {b}\nThen rest.\n"),
        ] {
            let all = secrets(&text);
            assert_eq!(all.len(), 1, "{text}");
            assert_eq!(all[0].credential.id(), id, "{text}");
            assert_eq!(all[0].form, "presigned_url");
            let grant = all[0].credential.grant(Timestamp::UNIX_EPOCH, &KeyRing::default());
            assert_eq!((grant.mechanism, grant.resource.as_str()), (mechanism, resource));
            assert_eq!(grant.expires.unwrap().to_string(), expires);
        }
        let shown = read(&url).unwrap().redacted_url();
        assert!(!shown.contains(hex) && !shown.contains("g1mzTROHh6KLmsXa93ThV0EOgyI"), "{shown}");
    }
}

#[test]
fn cut_and_changed_input_never_panics_nor_gains_a_permission() {
    let sas = "BlobEndpoint=https://contosolab.blob.core.windows.net/;SharedAccessSignature=sv=2020-08-04&ss=b&srt=co&sp=rl&se=2051-10-06&sig=XU9vVDvdBUWTusHpd4JYXiDMqemtGI6IIU8EyqlN%2Bxk%3D";
    for sample in [
        sas.to_owned(),
        format!("AccountName=contosolab;AccountKey={KEY};"),
        "https://b.s3.amazonaws.com/a?AWSAccessKeyId=AKIAIOSFODNN7ABCDEFG&Signature=g1mzTROHh6KLmsXa93ThV0EOgyI%3D&Expires=2110795200".to_owned(),
        format!("ünï \"{}\"", sas.replace('&', "\\u0026").replace('%', "%25")),
    ] {
        lidless_kit::cut_and_flip(sample.as_bytes(), |bytes| {
            let text = String::from_utf8_lossy(bytes);
            for one in recognise(&text) {
                assert!(text.get(one.span.clone()).is_some());
                let _ = one.credential.grant(Timestamp::UNIX_EPOCH, &KeyRing::default());
                let _ = (one.credential.id(), one.credential.access());
            }
            let _ = read(&text);
        });
    }
    // With the key, no change passes for what was signed.
    let token = AccountSasParameters {
        version: "2021-08-06".into(),
        services: "b".into(),
        resource_types: "o".into(),
        permissions: "r".into(),
        expiry: "2051-10-06T07:00:00Z".into(),
        ..AccountSasParameters::default()
    };
    let url = format!(
        "https://contosolab.blob.core.windows.net/c/a?{}",
        token.mint("contosolab", KEY).unwrap()
    );
    let keys = KeyRing::parse(&format!("contosolab:{KEY}")).unwrap();
    let grant = |url: &str| read(url).map(|one| one.grant(Timestamp::UNIX_EPOCH, &keys));
    let whole = grant(&url).unwrap();
    assert_eq!(whole.signature.verified, Some(true));
    let mut changed = 0;
    for at in 0..url.len() {
        for bit in 0..7u8 {
            let mut bytes = url.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let Ok(text) = String::from_utf8(bytes) else { continue };
            let Some(found) = grant(&text) else { continue };
            let more = found.permissions != whole.permissions || found.expires != whole.expires;
            changed += usize::from(more);
            assert!(!more || found.signature.verified != Some(true), "{text}");
        }
    }
    assert!(changed > 20, "{changed}");
    for end in 0..sas.len() {
        if let Some(found @ Credential::AzureSas(_)) = read(&sas[..end]) {
            let whole = read(sas).unwrap().grant(Timestamp::UNIX_EPOCH, &KeyRing::default());
            let cut = found.grant(Timestamp::UNIX_EPOCH, &KeyRing::default());
            assert_eq!(cut.permissions, whole.permissions, "{}", &sas[..end]);
        }
    }
}

#[test]
fn hostile_text_costs_time_in_proportion() {
    let sig = "&sig=XU9vVDvdBUWTusHpd4JYXiDMqemtGI6IIU8EyqlN%2Bxk%3D";
    let time = |text: &str| {
        let start = std::time::Instant::now();
        let _ = recognise(text);
        start.elapsed().as_secs_f64()
    };
    for unit in [
        sig,
        "sig=\"\\\n'",
        "AccountKey=",
        "https://a.blob.core.windows.net/?",
        "SharedAccessSignature=sv=2020-01-01&sig=",
        "&amp;&#38;sig%3d",
        "AKIAABCDEFGHIJKLMNOP secret ",
        "\"type\": \"service_account\" {",
    ] {
        let small = unit.repeat(60_000 / unit.len());
        let large = unit.repeat(480_000 / unit.len());
        let (small, large) = (time(&small), time(&large));
        assert!(large < 0.5 + 24.0 * small, "{unit}: {small} s, then {large} s");
    }
}
