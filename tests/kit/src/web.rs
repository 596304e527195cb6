//! Real web servers on this machine that show a folder, started and stopped by a test.

use crate::port::Port;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Which server, and how it writes an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebKind {
    /// Python's `http.server`: no sizes, no ranges.
    Python,
    /// nginx, in HTML.
    Nginx,
    /// nginx, in JSON.
    NginxJson,
    /// nginx, in XML.
    NginxXml,
    /// Apache, as a plain list.
    ApachePlain,
    /// Apache, with columns in preformatted text.
    ApacheFancy,
    /// Apache, as a table.
    ApacheTable,
    /// lighttpd.
    Lighttpd,
    /// Caddy.
    Caddy,
}

impl WebKind {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::Python,
        Self::Nginx,
        Self::NginxJson,
        Self::NginxXml,
        Self::ApachePlain,
        Self::ApacheFancy,
        Self::ApacheTable,
        Self::Lighttpd,
        Self::Caddy,
    ];

    fn program(self) -> &'static str {
        match self {
            Self::Python => "python3",
            Self::Nginx | Self::NginxJson | Self::NginxXml => "nginx",
            Self::ApachePlain | Self::ApacheFancy | Self::ApacheTable => "apache2",
            Self::Lighttpd => "lighttpd",
            Self::Caddy => "caddy",
        }
    }
}

/// A running server over a folder, on a free loopback port. Dropping it stops it.
pub struct WebServer {
    process: Child,
    port: Port,
    _state: TempDir,
}

/// A start on a busy machine takes this long at most.
const START: Duration = Duration::from_secs(60);

impl WebServer {
    /// Starts a server over `root`, which others have to be able to read.
    ///
    /// Returns nothing, and prints why, when the program is not installed.
    ///
    /// # Panics
    /// When it is not installed and `CI` is set, and when it is and does not start.
    pub fn start(kind: WebKind, root: &Path) -> Option<Self> {
        let Some(program) = found(kind.program()) else {
            let why = format!("{} was not found: run ./check as root", kind.program());
            assert!(std::env::var_os("CI").is_none(), "{why}");
            eprintln!("not tested against {kind:?}: {why}");
            return None;
        };
        // A free port may be taken before the server has it: then once more.
        for _ in 0..3 {
            if let Some(made) = Self::started(kind, &program, root) {
                return Some(made);
            }
        }
        panic!("{} was started three times and does not answer", kind.program());
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.number())
    }

    fn started(kind: WebKind, program: &Path, root: &Path) -> Option<Self> {
        let state = tempfile::tempdir().expect("a temporary folder");
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(state.path(), open).expect("a folder others can read");
        let held = Port::take();
        let port = held.number();
        let at = state.path();
        let mut command = Command::new(program);
        match kind {
            WebKind::Python => {
                command.args(["-m", "http.server", "--bind", "127.0.0.1", "--directory"]);
                command.arg(root).arg(port.to_string());
            }
            WebKind::Nginx | WebKind::NginxJson | WebKind::NginxXml => {
                let format = match kind {
                    WebKind::NginxJson => "json",
                    WebKind::NginxXml => "xml",
                    _ => "html",
                };
                std::fs::write(at.join("conf"), nginx(at, root, port, format)).expect("a file");
                command.arg("-p").arg(at).arg("-c").arg(at.join("conf"));
            }
            WebKind::ApachePlain | WebKind::ApacheFancy | WebKind::ApacheTable => {
                let options = match kind {
                    WebKind::ApachePlain => "-FancyIndexing",
                    WebKind::ApacheFancy => "FancyIndexing NameWidth=*",
                    _ => "FancyIndexing HTMLTable NameWidth=*",
                };
                std::fs::write(at.join("conf"), apache(at, root, port, options)).expect("a file");
                command.arg("-f").arg(at.join("conf")).args(["-D", "FOREGROUND"]);
            }
            WebKind::Lighttpd => {
                let text = format!(
                    "server.document-root = \"{}\"\nserver.port = {port}\n\
                     server.bind = \"127.0.0.1\"\nserver.modules = (\"mod_dirlisting\")\n\
                     dir-listing.activate = \"enable\"\ndir-listing.encoding = \"utf-8\"\n",
                    root.display()
                );
                std::fs::write(at.join("conf"), text).expect("a file");
                command.arg("-D").arg("-f").arg(at.join("conf"));
            }
            WebKind::Caddy => {
                command.args(["file-server", "--browse", "--listen"]);
                command.arg(format!("127.0.0.1:{port}")).arg("--root").arg(root);
                command.env("HOME", at).env("XDG_CONFIG_HOME", at).env("XDG_DATA_HOME", at);
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("the server starts");
        let mut made = Self { process, port: held, _state: state };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if begun.elapsed() > START || !matches!(made.process.try_wait(), Ok(None)) {
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // Whoever answered may have been another, whose port this was: then the server ended.
        matches!(made.process.try_wait(), Ok(None)).then_some(made)
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        // Asked to end, a server ends its children as well.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let begun = Instant::now();
        while matches!(self.process.try_wait(), Ok(None)) && begun.elapsed() < START {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn nginx(at: &Path, root: &Path, port: u16, format: &str) -> String {
    let at = at.display();
    let user = if is_root() { "user root;\n" } else { "" };
    format!(
        "{user}daemon off;\nworker_processes 1;\npid {at}/pid;\nerror_log {at}/error.log;\n\
         events {{}}\nhttp {{\n  access_log off;\n  client_body_temp_path {at}/a;\n  \
         proxy_temp_path {at}/b;\n  fastcgi_temp_path {at}/c;\n  uwsgi_temp_path {at}/d;\n  \
         scgi_temp_path {at}/e;\n  server {{\n    listen 127.0.0.1:{port};\n    root {};\n    \
         autoindex on;\n    autoindex_format {format};\n  }}\n}}\n",
        root.display()
    )
}

fn apache(at: &Path, root: &Path, port: u16, options: &str) -> String {
    let modules = "/usr/lib/apache2/modules";
    let (at, root) = (at.display(), root.display());
    let user = if is_root() { "User www-data\nGroup www-data\n" } else { "" };
    format!(
        "ServerRoot {at}\nPidFile {at}/pid\nErrorLog {at}/error.log\nListen 127.0.0.1:{port}\n\
         ServerName localhost\n{user}Mutex file:{at}\n\
         LoadModule mpm_event_module {modules}/mod_mpm_event.so\n\
         LoadModule authz_core_module {modules}/mod_authz_core.so\n\
         LoadModule dir_module {modules}/mod_dir.so\n\
         LoadModule autoindex_module {modules}/mod_autoindex.so\n\
         DocumentRoot {root}\n<Directory {root}>\n  Options Indexes\n  Require all granted\n  \
         IndexOptions {options} Charset=UTF-8\n</Directory>\n"
    )
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|it| std::os::unix::fs::MetadataExt::uid(&it) == 0)
}

/// A program on the path or where system programs are.
fn found(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/bin".into()]);
    folders.map(|folder| folder.join(name)).find(|program| program.is_file())
}
