//! Every format of keys and values: the first byte chooses the name of the file.
#![no_main]

const NAMES: [&str; 16] = [
    ".env",
    "a.ini",
    "a.toml",
    "a.yaml",
    "a.json",
    "a.ipynb",
    "a.xml",
    "a.properties",
    "a.php",
    "a.sh",
    ".netrc",
    ".pgpass",
    ".htpasswd",
    "a.sql",
    "a.tf",
    "notes",
];

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((first, data)) = data.split_first() else { return };
    let name = NAMES[usize::from(*first) % NAMES.len()];
    lidless_fuzz::look_at_text(name, data.to_vec());
});
