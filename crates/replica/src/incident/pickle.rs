//! Pickles as `torch.save` writes them: the pickle of a state dict, protocol 2.

/// One tensor of 32-bit floats: its name and shape. Its storage's key is its place in the list.
#[derive(Debug, Clone)]
pub(super) struct Tensor {
    pub(super) name: String,
    pub(super) shape: Vec<u32>,
}

impl Tensor {
    /// How many floats.
    pub(super) fn count(&self) -> u32 {
        self.shape.iter().fold(1, |product: u32, side| product.saturating_mul(*side))
    }

    /// Length in bytes.
    pub(super) fn bytes(&self) -> u64 {
        u64::from(self.count()).saturating_mul(4)
    }
}

/// Which of the two layouts a persistent id belongs to: the older one ends in a view that is not
/// there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Zip,
    Legacy,
}

/// A pickle in the making.
#[derive(Debug, Default)]
pub(super) struct Pickle(Vec<u8>);

impl Pickle {
    pub(super) fn new() -> Self {
        Self(b"\x80\x02".to_vec())
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// BINUNICODE.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.raw(b"X").raw(&length.to_le_bytes()).raw(text.as_bytes())
    }

    /// BININT.
    pub(super) fn number(&mut self, number: u32) -> &mut Self {
        self.raw(b"J").raw(&number.to_le_bytes())
    }

    /// GLOBAL.
    pub(super) fn global(&mut self, module: &str, name: &str) -> &mut Self {
        self.raw(format!("c{module}\n{name}\n").as_bytes())
    }

    pub(super) fn finish(&mut self) -> Vec<u8> {
        self.raw(b".");
        std::mem::take(&mut self.0)
    }

    fn ordered_dict(&mut self) -> &mut Self {
        self.global("collections", "OrderedDict").raw(b")R")
    }

    fn tuple(&mut self, numbers: &[u32]) -> &mut Self {
        self.raw(b"(");
        for number in numbers {
            self.number(*number);
        }
        self.raw(b"t")
    }

    /// `OrderedDict` of name to `_rebuild_tensor_v2((storage), 0, shape, strides, False, {})`.
    pub(super) fn state_dict(&mut self, tensors: &[Tensor], layout: Layout) -> &mut Self {
        self.ordered_dict().raw(b"(");
        for (key, tensor) in tensors.iter().enumerate() {
            self.text(&tensor.name).global("torch._utils", "_rebuild_tensor_v2");
            self.raw(b"((").text("storage").global("torch", "FloatStorage");
            self.text(&key.to_string()).text("cpu").number(tensor.count());
            self.raw(if layout == Layout::Legacy { b"NtQ" } else { b"tQ" });
            let mut strides = Vec::new();
            let mut stride: u32 = 1;
            for side in tensor.shape.iter().rev() {
                strides.insert(0, stride);
                stride = stride.saturating_mul(*side);
            }
            self.number(0).tuple(&tensor.shape).tuple(&strides);
            self.raw(b"\x89").ordered_dict().raw(b"tR");
        }
        self.raw(b"u")
    }
}

/// A training checkpoint: `{"epoch", "arch", "state_dict"}`, and where `command` is given, a
/// callback that would run it when loaded.
pub(super) fn checkpoint(
    arch: &str,
    tensors: &[Tensor],
    layout: Layout,
    command: Option<&str>,
) -> Vec<u8> {
    let mut pickle = Pickle::new();
    pickle.raw(b"}(").text("epoch").number(90).text("arch").text(arch);
    pickle.text("state_dict").state_dict(tensors, layout);
    if let Some(command) = command {
        pickle.text("callback").global("posix", "system").text(command).raw(b"\x85R");
    }
    pickle.raw(b"u").finish()
}
