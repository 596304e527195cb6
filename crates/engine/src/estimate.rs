//! What looking into everything that was listed would take, before anything is read.

use crate::error::EngineError;
use crate::expect::promise;
use crate::order::{class, kind};
use lidless_core::{Cost, Estimate, Share};
use lidless_ledger::{Case, ObjectId};
use serde::Deserialize;
use std::collections::BTreeMap;

/// How many objects are taken from the case at a time.
const BATCH: u32 = 10_000;
/// Bytes that one request brings, in the middle of what was measured on the account of the
/// incident.
const BYTES_A_REQUEST: u64 = 32 << 10;

const PRICES: &str = include_str!("../../../rules/cost/prices.toml");

#[derive(Deserialize)]
struct Prices {
    price: Vec<Price>,
}

#[derive(Deserialize)]
struct Price {
    store: String,
    service: String,
    reads_per_10000: f64,
    gigabyte_out: f64,
}

fn add(share: &mut Share, size: u64, to_read: u64) {
    share.objects = share.objects.saturating_add(1);
    share.bytes_listed = share.bytes_listed.saturating_add(size);
    share.bytes_to_read = share.bytes_to_read.saturating_add(to_read);
    share.requests = share.requests.saturating_add(to_read.div_ceil(BYTES_A_REQUEST));
}

/// Of everything that waits in a case.
///
/// # Errors
/// `Database`.
pub fn estimate(case: &Case) -> Result<Estimate, EngineError> {
    let stores: BTreeMap<_, String> = case
        .containers()?
        .into_iter()
        .map(|row| (row.id, row.store.split([':', '+']).next().unwrap_or("").to_owned()))
        .collect();
    let mut estimate = Estimate::default();
    let mut by_store: BTreeMap<&str, Share> = BTreeMap::new();
    let mut after: Option<(i64, ObjectId)> = None;
    loop {
        let batch = case.pending_objects(after, BATCH)?;
        let Some(last) = batch.last() else { break };
        after = Some((last.priority, last.id));
        for pending in &batch {
            let object = &pending.object;
            let readable = object.unreadable().is_none();
            let promised = promise(&pending.container, object).bytes.min(object.size);
            let to_read = if readable { promised } else { 0 };
            let kind = kind(class(&object.key.to_ascii_lowercase()));
            add(estimate.kinds.entry(kind.to_owned()).or_default(), object.size, to_read);
            add(&mut estimate.all, object.size, to_read);
            let store = stores.get(&pending.container).map_or("", String::as_str);
            add(by_store.entry(store).or_default(), object.size, to_read);
        }
    }
    let prices = toml::from_str::<Prices>(PRICES).map(|file| file.price).unwrap_or_default();
    for price in prices {
        let Some(share) = by_store.get(price.store.as_str()) else { continue };
        let dollars = count(share.requests) / 10_000.0 * price.reads_per_10000
            + count(share.bytes_to_read) / 1e9 * price.gigabyte_out;
        estimate.costs.push(Cost { service: price.service, dollars });
    }
    Ok(estimate)
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn count(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_core::{Container, Object};

    #[test]
    fn kinds_and_costs_are_summed_before_anything_is_read() {
        let case = Case::temporary().unwrap();
        let container = Container { name: "c".into(), public: None, modified: None };
        let id = case.put_container("az://contoso", &container).unwrap();
        let object = |key: &str, size| {
            let object = Object { key: key.into(), size, ..Object::default() };
            let priority = crate::order::priority(&object);
            (object, priority)
        };
        let archived = Object {
            key: "old.bak".into(),
            size: 1 << 40,
            tier: Some("Archive".into()),
            ..Object::default()
        };
        let priority = crate::order::priority(&archived);
        let objects = [
            object("a/.ssh/id_rsa", 2000),
            object("disk.vhdx", 1 << 40),
            object("movie.mp4", 1 << 30),
            (archived, priority),
        ];
        case.put_objects(id, &objects).unwrap();
        let estimate = estimate(&case).unwrap();
        assert_eq!((estimate.all.objects, estimate.kinds["credentials"].bytes_to_read), (4, 2000));
        let disk = &estimate.kinds["disk images"];
        assert!(disk.bytes_listed == 1 << 40 && disk.bytes_to_read < 16 << 20);
        assert!(estimate.all.bytes_to_read < 16 << 20, "{estimate:?}");
        assert_eq!(estimate.costs.len(), 1);
        let cost = &estimate.costs[0];
        assert!(cost.service.contains("Azure") && cost.dollars > 0.0 && cost.dollars < 0.01);
    }
}
