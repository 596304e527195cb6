//! A real S3 service on this machine: Ceph's gateway over a store in memory, started and stopped
//! by a test.

use crate::port::Port;
use crate::s3_sign::{Signer, presigned_v2, presigned_v4};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running gateway with users of its own, on a free loopback port, its data in memory.
/// Dropping it stops its processes.
pub struct Radosgw {
    processes: Vec<Child>,
    port: Port,
    _monitor: Port,
    _folder: TempDir,
}

/// One user of the service.
#[derive(Clone, Debug)]
pub struct S3User {
    /// Access key id.
    pub id: String,
    /// Secret key.
    pub secret: String,
}

const CLUSTER: &str = "3f8a1c1e-0b0a-4b7e-9c55-6a2f1d0e7b11";
const DEVICE: &str = "7d1c2f54-33a5-44c5-9a7d-7f0a6a1b2c3d";
/// A start on a busy machine takes this long at most.
const START: Duration = Duration::from_secs(180);

impl Radosgw {
    /// Starts the service with one user for each name.
    ///
    /// Returns nothing, and prints why, when the programs are not installed.
    ///
    /// # Panics
    /// When they are not installed and `CI` is set, and when they are and do not start.
    pub fn start(users: &[S3User]) -> Option<Self> {
        let wanted = ["ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin"];
        let path = std::env::var_os("PATH").unwrap_or_default();
        let is_there =
            |name: &&str| std::env::split_paths(&path).any(|dir| dir.join(name).exists());
        if !wanted.iter().all(is_there) {
            let why = "radosgw and its programs were not found: run ./check as root";
            assert!(std::env::var_os("CI").is_none(), "{why}");
            eprintln!("not tested against radosgw: {why}");
            return None;
        }
        // A daemon may meet a taken port, or be starved on a busy machine: then once more.
        for _ in 0..3 {
            match Self::started(users) {
                Ok(made) => return Some(made),
                Err(why) => eprintln!("radosgw did not start: {why}"),
            }
        }
        panic!("radosgw was started three times and does not answer");
    }

    fn started(users: &[S3User]) -> Result<Self, String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path();
        let (monitor, port) = (Port::take(), Port::take());
        for name in ["mon", "osd", "run"] {
            std::fs::create_dir(root.join(name)).expect("a folder");
        }
        std::fs::write(root.join("ceph.conf"), configuration(root, monitor.number()))
            .expect("a file");
        let at = monitor.number();
        let mut made = Self { processes: Vec::new(), port, _monitor: monitor, _folder: folder };
        made.run("monmaptool", |command, root| {
            let address = format!("[v1:127.0.0.1:{at}]");
            command.args(["--create", "--addv", "a", &address, "--fsid", CLUSTER, "--clobber"]);
            command.arg(root.join("monmap"));
        })?;
        made.run("ceph-mon", |command, root| {
            configured(command, root).args(["-i", "a", "--mkfs", "--monmap"]);
            command.arg(root.join("monmap"));
        })?;
        made.spawn("ceph-mon", &["-i", "a", "-f"]);
        made.run("ceph", |command, root| {
            configured(command, root).args(["--connect-timeout", "120", "osd", "new", DEVICE]);
        })?;
        made.run("ceph-osd", |command, root| {
            configured(command, root).args(["-i", "0", "--mkfs", "--osd-uuid", DEVICE]);
        })?;
        made.spawn("ceph-osd", &["-i", "0", "-f"]);
        for (number, user) in users.iter().enumerate() {
            made.run("radosgw-admin", |command, root| {
                configured(command, root).args(["-n", "client.admin", "user", "create"]);
                command.arg(format!("--uid=user{number}"));
                command.arg(format!("--display-name=User {number}"));
                command.arg(format!("--access-key={}", user.id));
                command.arg(format!("--secret-key={}", user.secret));
            })?;
        }
        let number = made.port.number();
        let frontend = format!("--rgw-frontends=beast endpoint=127.0.0.1:{number}");
        made.spawn("radosgw", &["-f", "-n", "client.admin", &frontend]);
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", number)).is_err() {
            if begun.elapsed() > START || made.has_lost_one() {
                return Err("nobody listens".into());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(made)
    }

    /// Where it listens: `http://127.0.0.1:PORT`; the bucket is the first part of the path.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.number())
    }

    /// Makes a bucket; `acl` is `private`, `public-read` and the like.
    ///
    /// # Panics
    /// As all uploads: when the service does not take it.
    pub fn put_bucket(&self, user: &S3User, name: &str, acl: &str) {
        self.put(user, name, "", &[("x-amz-acl", acl)], b"");
    }

    /// Gives a bucket a policy.
    pub fn put_policy(&self, user: &S3User, bucket: &str, policy: &str) {
        self.put(user, bucket, "policy=", &[], policy.as_bytes());
    }

    /// Keeps versions of what is overwritten or deleted from now on.
    pub fn keep_versions(&self, user: &S3User, bucket: &str) {
        let body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        self.put(user, bucket, "versioning=", &[], body.as_bytes());
    }

    /// Makes whoever asks pay.
    pub fn let_requesters_pay(&self, user: &S3User, bucket: &str) {
        let body = "<RequestPaymentConfiguration><Payer>Requester</Payer>\
                    </RequestPaymentConfiguration>";
        self.put(user, bucket, "requestPayment=", &[], body.as_bytes());
    }

    /// Sets the public access block, which this service heeds for listings.
    pub fn put_public_access_block(&self, user: &S3User, bucket: &str, ignores_acls: bool) {
        let body = format!(
            "<PublicAccessBlockConfiguration><BlockPublicAcls>false</BlockPublicAcls>\
             <IgnorePublicAcls>{ignores_acls}</IgnorePublicAcls>\
             <BlockPublicPolicy>false</BlockPublicPolicy>\
             <RestrictPublicBuckets>false</RestrictPublicBuckets>\
             </PublicAccessBlockConfiguration>"
        );
        self.put(user, bucket, "publicAccessBlock=", &[], body.as_bytes());
    }

    /// Deletes the newest version of an object.
    pub fn delete_object(&self, user: &S3User, bucket: &str, key: &str) {
        self.send(user, "DELETE", &format!("{bucket}/{key}"), "", &[], b"");
    }

    /// Uploads an object that everyone may read.
    pub fn put_open_object(&self, user: &S3User, bucket: &str, key: &str, bytes: &[u8]) {
        self.put(user, &format!("{bucket}/{key}"), "", &[("x-amz-acl", "public-read")], bytes);
    }

    /// Uploads an object.
    pub fn put_object(&self, user: &S3User, bucket: &str, key: &str, bytes: &[u8]) {
        self.put(user, &format!("{bucket}/{key}"), "", &[], bytes);
    }

    /// Everything in the service, as its own administration tells it: equal before and after means
    /// that nothing was written.
    pub fn snapshot(&self) -> String {
        let ask = |words: &[&str]| {
            let mut command = Command::new("radosgw-admin");
            configured(&mut command, self._folder.path()).args(["-n", "client.admin"]);
            let output = command.args(words).stdin(Stdio::null()).output();
            let output = output.expect("radosgw-admin runs");
            assert!(output.status.success(), "{words:?}: {output:?}");
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        let buckets = ask(&["bucket", "list"]);
        let names = buckets.split('"').skip(1).step_by(2);
        let listed = names.map(|name| {
            let objects = ask(&["bucket", "list", "--bucket", name, "--max-entries", "100000"]);
            format!("{name}: {objects}")
        });
        listed.collect::<Vec<_>>().join("\n")
    }

    /// A URL for one method on one object, that works for so many seconds from `time` on
    /// (`20260101T000000Z`, now when none), signed in the fourth version.
    pub fn presigned(
        &self,
        user: &S3User,
        method: &str,
        path: &str,
        time: Option<&str>,
        seconds: u32,
    ) -> String {
        let time = time.map_or_else(crate::s3_sign::now, str::to_owned);
        presigned_v4(&self.signer(user), method, path, &time, seconds)
    }

    /// The same in the second version: `expires` is in seconds of the epoch.
    pub fn presigned_v2(&self, user: &S3User, method: &str, path: &str, expires: u64) -> String {
        presigned_v2(&self.signer(user), method, path, expires)
    }

    fn signer<'a>(&self, user: &'a S3User) -> Signer<'a> {
        let authority = format!("127.0.0.1:{}", self.port.number());
        Signer { id: &user.id, secret: &user.secret, authority }
    }

    fn put(&self, user: &S3User, path: &str, query: &str, extra: &[(&str, &str)], body: &[u8]) {
        self.send(user, "PUT", path, query, extra, body);
    }

    fn send(
        &self,
        user: &S3User,
        method: &str,
        path: &str,
        query: &str,
        extra: &[(&str, &str)],
        body: &[u8],
    ) {
        let signed = self.signer(user).headers(method, path, query, extra, body);
        let target = if query.is_empty() { String::new() } else { format!("?{query}") };
        let mut request =
            format!("{method} /{}{target} HTTP/1.1\r\n", crate::s3_sign::encoded_path(path));
        for (name, value) in signed {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("content-length: {}\r\nconnection: close\r\n\r\n", body.len()));
        let mut stream =
            TcpStream::connect(("127.0.0.1", self.port.number())).expect("a connection");
        stream.write_all(request.as_bytes()).expect("a request");
        stream.write_all(body).expect("a body");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let answer = String::from_utf8_lossy(&answer);
        let good = ["HTTP/1.1 200", "HTTP/1.1 204"].iter().any(|ok| answer.starts_with(ok));
        assert!(good, "{method} {path}: {answer}");
    }

    /// Runs a program to its end; without a daemon that it asks, it would wait for ever.
    fn run(
        &mut self,
        program: &str,
        arguments: impl Fn(&mut Command, &Path),
    ) -> Result<(), String> {
        let mut command = Command::new(program);
        arguments(&mut command, self._folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child =
            command.spawn().map_err(|error| format!("cannot start {program}: {error}"))?;
        let begun = Instant::now();
        loop {
            match child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(format!("{program} ended with {status}")),
                Ok(None) if begun.elapsed() < START && !self.has_lost_one() => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                _ => {
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(format!("{program} does not end, or a daemon of it did"));
                }
            }
        }
    }

    /// Whether a daemon ended by itself.
    fn has_lost_one(&mut self) -> bool {
        self.processes.iter_mut().any(|process| !matches!(process.try_wait(), Ok(None)))
    }

    fn spawn(&mut self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(program);
        configured(&mut command, self._folder.path());
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn();
        self.processes
            .push(child.unwrap_or_else(|error| panic!("cannot start {program}: {error}")));
    }
}

impl Drop for Radosgw {
    fn drop(&mut self) {
        for process in self.processes.iter_mut().rev() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn configured<'c>(command: &'c mut Command, root: &Path) -> &'c mut Command {
    command.arg("-c").arg(root.join("ceph.conf"))
}

/// No authentication inside the cluster, one copy of everything, in memory. The monitor ends where
/// a twentieth of the disk or less is free, unless told that a hundredth will do. The gateway insists
/// on an encrypted connection to the monitor unless told otherwise, which cannot be had without
/// authentication.
fn configuration(root: &Path, monitor: u16) -> String {
    let root = root.display();
    format!(
        "[global]\n\
         fsid = {CLUSTER}\n\
         mon host = v1:127.0.0.1:{monitor}\n\
         auth cluster required = none\n\
         auth service required = none\n\
         auth client required = none\n\
         ms mon client mode = crc\n\
         mon data = {root}/mon\n\
         mon data avail warn = 2\n\
         mon data avail crit = 1\n\
         osd data = {root}/osd\n\
         osd objectstore = memstore\n\
         memstore device bytes = 1073741824\n\
         osd pool default size = 1\n\
         osd pool default min size = 1\n\
         mon allow pool size one = true\n\
         osd pool default pg num = 4\n\
         osd pool default pgp num = 4\n\
         mon max pg per osd = 2000\n\
         osd crush chooseleaf type = 0\n\
         osd op thread timeout = 600\n\
         osd op thread suicide timeout = 0\n\
         osd heartbeat grace = 600\n\
         log file =\n\
         log to stderr = false\n\
         mon cluster log file =\n\
         run dir = {root}/run\n\
         admin socket =\n\
         rgw data = {root}/rgw\n"
    )
}
