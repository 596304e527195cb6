//! A folder of models: the report, the bill of materials, names that a user allows.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use lidless_program_tests::run;
use std::path::Path;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    put("evil.bin", b"\x80\x02cos\nsystem\nX\x02\0\0\0id\x85R.");
    put("yolo.pkl", b"\x80\x02cultra.nn\nNet\n)\x81}b.");
    put("plain.pt", b"\x80\x02ccollections\nOrderedDict\n)R.");
    let header = r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    let mut tensors = (header.len() as u64).to_le_bytes().to_vec();
    tensors.extend(header.as_bytes());
    tensors.extend([0; 8]);
    put("plain.safetensors", &tensors);
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_folder_of_models_reads_as_a_model_report() {
    let folder = folder();
    let ran = run(&["scan", text(folder.path())]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let head = "4 model files: 1 dangerous, 1 unknown import, 1 loads with weights_only, 1 safe";
    for words in [head, "would run os.system(\"id\")", "from the library ultra", "evil.bin"] {
        assert!(ran.out.contains(words), "{words} in {}", ran.out);
    }
    assert!(!ran.out.contains("Found in what you named"), "{}", ran.out);
}

#[test]
fn a_bill_of_materials_lists_each_model_with_verdict_and_hash() {
    let folder = folder();
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("sbom.json");
    assert_eq!(run(&["scan", text(folder.path()), "--sbom", text(&file)]).code, 1);
    let bom: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!((&bom["bomFormat"], &bom["specVersion"]), (&"CycloneDX".into(), &"1.6".into()));
    let all = bom["components"].as_array().unwrap();
    assert_eq!(all.len(), 4);
    for one in all {
        assert_eq!(one["type"], "machine-learning-model");
        let path = folder.path().join(one["name"].as_str().unwrap());
        let hash = sha256(&std::fs::read(path).unwrap());
        assert_eq!(one["hashes"][0]["content"], hash.as_str());
    }
    assert_eq!(all[0]["name"], "evil.bin");
    assert_eq!(all[0]["properties"][1]["value"], "dangerous");
}

#[test]
fn names_that_a_user_allows_are_no_alarm() {
    let folder = folder();
    let list = folder.path().join("allow.toml");
    std::fs::write(&list, "\"ultra.nn\" = [\"Net\"]\nos = [\"system\"]\n").unwrap();
    let yolo = folder.path().join("yolo.pkl");
    assert_eq!(run(&["scan", text(&yolo)]).code, 1);
    let ran = run(&["scan", text(&yolo), "--allow-imports", text(&list)]);
    assert_eq!((ran.code, ran.out.contains("1 safe")), (0, true), "{}", ran.out);
    std::fs::write(&list, "ultra.nn = 3").unwrap();
    let ran = run(&["scan", text(&yolo), "--allow-imports", text(&list)]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("allow.toml") && ran.err.contains("list of names"), "{}", ran.err);
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
