//! Builds pickles opcode by opcode.

/// A pickle in the making.
#[derive(Clone, Default)]
pub(crate) struct Pickle(Vec<u8>);

/// The ways to write a string.
pub(crate) const STRINGS: [&str; 7] = [
    "SHORT_BINUNICODE",
    "BINUNICODE",
    "BINUNICODE8",
    "SHORT_BINSTRING",
    "BINSTRING",
    "STRING",
    "UNICODE",
];

/// The ways to make a call of a name and one string.
pub(crate) const CALLS: [&str; 6] =
    ["REDUCE", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "STACK_GLOBAL"];

impl Pickle {
    /// Begins one; protocols 0 and 1 have no opcode that says so.
    pub(crate) fn new(protocol: u8) -> Self {
        if protocol < 2 { Self::default() } else { Self(vec![0x80, protocol]) }
    }

    pub(crate) fn op(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn global(self, module: &str, name: &str) -> Self {
        self.op(format!("c{module}\n{name}\n").as_bytes())
    }

    pub(crate) fn stack_global(self, module: &str, name: &str) -> Self {
        self.text(module).text(name).op(b"\x93")
    }

    pub(crate) fn text(self, text: &str) -> Self {
        self.string("BINUNICODE", text)
    }

    pub(crate) fn string(self, kind: &str, text: &str) -> Self {
        let bytes = text.as_bytes();
        let length = bytes.len() as u64;
        let sized = |opcode: u8, width: usize| {
            [&[opcode][..], &length.to_le_bytes()[..width], bytes].concat()
        };
        let written = match kind {
            "SHORT_BINUNICODE" => sized(0x8c, 1),
            "BINUNICODE" => sized(b'X', 4),
            "BINUNICODE8" => sized(0x8d, 8),
            "SHORT_BINSTRING" => sized(b'U', 1),
            "BINSTRING" => sized(b'T', 4),
            // With every letter escaped.
            "STRING" => {
                let inner: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
                format!("S'{inner}'\n").into_bytes()
            }
            "UNICODE" => {
                let inner: String = bytes.iter().map(|byte| format!("\\u{byte:04x}")).collect();
                format!("V{inner}\n").into_bytes()
            }
            other => panic!("{other} is no string"),
        };
        self.op(&written)
    }

    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        let length = (bytes.len() as u32).to_le_bytes();
        self.op(&[b"B", &length[..], bytes].concat())
    }

    /// Calls `module.name` with one string, in one of [`CALLS`].
    pub(crate) fn call(self, way: &str, module: &str, name: &str, argument: &str) -> Self {
        match way {
            "REDUCE" => self.global(module, name).text(argument).op(b"\x85R"),
            "STACK_GLOBAL" => self.stack_global(module, name).text(argument).op(b"\x85R"),
            "INST" => self.op(b"(").text(argument).op(format!("i{module}\n{name}\n").as_bytes()),
            "OBJ" => self.op(b"(").global(module, name).text(argument).op(b"o"),
            "NEWOBJ" => self.global(module, name).text(argument).op(b"\x85\x81"),
            "NEWOBJ_EX" => self.global(module, name).text(argument).op(b"\x85}\x92"),
            other => panic!("{other} is no call"),
        }
    }

    /// An ordinary state dictionary, as a checkpoint begins.
    pub(crate) fn state(self) -> Self {
        self.global("collections", "OrderedDict").op(b")R").text("epoch").op(b"K\x05s")
    }

    pub(crate) fn stop(self) -> Vec<u8> {
        self.op(b".").0
    }

    /// What was written so far.
    pub(crate) fn so_far(self) -> Vec<u8> {
        self.0
    }
}

/// A stream of protocol 4 in a frame of a length that may be wrong.
pub(crate) fn framed(body: &[u8], length: u64) -> Vec<u8> {
    [b"\x80\x04\x95", &length.to_le_bytes()[..], body].concat()
}

/// A NumPy file of one array.
pub(crate) fn npy(version: u8, descr: &str, body: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}");
    while (header.len() + 13) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let length = header.len() as u64;
    let width = if version == 1 { 2 } else { 4 };
    [b"\x93NUMPY", &[version, 0][..], &length.to_le_bytes()[..width], header.as_bytes(), body]
        .concat()
}

/// A zip archive of stored members: name in the local header, name in the directory, flags,
/// CRC, content.
pub(crate) struct Member<'a> {
    pub(crate) local: &'a str,
    pub(crate) central: &'a str,
    pub(crate) flags: u16,
    pub(crate) crc: u32,
    pub(crate) content: &'a [u8],
}

impl<'a> Member<'a> {
    pub(crate) fn new(name: &'a str, content: &'a [u8]) -> Self {
        Self { local: name, central: name, flags: 0, crc: crc32(content), content }
    }
}

pub(crate) fn zip(members: &[Member<'_>]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for one in members {
        let size = (one.content.len() as u32).to_le_bytes();
        let at = (out.len() as u32).to_le_bytes();
        let fixed =
            [&one.flags.to_le_bytes()[..], &[0; 6], &one.crc.to_le_bytes(), &size, &size].concat();
        out.extend(
            [b"PK\x03\x04\x14\0", &fixed[..], &(one.local.len() as u16).to_le_bytes(), &[0, 0]]
                .concat(),
        );
        out.extend([one.local.as_bytes(), one.content].concat());
        directory.extend(
            [
                b"PK\x01\x02\x14\0\x14\0",
                &fixed[..],
                &(one.central.len() as u16).to_le_bytes(),
                &[0; 12],
                &at,
            ]
            .concat(),
        );
        directory.extend(one.central.as_bytes());
    }
    let count = (members.len() as u16).to_le_bytes();
    let (start, size) = ((out.len() as u32).to_le_bytes(), (directory.len() as u32).to_le_bytes());
    out.extend(directory);
    out.extend([b"PK\x05\x06\0\0\0\0", &count[..], &count, &size, &start, &[0, 0]].concat());
    out
}

/// Source: the ZIP specification, 4.4.7.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// A tar archive.
pub(crate) fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, content) in members {
        let mut header = vec![0u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..108].copy_from_slice(b"0000644\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        header[148..156].copy_from_slice(b"        ");
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend(header);
        out.extend_from_slice(content);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}
