//! Listing and resuming under everything that goes wrong: kills, throttling, pages that lie, a
//! credential that ends half-way, a second process, a full disk.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation)]

use lidless_core::{Secret, Timestamp};
use lidless_program_tests::{account_sas, lidless, private_key, random_key, run, spawn};
use lidless_replica::{Account, Blob, Container, Contents, Fault, Replica, Request, Source};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const ACCOUNT: &str = "litware";
/// Objects of the large container: three pages.
const MANY: u64 = 12_000;

struct World {
    replica: Replica,
    url: String,
    folder: tempfile::TempDir,
}

impl World {
    fn new(plan: impl Fn(u64, &Request) -> Option<Fault> + Send + Sync + 'static) -> Self {
        Self::of(MANY, plan)
    }

    fn of(
        many: u64,
        plan: impl Fn(u64, &Request) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        let time: Timestamp = "2023-01-01T00:00:00Z".parse().unwrap();
        let flat = Container::generated("flat", time, many, move |index| {
            // Empty, so that listing is what takes the time, and nothing is read.
            Blob::new(format!("image-{index:09}.jpg"), time, Source::bytes(Vec::new()))
        });
        let mut blobs = Vec::new();
        for index in 0..24_u8 {
            let key = private_key(index);
            let name = format!("home/user-{index:02}/.ssh/id_ed25519");
            blobs.push(Blob::new(name, time, Source::bytes(key.into_bytes())));
            let text = format!("note {index}\n");
            let name = format!("home/user-{index:02}/note.txt");
            blobs.push(Blob::new(name, time, Source::bytes(text.into_bytes())));
        }
        let homes = Container::new("homes", time, blobs);
        let (key, other) = (random_key(), random_key());
        let account = Account {
            name: ACCOUNT.into(),
            key1: Secret::new(key.clone()),
            key2: Secret::new(other),
        };
        let contents = Contents::new(vec![flat, homes]);
        let replica = Replica::start_faulty(account, contents, Timestamp::now, plan).unwrap();
        let token = account_sas(ACCOUNT, &key, "rl", "", "2051-10-06T07:00:00Z");
        let url = format!("{}/{ACCOUNT}?{token}", replica.url());
        Self { replica, url, folder: tempfile::tempdir().unwrap() }
    }

    fn case(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The arguments of a scan that reads the small container and lists both.
    fn scan<'a>(&'a self, case: &'a Path) -> Vec<&'a str> {
        let name = case.to_str().unwrap();
        let mut words = vec!["scan", &self.url, "--case", name, "--format", "json", "--jobs", "4"];
        if case.exists() {
            words.push("--resume");
        }
        words
    }
}

fn calm(_: u64, _: &Request) -> Option<Fault> {
    None
}

/// A page after the first of a container, and not a question for a single name.
fn is_later_page(request: &Request, container: &str) -> bool {
    request.path.ends_with(&format!("/{container}"))
        && request.query.iter().any(|(name, value)| name == "marker" && !value.is_empty())
        && !request.query.iter().any(|(name, value)| name == "maxresults" && value == "1")
}

/// What a report says of the account, whenever and however often it was asked.
fn settled(report: &Value) -> Value {
    let findings: Vec<Value> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| json!([one["id"], one["rule"], one["location"], one["severity"]]))
        .collect();
    let coverage: Vec<Value> = report["coverage"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let keys = ["container", "objects_listed", "objects_inspected", "bytes_listed"];
            keys.iter().map(|key| one[*key].clone()).collect()
        })
        .collect();
    json!([findings, coverage, report["gaps"], report["run"]["complete"]])
}

fn coverage<'a>(report: &'a Value, container: &str) -> &'a Value {
    let all = report["coverage"].as_array().unwrap();
    all.iter().find(|one| one["container"].as_str().unwrap().ends_with(container)).unwrap()
}

/// A number that differs from run to run.
fn chance() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(0)
}

#[test]
fn kills_at_random_moments_change_nothing_of_the_report() {
    // The long run: LIDLESS_KILLS=1000 cargo nextest run --release -E 'test(kills_at_random)'
    let kills: u64 =
        std::env::var("LIDLESS_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(8);
    let world = World::of(5500, calm);
    let straight = world.case("straight.case");
    let begun = Instant::now();
    let ran = run(&world.scan(&straight));
    let whole = begun.elapsed();
    assert_eq!(ran.code, 1, "{}", ran.err);
    let expected = settled(&ran.json());
    let (mut done, mut cases) = (0, 0);
    while done < kills {
        // One case is killed again and again, until it comes to its end by itself.
        let case = world.case(&format!("killed-{cases}.case"));
        cases += 1;
        for _ in 0..20 {
            let mut child = spawn(&world.scan(&case));
            let part = chance() % 1000;
            let wait = whole.mul_f64(part as f64 / 1000.0);
            std::thread::sleep(wait);
            // SIGKILL.
            let _ = child.kill();
            let killed = child.wait().unwrap().code().is_none();
            done += u64::from(killed);
            if !killed || done >= kills {
                break;
            }
        }
        let ran = run(&world.scan(&case));
        assert_eq!(ran.code, 1, "after {done} kills: {}", ran.err);
        assert_eq!(settled(&ran.json()), expected, "after {done} kills");
        let trail = run(&["audit", case.to_str().unwrap()]);
        assert_eq!(trail.code, 0, "after {done} kills: {}", trail.err);
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", case.display()));
        }
    }
    eprintln!("{done} kills in {cases} cases, the same report each time");
    assert_eq!(world.replica.violations(), 0);
}

#[test]
fn a_server_that_throttles_resets_stalls_and_cuts_off_is_listed_whole() {
    let calm = World::new(calm);
    let expected = settled(&run(&calm.scan(&calm.case("a"))).json());
    let world = World::new(|number, _| match number % 40 {
        1 => Some(Fault::TooMany(Some(0))),
        3 => Some(Fault::Busy(None)),
        5 => Some(Fault::Reset),
        6 => Some(Fault::Slow(Duration::from_millis(20))),
        8 => Some(Fault::Short),
        _ => None,
    });
    let case = world.case("a");
    let report = run(&world.scan(&case)).json();
    let what = settled(&report);
    assert_eq!(what, expected, "{}", report["gaps"]);
    let ran = run(&["audit", case.to_str().unwrap(), "--status", "429", "--format", "jsonl"]);
    assert!(ran.out.lines().count() > 0, "{}", ran.err);
    assert!(ran.out.lines().all(|line| line.contains("\"status\":429")), "{}", ran.out);
}

#[test]
fn pages_that_repeat_and_reorder_are_counted_once_and_told() {
    for (fault, word) in [(Fault::Duplicated, "came twice"), (Fault::Reordered, "out of order")] {
        let pages = AtomicU64::new(0);
        let world = World::new(move |_, request| {
            (is_later_page(request, "flat") && pages.fetch_add(1, Ordering::Relaxed) == 0)
                .then_some(fault)
        });
        let ran = run(&world.scan(&world.case("a")));
        let report = ran.json();
        assert_eq!(coverage(&report, "/flat")["objects_listed"], MANY, "{fault:?}");
        let gaps = report["gaps"].to_string();
        assert!(gaps.contains("changed under way") && gaps.contains(word), "{fault:?}: {gaps}");
    }
}

#[test]
fn a_container_that_denies_half_way_is_covered_so_far_and_told() {
    let world = World::new(|_, request| is_later_page(request, "flat").then_some(Fault::Denied));
    let case = world.case("a");
    let ran = run(&world.scan(&case));
    let report = ran.json();
    assert_eq!(coverage(&report, "/flat")["objects_listed"], 5000);
    assert_eq!(coverage(&report, "/homes")["objects_listed"], 48);
    assert_eq!(coverage(&report, "/homes")["objects_inspected"], 48);
    let gaps = report["gaps"].as_array().unwrap();
    let told = gaps.iter().any(|gap| {
        gap["location"].as_str().unwrap().contains("/flat")
            && gap["reason"].as_str().unwrap().contains("broken off")
    });
    assert!(told, "{gaps:#?}");
    let human = run(&["report", case.to_str().unwrap()]);
    assert!(human.out.contains("broken off"), "{}", human.out);
}

#[test]
fn a_second_process_is_refused_and_the_first_goes_on() {
    let world = World::new(|_, _| Some(Fault::Slow(Duration::from_millis(60))));
    let case = world.case("a");
    let mut first = spawn(&world.scan(&case));
    let begun = Instant::now();
    while world.replica.requests() == 0 && begun.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(20));
    }
    while !case.exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let second = run(&world.scan(&case));
    assert_eq!(second.code, 2, "{}", second.err);
    assert!(second.err.contains("is in use (process "), "{}", second.err);
    assert!(second.err.contains(&first.id().to_string()), "{}", second.err);
    // Killed, it holds nothing any more, whatever lies beside the case.
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(world.folder.path().join("a-lock").exists());
    assert_eq!(run(&world.scan(&case)).code, 1);
}

#[test]
fn a_disk_that_is_full_is_told_and_what_was_kept_is_gone_on_with() {
    let world = World::of(30_000, calm);
    let case = world.case("a");
    // No file may grow beyond 2 MB (blocks of 512 bytes): what a full disk does to the case.
    let script = "ulimit -f 4000; trap '' XFSZ; exec \"$0\" \"$@\"";
    let full = Command::new("sh")
        .args(["-c", script])
        .arg(lidless())
        .args(world.scan(&case))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&full.stderr);
    assert_eq!(full.status.code(), Some(2), "{err}");
    assert!(err.contains("no room left"), "{err}");
    let ran = run(&world.scan(&case));
    assert_eq!(ran.code, 1, "{}", ran.err);
    let report = ran.json();
    assert_eq!(coverage(&report, "/flat")["objects_listed"], 30_000);
    assert_eq!(coverage(&report, "/homes")["objects_inspected"], 48);
}

#[test]
fn a_trail_that_was_cut_is_told() {
    let world = World::new(calm);
    let case = world.case("a");
    assert_eq!(run(&world.scan(&case)).code, 1);
    let case = case.to_str().unwrap();
    let whole = run(&["audit", case]);
    assert!(whole.code == 0 && whole.out.contains("the chain is whole"), "{}", whole.out);
    assert!(!whole.out.contains("sig=") || whole.out.contains("sig=[…]"), "{}", whole.out);
    let digest = whole.out.split_whitespace().last().unwrap().to_owned();
    assert_eq!(run(&["audit", case, "--expect", &digest]).code, 0);
    let other = "0".repeat(64);
    let rewritten = run(&["audit", case, "--expect", &other]);
    assert_eq!(rewritten.code, 1, "{}", rewritten.out);
    assert!(rewritten.err.contains("rewritten or cut"), "{}", rewritten.err);
}

#[test]
fn a_run_that_ends_by_its_requests_says_what_comes_next_and_is_gone_on_with() {
    let world = World::of(5500, calm);
    let expected = settled(&run(&world.scan(&world.case("straight"))).json());
    let case = world.case("bounded");
    let before = world.replica.requests();
    let mut words = world.scan(&case);
    words.extend(["--requests", "40"]);
    let ran = run(&words);
    assert_eq!(world.replica.requests() - before, 40, "not one more");
    let report = ran.json();
    assert_eq!(report["run"]["complete"], false);
    let reasons = coverage(&report, "/homes")["skipped"].to_string();
    assert!(reasons.contains("the requests of the budget are spent"), "{reasons}");
    let remarks = report["remarks"].as_array().unwrap();
    let next: Vec<&Value> = remarks.iter().filter(|one| one["kind"] == "would_be_next").collect();
    assert!(!next.is_empty() && next.len() <= 5, "{remarks:?}");
    // The keys came first; what is left are notes.
    let place = |one: &Value| one["location"].as_str().unwrap().to_owned();
    assert!(place(next[0]).ends_with("/note.txt"), "{next:?}");
    let keys = report["findings"].as_array().unwrap().iter();
    assert_eq!(keys.filter(|one| place(one).contains("/.ssh/")).count(), 24);
    let human = run(&["report", case.to_str().unwrap()]).out;
    assert!(human.contains("would be looked into next"), "{human}");
    let mut words = world.scan(&case);
    words.extend(["--requests", "45"]);
    assert!(run(&words).code != 2);
    assert_eq!(settled(&run(&world.scan(&case)).json()), expected);
}

#[test]
fn a_run_whose_time_is_over_ends_and_is_gone_on_with() {
    let world = World::of(20, |_, _| Some(Fault::Slow(Duration::from_millis(400))));
    let case = world.case("bounded");
    let mut words = world.scan(&case);
    words.extend(["--time", "2s"]);
    let begun = Instant::now();
    let ran = run(&words);
    assert_eq!(ran.json()["run"]["complete"], false, "{}", ran.err);
    assert!(ran.code == 1 || ran.code == 3, "{}", ran.err);
    assert!(begun.elapsed() < Duration::from_secs(60));
    let wrong = run(&["scan", &world.url, "--time", "0s"]);
    assert!(wrong.code == 2 && wrong.err.contains("more than nothing"), "{}", wrong.err);
}

#[test]
fn a_dry_run_lists_and_reads_nothing_and_the_case_is_gone_on_with() {
    let world = World::of(5500, calm);
    let expected = settled(&run(&world.scan(&world.case("straight"))).json());
    let case = world.case("dry");
    let mut words = world.scan(&case);
    words.push("--dry-run");
    let ran = run(&words);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let estimate = ran.json();
    assert_eq!(estimate["all"]["objects"], 5548);
    assert_eq!(estimate["kinds"]["credentials"]["objects"], 24);
    assert!(estimate["costs"][0]["service"].as_str().unwrap().contains("Azure"));
    let trail = run(&["audit", case.to_str().unwrap(), "--url", "id_ed25519", "--format", "jsonl"]);
    assert_eq!(
        trail.out.lines().filter(|line| line.contains("id_ed25519")).count(),
        0,
        "{}",
        trail.out
    );
    assert_eq!(settled(&run(&world.scan(&case)).json()), expected);
}
