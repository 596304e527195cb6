//! The one table of what somebody can do with a store, in the same words whoever runs it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What an operation does to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Reads,
    Changes,
}

macro_rules! operations {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal, $effect:ident;)+) => {
        /// One thing that somebody can do with a store. The order is that of a report: what reads
        /// first, what takes the store away last.
        ///
        /// Containers are buckets, shares, queues and tables as well; objects are blobs, files,
        /// messages and rows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Operation {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The words used in every format.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }

            fn effect(self) -> Effect {
                match self {
                    $(Self::$name => Effect::$effect,)+
                }
            }
        }
    };
}

operations! {
    /// Containers, buckets, shares, queues or tables are named.
    ListContainers = "list containers", Reads;
    /// Objects of a container are named.
    ListObjects = "list objects", Reads;
    /// Bytes of objects, files, messages or rows are read.
    ReadContent = "read content", Reads;
    /// What was replaced or deleted is kept, and found by whoever may list versions.
    FindVersions = "find earlier versions", Reads;
    /// Objects are found by their tags.
    FindByTags = "find objects by tags", Reads;
    /// The owner of the store pays for what is read.
    ReadAtOwnersCost = "read at the owner's cost", Reads;
    /// Metadata and settings of a container.
    SeeContainerSettings = "see the settings of containers", Reads;
    /// Settings of the service.
    SeeServiceSettings = "see the settings of the service", Reads;
    /// Access control lists of objects.
    SeeObjectAccess = "see who may access objects", Reads;
    /// Access control lists and policies of containers.
    SeeContainerAccess = "see who may access containers", Reads;
    /// New objects, files, messages or rows.
    CreateObjects = "create objects", Changes;
    /// Other content in the place of what is there.
    OverwriteObjects = "overwrite objects", Changes;
    /// More content behind what is there.
    AppendToObjects = "append to objects", Changes;
    /// Objects, files, messages or rows go.
    DeleteObjects = "delete objects", Changes;
    /// Versions go that were kept.
    DeleteVersions = "delete versions", Changes;
    /// Past what is kept after a deletion.
    DeletePermanently = "delete permanently", Changes;
    /// Objects get another name.
    MoveObjects = "move objects", Changes;
    /// Messages are taken out of a queue.
    TakeMessages = "take messages", Changes;
    /// Tags of objects, which the same permission also reads.
    ChangeTags = "read and change tags", Changes;
    /// Metadata of objects.
    ChangeObjectMetadata = "change the metadata of objects", Changes;
    /// Retention and legal holds.
    ChangeImmutability = "change immutability", Changes;
    /// Owners of objects.
    ChangeObjectOwners = "change the owners of objects", Changes;
    /// Access control lists of objects.
    ChangeObjectAccess = "change who may access objects", Changes;
    /// New containers, buckets, shares, queues or tables.
    CreateContainers = "create containers", Changes;
    /// They go, with all that is in them.
    DeleteContainers = "delete containers", Changes;
    /// Metadata and settings of a container.
    ChangeContainerSettings = "change the settings of containers", Changes;
    /// Access control lists and policies of containers.
    ChangeContainerAccess = "change who may access containers", Changes;
    /// Settings of the service, its logging among them.
    ChangeServiceSettings = "change the settings of the service (can switch off logging)", Changes;
    /// Tokens and links for others, which nobody can list.
    MakeCredentials = "make further credentials", Changes;
    /// What an older or a newer case says in other words; the reason of the row has them.
    Other = "something else", Changes;
}

impl Operation {
    /// What every grant is told of, whether it may or not.
    pub const WRITING: [Self; 3] =
        [Self::CreateObjects, Self::OverwriteObjects, Self::DeleteObjects];

    /// Whether it changes or destroys something: such an operation is never tried.
    #[must_use]
    pub fn changes(self) -> bool {
        self.effect() == Effect::Changes
    }

    /// The operation that these words name.
    #[must_use]
    pub fn parse(words: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.as_str() == words)
    }
}

impl Serialize for Operation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Operation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = String::deserialize(deserializer)?;
        Self::parse(&words)
            .ok_or_else(|| serde::de::Error::custom(format!("no operation is called {words:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_operation_is_found_again_by_its_own_words() {
        for one in Operation::ALL {
            let text = serde_json::to_string(one).unwrap();
            assert_eq!(serde_json::from_str::<Operation>(&text).unwrap(), *one, "{text}");
        }
        let words: BTreeSet<_> = Operation::ALL.iter().map(|one| one.as_str()).collect();
        assert_eq!(words.len(), Operation::ALL.len());
        assert!(serde_json::from_str::<Operation>("\"list blobs\"").is_err());
    }
}
