//! What the holder of a SAS can do, derived from service, resource type and permission letters.
//!
//! Source: the service's table of operations for account SAS and the permissions of service SAS.
//! Letters that mean nothing in a combination are ignored, as the service ignores them.

use crate::azure::{AzureSas, SasKind};
use lidless_core::OperationRow;

/// What an operation amounts to, for judging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Sees names.
    List,
    /// Sees content.
    Read,
    /// Changes or destroys what is there.
    Change,
    /// Adds without changing what is there.
    Add,
    /// Changes how the whole service behaves.
    Configure,
    /// Sees or sets what matters little.
    Other,
}

/// One operation: the service, the resource type it belongs to, the letters any of which allows
/// it, whether a SAS for one container, share, queue, table or blob can have it as well as an
/// account SAS, and what it is.
struct Operation(&'static str, char, &'static str, For, Act, &'static str);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    Account,
    /// Of service SAS only those with a hierarchy below them: container, directory, share.
    Many,
    Both,
    /// Service and user delegation SAS only.
    Service,
}

const OPERATIONS: [Operation; 51] = [
    Operation("blob", 's', "l", For::Account, Act::List, "list containers"),
    Operation("blob", 'c', "l", For::Many, Act::List, "list blobs"),
    Operation("blob", 'o', "r", For::Both, Act::Read, "read blobs"),
    Operation("blob", 'o', "w", For::Both, Act::Change, "overwrite blobs"),
    Operation("blob", 'o', "wc", For::Both, Act::Add, "create blobs"),
    Operation("blob", 'o', "wa", For::Both, Act::Add, "append to blobs"),
    Operation("blob", 'o', "d", For::Both, Act::Change, "delete blobs"),
    Operation("blob", 'o', "x", For::Both, Act::Change, "delete blob versions"),
    Operation("blob", 'o', "y", For::Both, Act::Change, "permanently delete, past soft delete"),
    Operation("blob", 'o', "t", For::Both, Act::Other, "read and write tags"),
    Operation("blob", 'o', "f", For::Account, Act::List, "find blobs by tags"),
    Operation("blob", 'c', "f", For::Many, Act::List, "find blobs by tags"),
    Operation("blob", 'o', "i", For::Both, Act::Change, "set and remove immutability"),
    Operation("blob", 'o', "m", For::Service, Act::Change, "move and rename"),
    Operation("blob", 'o', "e", For::Service, Act::Other, "read access control lists"),
    Operation("blob", 'o', "o", For::Service, Act::Change, "change owners"),
    Operation("blob", 'o', "p", For::Service, Act::Change, "change permissions"),
    Operation("blob", 'c', "cw", For::Account, Act::Add, "create containers"),
    Operation("blob", 'c', "d", For::Account, Act::Change, "delete containers"),
    Operation("blob", 'c', "r", For::Account, Act::Other, "read container metadata"),
    Operation("blob", 'c', "w", For::Account, Act::Other, "change container metadata"),
    Operation("file", 's', "l", For::Account, Act::List, "list shares"),
    Operation("file", 'c', "l", For::Many, Act::List, "list files"),
    Operation("file", 'o', "r", For::Both, Act::Read, "read files"),
    Operation("file", 'o', "w", For::Both, Act::Change, "overwrite files"),
    Operation("file", 'o', "wc", For::Both, Act::Add, "create files"),
    Operation("file", 'o', "d", For::Both, Act::Change, "delete files"),
    Operation("file", 'c', "cw", For::Account, Act::Add, "create shares"),
    Operation("file", 'c', "d", For::Account, Act::Change, "delete shares"),
    Operation("queue", 's', "l", For::Account, Act::List, "list queues"),
    Operation("queue", 'o', "r", For::Both, Act::Read, "peek at queue messages"),
    Operation("queue", 'o', "a", For::Both, Act::Add, "add queue messages"),
    Operation("queue", 'o', "u", For::Both, Act::Change, "change queue messages"),
    Operation("queue", 'o', "p", For::Both, Act::Change, "process queue messages"),
    Operation("queue", 'c', "cw", For::Account, Act::Add, "create queues"),
    Operation("queue", 'c', "d", For::Account, Act::Change, "delete queues"),
    Operation("table", 'c', "l", For::Account, Act::List, "list tables"),
    Operation("table", 'o', "r", For::Both, Act::Read, "query table rows"),
    Operation("table", 'o', "a", For::Both, Act::Add, "add table rows"),
    Operation("table", 'o', "u", For::Both, Act::Change, "change table rows"),
    Operation("table", 'o', "d", For::Both, Act::Change, "delete table rows"),
    Operation("table", 'c', "cw", For::Account, Act::Add, "create tables"),
    Operation("table", 'c', "d", For::Account, Act::Change, "delete tables"),
    Operation("blob", 's', "r", For::Account, Act::Other, "read service properties"),
    Operation("file", 's', "r", For::Account, Act::Other, "read service properties"),
    Operation("queue", 's', "r", For::Account, Act::Other, "read service properties"),
    Operation("table", 's', "r", For::Account, Act::Other, "read service properties"),
    Operation("blob", 's', "w", For::Account, Act::Configure, CONFIGURE),
    Operation("file", 's', "w", For::Account, Act::Configure, CONFIGURE),
    Operation("queue", 's', "w", For::Account, Act::Configure, CONFIGURE),
    Operation("table", 's', "w", For::Account, Act::Configure, CONFIGURE),
];

const CONFIGURE: &str = "change service properties (can switch off logging)";

/// The services a token opens, in words.
pub(crate) fn services(sas: &AzureSas) -> Vec<String> {
    let word = match sas.kind() {
        SasKind::Account => {
            let letters = sas.get("ss").unwrap_or("");
            return [('b', "blob"), ('f', "file"), ('q', "queue"), ('t', "table")]
                .into_iter()
                .filter(|(letter, _)| letters.contains(*letter))
                .map(|(_, word)| word.to_owned())
                .collect();
        }
        SasKind::UserDelegation => sas.delegated_service(),
        SasKind::File => "file",
        SasKind::Queue => "queue",
        SasKind::Table => "table",
        SasKind::Blob => "blob",
    };
    vec![word.to_owned()]
}

/// The operations that a token reaches at all, whatever its letters.
fn reached(sas: &AzureSas) -> impl Iterator<Item = &'static Operation> {
    let named = services(sas);
    let account = sas.kind() == SasKind::Account;
    let types = sas.get("srt").unwrap_or("").to_owned();
    let many = matches!(sas.get("sr"), Some("c" | "d" | "s"));
    OPERATIONS.iter().filter(move |Operation(service, level, _, who, _, _)| {
        let fits = match (who, account) {
            (For::Account | For::Many | For::Both, true) => types.contains(*level),
            (For::Account, false) | (For::Service, true) => false,
            (For::Many, false) => many,
            (For::Both | For::Service, false) => true,
        };
        fits && named.iter().any(|one| one == service)
    })
}

/// What the token allows, each with what it amounts to; empty when a stored policy holds it.
pub(crate) fn allowed(sas: &AzureSas) -> Vec<(Act, String)> {
    let letters = sas.get("sp").unwrap_or("");
    let reach = match (sas.kind(), sas.get("sr")) {
        (SasKind::Account, _) => " in every container",
        (_, Some("c")) => " in the container",
        (_, Some("d")) => " in the directory",
        _ => "",
    };
    let mut words: Vec<(Act, String)> = Vec::new();
    for Operation(_, _, any, _, act, text) in reached(sas) {
        if !any.chars().any(|letter| letters.contains(letter)) {
            continue;
        }
        let text = if text.ends_with(" blobs")
            || text.ends_with("by tags")
            || *text == "delete blob versions"
        {
            format!("{text}{reach}")
        } else {
            (*text).to_owned()
        };
        if !words.iter().any(|(_, known)| *known == text) {
            words.push((*act, text));
        }
    }
    words
}

/// What the token allows, an operation a row, with the letters that allow it.
pub(crate) fn rows(sas: &AzureSas) -> Vec<OperationRow> {
    let letters = sas.get("sp").unwrap_or("");
    let mut rows: Vec<OperationRow> = Vec::new();
    for Operation(service, level, any, _, act, text) in reached(sas) {
        let by: String = any.chars().filter(|letter| letters.contains(*letter)).collect();
        if by.is_empty() || rows.iter().any(|row| row.service == *service && row.what == *text) {
            continue;
        }
        rows.push(OperationRow {
            service: (*service).to_owned(),
            level: match level {
                's' => "service",
                'c' => "container",
                _ => "object",
            }
            .to_owned(),
            letters: by,
            what: (*text).to_owned(),
            changes: matches!(act, Act::Change | Act::Add | Act::Configure)
                || text.starts_with("change")
                || text.contains("write"),
        });
    }
    rows
}

/// The same in words alone, with what limits it.
pub(crate) fn words(sas: &AzureSas) -> Vec<String> {
    let mut words: Vec<String> = if sas.get("sp").is_none() {
        let policy = "whatever the stored policy allows; it cannot be seen from the token";
        vec![policy.to_owned()]
    } else {
        allowed(sas).into_iter().map(|(_, text)| text).collect()
    };
    if words.is_empty() {
        words.push("nothing: its letters mean nothing for what it reaches".into());
    }
    if sas.kind() == SasKind::UserDelegation {
        words.push("only as far as a role of the identity behind it allows the same".into());
    }
    if sas.get("sduoid").is_some() {
        words.push("only together with a sign-in of the user it is bound to".into());
    }
    if sas.get("srh").is_some() || sas.get("srq").is_some() {
        words.push("only in requests with the headers and parameters that are signed".into());
    }
    words
}

/// Letters that the kind of token does not know, or that do nothing in what it reaches.
pub(crate) fn ignored(sas: &AzureSas) -> String {
    let used: String = reached(sas).map(|Operation(_, _, any, _, _, _)| *any).collect();
    sas.get("sp").unwrap_or("").chars().filter(|letter| !used.contains(*letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn can(query: &str) -> Vec<String> {
        let sig = "XU9vVDvdBUWTusHpd4JYXiDMqemtGI6IIU8EyqlN%2Bxk%3D";
        words(&AzureSas::parse(None, &format!("sv=2022-11-02&{query}&sig={sig}")).unwrap())
    }

    /// The service's own table, for account SAS on blobs: what each operation needs.
    #[test]
    fn words_agree_with_the_service_s_table_of_operations() {
        let table = include_str!("../tests/vectors/azure_operation_permissions.txt");
        let mut checked = 0;
        for line in table.lines() {
            let fields: Vec<&str> = line.split(" | ").collect();
            let word = match fields[0] {
                "Service_ListContainersSegment" => "list containers",
                "Service_GetProperties" => "read service properties",
                "Service_SetProperties" => CONFIGURE,
                "Container_Create" => "create containers",
                "Container_Delete" => "delete containers",
                "Container_GetProperties" => "read container metadata",
                "Container_SetMetadata" => "change container metadata",
                "Container_ListBlobFlatSegment" => "list blobs in every container",
                "BlockBlob_Upload" => "create blobs in every container",
                "Blob_Download" => "read blobs in every container",
                "Blob_SetMetadata" => "overwrite blobs in every container",
                "Blob_Delete" => "delete blobs in every container",
                "AppendBlob_AppendBlock" => "append to blobs in every container",
                "Blob_SetTags" => "read and write tags",
                "Service_FilterBlobs" | "Container_FilterBlobs" => {
                    "find blobs by tags in every container"
                }
                _ => continue,
            };
            let field = |name: &str| {
                let text = fields.iter().find_map(|field| field.strip_prefix(name));
                text.unwrap().trim().to_owned()
            };
            let (types, letters) = (field("srt="), field("acct="));
            for letter in "rwdlacuptfxyi".chars() {
                for kind in ["s", "c", "o"] {
                    let has = can(&format!("se=2030-01-01&ss=b&srt={kind}&sp={letter}"));
                    let has = has.iter().any(|one| one == word);
                    // Finding by tags stands in two rows of the table.
                    let want = letters.contains(letter)
                        && (types.contains(kind) || letter == 'f' && "co".contains(kind));
                    assert_eq!(has, want, "{line}: srt={kind} sp={letter}");
                    checked += 1;
                }
            }
        }
        assert!(checked > 500, "{checked}");
    }

    #[test]
    fn letters_that_mean_nothing_add_nothing() {
        assert_eq!(can("se=2030-01-01&ss=b&srt=s&sp=rl").len(), 2);
        assert!(can("se=2030-01-01&ss=b&srt=s&sp=d")[0].starts_with("nothing"));
        assert_eq!(can("se=2030-01-01&sr=b&sp=rl"), ["read blobs"]);
        assert!(can("se=2030-01-01&sr=c&sp=d").iter().all(|one| !one.contains("containers")));
        let process = can("se=2030-01-01&ss=bq&srt=o&sp=p");
        assert_eq!(process, ["process queue messages"]);
    }
}
