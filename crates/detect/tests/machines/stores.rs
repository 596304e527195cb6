//! Stores of credentials by their headers, and files of the catalogue by their content.

use crate::look::{Disk, assert_silent, finding};
use lidless_core::{Category, Severity};

fn look(path: &str, content: &[u8]) -> lidless_detect::Output {
    Disk::default().with(path, content.to_vec()).look(path)
}

#[test]
fn a_keepass_database_says_how_dear_a_try_is() {
    let mut bytes = vec![0x03, 0xd9, 0xa2, 0x9a, 0x67, 0xfb, 0x4b, 0xb5, 1, 0, 3, 0];
    bytes.extend([2, 16, 0, 0x31, 0xc1, 0xf2, 0xe6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend([6, 8, 0, 0x60, 0xea, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let output = look("Users/alice/Documents/any name", &bytes);
    let keepass = finding(&output, "credential_file.keepass");
    assert_eq!(keepass.evidence, "KDBX 3.1, AES-256, AES-KDF, 60000 rounds");
}

#[test]
fn files_are_confirmed_by_content_and_lowered_where_they_are_encrypted() {
    for (path, content, rule, severity) in [
        (
            "etc/wireguard/wg0.conf",
            &b"[Interface]\nPrivateKey = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"[..],
            "credential_file.wireguard",
            Severity::Critical,
        ),
        (
            "a/group_vars/all.yml",
            b"$ANSIBLE_VAULT;1.1;AES256\n3030\n",
            "credential_file.ansible_vars",
            Severity::Medium,
        ),
        (
            "a/group_vars/all.yml",
            b"db_password: canary\n",
            "credential_file.ansible_vars",
            Severity::High,
        ),
        (
            "Users/a/AppData/Roaming/WinSCP.ini",
            b"[x]\nPassword=A35C\nUseMasterPassword=1\n",
            "credential_file.winscp",
            Severity::High,
        ),
        (
            "Users/a/server.rdp",
            b"full address:s:rdp.example.com\n",
            "credential_file.rdp",
            Severity::Medium,
        ),
        ("x/adt.hl7", b"MSH|^~\\&|lab|x\r", "personal_data.hl7", Severity::Critical),
        ("b/db.dump", b"PGDMP\x01\x0e\0rest", "credential_file.database_dump", Severity::High),
        ("Windows/MEMORY.DMP", b"PAGEDU64\0\0", "credential_file.memory_image", Severity::High),
        ("etc/shadow", b"root:$y$j9T$abc:1::::::\n", "credential_file.shadow", Severity::Critical),
        (
            "var/lib/etcd/member/snap/db",
            b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xed\xda\x0c\xed\0",
            "credential_file.etcd",
            Severity::Critical,
        ),
    ] {
        let output = look(path, content);
        assert_eq!(finding(&output, rule).severity, severity, "{path}");
        assert_silent(&output, &["canary"]);
    }
    for (path, content) in [
        ("etc/shadow", &b"root:*:1::::::\n"[..]),
        ("etc/wireguard/wg0.conf", b"[Interface]\nAddress = 192.0.2.1\n"),
        ("src/settings.json", b"{\"type\": \"object\"}"),
        ("Users/a/.docker/config.json", b"{\"auths\": {}, \"credsStore\": \"desktop\"}"),
        (
            "Windows/Panther/unattend.xml",
            b"<unattend><Password><Value>*SENSITIVE*DATA*DELETED*</Value></Password></unattend>",
        ),
    ] {
        let rules: Vec<String> = look(path, content)
            .findings
            .into_iter()
            .filter(|found| found.category == Category::CredentialFile)
            .map(|found| found.rule)
            .collect();
        assert!(rules.is_empty(), "{path}: {rules:?}");
    }
}
