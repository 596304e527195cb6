//! Files of real libraries, made by `tests/benign/make_benign.py`: nothing above `info`.

use crate::look::{look, worst};
use lidless_core::Severity;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Python that has the libraries: `LIDLESS_MODEL_PYTHON`, or where `./check` installs it.
fn python() -> Option<PathBuf> {
    let named = std::env::var_os("LIDLESS_MODEL_PYTHON").filter(|name| !name.is_empty());
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/models/bin/python");
    let found = named.map_or(own, PathBuf::from);
    if found.is_file() {
        return Some(found);
    }
    let why = "no Python with the model libraries: run ./check, or set LIDLESS_MODEL_PYTHON";
    assert!(std::env::var_os("CI").is_none(), "{why}");
    eprintln!("not tested on files of real libraries: {why}");
    None
}

#[test]
fn what_real_libraries_write_is_no_alarm() {
    let Some(python) = python() else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/benign/make_benign.py");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("benign-models");
    let _ = std::fs::remove_dir_all(&folder);
    let made = Command::new(python).arg(script).arg(&folder).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    hdf5(&folder.with_file_name("benign-models-bad"));
    let (mut files, mut known, mut alarms) = (0, 0, Vec::new());
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let output = look(&name, &std::fs::read(&path).unwrap());
        files += 1;
        known += usize::from(!output.findings.is_empty());
        if worst(&output) > Some(Severity::Info) || !output.gaps.is_empty() {
            let why: Vec<String> = output
                .findings
                .iter()
                .map(|finding| format!("{} {:?}", finding.rule, finding.detail["why"]))
                .chain(output.gaps.iter().map(|gap| gap.reason.clone()))
                .collect();
            alarms.push(format!("{name}: {}", why.join("; ")));
        }
    }
    assert!(files >= 1_000, "only {files} files were made");
    assert!(known >= files * 8 / 10, "only {known} of {files} files were known as models");
    assert!(alarms.is_empty(), "{} of {files}:\n{}", alarms.len(), alarms.join("\n"));
}

/// Code in an attribute, in every layout that HDF5 has for one; cut and flipped as well.
fn hdf5(folder: &Path) {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).unwrap();
        let output = look(&name, &bytes);
        let told = output.findings.iter().any(|finding| {
            finding.rule == "model.keras_lambda" && finding.severity == Severity::Critical
        });
        assert!(told, "{name}: {:?} {:?}", output.findings, output.gaps);
        if bytes.len() < 8 << 10 {
            lidless_kit::cut_and_flip(&bytes, |bytes| drop(look(&name, bytes)));
        }
        files += 1;
    }
    assert_eq!(files, 6);
}
