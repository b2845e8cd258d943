//! The page that Prometheus scrapes.

use std::collections::{BTreeMap, BTreeSet};

use countermand_core::{Class, Priority};
use countermand_metrics::{Kind, series};
use regex::Regex;

use crate::scene::scene;

/// A page taken apart: the kind of each family, and each sample.
struct Page {
    kinds: BTreeMap<String, String>,
    samples: BTreeMap<String, f64>,
}

/// Reads a page line by line; whatever is no line of the format fails.
fn parse(page: &str) -> Page {
    let help = Regex::new(r"^# HELP ([a-z][a-z0-9_]*) [^ ].*$").unwrap();
    let kind = Regex::new(r"^# TYPE ([a-z][a-z0-9_]*) (counter|gauge|histogram)$").unwrap();
    let unit = Regex::new(r"^# UNIT ([a-z][a-z0-9_]*_seconds) seconds$").unwrap();
    let label = r#"[a-z][a-z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*""#;
    let sample = format!(r"^([a-z][a-z0-9_]*)(\{{{label}(?:,{label})*\}})? ([0-9]+(?:\.[0-9]+)?(?:e-?[0-9]+)?)$");
    let sample = Regex::new(&sample).unwrap();
    let mut kinds = BTreeMap::new();
    let mut samples = BTreeMap::new();
    let mut family = String::new();
    let mut helped = BTreeSet::new();
    let body = page.strip_suffix("# EOF\n").expect("an end");
    for line in body.lines() {
        if let Some(found) = help.captures(line) {
            assert!(helped.insert(found[1].to_owned()), "told twice: {line}");
            family = found[1].to_owned();
        } else if let Some(found) = kind.captures(line) {
            assert_eq!(found[1], family, "{line}");
            assert!(kinds.insert(family.clone(), found[2].to_owned()).is_none(), "{line}");
        } else if let Some(found) = unit.captures(line) {
            assert_eq!(found[1], family, "{line}");
        } else if let Some(found) = sample.captures(line) {
            let suffixes: &[&str] = match &*kinds[&family] {
                "counter" => &["_total"],
                "gauge" => &[""],
                _ => &["_sum", "_count", "_bucket"],
            };
            assert!(suffixes.iter().any(|suffix| found[1] == format!("{family}{suffix}")), "{line} in {family}");
            let key = format!("{}{}", &found[1], found.get(2).map_or("", |labels| labels.as_str()));
            assert!(samples.insert(key, found[3].parse().unwrap()).is_none(), "twice: {line}");
        } else {
            panic!("no line of the format: {line:?}");
        }
    }
    Page { kinds, samples }
}

#[test]
fn the_page_says_what_the_core_says() {
    let scene = scene();
    let page = parse(&scene.board.read().prometheus());
    let value = |key: &str| *page.samples.get(key).unwrap_or_else(|| panic!("no {key}")) as u64;
    for priority in Priority::ALL {
        let (of, name) = (priority.index(), priority.name());
        let by = |series: &str| value(&format!("countermand_{series}{{priority=\"{name}\"}}"));
        assert_eq!(by("jobs_submitted_total"), scene.jobs.submitted(priority));
        assert_eq!(by("jobs_started_total"), scene.jobs.started(priority));
        assert_eq!(by("jobs_unsettled"), scene.jobs.unsettled(priority));
        let completed = format!("countermand_jobs_settled_total{{outcome=\"completed\",priority=\"{name}\"}}");
        assert_eq!(value(&completed), scene.jobs.settled_as(Class::Completed, priority));
        assert_eq!(by("job_running_seconds_count"), scene.jobs.running(priority).count());
        let last = format!("countermand_job_running_seconds_bucket{{le=\"+Inf\",priority=\"{name}\"}}");
        assert_eq!(value(&last), scene.jobs.running(priority).count());
        let sum = page.samples[&format!("countermand_job_running_seconds_sum{{priority=\"{name}\"}}")];
        assert!((sum - scene.jobs.running(priority).sum().as_secs_f64()).abs() < 1e-9);
        for (series, figures) in [
            ("accepted_total", scene.ledger.accepted),
            ("delivered_total", scene.ledger.delivered),
            ("dead_lettered_total", scene.ledger.dead_lettered),
            ("expired_total", scene.ledger.expired),
            ("pending", scene.ledger.pending),
            ("refused_total", scene.ledger.refused),
        ] {
            assert_eq!(by(&format!("router_{series}")), figures[of], "{series} {name}");
        }
        let shed = format!("countermand_router_shed_total{{priority=\"{name}\",reason=\"queue_full\"}}");
        assert_eq!(value(&shed), scene.ledger.shed[of]);
    }
    assert_eq!(value("countermand_worker_accepted_total{worker=\"ingest\"}"), scene.counts.accepted);
    assert_eq!(value("countermand_worker_settled_total{outcome=\"panicked\",worker=\"ingest\"}"), 1);
    assert_eq!(value("countermand_jobs_rejected_total{priority=\"NORMAL\",reason=\"already_shutdown\"}"), 1);
}

#[test]
fn every_series_of_the_table_is_on_the_page_and_no_other() {
    let page = parse(&scene().board.read().prometheus());
    let expected: BTreeMap<String, String> = series::ALL
        .iter()
        .map(|series| {
            let suffix = if series.unit == "s" { "_seconds" } else { "" };
            let kind = match series.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram => "histogram",
            };
            (format!("{}{suffix}", series.name.replace('.', "_")), kind.to_owned())
        })
        .collect();
    assert_eq!(page.kinds, expected);
}

#[test]
fn buckets_grow_and_the_name_of_a_stranger_breaks_nothing() {
    let page = parse(&scene().board.read().prometheus());
    let mut running: Vec<(f64, f64)> = page
        .samples
        .iter()
        .filter(|(key, _)| {
            key.starts_with("countermand_job_running_seconds_bucket") && key.contains("priority=\"HIGH\"")
        })
        .map(|(key, count)| {
            let bound = key.split("le=\"").nth(1).unwrap().split('"').next().unwrap();
            (bound.replace("+Inf", "inf").parse().unwrap(), *count)
        })
        .collect();
    running.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    assert_eq!(running.len(), 15);
    assert!(running.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{running:?}");
    let escaped = r#"source="tola\"ria\n\\} 1 # evil""#;
    assert!(page.samples.keys().any(|key| key.contains(escaped)), "{:?}", page.samples.keys());
}
