//! How text for a terminal looks.

use lidless_core::Severity;

/// How text for a terminal looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to colour. Only true on a terminal, and never with `NO_COLOR`.
    pub colour: bool,
    /// Columns; no line is wider. Less than 60 is treated as 60.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { colour: false, width: 80 }
    }
}

/// What a piece of text is, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Stands out.
    Bold,
    /// Steps back.
    Dim,
    /// A bar of the chart.
    Bar,
    /// A severity.
    Of(Severity),
}

impl Style {
    /// The width to use: below 60 columns the tables stop making sense, above 120 lines get hard
    /// to read.
    pub(crate) fn columns(&self) -> usize {
        self.width.clamp(60, 120)
    }

    /// The text in its tone.
    pub(crate) fn paint(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            _ if !self.colour || text.is_empty() => return text.to_owned(),
            Tone::Bold => "1",
            Tone::Dim => "2",
            Tone::Bar => "36",
            Tone::Of(Severity::Critical) => "1;31",
            Tone::Of(Severity::High) => "31",
            Tone::Of(Severity::Medium) => "33",
            Tone::Of(Severity::Low) => "36",
            Tone::Of(Severity::Info) => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}
