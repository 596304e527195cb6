//! Personal data in the shapes it leaks in, and the numbers that look like it and are not.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

use lidless_core::{
    Artifact, Entry, Finding, FingerprintKey, Layer, Limits, Provenance, Severity, Text,
};
use lidless_detect::model::AllowedImports;
use lidless_detect::{Context, Detectors, Output, View};
use lidless_io::MemoryBytes;
use std::sync::Arc;

fn look(name: &str, text: &str) -> Vec<Finding> {
    let place = Provenance::new(Layer::File { path: format!("/data/{name}") });
    let bytes = text.as_bytes().to_vec();
    let head = bytes[..bytes.len().min(16 << 10)].to_vec();
    let artifact = Artifact::new(
        Entry::new(place, Some(bytes.len() as u64)),
        Arc::new(MemoryBytes::new(bytes.clone())),
    );
    let context = Context {
        key: FingerprintKey::from_bytes([7; 32]),
        limits: Limits::default(),
        imports: AllowedImports::default(),
        verify: false,
    };
    let text = Text::decode(&bytes);
    let mut output = Output::default();
    let view = View { artifact: &artifact, head: &head, text: text.as_ref(), pieces: None };
    Detectors::new().detect(&view, &context, &mut output);
    output.findings.retain(|finding| finding.rule.starts_with("personal."));
    output.findings
}

fn rules(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.rule.as_str()).collect()
}

/// A card of the scheme with a true check digit.
fn card(number: u64) -> String {
    let body = format!("4539{:011}", number * 7919);
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0') * if place % 2 == 0 { 2 } else { 1 };
            if digit > 9 { digit - 9 } else { digit }
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

#[test]
fn a_customer_table_is_counted_and_never_quoted() {
    let mut table = "id,first_name,last_name,email,card_number\n".to_owned();
    for number in 0..1200 {
        let line = format!(
            "{number},Ann,Lee{number},ann.lee{number}@shop{}.example.com,{}\n",
            number % 3,
            card(number)
        );
        table.push_str(&line);
    }
    let findings = look("customers.csv", &table);
    assert_eq!(
        rules(&findings),
        ["personal.payment_cards", "personal.email_list", "personal.people"]
    );
    let cards = &findings[0];
    assert_eq!(cards.severity, Severity::Critical);
    assert_eq!(cards.detail["count"], 1200);
    assert_eq!(cards.detail["people_estimate"], 1200);
    assert!(cards.detail["method"].as_str().unwrap().starts_with("different "));
    let shown = serde_json::to_string(&findings).unwrap();
    assert!(!shown.contains("ann.lee") && !shown.contains("Lee7") && !shown.contains("4539"));
}

#[test]
fn health_pay_and_ids_are_classed() {
    let health = "patient_id;diagnosis;dob\n".to_owned() + &"1;J45.0;1980-01-01\n".repeat(150);
    let found = look("export.csv", &health);
    assert_eq!(rules(&found), ["personal.health"]);
    assert_eq!(found[0].severity, Severity::Critical);
    let pay = "name\tdepartment\tsalary\n".to_owned() + &"A B\tLab\t1000\n".repeat(20);
    assert_eq!(rules(&look("hr.tsv", &pay)), ["personal.hr"]);
    let ids = "name,ssn\nA,219-09-9998\nB,219-09-9999\nC,457-55-5462\n";
    assert_eq!(rules(&look("ids.csv", ids)), ["personal.national_id.us_ssn"]);
    let bank = "account DE89 3704 0044 0532 0130 00\naccount GB29 NWBK 6016 1331 9268 19\n";
    assert_eq!(rules(&look("bank.txt", bank)), ["personal.iban"]);
    assert_eq!(rules(&look("a.hl7", "MSH|^~\\&|LAB|x\rPID|1\r")), ["personal.health"]);
}

#[test]
fn numbers_of_machines_are_no_people() {
    let mut log = String::new();
    let mut seed = 1u64;
    for line in 0..3000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        log.push_str(&format!(
            "2023-06-0{} 12:00:{:02} request {} took {} us from 192.0.2.{} id {:016}\n",
            line % 9 + 1,
            line % 60,
            seed >> 20,
            seed >> 50,
            seed % 250,
            seed % 10_000_000_000_000_000
        ));
    }
    assert_eq!(rules(&look("server.log", &log)), Vec::<&str>::new());
    let test = "use 4111 1111 1111 1111 or 4242424242424242 as card number\n";
    assert_eq!(rules(&look("readme.txt", test)), Vec::<&str>::new());
    let version = "version 1.2.3 build 20230601 size 1048576\n".repeat(400);
    assert_eq!(rules(&look("notes.txt", &version)), Vec::<&str>::new());
}
