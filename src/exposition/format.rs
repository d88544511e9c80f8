//! The forms in which the same families can be written.

/// One of them. They differ in the lines about a family and in the end, never in a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text format, version 0.0.4.
    Text,
    /// OpenMetrics 1.0.0, and 0.0.1, which reads the same.
    OpenMetrics,
}

impl Format {
    /// What closes the last family. Without it, a reader of OpenMetrics knows that something is missing.
    pub fn end(self) -> &'static str {
        match self {
            Format::Text => "",
            Format::OpenMetrics => "# EOF\n",
        }
    }
}
