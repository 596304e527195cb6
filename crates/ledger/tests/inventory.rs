//! The inventory survives repetition: doing a page or an inspection twice changes nothing.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used)]

use lidless_core::{Container, Gap, Object};
use lidless_ledger::{Case, Inspection, ListingMode, Reach};

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

#[test]
fn a_page_put_twice_is_one_page_and_the_cursor_moves() {
    let case = Case::temporary().unwrap();
    let id = container(&case);
    case.start_listing(id, "", "g").unwrap();
    let task = case.open_listings().unwrap().remove(0);
    let next = lidless_ledger::ListingTask {
        mode: ListingMode::Straight,
        cursor: Some("m1".into()),
        ..task.clone()
    };
    let page = [(object("a", 1, "e"), 5), (object("b", 2, "e"), 1)];
    for _ in 0..2 {
        case.put_page(&task, &page, &["x/".into()], Some(&next)).unwrap();
    }
    let open = case.open_listings().unwrap();
    assert_eq!(open.len(), 2);
    assert_eq!(open[0].cursor.as_deref(), Some("m1"));
    assert_eq!(open[1].prefix, "x/");
    case.put_page(&open[0], &[], &[], None).unwrap();
    assert_eq!(case.open_listings().unwrap().len(), 1);
    let row = case.containers().unwrap().remove(0);
    assert_eq!((row.objects, row.bytes, row.inspected), (2, 3, 0));
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
