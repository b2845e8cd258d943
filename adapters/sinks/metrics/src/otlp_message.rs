//! Figures as OTLP's message.

use std::time::{Duration, SystemTime};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics,
    ScopeMetrics, Sum, metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;

use crate::reading::{Attributes, Family, Value};
use crate::{Kind, Reading, buckets};

/// When the counting began, and when the figures were read.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    pub(crate) begin: SystemTime,
    pub(crate) end: SystemTime,
}

/// All figures of a reading, of the resource with these attributes.
pub(crate) fn request(reading: &Reading, resource: &[(String, String)], span: Span) -> ExportMetricsServiceRequest {
    let attributes = resource.iter().map(|(key, value)| attribute(key, value)).collect();
    let scope = InstrumentationScope {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    let metrics = reading.found.values().map(|family| metric(family, span)).collect();
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(Resource { attributes, ..Resource::default() }),
            scope_metrics: vec![ScopeMetrics { scope: Some(scope), metrics, ..ScopeMetrics::default() }],
            ..ResourceMetrics::default()
        }],
    }
}

fn metric(family: &Family, span: Span) -> Metric {
    let series = &family.series;
    let cumulative = AggregationTemporality::Cumulative.into();
    let data = match series.kind {
        Kind::Counter => metric::Data::Sum(Sum {
            data_points: numbers(family, span),
            aggregation_temporality: cumulative,
            is_monotonic: true,
        }),
        Kind::Gauge => metric::Data::Gauge(Gauge { data_points: numbers(family, span) }),
        Kind::Histogram => metric::Data::Histogram(Histogram {
            data_points: distributions(family, span),
            aggregation_temporality: cumulative,
        }),
    };
    Metric {
        name: series.name.to_owned(),
        description: series.help.to_owned(),
        unit: series.unit.to_owned(),
        data: Some(data),
        ..Metric::default()
    }
}

fn numbers(family: &Family, span: Span) -> Vec<NumberDataPoint> {
    let counts = family.points.iter().filter_map(|(attributes, value)| match value {
        Value::Count(count) => Some((attributes, *count)),
        Value::Durations(_) => None,
    });
    let points = counts.map(|(found, count)| NumberDataPoint {
        attributes: attributes(found),
        start_time_unix_nano: nanos(span.begin),
        time_unix_nano: nanos(span.end),
        // A count beyond what OTLP can say stops there.
        value: Some(number_data_point::Value::AsInt(i64::try_from(count).unwrap_or(i64::MAX))),
        ..NumberDataPoint::default()
    });
    points.collect()
}

fn distributions(family: &Family, span: Span) -> Vec<HistogramDataPoint> {
    let durations = family.points.iter().filter_map(|(attributes, value)| match value {
        Value::Durations(durations) => Some((attributes, durations)),
        Value::Count(_) => None,
    });
    let points = durations.map(|(found, durations)| HistogramDataPoint {
        attributes: attributes(found),
        start_time_unix_nano: nanos(span.begin),
        time_unix_nano: nanos(span.end),
        count: durations.count(),
        sum: Some(durations.sum().as_secs_f64()),
        bucket_counts: buckets::counts(durations),
        explicit_bounds: buckets::bounds(),
        min: durations.min().map(|least| least.as_secs_f64()),
        max: durations.max().map(|greatest| greatest.as_secs_f64()),
        ..HistogramDataPoint::default()
    });
    points.collect()
}

fn attributes(attributes: &Attributes) -> Vec<KeyValue> {
    attributes.iter().map(|(key, value)| attribute(key, value)).collect()
}

fn attribute(key: &str, value: &str) -> KeyValue {
    let value = AnyValue { value: Some(any_value::Value::StringValue(value.to_owned())) };
    KeyValue { key: key.to_owned(), value: Some(value), ..KeyValue::default() }
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
