//! An account listed from the replica into a case, beside rclone on the same server: objects a
//! CPU second and peak memory. The server, the listing and rclone are processes of their own, so
//! that none of them is in the figures of another.
//!
//! `cargo bench -p lidless-benches --bench listing -- 1000000 10000000` lists accounts of these
//! sizes; `LIDLESS_BENCH_RCLONE=0` leaves rclone out. The case takes about a hundred bytes of disk
//! for each object, in `target/tmp`.

use lidless_benches::{Child, child, settings};
use lidless_core::{Secret, Timestamp};
use lidless_engine::{Progress, Target, list};
use lidless_ledger::{Case, Inspection};
use lidless_replica::{Account, Blob, Container, Contents, Replica, Source};
use lidless_token::AccountSasParameters;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

const ACCOUNT: &str = "bench";
const KEY: &str =
    "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3ODkrLw==";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["serve", count] => serve(count.parse().expect("a number")),
        ["list", url, case] => list_into(url, Path::new(case)),
        ["inspect", case] => inspect(Path::new(case)),
        ["reopen", case] => reopen(Path::new(case)),
        [] => compare(1_000_000),
        counts => counts.iter().for_each(|count| compare(count.parse().expect("a number"))),
    }
}

/// Serves an account of `count` objects until standard input ends.
fn serve(count: u64) {
    let modified: Timestamp = "2023-01-01T00:00:00Z".parse().expect("a time");
    let container = Container::generated("many", modified, count, move |index| {
        let name = format!("folder-{:06}/object-{index:09}.bin", index / 1000);
        Blob::new(name, modified, Source::generated(index, 1 << 20))
    });
    let secret = || Secret::new(KEY);
    let account = Account { name: ACCOUNT.into(), key1: secret(), key2: secret() };
    let contents = Contents::new(vec![container]);
    let replica = Replica::start(account, contents, Timestamp::now).expect("it starts");
    println!("{}", replica.url());
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

fn list_into(url: &str, path: &Path) {
    let target = Target::parse(url, "argument 1").expect("a target");
    let case = Case::create(path).expect("a case");
    let origin = url.split('/').take(3).collect::<Vec<_>>().join("/");
    let settings = settings(vec![target], Some(origin));
    list(&settings, &case, &Progress::default()).expect("it is listed");
    let listed: u64 = case.containers().expect("containers").iter().map(|one| one.objects).sum();
    println!("{listed}");
}

/// Marks every object as looked into, as a run would that found nothing.
fn inspect(path: &Path) {
    let case = Case::resume(path).expect("a case");
    let mut after = None;
    loop {
        let waiting = case.pending_objects(after, 5000).expect("objects");
        let Some(last) = waiting.last() else { break };
        after = Some((last.priority, last.id));
        let seen = |object| (object, Inspection { entries: 1, ..Inspection::default() });
        let done: Vec<_> = waiting.into_iter().map(seen).collect();
        case.put_inspections(&done).expect("they are kept");
    }
}

/// Opens a case, and reads what a resumed run and a report need of its objects.
fn reopen(path: &Path) {
    let begun = Instant::now();
    let case = Case::resume(path).expect("a case");
    case.reopen_for_resume().expect("what failed waits again");
    let rows = case.containers().expect("containers");
    let inspected: u64 = rows.iter().map(|one| one.inspected).sum();
    assert!(case.skipped().expect("sums").is_empty(), "nothing is left");
    assert!(case.open_listings(None, 1).expect("listings").is_empty());
    assert!(case.pending_objects(None, 1).expect("objects").is_empty());
    println!("{inspected} {:.3}", begun.elapsed().as_secs_f64());
}

fn compare(count: u64) {
    let me = std::env::current_exe().expect("this program");
    let mut server = Command::new(&me)
        .args(["serve", &count.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a server");
    let mut origin = String::new();
    BufReader::new(server.stdout.take().expect("its output"))
        .read_line(&mut origin)
        .expect("its address");
    let origin = origin.trim();
    let sas = AccountSasParameters {
        version: "2021-12-02".into(),
        services: "b".into(),
        resource_types: "sco".into(),
        permissions: "rl".into(),
        expiry: "2040-01-01T00:00:00Z".into(),
        ..AccountSasParameters::default()
    }
    .mint(ACCOUNT, KEY)
    .expect("a token");

    let case = fresh("listing.case");
    let url = format!("{origin}/{ACCOUNT}?{sas}");
    let out = fresh("listing.out");
    let ours = child(Command::new(&me).args(["list", &url]).arg(&case).stdout(file(&out)))
        .expect("it runs");
    tell(count, "lidless, into a case", &ours, read(&out).trim() == count.to_string());
    let inspected = child(Command::new(&me).arg("inspect").arg(&case)).expect("it runs");
    tell(count, "marked as looked into", &inspected, inspected.code == Some(0));
    child(Command::new(&me).arg("reopen").arg(&case).stdout(file(&out))).expect("it runs");
    let said = read(&out);
    let (objects, seconds) = said.trim().split_once(' ').unwrap_or_default();
    assert_eq!(objects, count.to_string(), "the case holds all of it");
    let bytes = std::fs::metadata(&case).map_or(0, |data| data.len());
    println!(
        "{count:>11}  the case of {} MB, all of it looked into, is gone on with after {seconds} s",
        bytes / 1_000_000
    );
    for end in ["", "-wal", "-shm", "-lock"] {
        let _ = std::fs::remove_file(format!("{}{end}", case.display()));
    }
    if std::env::var("LIDLESS_BENCH_RCLONE").as_deref() != Ok("0") {
        let theirs = child(
            Command::new("rclone")
                .args(["lsf", "-R", "--fast-list", "--files-only", "--config", "/dev/null"])
                .args(["--azureblob-sas-url", &url, ":azureblob:many"])
                .stdout(file(&out)),
        );
        match theirs {
            Ok(theirs) => {
                let lines =
                    BufReader::new(std::fs::File::open(&out).expect("a list")).lines().count();
                let is_whole = u64::try_from(lines) == Ok(count);
                tell(count, "rclone lsf", &theirs, is_whole);
                if is_whole {
                    let ratio = cpu(&theirs) / cpu(&ours);
                    println!("{count:>11}  objects a CPU second: {ratio:.1} times those of rclone");
                }
            }
            Err(error) => println!("{count:>11}  rclone does not run here: {error}"),
        }
    }
    let _ = std::fs::remove_file(&out);
    drop(server.stdin.take());
    let _ = server.wait();
}

fn tell(count: u64, who: &str, cost: &Child, is_whole: bool) {
    let whole = if is_whole { "" } else { "  NOT ALL OF IT" };
    println!(
        "{count:>11}  {who}: {:.2} s of CPU, {:.2} s on the wall, {:.0} objects a CPU second, \
         peak {} MB{whole}",
        cpu(cost),
        cost.wall_seconds,
        count as f64 / cpu(cost),
        cost.peak_bytes / 1_000_000
    );
}

fn cpu(cost: &Child) -> f64 {
    (cost.user_seconds + cost.system_seconds).max(0.01)
}

fn fresh(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tmp");
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(name);
    for end in ["", "-wal", "-shm", "-lock"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
    path
}

fn file(path: &Path) -> Stdio {
    std::fs::File::create(path).expect("a file").into()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
