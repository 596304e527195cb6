//! The stores of invented browsers.

use crate::look::{Disk, assert_silent, finding};
use lidless_core::Severity;

const CHROME: &str = "Users/alice/AppData/Local/Google/Chrome/User Data/Default";
const FIREFOX: &str = "Users/alice/AppData/Roaming/Mozilla/Firefox/Profiles/x.default";

#[test]
fn logins_are_counted_by_site_and_never_shown() {
    let path = format!("{CHROME}/Login Data");
    let Some(disk) = Disk::default().fixture(&path, "sqlite/Login Data") else { return };
    let output = disk.look(&path);
    let logins = finding(&output, "credential_file.browser_logins");
    assert_eq!(logins.evidence, "57 logins for 23 sites (v10 values)");
    assert_eq!((logins.severity, &logins.detail["count"]), (Severity::High, &57.into()));
    let sites = logins.detail["sites"].as_array().unwrap();
    assert!(sites.len() == 20 && sites[0].as_str().unwrap().ends_with(".example.com"));
    assert_eq!(logins.detail["last_used"], "2023-06-11T23:34:17Z");
    assert_silent(&output, &["alice1", "alice57", "never.example.com"]);
    assert!(output.gaps.is_empty());
}

#[test]
fn every_store_of_a_profile_is_counted() {
    let mut disk = Disk::default();
    for (folder, name) in [
        (format!("{CHROME}/Network"), "Cookies"),
        (CHROME.to_owned(), "Web Data"),
        (CHROME.to_owned(), "History"),
        (FIREFOX.to_owned(), "logins.json"),
        (FIREFOX.to_owned(), "key4.db"),
        (FIREFOX.to_owned(), "cookies.sqlite"),
    ] {
        match disk.clone().fixture(&format!("{folder}/{name}"), &format!("sqlite/{name}")) {
            Some(with) => disk = with,
            None => return,
        }
    }
    let output = disk.look_at_all();
    let evidence: Vec<(&str, &str)> = output
        .findings
        .iter()
        .map(|finding| (finding.rule.as_str(), finding.evidence.as_str()))
        .collect();
    let unknown = "whether a primary password protects";
    for (rule, said) in [
        ("credential_file.browser_cards", "2 cards".to_owned()),
        ("credential_file.browser_history", "3000 pages".to_owned()),
        (
            "credential_file.browser_cookies",
            "500 cookies of 16 sites, 400 of them good when last used".into(),
        ),
        (
            "credential_file.browser_cookies",
            "40 cookies of 4 sites, 40 of them good when last used".into(),
        ),
        ("credential_file.firefox_keys", format!("1 key; {unknown} them is not known")),
        (
            "credential_file.firefox_logins",
            format!(
                "3 logins for 2 sites; their keys lie beside them, {unknown} those is not known"
            ),
        ),
    ] {
        assert!(evidence.contains(&(rule, said.as_str())), "{said} in {evidence:#?}");
    }
    assert_eq!(output.findings.len(), 6, "{evidence:#?}");
    assert_silent(&output, &["session1", "ALICE", "MAAA", "/page/"]);
}

#[test]
fn a_store_that_does_not_parse_is_a_gap_and_still_a_finding() {
    let path = format!("{CHROME}/Login Data");
    let Some(fixture) = lidless_kit::fixture("sqlite/Login Data") else { return };
    let mut bytes = std::fs::read(fixture).unwrap();
    bytes[100] = 77;
    let output = Disk::default().with(&path, bytes).look(&path);
    assert_eq!(output.gaps.len(), 1);
    finding(&output, "credential_file.browser_logins");
    let other = Disk::default().with("docs/history", b"once upon a time".to_vec());
    assert!(other.look("docs/history").findings.is_empty());
}

#[test]
fn cookies_of_safari_are_counted_by_their_pages() {
    // Two pages, of three cookies and of one: built by hand after the published layout.
    let page = |count: u32| {
        let mut page = vec![0, 0, 1, 0];
        page.extend(count.to_le_bytes());
        page.resize(8 + 60 * count as usize, 0);
        page
    };
    let pages = [page(3), page(1)];
    let mut bytes = b"cook\0\0\0\x02".to_vec();
    pages.iter().for_each(|page| bytes.extend((page.len() as u32).to_be_bytes()));
    pages.iter().for_each(|page| bytes.extend(page));
    let path = "Users/alice/Library/Cookies/Cookies.binarycookies";
    let output = Disk::default().with(path, bytes.clone()).look(path);
    assert_eq!(finding(&output, "credential_file.browser_cookies").evidence, "4 cookies");
    lidless_kit::cut_and_flip(&bytes, |bytes| {
        Disk::default().with(path, bytes.to_vec()).look(path);
    });
}
