//! Model files of three kinds, with gigabytes of weights that are made when they are read.

use super::checksum::{crc32, crc32_of_repeated};
use super::pickle::{Layout, Pickle, Tensor, checkpoint};
use super::zip::{Member, archive};
use crate::source::{Fill, Source};
use std::sync::Arc;

/// A torch zip checkpoint. Tensors whose length is whole periods of the fill are made; all must be.
pub(super) fn torch_zip(
    root: &str,
    seed: u64,
    tensors: &[Tensor],
    command: Option<&str>,
) -> Source {
    let fill = Fill::Repeated(seed);
    let mut block = vec![0; usize::try_from(Fill::PERIOD).unwrap_or(0)];
    Source::over(fill, Fill::PERIOD, Vec::new()).read_at(0, &mut block);
    let block_crc = crc32(&block);
    let pickle = checkpoint("resnet50", tensors, Layout::Zip, command);
    let mut members = vec![
        (format!("{root}/data.pkl"), Member::Bytes(pickle)),
        (format!("{root}/byteorder"), Member::Bytes(b"little".to_vec())),
    ];
    for (key, tensor) in tensors.iter().enumerate() {
        let crc = crc32_of_repeated(block_crc, Fill::PERIOD, tensor.bytes() / Fill::PERIOD);
        let length = u32::try_from(tensor.bytes()).unwrap_or(u32::MAX);
        members.push((format!("{root}/data/{key}"), Member::Filled { length, crc }));
    }
    members.push((format!("{root}/version"), Member::Bytes(b"3\n".to_vec())));
    archive(fill, members)
}

/// A checkpoint as torch wrote them before 1.6: five pickles, then the storages, each behind its
/// count of elements.
pub(super) fn torch_legacy(seed: u64, tensors: &[Tensor]) -> Source {
    let mut head = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.".to_vec();
    head.extend(Pickle::new().raw(b"M\xe9\x03").finish());
    let mut system = Pickle::new();
    system.raw(b"}(").text("protocol_version").raw(b"M\xe9\x03").text("little_endian");
    system.raw(b"\x88").text("type_sizes").raw(b"}(");
    for (name, size) in [("short", 2), ("int", 4), ("long", 4)] {
        system.text(name).number(size);
    }
    head.extend(system.raw(b"uu").finish());
    head.extend(checkpoint("resnet50", tensors, Layout::Legacy, None));
    let mut keys = Pickle::new();
    keys.raw(b"](");
    for key in 0..tensors.len() {
        keys.text(&key.to_string());
    }
    head.extend(keys.raw(b"e").finish());

    let mut offset = u64::try_from(head.len()).unwrap_or(u64::MAX);
    let mut pieces: Vec<(u64, Arc<[u8]>)> = vec![(0, head.into())];
    for tensor in tensors {
        pieces.push((offset, u64::from(tensor.count()).to_le_bytes().to_vec().into()));
        offset = offset.saturating_add(8).saturating_add(tensor.bytes());
    }
    Source::over(Fill::Repeated(seed), offset, pieces)
}

/// A safetensors file: the length of a JSON header, the header, the tensors.
pub(super) fn safetensors(seed: u64, tensors: &[Tensor]) -> Source {
    let mut header = String::from("{\"__metadata__\":{\"format\":\"pt\"}");
    let mut offset: u64 = 0;
    for tensor in tensors {
        let end = offset.saturating_add(tensor.bytes());
        header.push_str(&format!(
            ",\"{}\":{{\"dtype\":\"F32\",\"shape\":{:?},\"data_offsets\":[{offset},{end}]}}",
            tensor.name, tensor.shape
        ));
        offset = end;
    }
    header.push('}');
    while header.len() % 8 != 0 {
        header.push(' ');
    }
    let length = u64::try_from(header.len()).unwrap_or(u64::MAX);
    let mut head = length.to_le_bytes().to_vec();
    head.extend_from_slice(header.as_bytes());
    let size = offset.saturating_add(length).saturating_add(8);
    Source::over(Fill::Repeated(seed), size, vec![(0, head.into())])
}
