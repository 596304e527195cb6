//! The formats a report can take.

/// A format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// Text for a terminal, the critical thing first.
    #[default]
    Human,
    /// The report as one JSON object, exactly the contract.
    Json,
    /// One record a line.
    Jsonl,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// One self-contained page without script.
    Html,
    /// For a comment on an issue or a pull request.
    Markdown,
    /// The findings as a table.
    Csv,
}

impl Format {
    /// Every format, in the order help lists them.
    pub const ALL: [Self; 7] =
        [Self::Human, Self::Json, Self::Jsonl, Self::Sarif, Self::Html, Self::Markdown, Self::Csv];

    /// The word used on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Sarif => "sarif",
            Self::Html => "html",
            Self::Markdown => "markdown",
            Self::Csv => "csv",
        }
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|format| format.as_str() == word).ok_or_else(|| {
            let words = Self::ALL.map(Self::as_str).join(", ");
            format!("\"{}\" is not one of {words}", crate::clean::clean(word))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_reads_its_own_word_and_no_other() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        let error = "xml\u{1b}[2J".parse::<Format>().unwrap_err();
        assert_eq!(
            error,
            "\"xml\\u{1b}[2J\" is not one of human, json, jsonl, sarif, html, markdown, csv"
        );
    }
}
