//! The table of model formats: a new one is one new file and one line here. The first that
//! recognises a file looks at it.

use super::format::Format;
use super::formats::{
    Bundle, CoreMl, Executable, Gguf, Graph, Hdf5, Hub, Inert, Keras, KerasMetadata, Lite, Markup,
    Numpy, Onnx, Pickle, RSerial, SafeTensors, Skops, Source, Template, Yaml,
};

/// Every format, what has a magic number first.
pub(crate) static FORMATS: [&dyn Format; 21] = [
    &Numpy,
    &Hdf5,
    &Gguf,
    &Lite,
    &Executable,
    &RSerial,
    &SafeTensors,
    &Pickle,
    &Skops,
    &Keras,
    &Hub,
    &KerasMetadata,
    &Graph,
    &Onnx,
    &CoreMl,
    &Bundle,
    &Markup,
    &Yaml,
    &Template,
    &Source,
    &Inert,
];
