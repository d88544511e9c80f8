//! The rules of Grafana's dashboard-linter, which is not to be had as a package, and some of our own. Each is a small
//! function that gives its complaints, and each is shown to have some.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Dashboard, list, text};
use crate::promql;

#[test]
fn dashboards_keep_the_rules() {
    let all = super::all();
    for dashboard in &all {
        assert_eq!(complaints(dashboard, &all), [""; 0]);
    }
}

/// A rule, by its name and what it has to complain about. It also sees all dashboards there are.
type Rule = (&'static str, fn(&Dashboard, &[Dashboard]) -> Vec<String>);

const RULES: [Rule; 16] = [
    ("has a stable uid", |dashboard, _| {
        unless(dashboard.json["uid"] == format!("memleak-{}", dashboard.name), "its uid is not of its file")
    }),
    ("is not editable", |dashboard, _| unless(dashboard.json["editable"] == false, "editable")),
    ("is read by Grafana 10 and 11", |dashboard, _| {
        let version = dashboard.json["schemaVersion"].as_u64();
        unless(version.is_some_and(|version| (36..=39).contains(&version)), "schemaVersion")
    }),
    ("asks for a data source", |dashboard, _| {
        let variable = dashboard.variable("datasource");
        unless(
            variable.is_some_and(|one| has(one, &json!({"type": "datasource", "label": "Data source"}))),
            "",
        )
    }),
    ("asks for job and instance", |dashboard, _| {
        let wanted = |label| json!({"type": "query", "label": label, "multi": true, "allValue": ".+"});
        let right = |(name, label)| dashboard.variable(name).is_some_and(|one| has(one, &wanted(label)));
        unless([("job", "Job"), ("instance", "Instance")].into_iter().all(right), "")
    }),
    ("variables are asked again when the time changes", |dashboard, _| {
        let asked = dashboard.variables().iter().filter(|variable| variable["type"] == "query");
        let wrong = asked.filter(|one| !(one["refresh"] == 2 && has(one, &templated_source())));
        wrong.map(|one| text(&one["name"]).to_string()).collect()
    }),
    ("panels have title and description", |dashboard, _| {
        panels(dashboard, |panel| {
            !text(&panel["title"]).is_empty() && text(&panel["description"]).ends_with('.')
        })
    }),
    ("panels have a unit", |dashboard, _| {
        panels(dashboard, |panel| UNITS.contains(&text(&panel["fieldConfig"]["defaults"]["unit"])))
    }),
    ("panels have queries", |dashboard, _| panels(dashboard, |panel| !list(&panel["targets"]).is_empty())),
    ("panels take the data source that was asked for", |dashboard, _| {
        panels(dashboard, |panel| {
            let queries = list(&panel["targets"]).iter();
            queries.chain([panel]).all(|one| has(one, &templated_source()))
        })
    }),
    ("panels have ids of their own and do not overlap", |dashboard, _| {
        let mut ids = BTreeSet::new();
        let mut taken = BTreeSet::new();
        panels(dashboard, |panel| {
            let number = |key: &str| panel["gridPos"][key].as_u64().unwrap_or(u64::MAX);
            let (x, y, w, h) = (number("x"), number("y"), number("w"), number("h"));
            w > 0
                && x.saturating_add(w) <= 24
                && h < 100
                && ids.insert(panel["id"].as_u64())
                && (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))).all(|cell| taken.insert(cell))
        })
    }),
    ("queries are PromQL", |dashboard, _| {
        let errors = dashboard.queries().into_iter().filter_map(|query| {
            let error = promql::parse(&promql::with_values(&query.expr, &SAMPLE_VALUES)).err()?;
            Some(format!("{}: {error}", query.place))
        });
        errors.collect()
    }),
    ("every selector asks for job and instance", |dashboard, _| {
        let of_itself =
            |label: Option<&str>, name| label == Some(name) || (label, name) == (Some("job"), "instance");
        selectors(dashboard, |selector, label| {
            ["job", "instance"].into_iter().all(|name| {
                of_itself(label, name) || selector.matchers.contains(&format!("{name}=~\"${name}\""))
            })
        })
    }),
    ("counters are rated, over the interval that Grafana gives", |dashboard, _| {
        selectors(dashboard, |selector, _| {
            let rated = matches!(selector.function.as_deref(), Some("rate" | "increase"));
            rated == selector.name.ends_with("_total") && (!rated || selector.range == Some(RATE_INTERVAL))
        })
    }),
    ("variables that are used are asked for", |dashboard, _| {
        let known = |name: &str| name.starts_with("__") || dashboard.variable(name).is_some();
        let exprs = dashboard.queries().into_iter().map(|query| query.expr);
        let titles = list(&dashboard.json["panels"]).iter().map(|panel| text(&panel["title"]).to_string());
        let used = exprs.chain(titles).flat_map(|text| promql::variables(&text));
        used.filter(|name| !known(name)).collect()
    }),
    ("links lead to a dashboard and its variables", |dashboard, all| {
        let leads = |url: &str| {
            let (path, arguments) = url.split_once('?').unwrap_or((url, ""));
            let target = all.iter().find(|one| path == format!("/d/{}", text(&one.json["uid"])));
            let names = arguments.split('&').filter_map(|argument| argument.strip_prefix("var-"));
            target.is_some_and(|target| {
                names
                    .map(|name| name.split('=').next().unwrap_or(name))
                    .all(|name| target.variable(name).is_some())
            })
        };
        let links = urls(&dashboard.json);
        let lost = links.iter().filter(|url| !leads(url)).cloned();
        lost.chain(unless(!links.is_empty(), "it leads nowhere")).collect()
    }),
];

/// What the rules have to say about a dashboard, one line each.
fn complaints(dashboard: &Dashboard, all: &[Dashboard]) -> Vec<String> {
    let told = |(name, rule): &Rule| -> Vec<String> {
        let lines = rule(dashboard, all);
        lines.into_iter().map(|line| format!("{}: not true: {name}: {line}", dashboard.name)).collect()
    };
    RULES.iter().flat_map(told).collect()
}

/// Units in use, as Grafana spells them.
const UNITS: [&str; 9] =
    ["none", "short", "bytes", "binBps", "s", "percentunit", "cps", "reqps", "dateTimeFromNow"];

/// An odd one, so that nothing else is taken for it.
const RATE_INTERVAL: std::time::Duration = std::time::Duration::from_secs(4321);
const SAMPLE_VALUES: [(&str, &str); 2] = [("__rate_interval", "4321s"), ("__range", "1h")];

fn templated_source() -> Value {
    json!({"datasource": {"type": "prometheus", "uid": "${datasource}"}})
}

fn unless(right: bool, complaint: &str) -> Vec<String> {
    if right { vec![] } else { vec![complaint.to_string()] }
}

/// Whether `value` has all that `wanted` has, and perhaps more.
fn has(value: &Value, wanted: &Value) -> bool {
    match wanted.as_object() {
        Some(wanted) => wanted.iter().all(|(key, wanted)| has(&value[key], wanted)),
        None => value == wanted,
    }
}

/// The titles of the panels that are not right.
fn panels(dashboard: &Dashboard, mut right: impl FnMut(&Value) -> bool) -> Vec<String> {
    let wrong = dashboard.panels().filter(|panel| !right(panel));
    wrong.map(|panel| format!("panel {} {}", panel["id"], text(&panel["title"]))).collect()
}

/// The selectors that are not right; `right` is told which label is wanted, by a variable.
fn selectors(dashboard: &Dashboard, right: impl Fn(&promql::Selector, Option<&str>) -> bool) -> Vec<String> {
    let mut wrong = vec![];
    for query in dashboard.queries() {
        // What can't be parsed is for another rule.
        let parsed = promql::parse(&promql::with_values(&query.expr, &SAMPLE_VALUES)).unwrap_or_default();
        let selectors = parsed.selectors.iter().filter(|one| !right(one, query.label.as_deref()));
        wrong.extend(selectors.map(|selector| format!("{}: {}", query.place, selector.name)));
    }
    wrong
}

/// The values of all keys `url`, however deep.
fn urls(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().flat_map(urls).collect(),
        Value::Object(object) => {
            let deeper = object.values().flat_map(urls);
            object.get("url").into_iter().map(|url| text(url).to_string()).chain(deeper).collect()
        }
        _ => vec![],
    }
}

/// A small dashboard that is right, and changes to it that are each wrong by one rule.
#[test]
fn each_rule_has_something_to_complain_about() {
    let good = Dashboard { name: "good".to_string(), json: good() };
    assert_eq!(complaints(&good, std::slice::from_ref(&good)), [""; 0]);

    let source = json!({"type": "prometheus", "uid": "memleak-prometheus"});
    let [job, instance] = ["job", "instance"].map(|name| format!("{name}=~\"${name}\""));
    let wrong = [
        ("has a stable uid", "/uid", json!("f00d")),
        ("is not editable", "/editable", json!(true)),
        ("is read by Grafana 10 and 11", "/schemaVersion", json!(16)),
        ("asks for a data source", "/templating/list/0/label", json!("Source")),
        ("asks for a data source", "/templating/list/0/type", json!("constant")),
        ("asks for job and instance", "/templating/list/1/multi", json!(false)),
        ("asks for job and instance", "/templating/list/2/allValue", json!(".*")),
        ("asks for job and instance", "/templating/list/2/label", json!("Target")),
        ("variables are asked again when the time changes", "/templating/list/1/refresh", json!(1)),
        ("variables are asked again when the time changes", "/templating/list/2/datasource", source.clone()),
        ("panels have title and description", "/panels/1/title", json!("")),
        ("panels have title and description", "/panels/1/description", json!(null)),
        ("panels have a unit", "/panels/1/fieldConfig/defaults/unit", json!(null)),
        ("panels have a unit", "/panels/1/fieldConfig/defaults/unit", json!("byte")),
        ("panels have queries", "/panels/1/targets", json!([])),
        ("panels take the data source that was asked for", "/panels/1/datasource", source.clone()),
        ("panels take the data source that was asked for", "/panels/1/targets/0/datasource", source),
        ("panels have ids of their own and do not overlap", "/panels/1/id", json!(3)),
        ("panels have ids of their own and do not overlap", "/panels/1/gridPos/x", json!(6)),
        ("panels have ids of their own and do not overlap", "/panels/1/gridPos/w", json!(25)),
        ("queries are PromQL", "/panels/1/targets/0/expr", json!("sum(")),
        (
            "every selector asks for job and instance",
            "/panels/1/targets/0/expr",
            json!(format!("up{{{job}}}")),
        ),
        (
            "every selector asks for job and instance",
            "/panels/1/targets/0/expr",
            json!(format!("up{{{instance}}}")),
        ),
        (
            "every selector asks for job and instance",
            "/templating/list/2/query/query",
            json!("label_values(up, instance)"),
        ),
        (
            "counters are rated, over the interval that Grafana gives",
            "/panels/1/targets/0/expr",
            json!(format!("rate(a_total{{{job},{instance}}}[5m])")),
        ),
        (
            "counters are rated, over the interval that Grafana gives",
            "/panels/1/targets/0/expr",
            json!(format!("a_total{{{job},{instance}}}")),
        ),
        (
            "counters are rated, over the interval that Grafana gives",
            "/panels/1/targets/0/expr",
            json!(format!("max_over_time(a_total{{{job},{instance}}}[$__rate_interval])")),
        ),
        (
            "counters are rated, over the interval that Grafana gives",
            "/panels/1/targets/0/expr",
            json!(format!("rate(gauge{{{job},{instance}}}[$__rate_interval])")),
        ),
        (
            "variables that are used are asked for",
            "/panels/1/targets/0/expr",
            json!(format!("up{{{job},{instance},group=\"$group\"}}")),
        ),
        ("variables that are used are asked for", "/panels/0/title", json!("Group $group")),
        ("links lead to a dashboard and its variables", "/links/0/url", json!("/d/gone")),
        ("links lead to a dashboard and its variables", "/links/0/url", json!("/d/memleak-good?var-group=a")),
        ("links lead to a dashboard and its variables", "/links", json!([])),
    ];
    for (rule, pointer, value) in &wrong {
        let mut bad = good.clone();
        *bad.json.pointer_mut(pointer).unwrap() = value.clone();
        let told = complaints(&bad, std::slice::from_ref(&good));
        let [only] = &told[..] else { panic!("{pointer} = {value}: {told:#?}") };
        assert!(only.contains(&format!(": not true: {rule}: ")), "{pointer} = {value}: {only}");
    }
    for (name, _) in RULES {
        assert!(wrong.iter().any(|(rule, ..)| *rule == name), "nobody breaks the rule: {name}");
    }
}

fn good() -> Value {
    let source = json!({"type": "prometheus", "uid": "${datasource}"});
    let variable = |name: &str, label: &str, query: &str| {
        json!({
            "type": "query", "name": name, "label": label, "multi": true, "allValue": ".+", "refresh": 2,
            "datasource": source, "query": {"query": query},
        })
    };
    let panel = |id: u64, x: u64, expr: &str| {
        json!({
            "id": id, "type": "stat", "title": "Title", "description": "Description.", "datasource": source,
            "fieldConfig": {"defaults": {"unit": "none"}}, "gridPos": {"x": x, "y": 1, "w": 12, "h": 4},
            "targets": [{"refId": "A", "datasource": source, "expr": expr}],
        })
    };
    json!({
        "uid": "memleak-good", "editable": false, "schemaVersion": 39,
        "links": [{"url": "/d/memleak-good?var-job=a&${__url_time_range}"}],
        "templating": {"list": [
            {"type": "datasource", "name": "datasource", "label": "Data source"},
            variable("job", "Job", "label_values(up, job)"),
            variable("instance", "Instance", "label_values(up{job=~\"$job\"}, instance)"),
        ]},
        "panels": [
            {"id": 1, "type": "row", "title": "Row", "gridPos": {"x": 0, "y": 0, "w": 24, "h": 1}},
            panel(2, 0, r#"rate(a_total{job=~"$job",instance=~"$instance"}[$__rate_interval])"#),
            panel(3, 12, r#"max_over_time(a{job=~"$job",instance=~"$instance"}[$__range] @ end())"#),
        ],
    })
}
