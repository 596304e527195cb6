//! Findings from the marker files and the first bytes of backups.

use super::facts::{self, Read};
use super::product::{Facts, Product, Products, Set, State};
use crate::detector::{Context, Detector, Output, View, Want};
use crate::head::Head;
use lidless_core::{Category, Confidence, Entry, Finding, Gap, Layer, Place, Provenance};

/// Finds backups by the products that made them.
pub(crate) struct BackupDetector {
    products: Products,
}

impl BackupDetector {
    pub(crate) fn new() -> Self {
        Self { products: Products::new() }
    }

    /// The products that the first bytes of an entry tell.
    fn told(&self, path: &str, head: &[u8]) -> Vec<(&Product, Set)> {
        self.products
            .at(path)
            .chain(self.products.anywhere())
            .filter(|one| !one.is_by_name() && one.has_head(head))
            .filter_map(|one| Some((one, one.set(path)?)))
            .collect()
    }

    /// Those that their name tells and of which more can be read.
    fn with_facts(&self, path: &str) -> Vec<(&Product, Set)> {
        self.products
            .at(path)
            .filter(|one| one.is_by_name() && one.line.facts.is_some())
            .filter_map(|one| Some((one, one.set(path)?)))
            .collect()
    }
}

/// The place of a set: its folder, so that all of its marker files are one finding.
fn place(entry: &Entry, set: &Set) -> Provenance {
    let whole = entry.full_path();
    let behind = set.root.and_then(|root| whole.len().checked_sub(root)).unwrap_or(0);
    let layers = entry.provenance.layers();
    let Some((last, above)) = layers.split_last().filter(|_| behind > 0) else {
        return entry.provenance.clone();
    };
    let cut = |path: &str| {
        let kept = path.len().checked_sub(behind).filter(|kept| *kept > 0)?;
        path.get(..kept).map(str::to_owned)
    };
    let last = match last {
        Layer::File { path } => cut(path).map(|path| Layer::File { path }),
        Layer::Member { path } => cut(path).map(|path| Layer::Member { path }),
        Layer::Object { store, container, key } => cut(key).map(|key| Layer::Object {
            store: store.clone(),
            container: container.clone(),
            key,
        }),
        _ => None,
    };
    let Some(last) = last else { return entry.provenance.clone() };
    let mut above = above.iter().cloned();
    match above.next() {
        None => Provenance::new(last),
        Some(first) => {
            above.fold(Provenance::new(first), |chain, layer| chain.child(layer)).child(last)
        }
    }
}

fn say(product: &Product, entry: &Entry, set: &Set, read: &Read, output: &mut Output) {
    let line = &product.line;
    let place = place(entry, set);
    let state = read.state.unwrap_or(line.state);
    let by_name = product.is_by_name();
    let confidence =
        if by_name && set.root.is_none() { Confidence::Medium } else { Confidence::High };
    let host = read.host.clone().or_else(|| set.host.clone());
    let evidence = format!(
        "{}; {}",
        if by_name { "by its name and place" } else { "by its first bytes" },
        state.as_str()
    );
    let mut finding = Finding::new(
        format!("backup.{}", line.id),
        Category::Backup,
        line.severity,
        confidence,
        format!("backup: {}", line.product),
        &Place::whole(place.clone()),
        evidence,
    )
    .with_detail("product", line.product.as_str())
    .with_detail("state", state.as_str())
    .with_detail("host", host)
    .with_detail("advice", line.advice.as_str());
    for (name, value) in &read.more {
        finding = finding.with_detail(name, value.as_str());
    }
    output.findings.push(finding);
    if state != State::Opened {
        // The length of a marker file says nothing about its set.
        let bytes = if set.root.is_some() { None } else { entry.length_bytes };
        let reason = format!("a backup ({}), {}", line.product, state.as_str());
        output.gaps.push(Gap::new(&place, reason, bytes));
    }
}

impl Detector for BackupDetector {
    fn name(&self) -> &'static str {
        "backup"
    }

    fn names(&self, entry: &Entry, _context: &Context, output: &mut Output) {
        let path = entry.full_path();
        for product in self.products.at(path).filter(|one| one.is_by_name()) {
            if let Some(set) = product.set(path) {
                say(product, entry, &set, &Read::default(), output);
            }
        }
    }

    fn wants(&self, entry: &Entry, head: &Head<'_>) -> Want {
        if head.is_empty() {
            return Want::Nothing;
        }
        let path = entry.full_path();
        let want = |product: &Product| match product.line.facts {
            Some(Facts::Macrium) => Want::Random,
            Some(Facts::Veeam) => Want::Text,
            _ => Want::Head,
        };
        let told = self.told(path, head).into_iter().map(|(product, _)| want(product)).max();
        let named = self.with_facts(path).into_iter().map(|(product, _)| want(product)).max();
        told.max(named).unwrap_or(Want::Nothing)
    }

    fn detect(&self, view: &View<'_>, _context: &Context, output: &mut Output) {
        let entry = &view.artifact.entry;
        let path = entry.full_path();
        let told = self.told(path, view.head).into_iter().chain(self.with_facts(path));
        for (product, set) in told {
            let read = product.line.facts.map(|facts| facts::read(facts, view)).unwrap_or_default();
            // What the name told is said already, less well: the same finding takes its place.
            let mut fresh = Output::default();
            say(product, entry, &set, &read, &mut fresh);
            output.findings.append(&mut fresh.findings);
            if !product.is_by_name() || read.state.is_some() {
                output.gaps.append(&mut fresh.gaps);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AllowedImports;
    use lidless_core::{Artifact, FingerprintKey, Limits};
    use lidless_io::MemoryBytes;
    use std::sync::Arc;

    fn context() -> Context {
        Context {
            key: FingerprintKey::from_bytes([7; 32]),
            limits: Limits::default(),
            imports: AllowedImports::default(),
            verify: false,
        }
    }

    fn look(path: &str, content: &[u8]) -> Output {
        let detector = BackupDetector::new();
        let layer = Layer::Object {
            store: "az://contoso".into(),
            container: "backups".into(),
            key: path.to_owned(),
        };
        let bytes = Arc::new(MemoryBytes::new(content.to_vec()));
        let entry = Entry::new(Provenance::new(layer), Some(content.len() as u64));
        let artifact = Artifact::new(entry.clone(), bytes);
        let mut output = Output::default();
        detector.names(&entry, &context(), &mut output);
        if detector.wants(&entry, &Head::new(content)) > Want::Nothing {
            let view = View { artifact: &artifact, head: content, text: None, pieces: None };
            detector.detect(&view, &context(), &mut output);
        }
        output
    }

    fn bytes(head: &str) -> Vec<u8> {
        match head.strip_prefix("hex:") {
            None => head.as_bytes().to_vec(),
            Some(digits) => digits
                .as_bytes()
                .chunks(2)
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
                .collect(),
        }
    }

    #[test]
    fn every_product_is_told_by_its_examples_and_by_nothing_else() {
        let products = Products::new();
        assert!(products.all().len() > 40);
        for product in products.all() {
            let line = &product.line;
            let rule = format!("backup.{}", line.id);
            let head = bytes(&line.head);
            assert!(!line.examples.is_empty(), "{rule}");
            for path in &line.examples {
                let output = look(path, &head);
                let found: Vec<&str> = output.findings.iter().map(|f| f.rule.as_str()).collect();
                assert!(found.contains(&rule.as_str()), "{rule}: {path}: {found:?}");
                let told = !output.gaps.is_empty();
                assert_eq!(told, line.state != State::Opened, "{rule}: {:?}", output.gaps);
            }
            for path in &line.counter_examples {
                let output = look(path, &head);
                assert!(output.findings.iter().all(|f| f.rule != rule), "{rule}: {path}");
            }
            if !product.is_by_name() {
                // The name without the bytes is nothing.
                let output = look(line.examples.first().unwrap(), b"nothing of the kind");
                assert!(output.findings.iter().all(|f| f.rule != rule), "{rule}");
            }
        }
    }

    #[test]
    fn a_set_is_one_finding_with_its_machine() {
        let first = look("bk/WindowsImageBackup/WS-ALICE-01/MediaId", b"x");
        let finding = &first.findings[0];
        assert_eq!(finding.location, "az://contoso/backups/bk/WindowsImageBackup/WS-ALICE-01");
        assert_eq!(finding.detail["host"], "WS-ALICE-01");
        let key = |digit: &str| format!("repo/keys/{}", digit.repeat(64));
        let head = br#"{"kdf":"scrypt"}"#;
        let (one, two) = (look(&key("a"), head), look(&key("b"), head));
        assert_eq!(one.findings[0].id, two.findings[0].id, "two keys of one repository");
        assert_eq!(one.gaps, two.gaps);
        assert_eq!(one.gaps[0].reason, "a backup (restic), encrypted");
    }

    #[test]
    fn what_backups_say_of_themselves_is_read() {
        let xml =
            br#"<BackupMeta><Backup JobName="Nightly"/><Host Name="srv-db-01"/></BackupMeta>"#;
        let found = look("v/Nightly.vbm", xml);
        assert_eq!(found.findings[0].detail["host"], "srv-db-01");
        assert_eq!(found.findings[0].detail["job"], "Nightly");
        let sealed = look("phone.ab", b"ANDROID BACKUP\n5\n1\nAES-256\n");
        assert_eq!(sealed.gaps[0].reason, "a backup (Android backup), encrypted");
        let json = br#"{"_header":{"netbios_name":"WS-BOB-02"},"_encryption":{"enable":true}}"#;
        let mut image = vec![0u8; 100];
        image.extend(b"$JSON   ");
        image.extend((json.len() as u32).to_le_bytes());
        image.extend([0; 20]);
        image.extend(json);
        image.extend(100u64.to_le_bytes());
        image.extend(b"MACRIUM_FILE");
        let found = look("b.mrimgx", &image);
        let last = found.findings.last().unwrap();
        assert_eq!(last.detail["host"], "WS-BOB-02");
        assert_eq!(last.id, found.findings[0].id);
        assert!(found.gaps.iter().any(|gap| gap.reason.ends_with("encrypted")));
        for cut in 0..image.len() {
            let _ = look("b.mrimgx", &image[cut..]);
        }
        let borg = look("r/config", b"[repository]\nsegments_per_dir = 1000\n");
        assert_eq!(borg.gaps[0].reason, "a backup (Borg), not looked into");
    }
}
