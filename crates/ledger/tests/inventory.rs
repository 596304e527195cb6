//! The inventory survives repetition: doing a page or an inspection twice changes nothing.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used)]

use lidless_core::{BlobType, Container, Encryption, Gap, Object};
use lidless_ledger::{Case, Inspection, ListedPage, ListingMode, ListingTask, Oddities, Reach};

fn object(key: &str, size: u64, etag: &str) -> Object {
    Object {
        key: key.into(),
        size,
        etag: Some(etag.into()),
        modified: None,
        created: None,
        tier: None,
        blob_type: None,
        content_md5: None,
        content_type: None,
        ..Object::default()
    }
}

fn container(case: &Case) -> lidless_ledger::ContainerId {
    let container = Container { name: "models".into(), public: None, modified: None };
    case.put_container("az://contoso", &container).unwrap()
}

fn page<'a>(
    task: &'a ListingTask,
    objects: &'a [(Object, i64)],
    next: Option<&'a ListingTask>,
) -> ListedPage<'a> {
    ListedPage { task, objects, folders: &[], oddities: Oddities::default(), next }
}

fn first_open(case: &Case) -> ListingTask {
    case.open_listings(None, 10).unwrap().remove(0)
}

fn totals(case: &Case) -> (u64, u64) {
    let row = case.containers().unwrap().remove(0);
    (row.objects, row.bytes)
}

#[test]
fn a_page_put_twice_is_one_page_and_the_cursor_moves() {
    let case = Case::temporary().unwrap();
    let id = container(&case);
    case.start_listing(id, "", "g").unwrap();
    let task = first_open(&case);
    let next = ListingTask {
        mode: ListingMode::Straight,
        cursor: Some("m1".into()),
        last: Some("b".into()),
        ..task.clone()
    };
    let objects = [(object("a", 1, "e"), 5), (object("b", 2, "e"), 1)];
    let folders = ["x/".to_owned()];
    let one = ListedPage { folders: &folders, ..page(&task, &objects, Some(&next)) };
    assert!(case.put_page(&one).unwrap());
    let open = case.open_listings(None, 10).unwrap();
    assert_eq!(open.len(), 2);
    assert_eq!((&open[0], open[1].prefix.as_str()), (&next, "x/"));
    assert_eq!(case.open_listings(Some(&open[0]), 10).unwrap(), open[1..]);
    // The service names the same again: counted once, and told.
    let oddities = Oddities { disordered: 2, ..Oddities::default() };
    assert!(
        case.put_page(&ListedPage { oddities, ..page(&open[0], &objects, Some(&next)) }).unwrap()
    );
    assert!(!case.put_page(&page(&open[0], &[], None)).unwrap());
    assert_eq!(case.open_listings(None, 10).unwrap().len(), 1);
    let row = case.containers().unwrap().remove(0);
    assert_eq!((row.objects, row.bytes, row.inspected), (2, 3, 0));
    assert_eq!((row.oddities.repeated, row.oddities.disordered), (2, 0));
}

#[test]
fn a_divided_listing_ends_where_its_upper_part_begins() {
    let case = Case::temporary().unwrap();
    let id = container(&case);
    case.start_listing(id, "", "g").unwrap();
    let task = first_open(&case);
    let upper = ListingTask {
        start: "k".into(),
        mode: ListingMode::Straight,
        cursor: Some("at k".into()),
        last: Some("k".into()),
        ..task.clone()
    };
    assert!(case.split_listing(&task, &upper, &[(object("k", 1, "e"), 1)]).unwrap());
    // A page that was asked for before goes past the place: what lies past it is the other's.
    let next = ListingTask { cursor: Some("m".into()), last: Some("m".into()), ..task.clone() };
    let keys = ["a", "j", "k", "l", "m"].map(|key| (object(key, 1, "e"), 1));
    assert!(!case.put_page(&page(&task, &keys, Some(&next))).unwrap());
    assert_eq!(first_open(&case), upper);
    let rest = ["l", "m", "z"].map(|key| (object(key, 1, "e"), 1));
    assert!(!case.put_page(&page(&upper, &rest, None)).unwrap());
    assert!(case.open_listings(None, 10).unwrap().is_empty());
    assert_eq!(totals(&case), (6, 6));
    // Too late: it is at its end, or past the place.
    assert!(!case.split_listing(&upper, &upper, &[]).unwrap());
}

#[test]
fn a_single_object_that_a_listing_names_too_is_one_object() {
    let case = Case::temporary().unwrap();
    let id = container(&case);
    case.put_objects(id, &[(object("b", 2, "e"), 1)]).unwrap();
    case.put_objects(id, &[(object("b", 2, "e"), 1)]).unwrap();
    case.start_listing(id, "", "g").unwrap();
    let keys = ["a", "b", "c"].map(|key| (object(key, 2, "e"), 1));
    case.put_page(&page(&first_open(&case), &keys, None)).unwrap();
    assert_eq!(totals(&case), (3, 6));
    case.put_objects(id, &[(object("c", 5, "f"), 1), (object("d", 1, "e"), 1)]).unwrap();
    assert_eq!(totals(&case), (4, 10));
    // A wider listing that comes later names them all again.
    case.start_listing(id, "a", "h").unwrap();
    case.put_page(&page(&first_open(&case), &keys[..1], None)).unwrap();
    assert_eq!(totals(&case), (4, 10));
}

#[test]
fn a_broken_listing_is_gone_on_with_by_a_resumed_run() {
    let case = Case::temporary().unwrap();
    let id = container(&case);
    case.start_listing(id, "", "g").unwrap();
    let task = first_open(&case);
    case.break_off_listing(&task).unwrap();
    assert!(case.open_listings(None, 10).unwrap().is_empty());
    case.reopen_for_resume().unwrap();
    assert_eq!(first_open(&case), task);
}

#[test]
fn a_case_of_version_1_is_brought_up_to_date_with_all_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.case");
    std::fs::write(&path, include_bytes!("case_1.sqlite")).unwrap();
    let case = Case::open(&path).unwrap();
    let row = case.containers().unwrap().remove(0);
    assert_eq!((row.objects, row.bytes, row.inspected, row.bytes_inspected), (4, 100, 1, 10));
    assert_eq!((row.bytes_read, row.requests, row.entries), (10, 1, 3));
    let skipped = case.skipped().unwrap();
    let told: Vec<_> =
        skipped.iter().map(|one| (one.reason.as_str(), one.objects, one.bytes)).collect();
    assert_eq!(told, [("budget spent", 1, 20), ("not looked into yet", 2, 70)]);
    let task = first_open(&case);
    assert_eq!((task.prefix.as_str(), task.cursor.as_deref()), ("logs/", Some("m7")));
    let whole = Reach { container: row.id, prefix: String::new(), exact: false };
    assert_eq!(case.reach_classes(&whole).unwrap(), [(0, 30), (1, 70)]);
    let pending = case.pending_objects(None, 10).unwrap();
    let keys: Vec<_> = pending.iter().map(|one| one.object.key.as_str()).collect();
    assert_eq!(keys, ["c", "d"]);
    assert_eq!(pending[0].object.modified.unwrap().as_second(), 1_672_531_200);
    // What the listing names again is not there twice.
    let again = ["logs/a", "logs/b"].map(|key| (object(key, 1, "e"), 1));
    case.put_page(&page(&task, &again, None)).unwrap();
    assert_eq!(totals(&case), (6, 102));
    drop(case);
    assert_eq!(totals(&Case::open(&path).unwrap()), (6, 102));
}

#[test]
fn objects_come_in_order_of_priority_and_only_while_pending() {
    let case = Case::temporary().unwrap();
    let id = container(&case);
    case.put_objects(id, &[(object("a", 1, "1"), 5), (object("b/c", 2, "1"), 1)]).unwrap();
    let pending = case.pending_objects(None, 10).unwrap();
    let keys: Vec<_> = pending.iter().map(|one| one.object.key.as_str()).collect();
    assert_eq!(keys, ["b/c", "a"]);
    let after = Some((pending[0].priority, pending[0].id));
    assert_eq!(case.pending_objects(after, 10).unwrap().len(), 1);
    let seen = Inspection {
        entries: 3,
        bytes_read: 2,
        requests: 1,
        gaps: vec![Gap::new("az://contoso/models/b/c", "encrypted", None)],
        ..Inspection::default()
    };
    case.put_inspection(&pending[0], &seen).unwrap();
    case.put_inspection(&pending[0], &seen).unwrap();
    assert_eq!(case.pending_objects(None, 10).unwrap().len(), 1);
    assert_eq!(case.gaps().unwrap().len(), 1);
    // The same version listed again stays inspected, a new version does not.
    case.put_objects(id, &[(object("b/c", 2, "1"), 1)]).unwrap();
    assert_eq!(case.pending_objects(None, 10).unwrap().len(), 1);
    case.put_objects(id, &[(object("b/c", 2, "2"), 1)]).unwrap();
    assert_eq!(case.pending_objects(None, 10).unwrap().len(), 2);
    let part = Reach { container: id, prefix: "b/".into(), exact: false };
    assert_eq!(case.reach_totals(&part).unwrap(), (1, 2));
}

#[test]
fn an_object_is_opened_again_for_a_finding_in_it_and_no_other_is() {
    use lidless_core::{Category, Confidence, Finding, Layer, Place, Provenance, Severity};
    let case = Case::temporary().unwrap();
    let id = container(&case);
    case.put_objects(id, &[(object("a", 1, "1"), 1), (object("b", 2, "1"), 2)]).unwrap();
    for pending in case.pending_objects(None, 10).unwrap() {
        let place =
            Place::whole(Provenance::new(Layer::Input { name: pending.object.key.clone() }));
        let (high, sure) = (Severity::High, Confidence::High);
        let finding = Finding::new("secret.x", Category::Secret, high, sure, "x", &place, "x");
        let seen = Inspection { findings: vec![finding], ..Inspection::default() };
        case.put_inspection(&pending, &seen).unwrap();
    }
    assert!(case.pending_objects(None, 10).unwrap().is_empty());
    let findings = case.findings().unwrap();
    let of_b = findings.iter().find(|one| one.location.contains('b')).unwrap();
    case.reopen_findings(&[of_b.id.as_str(), "no such finding"]).unwrap();
    let pending = case.pending_objects(None, 10).unwrap();
    let keys: Vec<_> = pending.iter().map(|one| one.object.key.as_str()).collect();
    assert_eq!(keys, ["b"]);
}

#[test]
fn objects_that_are_only_added_leave_what_is_known_as_it_is() {
    let case = Case::temporary().unwrap();
    let id = container(&case);
    case.put_objects(id, &[(object("a", 1, "new"), 5)]).unwrap();
    case.add_objects(id, &[(object("a", 9, "old"), 5), (object("b", 2, "old"), 5)]).unwrap();
    assert_eq!(totals(&case), (2, 3));
    // What is put counts, whatever was said before.
    case.put_objects(id, &[(object("a", 9, "newer"), 5)]).unwrap();
    assert_eq!(totals(&case), (2, 11));
    // Beside a listing it is looked up among what that named.
    case.start_listing(id, "", "g").unwrap();
    let task = first_open(&case);
    assert!(!case.put_page(&page(&task, &[(object("c", 4, "e"), 1)], None)).unwrap());
    case.add_objects(id, &[(object("c", 40, "old"), 1), (object("d", 1, "old"), 1)]).unwrap();
    assert_eq!(totals(&case), (4, 16));
}

#[test]
fn a_case_keeps_whose_key_an_object_is_encrypted_with_where_that_is_not_usual() {
    let case = Case::temporary().unwrap();
    let id = container(&case);
    let with = |key: &str, encryption| Object {
        encryption: Some(encryption),
        blob_type: Some(BlobType::Page),
        ..object(key, 1, "e")
    };
    let objects = [
        (with("locked", Encryption::CustomerKey), 1),
        (with("scoped", Encryption::Scope), 2),
        (with("usual", Encryption::Service), 3),
    ];
    case.put_objects(id, &objects).unwrap();
    let pending = case.pending_objects(None, 10).unwrap();
    let kept: Vec<_> = pending.iter().map(|one| one.object.encryption).collect();
    assert_eq!(kept, [Some(Encryption::CustomerKey), Some(Encryption::Scope), None]);
    assert!(pending.iter().all(|one| one.object.blob_type == Some(BlobType::Page)));
    assert!(pending[0].object.unreadable().is_some());
    let mut exported = Vec::new();
    case.each_object(|_, _, stored| {
        exported.push(stored.object.encryption);
        Ok::<(), lidless_ledger::LedgerError>(())
    })
    .unwrap();
    assert_eq!(exported, kept);
}
