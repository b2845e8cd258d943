//! Figures as the text that Prometheus scrapes.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::{Registry, Unit};

use crate::reading::{Family, Value};
use crate::{Kind, Reading, buckets};

/// The content type of [`Reading::prometheus`]: OpenMetrics, which Prometheus reads.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

impl Reading {
    /// The figures as text, in the same order each time, with an end that shows that nothing is cut off.
    #[must_use]
    pub fn prometheus(&self) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Snapshot(self.clone())));
        let mut page = String::new();
        // Only a writer can fail, and a text does not.
        let _ = text::encode(&mut page, &registry);
        page
    }
}

#[derive(Debug)]
struct Snapshot(Reading);

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.0.found.values().try_for_each(|family| encode(family, &mut encoder))
    }
}

fn encode(family: &Family, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let series = &family.series;
    let name = series.name.replace('.', "_");
    let unit = (series.unit == "s").then_some(Unit::Seconds);
    let kind = match series.kind {
        Kind::Counter => MetricType::Counter,
        Kind::Gauge => MetricType::Gauge,
        Kind::Histogram => MetricType::Histogram,
    };
    let bounds = buckets::bounds();
    let mut page = encoder.encode_descriptor(&name, series.help, unit.as_ref(), kind)?;
    for (attributes, value) in &family.points {
        let labels: Vec<(&str, &str)> = attributes.iter().map(|(name, value)| (*name, &**value)).collect();
        let mut point = page.encode_family(&labels)?;
        match value {
            Value::Count(count) if series.kind == Kind::Gauge => point.encode_gauge(count)?,
            Value::Count(count) => point.encode_counter(count, None::<&Exemplar<NoLabelSet, u64>>)?,
            Value::Durations(durations) => {
                let bounds = bounds.iter().copied().chain([f64::INFINITY]);
                let buckets: Vec<(f64, u64)> = bounds.zip(buckets::counts(durations)).collect();
                point.encode_histogram::<NoLabelSet>(
                    durations.sum().as_secs_f64(),
                    durations.count(),
                    &buckets,
                    None,
                )?;
            }
        }
    }
    Ok(())
}
