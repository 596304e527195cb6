//! Marks from the places of files.

use super::place::Markers;
use super::root::root_of;
use crate::detector::{Context, Detector, Output, View, Want};
use crate::head::Head;
use lidless_core::{Entry, Mark};
use std::sync::Arc;

/// Finds backups of workstations by what their files are called.
pub(crate) struct WorkstationDetector {
    markers: Arc<Markers>,
}

impl WorkstationDetector {
    pub(crate) fn new(markers: Arc<Markers>) -> Self {
        Self { markers }
    }
}

impl Detector for WorkstationDetector {
    fn name(&self) -> &'static str {
        "workstation"
    }

    fn names(&self, entry: &Entry, _context: &Context, output: &mut Output) {
        let path = entry.full_path();
        for sign in self.markers.read(path) {
            output.marks.push(Mark::Workstation {
                root: root_of(entry, sign.root),
                host: sign.host,
                domain: None,
                os: Some(sign.os.to_owned()),
                owner: None,
                users: sign.user.into_iter().collect(),
                evidence: sign.evidence.to_owned(),
                weight: sign.weight,
                stated: false,
                last_used: None,
                machine_id: None,
            });
        }
    }

    fn wants(&self, _entry: &Entry, _head: &Head<'_>) -> Want {
        Want::Nothing
    }

    fn detect(&self, _view: &View<'_>, _context: &Context, _output: &mut Output) {}
}
