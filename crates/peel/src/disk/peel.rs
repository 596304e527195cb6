//! A disk image as a wrapping: its disk, the volumes on it, their files.

use super::image::Image;
use super::mapped::cached;
use crate::peeler::{Peeler, Sink};
use crate::volume::{Seen, Volumes};
use lidless_core::{
    Artifact, Category, Confidence, Finding, Gap, Limits, Place, Provenance, Severity,
};
use lidless_io::ReadAt as _;
use serde_json::{Map, Value};
use std::sync::Arc;

/// A format of disk images as a peeler.
pub(crate) struct DiskImage(pub(crate) Box<dyn Image>);

impl Peeler for DiskImage {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn recognises(&self, artifact: &Artifact, head: &[u8]) -> bool {
        self.0.recognises(artifact, head)
    }

    fn peel(&self, artifact: &Artifact, head: &[u8], limits: &Limits, sink: &mut dyn Sink) {
        if self.0.is_part(artifact, head) {
            return;
        }
        let place = &artifact.entry.provenance;
        let length = artifact.bytes.len();
        let cached = artifact.over(cached(Arc::clone(&artifact.bytes)));
        let mut detail = Map::new();
        detail.insert("format".into(), self.0.name().into());
        let volumes = match self.0.open(&cached, head, limits) {
            Ok(disk) => {
                for (reason, bytes) in disk.gaps {
                    sink.gap(Gap::new(place, reason, bytes));
                }
                detail.insert("disk_bytes".into(), disk.bytes.len().into());
                for (name, value) in disk.facts {
                    detail.insert(name.to_owned(), value);
                }
                Volumes { place, limits }.peel(&disk.bytes, sink)
            }
            Err(error) => {
                error.say(place, Some(length), sink);
                Vec::new()
            }
        };
        detail.insert("volumes".into(), volumes.iter().map(Seen::to_json).collect());
        if let Some(finding) = self.finding(place, length, &volumes, detail) {
            sink.finding(finding);
        }
    }
}

impl DiskImage {
    /// A copy of a machine's disk is a finding; an installer or a file system of data alone is
    /// worth a line.
    fn finding(
        &self,
        place: &Provenance,
        length: u64,
        volumes: &[Seen],
        detail: Map<String, Value>,
    ) -> Option<Finding> {
        const HANDED_OUT: [&str; 3] = ["ISO 9660", "UDF", "SquashFS"];
        let machine = volumes.iter().any(|volume| volume.is_of_a_machine);
        let unseen = volumes.is_empty() || volumes.iter().any(|volume| volume.closed.is_some());
        let handed_out = self.0.is_distribution()
            || (!volumes.is_empty()
                && volumes.iter().all(|volume| HANDED_OUT.contains(&volume.kind.as_str())));
        let severity = match (machine, handed_out, unseen) {
            (true, _, _) | (false, false, true) => Severity::High,
            (false, false, false) => Severity::Medium,
            (false, true, _) => Severity::Info,
        };
        if severity == Severity::Info {
            return None;
        }
        let held: Vec<String> = volumes.iter().map(Seen::to_string).collect();
        let held = if held.is_empty() { "nothing that was opened".into() } else { held.join(", ") };
        let mut finding = Finding::new(
            "backup.disk_image",
            Category::Backup,
            severity,
            Confidence::High,
            format!("disk image ({})", self.0.name()),
            &Place::whole(place.clone()),
            format!("{length} bytes, by its own header: {held}"),
        );
        finding.detail = detail;
        Some(finding)
    }
}
