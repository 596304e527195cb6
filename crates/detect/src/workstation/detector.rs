//! Marks from places, findings from disk images and backup products.

use super::place::Markers;
use crate::detector::{Context, Detector, Output, View, Want};
use lidless_core::{Category, Confidence, Entry, Finding, Gap, Layer, Mark, Place, Severity};
use lidless_io::read_vec;

/// What a disk image begins with.
const IMAGES: [(&[u8], &str); 8] = [
    (b"vhdxfile", "VHDX"),
    (b"conectix", "VHD"),
    (b"KDMV", "VMDK"),
    (b"QFI\xfb", "QCOW2"),
    (b"EVF\x09\x0d\x0a\xff\x00", "EnCase"),
    (b"# Disk DescriptorFile", "VMDK descriptor"),
    (b"COWD", "VMDK"),
    (b"<<< Oracle VM VirtualBox Disk Image >>>", "VDI"),
];
/// A VHD says what it is in its last 512 bytes; a fixed one nowhere else.
const FOOTER: u64 = 512;

/// Finds backups of workstations.
pub(crate) struct WorkstationDetector {
    markers: Markers,
}

impl WorkstationDetector {
    pub(crate) fn new() -> Self {
        Self { markers: Markers::new() }
    }
}

fn image(head: &[u8]) -> Option<&'static str> {
    IMAGES.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, name)| *name)
}

fn may_have_footer(entry: &Entry) -> bool {
    let name = entry.file_name().to_ascii_lowercase();
    name.ends_with(".vhd") || name.ends_with(".avhd")
}

/// Path and the place (URI) of its root, for a prefix of the path.
fn root_of(entry: &Entry, length: usize) -> String {
    let path = entry.full_path();
    let root = path.get(..length).unwrap_or("").trim_end_matches('/');
    match entry.provenance.layers().first() {
        Some(Layer::Object { store, .. }) => format!("{store}/{root}"),
        Some(Layer::Git { repository, .. }) => format!("git+file://{repository}:{root}"),
        _ => format!("file://{root}"),
    }
}

impl Detector for WorkstationDetector {
    fn name(&self) -> &'static str {
        "workstation"
    }

    fn names(&self, entry: &Entry, _context: &Context, output: &mut Output) {
        let path = entry.full_path();
        for sign in self.markers.read(&path) {
            output.marks.push(Mark::Workstation {
                root: root_of(entry, sign.root),
                host: sign.host,
                domain: None,
                os: Some(sign.os.to_owned()),
                owner: None,
                users: sign.user.into_iter().collect(),
                evidence: sign.evidence.to_owned(),
                weight: sign.weight,
            });
        }
    }

    fn wants(&self, entry: &Entry, head: &[u8]) -> Want {
        if image(head).is_some() || may_have_footer(entry) { Want::Random } else { Want::Nothing }
    }

    fn detect(&self, view: &View<'_>, _context: &Context, output: &mut Output) {
        let entry = &view.artifact.entry;
        let bytes = &view.artifact.bytes;
        let length = bytes.len();
        let footer = || {
            let at = length.saturating_sub(FOOTER);
            read_vec(&**bytes, at, FOOTER).is_ok_and(|tail| tail.starts_with(b"conectix"))
        };
        let kind = match image(view.head) {
            Some(kind) => kind,
            None if may_have_footer(entry) && footer() => "VHD",
            None => return,
        };
        output.findings.push(Finding::new(
            "backup.disk_image",
            Category::Backup,
            Severity::High,
            Confidence::High,
            format!("disk image ({kind})"),
            &Place::whole(entry.provenance.clone()),
            format!("{length} bytes, by its own header"),
        ));
        let reason = format!("a disk image ({kind}), not looked into");
        output.gaps.push(Gap::new(&entry.provenance, reason, Some(length)));
    }
}
