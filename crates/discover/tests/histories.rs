//! Histories made with the real git, read by us.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]
#![allow(clippy::arithmetic_side_effects, clippy::expect_used)]

use lidless_discover::{DiscoverOptions, Found, GitOptions, Source, Summary};
use lidless_io::read_vec;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use tempfile::TempDir;

struct World {
    folder: TempDir,
}

impl World {
    /// An empty repository; none when git is missing, which fails where CI is set.
    fn new(init: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let world = Self { folder };
        let mut words = vec!["init", "-q", "-b", "main"];
        words.extend(init);
        let made = try_git(world.path(), "2020-01-01T00:00:00Z", &words).is_some();
        assert!(made || std::env::var_os("CI").is_none(), "git is missing or too old");
        if !made {
            eprintln!("left out: git is missing or too old");
        }
        made.then_some(world)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn git(&self, words: &[&str]) -> String {
        self.git_on("2020-01-01T00:00:00Z", words)
    }

    fn git_on(&self, date: &str, words: &[&str]) -> String {
        try_git(self.path(), date, words).unwrap_or_else(|| panic!("git {words:?} failed"))
    }

    fn write(&self, file: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn commit(&self, file: &str, content: impl AsRef<[u8]>, date: &str, message: &str) -> String {
        self.write(file, content);
        self.git_on(date, &["add", "-A"]);
        self.git_on(date, &["commit", "-q", "-m", message]);
        self.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }
}

fn try_git(folder: &Path, date: &str, words: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["-c", "user.name=A. Author", "-c", "user.email=author@example.com"])
        .args(["-c", "protocol.file.allow=always", "-c", "commit.gpgSign=false"])
        .args(words)
        .env("GIT_AUTHOR_DATE", date)
        .env("GIT_COMMITTER_DATE", date)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .ok()?;
    if !output.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    }
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn walk_with(path: &Path, git: GitOptions) -> (Vec<Found>, Summary) {
    let options = DiscoverOptions { git, ..DiscoverOptions::default() };
    let all = Mutex::new(Vec::new());
    let source = Source::open(&path.to_string_lossy()).unwrap();
    let summary = source.walk(&options, 2, &|one| all.lock().unwrap().push(one)).unwrap();
    (all.into_inner().unwrap(), summary)
}

fn walk(path: &Path) -> (Vec<Found>, Summary) {
    walk_with(path, GitOptions::default())
}

fn text(found: &Found) -> String {
    let all = read_vec(&*found.artifact.bytes, 0, u64::MAX).unwrap();
    String::from_utf8_lossy(&all).into_owned()
}

/// What was found in the history, by content: its path, and how often it was given.
fn contents(found: &[Found]) -> BTreeMap<String, usize> {
    let mut contents = BTreeMap::new();
    for one in found.iter().filter(|one| one.git.is_some()) {
        *contents.entry(text(one)).or_default() += 1;
    }
    contents
}

fn has(found: &[Found], content: &str) -> bool {
    found.iter().any(|one| text(one).contains(content))
}

fn reasons(summary: &Summary) -> Vec<&str> {
    summary.gaps.iter().map(|gap| gap.reason.as_str()).collect()
}

/// Versions of files long enough to be stored as deltas.
fn long_history(world: &World) {
    let mut lines: Vec<String> = (0..400).map(|n| format!("line {n} of a long file")).collect();
    for version in 0..30 {
        lines[version * 7] = format!("changed in version {version}");
        lines.push(format!("added in version {version}"));
        let date = format!("2020-02-{:02}T00:00:00Z", version % 27 + 1);
        let file = if version % 2 == 0 { "a/long.txt" } else { "b/other.txt" };
        world.commit(file, lines.join("\n"), &date, &format!("version {version}"));
    }
    world.commit("empty", "", "2020-03-01T00:00:00Z", "an empty file");
}

/// Every blob as git itself tells it.
fn blobs_of_git(path: &Path) -> BTreeMap<String, usize> {
    let list = ["cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)"];
    let list = try_git(path, "2020-01-01T00:00:00Z", &list).unwrap();
    let blobs = list.lines().filter_map(|line| line.strip_suffix(" blob"));
    blobs
        .map(|id| (try_git(path, "2020-01-01T00:00:00Z", &["cat-file", "blob", id]).unwrap(), 1))
        .collect()
}

fn blobs(found: &[Found]) -> BTreeMap<String, usize> {
    let messages = ["COMMIT_MESSAGE", "TAG_MESSAGE"];
    let only: Vec<Found> = found
        .iter()
        .filter(|one| !messages.contains(&one.artifact.entry.path()))
        .cloned()
        .collect();
    contents(&only)
}

#[test]
fn every_blob_comes_once_and_as_git_has_it_loose_packed_and_borrowed() {
    let Some(world) = World::new(&[]) else { return };
    long_history(&world);
    let expected = blobs_of_git(world.path());
    assert_eq!(expected.len(), 31);
    let (loose, _) = walk(world.path());
    assert_eq!(blobs(&loose), expected);
    world.git(&["repack", "-adfq", "--depth=50", "--window=50"]);
    let chains = world.git(&["verify-pack", "-v", &first_index(world.path())]);
    assert!(chains.contains("chain length = 9"), "the deltas are worth the name: {chains}");
    let (packed, summary) = walk(world.path());
    assert_eq!(blobs(&packed), expected);
    assert!(summary.gaps.is_empty(), "{:?}", summary.gaps);
    // Deltas that name their base by id, and the newest objects in a second pack.
    world.git(&["-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq"]);
    world.commit("c", "one more", "2020-04-01T00:00:00Z", "more");
    world.git(&["repack", "-dq"]);
    let (again, _) = walk(world.path());
    assert_eq!(blobs(&again), blobs_of_git(world.path()));
    let shared = tempfile::tempdir().unwrap();
    let to = shared.path().join("s");
    world.git(&["clone", "-q", "--shared", ".", to.to_str().unwrap()]);
    assert_eq!(blobs(&walk(&to).0), blobs(&again));
}

/// More commits than trees are asked for one by one: folders in folders, files that move, come
/// back and become programs or links, a submodule, and names that are no UTF-8.
fn many_commits(world: &World) {
    let mut stream = String::new();
    let mut dice = 7_u64;
    let mut below = |count: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % count
    };
    for number in 0..1300_u64 {
        let time = 1_600_000_000 + number;
        stream += &format!("commit refs/heads/main\nmark :{}\n", number + 1);
        stream += &format!("committer A <a@example.com> {time} +0000\ndata 1\nx\n");
        for _ in 0..below(4) + 1 {
            let path = format!("d{}/e{}/f{}.txt", below(9), below(5), below(40));
            match below(12) {
                0 => stream += &format!("D {path}\n"),
                1 => stream += &format!("D d{}\n", below(9)),
                2 => stream += &format!("M 120000 inline l{}\ndata 4\nd1/e\n", below(30)),
                3 => {
                    let id = format!("{:040x}", below(1 << 30) + 1);
                    stream += &format!("M 160000 {id} sub{}\n", below(3));
                }
                4 => stream += &format!("M 100755 inline \"t\\377{}\"\ndata 2\nhi\n", below(20)),
                _ => {
                    let text = format!("content {} of {path}\n", below(3000));
                    stream += &format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len());
                }
            }
        }
    }
    let file = world.path().join("stream");
    std::fs::write(&file, stream).unwrap();
    let import = Command::new("git")
        .args(["-C", world.path().to_str().unwrap(), "fast-import", "--quiet"])
        .stdin(std::fs::File::open(&file).unwrap())
        .status();
    assert!(import.unwrap().success());
    std::fs::remove_file(file).unwrap();
}

/// Place and content of everything found, and what was told about the whole.
fn all_of(path: &Path, options: &DiscoverOptions) -> (Vec<(String, String)>, String) {
    let all = Mutex::new(Vec::new());
    let source = Source::open(&path.to_string_lossy()).unwrap();
    let summary = source.walk(options, 2, &|one| all.lock().unwrap().push(one)).unwrap();
    let all = all.into_inner().unwrap();
    let place = |one: &Found| format!("{:?}", one.artifact.entry.provenance);
    let mut told: Vec<(String, String)> = all.iter().map(|one| (place(one), text(one))).collect();
    told.sort();
    (told, format!("{:?} {:?}", summary.gaps, summary.skipped))
}

#[test]
fn the_trees_of_a_long_history_say_the_same_packed_and_one_by_one() {
    let Some(world) = World::new(&["--bare"]) else { return };
    many_commits(&world);
    world.git(&["repack", "-adfq", "--depth=50", "--window=50"]);
    let mut exclude = globset::GlobSetBuilder::new();
    exclude.add(globset::Glob::new("d1/**").unwrap()).add(globset::Glob::new("*/e2/*").unwrap());
    let exclude = exclude.build().unwrap();
    let left_out = DiscoverOptions { exclude, ..Default::default() };
    let every = [DiscoverOptions::default(), left_out];
    let packed: Vec<_> = every.iter().map(|options| all_of(world.path(), options)).collect();
    assert!(packed[0].0.len() > 1500 && packed[0].0.len() > packed[1].0.len() + 100);
    assert!(packed[0].0.iter().any(|(place, _)| place.contains("t\u{fffd}")), "names as they are");
    // The same objects, loose.
    let folder = world.path().join("objects/pack");
    let aside = world.path().join("aside");
    std::fs::rename(&folder, &aside).unwrap();
    std::fs::create_dir(&folder).unwrap();
    for entry in std::fs::read_dir(&aside).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "pack") {
            let unpack = Command::new("git")
                .args(["-C", world.path().to_str().unwrap(), "unpack-objects", "-q"])
                .stdin(std::fs::File::open(&path).unwrap())
                .status();
            assert!(unpack.unwrap().success());
        }
    }
    let loose: Vec<_> = every.iter().map(|options| all_of(world.path(), options)).collect();
    for (packed, loose) in packed.iter().zip(&loose) {
        assert_eq!(packed.1, loose.1);
        for (one, other) in packed.0.iter().zip(&loose.0) {
            assert_eq!(one, other);
        }
        assert_eq!(packed.0.len(), loose.0.len());
    }
}

fn first_index(path: &Path) -> String {
    let packs = std::fs::read_dir(path.join(".git/objects/pack")).unwrap();
    let mut packs: Vec<PathBuf> = packs.map(|entry| entry.unwrap().path()).collect();
    packs.retain(|path| path.extension().is_some_and(|end| end == "idx"));
    packs.sort();
    packs[0].to_string_lossy().into_owned()
}

#[test]
fn a_broken_pack_gives_what_is_whole_and_tells_the_rest() {
    let Some(world) = World::new(&[]) else { return };
    long_history(&world);
    world.git(&["repack", "-adfq", "--depth=50", "--window=50"]);
    let expected = blobs_of_git(world.path());
    let pack = PathBuf::from(first_index(world.path())).with_extension("pack");
    let whole = std::fs::read(&pack).unwrap();
    let mut permissions = std::fs::metadata(&pack).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
    std::fs::set_permissions(&pack, permissions).unwrap();
    let mut lost = 0;
    for at in (12..whole.len() - 20).step_by(whole.len() / 23) {
        let mut broken = whole.clone();
        broken[at] ^= 0x10;
        std::fs::write(&pack, &broken).unwrap();
        let options = DiscoverOptions::default();
        let all = Mutex::new(Vec::new());
        let source = Source::open(&world.path().to_string_lossy()).unwrap();
        let walked = source.walk(&options, 2, &|one| all.lock().unwrap().push(one));
        let found = blobs(&all.into_inner().unwrap());
        let gaps = walked.map_or(1, |summary| summary.gaps.len());
        let missing = expected.keys().filter(|content| !found.contains_key(*content)).count();
        assert!(missing == 0 || gaps > 0, "{missing} lost without a word, byte {at}");
        lost += missing;
    }
    assert!(lost > 0, "something was broken");
}

#[test]
fn messages_tags_and_notes_are_read() {
    let Some(world) = World::new(&[]) else { return };
    world.commit("a", "content", "2020-01-02T00:00:00Z", "the message says alpha");
    world.git(&["tag", "-a", "v1", "-m", "the tag says beta"]);
    world.git(&["tag", "-a", "v1-signed-off", "v1", "-m", "the tag of the tag says gamma"]);
    world.git(&["notes", "add", "-m", "the note says delta"]);
    world.git(&["notes", "--ref", "review", "add", "-m", "the review says epsilon"]);
    let (found, summary) = walk(world.path());
    for word in ["alpha", "beta", "gamma", "delta", "epsilon"] {
        assert!(has(&found, word), "{word} is missing");
    }
    assert!(blobs(&found).values().all(|count| *count == 1), "each once");
    assert!(summary.gaps.is_empty(), "{:?}", summary.gaps);
}

#[test]
fn what_no_reference_reaches_is_read_only_when_asked_for() {
    let Some(world) = World::new(&[]) else { return };
    world.commit("a", "first", "2020-01-02T00:00:00Z", "first");
    world.write("a", "stashed now");
    world.git(&["stash", "-q"]);
    world.write("a", "stashed before and dropped");
    world.git(&["stash", "-q"]);
    world.git(&["stash", "drop", "-q"]);
    world.commit("a", "committed and reset", "2020-01-03T00:00:00Z", "a message that was reset");
    world.git(&["reset", "-q", "--hard", "HEAD~1"]);
    world.write("b/new", "staged and never committed");
    world.git(&["add", "b/new"]);
    world.git(&["reset", "-q", "--hard"]);
    let (found, _) = walk(world.path());
    assert!(has(&found, "stashed now"), "a stash is a reference");
    let gone = ["dropped", "committed and reset", "that was reset", "staged and never"];
    for word in gone {
        assert!(!has(&found, word), "{word}");
    }
    let git = GitOptions { unreachable: true, ..GitOptions::default() };
    let (found, _) = walk_with(world.path(), git.clone());
    for word in gone {
        assert!(has(&found, word), "{word} is missing");
    }
    assert!(blobs(&found).values().all(|count| *count == 1), "each once");
    let reset = found.iter().find(|one| text(one) == "committed and reset").unwrap();
    assert_eq!(reset.artifact.entry.path(), "a");
    assert!(!reset.git.as_ref().unwrap().in_newest_tree);
    world.git(&["reflog", "expire", "--expire=now", "--all"]);
    world.git(&["repack", "-adkq"]);
    let (found, _) = walk_with(world.path(), git);
    for word in gone {
        assert!(has(&found, word), "{word} is missing without reflogs");
    }
}

#[test]
fn only_the_part_of_a_history_that_is_asked_for_is_read() {
    let Some(world) = World::new(&[]) else { return };
    let first = world.commit("a", "one", "2020-01-02T00:00:00Z", "first message");
    world.commit("a", "two", "2021-01-02T00:00:00Z", "second message");
    world.git(&["checkout", "-q", "-b", "side"]);
    world.commit("b", "aside", "2022-01-02T00:00:00Z", "side message");
    world.git(&["checkout", "-q", "main"]);
    world.commit("c", "three", "2023-01-02T00:00:00Z", "third message");
    world.write("uncommitted", "in the work tree");
    let part = |git: GitOptions| {
        let (found, _) = walk_with(world.path(), git);
        let mut all: Vec<String> = found.iter().map(text).collect();
        all.sort();
        all.iter().map(|text| text.trim().to_owned()).collect::<Vec<_>>()
    };
    let some = |word: &str| Some(word.to_owned());
    let range = |word: &str| part(GitOptions { range: some(word), ..GitOptions::default() });
    assert_eq!(range("HEAD~1.."), ["third message", "three"]);
    assert_eq!(range("main..side"), ["aside", "side message"]);
    assert_eq!(
        range(&format!("{first}..main")),
        ["second message", "third message", "three", "two"]
    );
    assert_eq!(
        part(GitOptions { since_commit: some("main~1"), ..GitOptions::default() }),
        ["aside", "side message", "third message", "three"]
    );
    assert_eq!(
        part(GitOptions { branch: some("side"), ..GitOptions::default() }),
        ["aside", "first message", "one", "second message", "side message", "two"]
    );
    let since = "2021-06-01T00:00:00Z".parse().ok();
    assert_eq!(
        part(GitOptions { since, ..GitOptions::default() }),
        ["aside", "side message", "third message", "three"]
    );
    for word in ["main...side", "main", "nowhere..main"] {
        let options = DiscoverOptions {
            git: GitOptions { range: some(word), ..GitOptions::default() },
            ..DiscoverOptions::default()
        };
        let source = Source::open(&world.path().to_string_lossy()).unwrap();
        let error = source.walk(&options, 1, &|_| panic!("nothing is read")).unwrap_err();
        let shown = error.to_string();
        assert!(shown.contains("no range") || shown.contains("names no commit"), "{shown}");
    }
}

#[test]
fn the_first_commit_its_author_and_the_branches_are_told() {
    let Some(world) = World::new(&[]) else { return };
    let first = world.commit("a", "kept", "2020-01-02T00:00:00Z", "first");
    world.git(&["branch", "release/1"]);
    world.commit("b", "only on main", "2021-01-02T00:00:00Z", "second");
    world.commit("a", "changed", "2022-01-02T00:00:00Z", "third");
    let (found, _) = walk(world.path());
    let origin = |content: &str| {
        found.iter().find(|one| text(one) == content).and_then(|one| one.git.clone()).unwrap()
    };
    let kept = origin("kept");
    assert_eq!(kept.commit(), first);
    assert_eq!(kept.author(), "A. Author <author@example.com>");
    assert_eq!(kept.committed_at.unwrap().to_string(), "2020-01-02T00:00:00Z");
    assert_eq!(kept.branches(), ["release/1"]);
    assert!(!kept.in_newest_tree);
    let main = origin("only on main");
    assert_eq!(main.branches(), ["main"]);
    assert!(main.in_newest_tree && main.order > kept.order);
}

#[test]
fn a_shallow_clone_tells_where_it_ends() {
    let Some(world) = World::new(&[]) else { return };
    world.commit("a", "old content", "2020-01-02T00:00:00Z", "old");
    world.commit("a", "new content", "2021-01-02T00:00:00Z", "new");
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("s");
    let url = format!("file://{}", world.path().display());
    world.git(&["clone", "-q", "--depth=1", &url, to.to_str().unwrap()]);
    let (found, summary) = walk(&to);
    assert!(has(&found, "new content") && !has(&found, "old content"));
    assert_eq!(reasons(&summary), ["a shallow clone: older commits are not here"]);
}

#[test]
fn a_partial_clone_tells_how_much_is_missing_and_fetches_nothing() {
    let Some(world) = World::new(&[]) else { return };
    world.git(&["config", "uploadpack.allowFilter", "true"]);
    world.commit("a", "old content", "2020-01-02T00:00:00Z", "old");
    world.commit("a", "new content", "2021-01-02T00:00:00Z", "new");
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file://{}", world.path().display());
    for (filter, missing) in [("blob:none", "(2 objects)"), ("tree:0", "(2 objects)")] {
        let to = folder.path().join(filter.replace(':', "-"));
        let filter = format!("--filter={filter}");
        world.git(&["clone", "-q", "--bare", &filter, &url, to.to_str().unwrap()]);
        let (found, summary) = walk(&to);
        assert!(has(&found, "new") && !has(&found, "content"));
        let reason = "a partial clone: objects that are not here and were not fetched";
        assert_eq!(reasons(&summary), [reason]);
        assert!(summary.gaps[0].location.contains(missing), "{:?}", summary.gaps);
        let (_, again) = walk(&to);
        assert_eq!(again.gaps, summary.gaps, "nothing was fetched");
    }
}

#[test]
fn submodules_are_listed_and_not_followed() {
    let (Some(world), Some(other)) = (World::new(&[]), World::new(&[])) else { return };
    let inside = other.commit("x", "inside the other", "2020-01-02T00:00:00Z", "other");
    world.commit("a", "content", "2020-01-02T00:00:00Z", "first");
    let url = format!("file://{}", other.path().display());
    world.git(&["submodule", "--quiet", "add", &url, "lib/other"]);
    world.git(&["commit", "-q", "-m", "a submodule"]);
    let bare = tempfile::tempdir().unwrap();
    let to = bare.path().join("b.git");
    world.git(&["clone", "-q", "--bare", ".", to.to_str().unwrap()]);
    let (found, summary) = walk(&to);
    assert!(!has(&found, "inside the other"));
    assert_eq!(reasons(&summary), ["a submodule: another repository, not followed"]);
    let location = &summary.gaps[0].location;
    assert!(location.contains(&format!("@{inside}:lib/other ({url})")), "{location}");
}

#[test]
fn every_work_tree_of_a_repository_counts() {
    let Some(world) = World::new(&[]) else { return };
    world.commit("a", "content", "2020-01-02T00:00:00Z", "first");
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("w");
    world.git(&["worktree", "add", "-q", "--detach", to.to_str().unwrap()]);
    std::fs::write(to.join("a"), "committed elsewhere").unwrap();
    try_git(&to, "2021-01-01T00:00:00Z", &["commit", "-qam", "detached"]).unwrap();
    std::fs::write(to.join("fresh"), "not committed").unwrap();
    assert!(has(&walk(world.path()).0, "committed elsewhere"), "from the main one");
    let (found, _) = walk(&to);
    for word in ["committed elsewhere", "content", "not committed"] {
        assert!(has(&found, word), "{word} from the linked one");
    }
}

#[test]
fn a_sha256_repository_is_read() {
    let Some(world) = World::new(&["--object-format=sha256"]) else { return };
    long_history(&world);
    world.git(&["repack", "-adfq"]);
    let (found, summary) = walk(world.path());
    assert_eq!(blobs(&found), blobs_of_git(world.path()));
    assert_eq!(found.iter().filter(|one| one.git.is_none()).count(), 0, "files are known again");
    assert!(summary.gaps.is_empty(), "{:?}", summary.gaps);
}

#[test]
fn a_repository_with_a_reftable_is_read_whole_and_told() {
    let Some(world) = World::new(&["--ref-format=reftable"]) else { return };
    world.commit("a", "old content", "2020-01-02T00:00:00Z", "old");
    world.commit("a", "new content", "2021-01-02T00:00:00Z", "new");
    let (found, summary) = walk(world.path());
    assert!(has(&found, "old content") && has(&found, "new content"));
    assert!(reasons(&summary)[0].contains("reftable"), "{:?}", summary.gaps);
}

#[test]
fn what_was_replaced_is_read_and_what_replaces_it_too() {
    let Some(world) = World::new(&[]) else { return };
    let real = world.commit("a", "the real one", "2020-01-02T00:00:00Z", "real");
    world.commit("a", "the false one", "2021-01-02T00:00:00Z", "false");
    let other = world.git(&["rev-parse", "HEAD"]).trim().to_owned();
    world.git(&["reset", "-q", "--hard", &real]);
    world.git(&["replace", &real, &other]);
    let (found, _) = walk(world.path());
    assert!(has(&found, "the real one") && has(&found, "the false one"));
}

#[test]
fn a_bare_repository_with_packed_references_is_read() {
    let Some(world) = World::new(&[]) else { return };
    world.commit("a", "content", "2020-01-02T00:00:00Z", "first");
    world.git(&["checkout", "-q", "-b", "side"]);
    world.commit("b", "aside", "2021-01-02T00:00:00Z", "side");
    world.git(&["checkout", "-q", "main"]);
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("b.git");
    world.git(&["clone", "-q", "--mirror", ".", to.to_str().unwrap()]);
    try_git(&to, "2021-01-01T00:00:00Z", &["pack-refs", "--all"]).unwrap();
    let (found, summary) = walk(&to);
    assert!(has(&found, "content") && has(&found, "aside"));
    assert!(summary.gaps.is_empty(), "{:?}", summary.gaps);
}
