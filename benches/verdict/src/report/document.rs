//! The page that the figures are published on, and its plots.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::section::{Drawing, Section};

/// The page can't be written.
#[derive(Debug, Error)]
#[error("{}: {cause}", path.display())]
pub struct DocumentError {
    path: PathBuf,
    #[source]
    cause: io::Error,
}

/// Brings `detection.md` in `docs` and its plots up to date. What stands outside the markers stays as it is.
pub fn write(docs: &Path, sections: &[Section]) -> Result<(), DocumentError> {
    let page = docs.join("detection.md");
    let mut text =
        std::fs::read_to_string(&page).map_err(|cause| DocumentError { path: page.clone(), cause })?;
    let folder = docs.join("detection");
    std::fs::create_dir_all(&folder).map_err(|cause| DocumentError { path: folder.clone(), cause })?;
    for section in sections {
        let mut body = section.text.clone();
        for Drawing { file, title, svg } in &section.drawings {
            let path = folder.join(file);
            std::fs::write(&path, svg).map_err(|cause| DocumentError { path, cause })?;
            body.push_str(&format!("\n![{title}](detection/{file})\n"));
        }
        body.push_str(&section.details);
        text = replaced(&text, &section.name, &body);
    }
    std::fs::write(&page, text).map_err(|cause| DocumentError { path: page, cause })
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
        let text = "# Page\n\n<!-- begin days -->\nold\n<!-- end days -->\n\nMine.\n";
        let wanted = "# Page\n\n<!-- begin days -->\nnew\n<!-- end days -->\n\nMine.\n";
        assert_eq!(replaced(text, "days", "new\n"), wanted);
        assert_eq!(replaced(wanted, "days", "new"), wanted, "the same again");
        assert!(
            replaced(text, "fast", "x").ends_with("Mine.\n\n<!-- begin fast -->\nx\n<!-- end fast -->\n")
        );
    }

    #[test]
    fn a_section_goes_to_its_place_and_its_plots_beside_the_page() {
        let docs = tempfile::tempdir().unwrap();
        let page = docs.path().join("detection.md");
        std::fs::write(&page, "Mine.\n<!-- begin days --><!-- end days -->\nMine too.\n").unwrap();
        let drawing = Drawing { file: "days.svg".to_owned(), title: "Days", svg: "<svg/>".to_owned() };
        let section = Section {
            name: "days".to_owned(),
            text: "Figures.\n".to_owned(),
            drawings: vec![drawing],
            details: "\nMore.\n".to_owned(),
        };
        write(docs.path(), &[section]).unwrap();
        let wanted = "Mine.\n<!-- begin days -->\nFigures.\n\n![Days](detection/days.svg)\n\nMore.\n<!-- end days -->\nMine too.\n";
        assert_eq!(std::fs::read_to_string(page).unwrap(), wanted);
        assert_eq!(std::fs::read_to_string(docs.path().join("detection/days.svg")).unwrap(), "<svg/>");
    }

    #[test]
    fn a_page_that_is_missing_is_named() {
        let docs = tempfile::tempdir().unwrap();
        let error = write(docs.path(), &[]).unwrap_err().to_string();
        assert!(error.contains("detection.md"), "{error}");
    }
}
