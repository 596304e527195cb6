//! What the holder of a SAS can do, derived from service, resource type and permission letters.
//!
//! Source: the service's table of operations for account SAS and the permissions of service SAS.
//! Letters that mean nothing in a combination are ignored, as the service ignores them.

use crate::azure::{AzureSas, SasKind};
use lidless_core::Operation::{self, *};
use lidless_core::{AzureService, OperationRow};
use std::collections::BTreeSet;

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
/// account SAS, and what it is: the operation, and the words of its service.
struct Row(&'static str, char, &'static str, For, Act, Operation, &'static str);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    Account,
    /// Of service SAS only those with a hierarchy below them: container, directory, share.
    Many,
    Both,
    /// Service and user delegation SAS only.
    Service,
}

const OPERATIONS: [Row; 52] = [
    Row("blob", 's', "l", For::Account, Act::List, ListContainers, "list containers"),
    Row("blob", 'c', "l", For::Many, Act::List, ListObjects, "list blobs"),
    Row("blob", 'o', "r", For::Both, Act::Read, ReadContent, "read blobs"),
    Row("blob", 'o', "w", For::Both, Act::Change, OverwriteObjects, "overwrite blobs"),
    Row("blob", 'o', "wc", For::Both, Act::Add, CreateObjects, "create blobs"),
    Row("blob", 'o', "wa", For::Both, Act::Add, AppendToObjects, "append to blobs"),
    Row("blob", 'o', "d", For::Both, Act::Change, DeleteObjects, "delete blobs"),
    Row("blob", 'o', "x", For::Both, Act::Change, DeleteVersions, "delete blob versions"),
    Row(
        "blob",
        'o',
        "y",
        For::Both,
        Act::Change,
        DeletePermanently,
        "permanently delete, past soft delete",
    ),
    Row("blob", 'o', "t", For::Both, Act::Other, ChangeTags, "read and write tags"),
    Row("blob", 'o', "f", For::Account, Act::List, FindByTags, "find blobs by tags"),
    Row("blob", 'c', "f", For::Many, Act::List, FindByTags, "find blobs by tags"),
    Row(
        "blob",
        'o',
        "i",
        For::Both,
        Act::Change,
        ChangeImmutability,
        "set and remove immutability",
    ),
    Row("blob", 'o', "m", For::Service, Act::Change, MoveObjects, "move and rename"),
    Row("blob", 'o', "e", For::Service, Act::Other, SeeObjectAccess, "read access control lists"),
    Row("blob", 'o', "o", For::Service, Act::Change, ChangeObjectOwners, "change owners"),
    Row("blob", 'o', "p", For::Service, Act::Change, ChangeObjectAccess, "change permissions"),
    Row("blob", 'c', "cw", For::Account, Act::Add, CreateContainers, "create containers"),
    Row("blob", 'c', "d", For::Account, Act::Change, DeleteContainers, "delete containers"),
    Row(
        "blob",
        'c',
        "r",
        For::Account,
        Act::Other,
        SeeContainerSettings,
        "read container metadata",
    ),
    Row(
        "blob",
        'c',
        "w",
        For::Account,
        Act::Other,
        ChangeContainerSettings,
        "change container metadata",
    ),
    Row("file", 's', "l", For::Account, Act::List, ListContainers, "list shares"),
    Row("file", 'c', "l", For::Many, Act::List, ListObjects, "list files"),
    Row("file", 'o', "r", For::Both, Act::Read, ReadContent, "read files"),
    Row("file", 'o', "w", For::Both, Act::Change, OverwriteObjects, "overwrite files"),
    Row("file", 'o', "wc", For::Both, Act::Add, CreateObjects, "create files"),
    Row("file", 'o', "d", For::Both, Act::Change, DeleteObjects, "delete files"),
    Row("file", 'c', "cw", For::Account, Act::Add, CreateContainers, "create shares"),
    Row("file", 'c', "d", For::Account, Act::Change, DeleteContainers, "delete shares"),
    Row("queue", 's', "l", For::Account, Act::List, ListContainers, "list queues"),
    Row("queue", 'o', "r", For::Both, Act::Read, ReadContent, "peek at queue messages"),
    Row("queue", 'o', "a", For::Both, Act::Add, CreateObjects, "add queue messages"),
    Row("queue", 'o', "u", For::Both, Act::Change, OverwriteObjects, "change queue messages"),
    Row("queue", 'o', "p", For::Both, Act::Change, TakeMessages, "process queue messages"),
    // Of an account SAS alone: all messages at once.
    Row("queue", 'o', "d", For::Account, Act::Change, DeleteObjects, "clear queues"),
    Row("queue", 'c', "cw", For::Account, Act::Add, CreateContainers, "create queues"),
    Row("queue", 'c', "d", For::Account, Act::Change, DeleteContainers, "delete queues"),
    Row("table", 'c', "l", For::Account, Act::List, ListContainers, "list tables"),
    Row("table", 'o', "r", For::Both, Act::Read, ReadContent, "query table rows"),
    Row("table", 'o', "a", For::Both, Act::Add, CreateObjects, "add table rows"),
    Row("table", 'o', "u", For::Both, Act::Change, OverwriteObjects, "change table rows"),
    Row("table", 'o', "d", For::Both, Act::Change, DeleteObjects, "delete table rows"),
    Row("table", 'c', "cw", For::Account, Act::Add, CreateContainers, "create tables"),
    Row("table", 'c', "d", For::Account, Act::Change, DeleteContainers, "delete tables"),
    Row("blob", 's', "r", For::Account, Act::Other, SeeServiceSettings, "read service properties"),
    Row("file", 's', "r", For::Account, Act::Other, SeeServiceSettings, "read service properties"),
    Row("queue", 's', "r", For::Account, Act::Other, SeeServiceSettings, "read service properties"),
    Row("table", 's', "r", For::Account, Act::Other, SeeServiceSettings, "read service properties"),
    Row("blob", 's', "w", For::Account, Act::Configure, ChangeServiceSettings, CONFIGURE),
    Row("file", 's', "w", For::Account, Act::Configure, ChangeServiceSettings, CONFIGURE),
    Row("queue", 's', "w", For::Account, Act::Configure, ChangeServiceSettings, CONFIGURE),
    Row("table", 's', "w", For::Account, Act::Configure, ChangeServiceSettings, CONFIGURE),
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
fn reached(sas: &AzureSas) -> impl Iterator<Item = &'static Row> {
    let named = services(sas);
    let account = sas.kind() == SasKind::Account;
    let types = sas.get("srt").unwrap_or("").to_owned();
    let many = matches!(sas.get("sr"), Some("c" | "d" | "s"));
    OPERATIONS.iter().filter(move |Row(service, level, _, who, ..)| {
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
    for Row(_, _, any, _, act, _, text) in reached(sas) {
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
    for Row(service, level, any, _, _, operation, text) in reached(sas) {
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
            operation: *operation,
        });
    }
    rows
}

/// What the token declares, by service, in the words of every provider.
pub(crate) fn declared(sas: &AzureSas) -> BTreeSet<(AzureService, Operation)> {
    let letters = sas.get("sp").unwrap_or("");
    let has = |any: &str| any.chars().any(|letter| letters.contains(letter));
    let mut all: BTreeSet<_> =
        reached(sas).filter(|Row(_, _, any, ..)| has(any)).filter_map(of_service).collect();
    // To process messages is to get and delete them.
    if all.contains(&(AzureService::Queue, TakeMessages)) {
        all.insert((AzureService::Queue, DeleteObjects));
    }
    all
}

/// What the key of an account declares: everything, and what no token can do.
pub(crate) fn of_a_key() -> BTreeSet<(AzureService, Operation)> {
    let mut all: BTreeSet<_> = OPERATIONS.iter().filter_map(of_service).collect();
    all.extend(AzureService::ALL.map(|service| (service, ChangeContainerAccess)));
    all.insert((AzureService::Blob, MakeCredentials));
    all
}

fn of_service(Row(service, _, _, _, _, operation, _): &Row) -> Option<(AzureService, Operation)> {
    let service = AzureService::ALL.into_iter().find(|one| one.label() == *service)?;
    Some((service, *operation))
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
    let used: String = reached(sas).map(|Row(_, _, any, ..)| *any).collect();
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

    /// What changes the store is what is judged as a change, and is never tried.
    #[test]
    fn operations_change_something_where_their_act_does() {
        for Row(service, _, _, _, act, operation, text) in &OPERATIONS {
            assert!(
                of_service(&Row(service, 's', "", For::Both, *act, *operation, text)).is_some()
            );
            let changes = matches!(act, Act::Change | Act::Add | Act::Configure);
            let other = matches!(*text, "read and write tags" | "change container metadata");
            assert_eq!(operation.changes(), changes || other, "{text}");
        }
        assert!(OPERATIONS.iter().filter_map(of_service).all(|one| of_a_key().contains(&one)));
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
