//! Kernel text to values. Parsers take slices, know no path, and survive any bytes.

use thiserror::Error;

pub mod cgroup;
pub mod cgroup_names;
pub mod clock;
pub mod cmdline;
pub mod descriptor;
pub mod limits;
pub mod meminfo;
pub mod memory_files;
pub mod memory_stat;
pub mod mountinfo;
pub mod passwd;
pub mod pod_logs;
pub mod pressure;
pub mod sockstat;
pub mod stat;
pub mod statm;
pub mod status;
pub mod sysctl;
mod text;

#[cfg(test)]
mod robustness;

/// Text that is not what the kernel documents.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseError {
    /// A field that must be there is not.
    #[error("field {0} is missing")]
    Missing(&'static str),
    /// A field that the kernel writes once is there again.
    #[error("field {0} is there twice")]
    Repeated(&'static str),
    /// A field is there and is no number of the right range.
    #[error("field {field} is not a number: {text:?}")]
    NotANumber {
        /// The field's name.
        field: &'static str,
        /// What stands there, shortened.
        text: String,
    },
}
