//! The dashboards in `grafana/dashboards`: `lint` says what is wrong with one by itself; whether what they ask for
//! exists and runs is for `queries` to say.

mod lint;

use std::fs;
use std::path::Path;

use serde_json::Value;

/// One file.
#[derive(Clone, Debug)]
pub(crate) struct Dashboard {
    /// Its name without `.json`.
    pub(crate) name: String,
    pub(crate) json: Value,
}

/// What Prometheus is asked, before variables have values.
#[derive(Debug)]
pub(crate) struct Query {
    /// Where it stands, for messages.
    pub(crate) place: String,
    pub(crate) expr: String,
    /// The label whose values are wanted, of a variable.
    pub(crate) label: Option<String>,
}

/// All of them.
pub(crate) fn all() -> Vec<Dashboard> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("grafana/dashboards");
    let files = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut all: Vec<Dashboard> = files.map(|file| read(&file.unwrap().path())).collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    assert!(!all.is_empty());
    all
}

fn read(path: &Path) -> Dashboard {
    let text = fs::read_to_string(path).unwrap();
    let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Dashboard { name: path.file_stem().unwrap().to_string_lossy().into_owned(), json }
}

impl Dashboard {
    /// Panels that show something, unlike the headings of rows.
    fn panels(&self) -> impl Iterator<Item = &Value> {
        list(&self.json["panels"]).iter().filter(|panel| panel["type"] != "row")
    }

    fn variables(&self) -> &[Value] {
        list(&self.json["templating"]["list"])
    }

    fn variable(&self, name: &str) -> Option<&Value> {
        self.variables().iter().find(|variable| variable["name"] == name)
    }

    /// Those of its panels, and those of its variables.
    pub(crate) fn queries(&self) -> Vec<Query> {
        self.panels().flat_map(|panel| self.of_panel(panel)).chain(self.of_variables()).collect()
    }

    fn of_panel(&self, panel: &Value) -> Vec<Query> {
        let query = |target: &Value| Query {
            place: format!("{}: {} {}", self.name, text(&panel["title"]), text(&target["refId"])),
            expr: text(&target["expr"]).to_string(),
            label: None,
        };
        list(&panel["targets"]).iter().map(query).collect()
    }

    fn of_variables(&self) -> Vec<Query> {
        let asks = self.variables().iter().filter(|variable| variable["type"] == "query");
        let query = |variable: &Value| {
            let query = text(&variable["query"]["query"]);
            let inner = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')'));
            let (expr, label) =
                inner.and_then(|inner| inner.rsplit_once(", ")).unwrap_or_else(|| panic!("{query}"));
            Query {
                place: format!("{}: ${}", self.name, text(&variable["name"])),
                expr: expr.to_string(),
                label: Some(label.to_string()),
            }
        };
        asks.map(query).collect()
    }
}

/// The elements of a list; none if it is no list.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A string; empty if it is none.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
