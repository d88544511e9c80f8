//! The page that the figures are published on, and its plots.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::findings::Findings;
use super::plots;

/// The page can't be written.
#[derive(Debug, Error)]
#[error("{}: {cause}", path.display())]
pub struct DocumentError {
    path: PathBuf,
    #[source]
    cause: io::Error,
}

/// What the page says where there is none yet.
const NEW: &str = include_str!("new.md");

/// Brings `detection.md` in `docs` and its plots up to date. What stands outside the markers stays as it is.
pub fn write(docs: &Path, findings: &[Findings]) -> Result<(), DocumentError> {
    let page = docs.join("detection.md");
    let mut text = match std::fs::read_to_string(&page) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => NEW.to_owned(),
        Err(cause) => return Err(DocumentError { path: page, cause }),
    };
    let folder = docs.join("detection");
    std::fs::create_dir_all(&folder).map_err(|cause| DocumentError { path: folder.clone(), cause })?;
    for set in findings {
        let mut section = set.to_string();
        for (file, drawn) in drawings(set) {
            let path = folder.join(&file);
            std::fs::write(&path, &drawn.svg).map_err(|cause| DocumentError { path, cause })?;
            section.push_str(&format!("\n![{}](detection/{file})\n", drawn.title));
        }
        text = replaced(&text, set.name, &section);
    }
    std::fs::write(&page, text).map_err(|cause| DocumentError { path: page, cause })
}

struct Drawing {
    title: &'static str,
    svg: String,
}

fn drawings(set: &Findings) -> Vec<(String, Drawing)> {
    let all = [
        ("delay", "Delay against false alarms", plots::delays_against_false_alarms(set)),
        ("classes", "Delay by class", plots::delays_by_class(set)),
        ("calibration", "How often a score means a leak", Some(plots::calibration_plot(set))),
    ];
    let drawn = all.into_iter().filter_map(|(kind, title, svg)| {
        Some((format!("{}-{kind}.svg", set.name), Drawing { title, svg: svg? }))
    });
    drawn.collect()
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
    use crate::measure::Outcome;
    use crate::testing::{leak, readings, series};

    #[test]
    fn only_what_is_between_markers_is_replaced() {
        let text = "# Page\n\n<!-- begin days -->\nold\n<!-- end days -->\n\nMine.\n";
        let wanted = "# Page\n\n<!-- begin days -->\nnew\n<!-- end days -->\n\nMine.\n";
        assert_eq!(replaced(text, "days", "new\n"), wanted);
        assert_eq!(replaced(wanted, "days", "new"), wanted, "the same again");
        assert!(
            replaced(text, "fast", "x").ends_with("Mine.\n\n<!-- begin fast -->\nx\n<!-- end fast -->\n")
        );
    }

    #[test]
    fn a_page_is_made_where_there_is_none() {
        let docs = tempfile::tempdir().unwrap();
        let trace = series(leak(3600.0), 3600.0, 25, |_| 100.0);
        let ours = vec![Outcome::new(&trace, &readings(&[(7200.0, 90.0)]))];
        write(docs.path(), &[Findings { name: "days", ours, baselines: Vec::new() }]).unwrap();
        let page = std::fs::read_to_string(docs.path().join("detection.md")).unwrap();
        assert!(page.contains("Leaking series: 1") && page.contains("(detection/days-delay.svg)"), "{page}");
        assert!(docs.path().join("detection/days-calibration.svg").exists());
    }

    #[test]
    fn a_folder_that_is_none_is_named() {
        let docs = tempfile::NamedTempFile::new().unwrap();
        let error = write(docs.path(), &[]).unwrap_err().to_string();
        assert!(error.contains(docs.path().to_str().unwrap()), "{error}");
    }
}
