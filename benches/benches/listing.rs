//! A million blobs listed from the replica: objects a second, and memory, which has to stay
//! under 200 MB for the listing side. The replica runs in the same process and its share is in
//! both figures.

use lidless_benches::measured;
use lidless_core::{Access, Auth, Provider, Scope, Timestamp};
use lidless_replica::{Account, Blob, Container, Contents, Replica, Source};
use lidless_storage::{Client, ClientSettings, Endpoints, ListRequest, open};
use std::sync::Arc;

const BLOBS: u64 = 1_000_000;

fn main() {
    let modified: Timestamp = "2023-01-01T00:00:00Z".parse().expect("a time");
    let container = Container::generated("many", modified, BLOBS, move |index| {
        let name = format!("folder-{:04}/object-{index:09}.bin", index / 1000);
        Blob::new(name, modified, Source::generated(index, 1 << 20))
    });
    let key =
        "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3ODkrLw==";
    let secret = || lidless_core::Secret::new(key);
    let account = Account { name: "bench".into(), key1: secret(), key2: secret() };
    let replica =
        Replica::start(account, Contents::new(vec![container]), Timestamp::now).expect("it starts");
    let endpoints = Endpoints { azure: Some(replica.url()), ..Endpoints::default() };
    let settings = ClientSettings { endpoints, ..ClientSettings::default() };
    let client = Arc::new(Client::new(Arc::new(Scope::without_file()), settings));
    let access = Access {
        provider: Provider::Azure,
        origin: replica.url(),
        path_style: true,
        account: "bench".into(),
        container: None,
        key: None,
        auth: Auth::Key { id: "bench".into(), key: secret(), session: None },
    };
    let store = open(&client, &access).expect("a store");
    let (count, cost) = measured(|| {
        let mut request = ListRequest { container: "many".into(), ..ListRequest::default() };
        let mut count = 0usize;
        loop {
            let page = store.list(&request).expect("a page");
            count += page.objects.len();
            match page.next {
                Some(next) => request.cursor = Some(next),
                None => break count,
            }
        }
    });
    println!(
        "{count} blobs: {:.0} a second on the wall, {:.0} a second of CPU (both sides), peak {} MB",
        count as f64 / cost.wall_seconds,
        count as f64 / cost.cpu_seconds.max(0.01),
        cost.peak_bytes / 1_000_000
    );
}
