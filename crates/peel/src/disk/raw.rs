//! A disk, or one volume, byte for byte.

use super::image::{Disk, Image};
use crate::error::PeelError;
use crate::volume::looks_like_a_disk;
use lidless_core::{Artifact, Limits};
use std::sync::Arc;

/// A disk or volume without a container around it.
pub(crate) struct Raw;

impl Image for Raw {
    fn name(&self) -> &'static str {
        "raw"
    }

    fn recognises(&self, artifact: &Artifact, head: &[u8]) -> bool {
        looks_like_a_disk(artifact, head)
    }

    fn open(&self, artifact: &Artifact, _: &[u8], _: &Limits) -> Result<Disk, PeelError> {
        Ok(Disk::new(Arc::clone(&artifact.bytes)))
    }
}
