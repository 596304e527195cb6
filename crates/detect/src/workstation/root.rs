//! Where a machine's files begin.

use lidless_core::{Entry, Layer, Provenance};

/// The place (URI) of the first `length` bytes of an entry's full path: of the folder, the image
/// or the archive that holds a machine. Findings below it begin with it. Partitions are left out,
/// since those of one disk are one machine.
pub(crate) fn root_of(entry: &Entry, length: usize) -> String {
    let mut left = length;
    let mut kept: Option<Provenance> = None;
    for layer in entry.provenance.layers() {
        let (whole, cut): (usize, Box<dyn Fn(usize) -> Layer + '_>) = match layer {
            Layer::Git { repository, .. } => {
                // A machine is the same in every commit.
                let path = entry.full_path();
                let root = path.get(..length).unwrap_or("").trim_end_matches('/');
                return format!("git+file://{repository}:{root}");
            }
            Layer::File { path } => {
                (path.len(), Box::new(|to| Layer::File { path: start(path, to).to_owned() }))
            }
            Layer::Member { path } => {
                (path.len(), Box::new(|to| Layer::Member { path: start(path, to).to_owned() }))
            }
            Layer::Object { store, container, key } => {
                let skipped = container.len().saturating_add(1);
                let whole = skipped.saturating_add(key.len());
                let cut = move |to: usize| Layer::Object {
                    store: store.clone(),
                    container: container.clone(),
                    key: start(key, to.saturating_sub(skipped)).to_owned(),
                };
                (whole, Box::new(cut))
            }
            Layer::Input { name } => (name.len(), Box::new(|_| layer.clone())),
            Layer::Version { .. } | Layer::Partition { .. } | Layer::Decoded { .. } => continue,
        };
        if left == 0 {
            break;
        }
        let layer = if whole <= left { layer.clone() } else { cut(left) };
        kept = Some(match kept {
            None => Provenance::new(layer),
            Some(above) => above.child(layer),
        });
        // Layers are joined by a slash.
        left = left.saturating_sub(whole).saturating_sub(1);
    }
    let root = kept.map(|place| place.to_string()).unwrap_or_default();
    let root = if root.is_empty() { first(entry) } else { root };
    root.trim_end_matches('/').to_owned()
}

fn start(path: &str, to: usize) -> &str {
    path.get(..to).unwrap_or(path).trim_end_matches(['/', '\\'])
}

/// The outermost thing there is, for a machine whose files begin at the very top.
fn first(entry: &Entry) -> String {
    match entry.provenance.layers().first() {
        Some(Layer::Object { store, .. }) => store.clone(),
        _ => "file://".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_below_a_machine_begin_with_its_root() {
        let object = |key: &str| {
            Provenance::new(Layer::Object {
                store: "az://contoso".into(),
                container: "backups".into(),
                key: key.into(),
            })
        };
        let member = |path: &str| Layer::Member { path: path.into() };
        let file = Provenance::new(Layer::File { path: "/mnt/ws 1/C/Windows/explorer.exe".into() });
        for (place, root, uri) in [
            (object("ws/C/etc/shadow"), "backups/ws/C", "az://contoso/backups/ws/C"),
            (object("etc/shadow"), "backups", "az://contoso/backups"),
            (
                object("a.vhdx").child(Layer::Partition { number: 2 }).child(member("etc/shadow")),
                "backups/a.vhdx",
                "az://contoso/backups/a.vhdx",
            ),
            (
                object("a.zip").child(member("ws 1/etc/shadow")),
                "backups/a.zip/ws 1",
                "az://contoso/backups/a.zip!/ws%201",
            ),
            (file, "/mnt/ws 1/C", "file:///mnt/ws%201/C"),
        ] {
            let entry = Entry::new(place, None);
            assert!(entry.full_path().starts_with(root));
            assert_eq!(root_of(&entry, root.len()), uri);
            let location = entry.provenance.to_string();
            assert!(location.starts_with(uri), "{location}");
        }
    }
}
