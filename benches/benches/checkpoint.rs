//! A torch checkpoint of a gigabyte behind the replica, judged by reading its ends: at most four
//! requests and 128 KB.

use lidless_benches::{measured, settings};
use lidless_core::Timestamp;
use lidless_engine::{Progress, Target, scan};
use lidless_ledger::Case;
use lidless_replica::{Container, Contents, Replica, incident};

fn main() {
    let account = incident::account();
    // The largest clean checkpoint of the incident, alone in its account.
    let whole = incident::contents();
    let models = whole.container("models").expect("the container of models");
    let blob = models
        .iter()
        .filter(|blob| blob.name.ends_with(".pt") || blob.name.ends_with(".ckpt"))
        .filter(|blob| blob.source.size() >= 1_000_000_000)
        .min_by_key(|blob| blob.source.size())
        .expect("a checkpoint of a gigabyte")
        .into_owned();
    let size = blob.source.size();
    let modified: Timestamp = "2023-01-01T00:00:00Z".parse().expect("a time");
    let contents = Contents::new(vec![Container::new("models", modified, vec![blob])]);
    let folder = std::env::temp_dir().join(format!("lidless-bench-{}", std::process::id()));
    incident::repository(&folder, &account).expect("a repository");
    let replica = Replica::start(account, contents, Timestamp::now).expect("it starts");
    let case = Case::temporary().expect("a case");
    let settings = settings(vec![Target::Path(folder.clone())], Some(replica.url()));
    let (report, cost) =
        measured(|| scan(&settings, &case, &Progress::default()).expect("the scan runs"));
    let _ = std::fs::remove_dir_all(&folder);
    let containers = case.containers().expect("its containers");
    let read: u64 = containers.iter().map(|one| one.bytes_read).sum();
    let requests: u64 = containers.iter().map(|one| one.requests).sum();
    let models: u64 = report.exposures.iter().map(|one| one.models).sum();
    println!(
        "checkpoint of {size} bytes: {models} model judged with {requests} requests and {read} \
         bytes, {:.2} s CPU in all",
        cost.cpu_seconds
    );
}
