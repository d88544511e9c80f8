//! The page that the figures are published on, and its plot.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The page can't be written.
#[derive(Debug, Error)]
#[error("{}: {cause}", path.display())]
pub struct DocumentError {
    path: PathBuf,
    #[source]
    cause: io::Error,
}

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Findings {
    /// What is reached of what is meant to be.
    pub targets: String,
    /// All tables.
    pub figures: String,
    /// CPU time against processes, where there are several loads.
    pub plot: Option<String>,
}

/// Brings `performance.md` in `docs` and its plot up to date. What stands outside the markers stays as it is.
pub fn write(docs: &Path, findings: &Findings) -> Result<(), DocumentError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |cause| DocumentError { path, cause }
    };
    let page = docs.join("performance.md");
    let text = std::fs::read_to_string(&page).map_err(failed(&page))?;
    let mut figures = String::new();
    if let Some(svg) = &findings.plot {
        let folder = docs.join("performance");
        std::fs::create_dir_all(&folder).map_err(failed(&folder))?;
        let path = folder.join("cpu.svg");
        std::fs::write(&path, svg).map_err(failed(&path))?;
        figures.push_str("![CPU time a tick against processes](performance/cpu.svg)\n\n");
    }
    figures.push_str(&findings.figures);
    let text = replaced(&replaced(&text, "targets", &findings.targets), "figures", &figures);
    std::fs::write(&page, text).map_err(failed(&page))
}

/// `text` with `body` between the markers of that name; a text without them gets both at its end.
fn replaced(text: &str, name: &str, body: &str) -> String {
    let (begin, end) = (format!("<!-- begin {name} -->"), format!("<!-- end {name} -->"));
    let marked = format!("{begin}\n{}\n{end}", body.trim());
    let around = text.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    match around {
        Some((before, after)) => format!("{before}{marked}{after}"),
        None => format!("{}\n\n{marked}\n", text.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_markers_is_replaced() {
        let text = "# Page\n\n<!-- begin figures -->\nold\n<!-- end figures -->\n\nMine.\n";
        let wanted = "# Page\n\n<!-- begin figures -->\nnew\n<!-- end figures -->\n\nMine.\n";
        assert_eq!(replaced(text, "figures", "new\n"), wanted);
        assert_eq!(replaced(wanted, "figures", "new"), wanted, "the same again");
        assert!(
            replaced(text, "targets", "x")
                .ends_with("Mine.\n\n<!-- begin targets -->\nx\n<!-- end targets -->\n")
        );
    }

    #[test]
    fn a_page_that_is_missing_is_named() {
        let findings = Findings { targets: String::new(), figures: String::new(), plot: None };
        let error = write(Path::new("/nowhere"), &findings).unwrap_err().to_string();
        assert!(error.contains("performance.md"), "{error}");
    }
}
