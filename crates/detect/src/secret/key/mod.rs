//! Private keys: what kind and size, whether encrypted, and the fingerprint of the public half,
//! so that a key found twice is one secret in two places.

mod der;
mod found;
#[cfg(test)]
mod hostile;
mod java;
mod jwk;
mod openssh;
mod pem;
mod pgp;
mod pkcs;
mod pkcs12;
mod public;
mod published;
mod putty;
mod say;
mod short;
mod ssh2;
mod table;

pub(crate) use say::describe;
pub(crate) use table::{kind_of, read_bytes, read_text};
