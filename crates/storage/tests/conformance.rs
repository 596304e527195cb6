//! The conformance suite against a real service: Azurite.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    unreachable_pub,
    missing_docs
)]

mod suite;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lidless_core::{Access, Auth, BlobType, Provider, PublicAccess, Scope, Secret};
use lidless_io::read_exact_vec;
use lidless_kit::Azurite;
use lidless_storage::{Client, ClientSettings, Endpoints, ListRequest, open};
use lidless_token::AccountSasParameters;
use std::sync::Arc;

const ACCOUNT: &str = "northwind9";

fn azurite() -> Option<(Azurite, String, String)> {
    let key = |seed: u8| STANDARD.encode((0..64).map(|n| seed.wrapping_mul(n)).collect::<Vec<_>>());
    let (key1, key2) = (key(41), key(97));
    let azurite = Azurite::start(&[(ACCOUNT, &key1, &key2)])?;
    Some((azurite, key1, key2))
}

#[test]
fn azurite_passes_the_suite_and_nothing_is_written() {
    let Some((azurite, key1, key2)) = azurite() else { return };
    let world = suite::World::new(&azurite.url(), ACCOUNT, &key1, &key2);
    for (name, public) in &world.containers {
        let public = match public {
            PublicAccess::None => None,
            other => Some(other.as_str()),
        };
        azurite.put_container(ACCOUNT, name, public);
    }
    for ((container, key), bytes) in &world.blobs {
        azurite.put_blob(ACCOUNT, container, key, bytes);
    }
    let before = azurite.snapshot(ACCOUNT);
    suite::conformance(&world);
    assert_eq!(before, azurite.snapshot(ACCOUNT));
}

#[test]
fn a_disk_of_terabytes_is_read_where_it_is_looked_at() {
    let Some((azurite, key, _)) = azurite() else { return };
    azurite.put_container(ACCOUNT, "backups", None);
    let size = 4u64 << 40;
    let pages: [(u64, &[u8]); 2] = [(0, &[7; 512]), (3 << 40, &[9; 1024])];
    azurite.put_page_blob(ACCOUNT, "backups", "pc/disk 0.vhd", size, &pages);
    // The name of a cloud that is not asked: the endpoint replaces it.
    let access = Access {
        provider: Provider::Azure,
        origin: format!("https://{ACCOUNT}.blob.core.windows.net"),
        path_style: false,
        account: ACCOUNT.into(),
        container: None,
        key: None,
        auth: Auth::Key { id: ACCOUNT.into(), key: Secret::new(key), session: None },
    };
    let settings = ClientSettings {
        endpoints: Endpoints { azure: Some(azurite.url()), ..Endpoints::default() },
        ..ClientSettings::default()
    };
    let client = Arc::new(Client::new(Arc::new(Scope::without_file()), settings));
    let store = open(&client, &access).unwrap();
    let request = ListRequest { container: "backups".into(), ..ListRequest::default() };
    let listed = store.list(&request).unwrap().objects;
    assert_eq!((listed[0].size, listed[0].blob_type), (size, Some(BlobType::Page)));
    let before = client.tally().requests();
    let bytes = client.tally().bytes();
    let disk = store.open("backups", &listed[0]);
    assert_eq!(read_exact_vec(&*disk, 510, 4).unwrap(), [7, 7, 0, 0]);
    let near = [3 << 40..(3 << 40) + 2, (3 << 40) + 1022..(3 << 40) + 1026];
    let parts = disk.read_ranges(&near).unwrap();
    assert_eq!((&parts[0][..], &parts[1][..]), (&[9, 9][..], &[9, 9, 0, 0][..]));
    // The beginning, the map of what was written, and one part of it: holes cost nothing.
    assert_eq!(client.tally().requests() - before, 3);
    assert!(client.tally().bytes() - bytes < 4 + 1026 + 600);
    let large = read_exact_vec(&*disk, (3 << 40) - (9 << 20), 18 << 20).unwrap();
    assert_eq!(large.iter().filter(|byte| **byte == 9).count(), 1024);
    assert_eq!(client.tally().requests() - before, 3 + 1);
}

#[test]
fn a_link_whose_container_is_gone_still_lists_the_account() {
    let Some((azurite, key, _)) = azurite() else { return };
    azurite.put_container(ACCOUNT, "backups", None);
    let query = AccountSasParameters {
        version: "2020-08-04".into(),
        services: "b".into(),
        resource_types: "sco".into(),
        permissions: "rl".into(),
        expiry: "2051-10-06T07:00:00Z".into(),
        ..AccountSasParameters::default()
    }
    .mint(ACCOUNT, &key)
    .unwrap();
    let access = Access {
        provider: Provider::Azure,
        origin: azurite.url(),
        path_style: false,
        account: ACCOUNT.into(),
        container: Some("models".into()),
        key: None,
        auth: Auth::Query(Secret::new(query)),
    };
    let settings = ClientSettings {
        endpoints: Endpoints { azure: Some(azurite.url()), ..Endpoints::default() },
        ..ClientSettings::default()
    };
    let client = Arc::new(Client::new(Arc::new(Scope::without_file()), settings));
    let probe = open(&client, &access).unwrap().probe().unwrap();
    assert_eq!(probe.observed.can_list_containers, Some(true));
    assert_eq!(probe.observed.can_list, Some(true));
}
