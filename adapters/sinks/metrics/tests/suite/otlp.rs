//! What a collector gets, and what becomes of its answers.

use std::net::TcpListener;
use std::time::Duration;

use countermand_core::Priority;
use countermand_metrics::{Otlp, OtlpError, Reading, series};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{AggregationTemporality, Metric, metric::Data, number_data_point};
use prost::Message as _;

use crate::collector::collector;
use crate::scene::{STRANGER, scene};

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        any_value::Value::StringValue(text) => Some(text.clone()),
        other => panic!("{other:?}"),
    }
}

/// The figure of the point with these attributes.
fn number(metric: &Metric, attributes: &[(&str, &str)]) -> i64 {
    let points = match metric.data.as_ref().unwrap() {
        Data::Sum(sum) => {
            assert!(sum.is_monotonic);
            assert_eq!(sum.aggregation_temporality, i32::from(AggregationTemporality::Cumulative));
            &sum.data_points
        }
        Data::Gauge(gauge) => &gauge.data_points,
        other => panic!("{other:?}"),
    };
    let fits = |found: &[KeyValue]| attributes.iter().all(|(key, value)| text(found, key).as_deref() == Some(value));
    let point = points.iter().find(|point| fits(&point.attributes)).unwrap_or_else(|| panic!("no {attributes:?}"));
    assert!(point.start_time_unix_nano > 0 && point.start_time_unix_nano <= point.time_unix_nano);
    match point.value {
        Some(number_data_point::Value::AsInt(value)) => value,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn the_collector_gets_what_the_core_says() {
    let scene = scene();
    let (address, requests) = collector("200 OK", Vec::new());
    let otlp = Otlp::new(&address).unwrap().resource("service.name", "weatherlight");
    otlp.send(&scene.board.read()).unwrap();
    let request = requests.recv().unwrap();
    assert_eq!((&*request.line, &*request.content_type), ("POST /v1/metrics", "application/x-protobuf"));
    let mut got = ExportMetricsServiceRequest::decode(&*request.body).unwrap();
    let mut of = got.resource_metrics.remove(0);
    assert_eq!(text(&of.resource.unwrap().attributes, "service.name").as_deref(), Some("weatherlight"));
    let scope = of.scope_metrics.remove(0);
    assert_eq!(scope.scope.unwrap().name, "countermand-metrics");
    let find =
        |name: &str| scope.metrics.iter().find(|metric| metric.name == name).unwrap_or_else(|| panic!("no {name}"));
    assert_eq!(scope.metrics.len(), series::ALL.len());
    for series in series::ALL {
        let metric = find(series.name);
        assert_eq!((&*metric.unit, &*metric.description), (series.unit, series.help));
    }
    for priority in Priority::ALL {
        let by = [("priority", priority.name())];
        let of = priority.index();
        let count = |name| u64::try_from(number(find(name), &by)).unwrap();
        assert_eq!(count("countermand.jobs.submitted"), scene.jobs.submitted(priority));
        assert_eq!(count("countermand.router.accepted"), scene.ledger.accepted[of]);
        assert_eq!(count("countermand.router.delivered"), scene.ledger.delivered[of]);
        assert_eq!(count("countermand.router.shed"), scene.ledger.shed[of]);
        assert_eq!(count("countermand.router.pending"), scene.ledger.pending[of]);
        let Some(Data::Histogram(running)) = &find("countermand.job.running").data else { panic!("no histogram") };
        assert_eq!(running.aggregation_temporality, i32::from(AggregationTemporality::Cumulative));
        let fits = |found: &[KeyValue]| text(found, "priority").as_deref() == Some(priority.name());
        let point = running.data_points.iter().find(|point| fits(&point.attributes)).unwrap();
        let durations = scene.jobs.running(priority);
        assert_eq!(point.count, durations.count());
        assert_eq!(point.bucket_counts.iter().sum::<u64>(), durations.count());
        assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
        assert!(point.explicit_bounds.is_sorted());
        assert_eq!(point.sum, Some(durations.sum().as_secs_f64()));
        assert_eq!(point.max, durations.max().map(|greatest| greatest.as_secs_f64()));
    }
    let shed = number(find("countermand.router.source.shed"), &[("source", STRANGER), ("priority", "NORMAL")]);
    assert_eq!(u64::try_from(shed).unwrap(), scene.ledger.shed[Priority::Normal.index()]);
}

#[test]
fn what_the_collector_says_is_told() {
    let send = |status, answer| Otlp::new(&collector(status, answer).0).unwrap().send(&Reading::new());
    let partial = ExportMetricsPartialSuccess { rejected_data_points: 3, error_message: "too old".into() };
    let partial = ExportMetricsServiceResponse { partial_success: Some(partial) }.encode_to_vec();
    assert_eq!(send("200 OK", partial), Err(OtlpError::Partial { points: 3, reason: "too old".into() }));
    assert_eq!(send("503 Service Unavailable", Vec::new()), Err(OtlpError::Refused { status: 503 }));
    assert_eq!(send("302 Found", Vec::new()), Err(OtlpError::Refused { status: 302 }));
    assert!(matches!(send("200 OK", b"<html>".to_vec()), Err(OtlpError::Nonsense(_))));
}

#[test]
fn a_collector_that_is_not_there_or_never_answers_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    // It lets everybody in, and says nothing.
    let otlp = Otlp::new(&address).unwrap().timeout(Duration::from_millis(100));
    assert!(matches!(otlp.send(&Reading::new()), Err(OtlpError::Unanswered(_))));
    drop(listener);
    assert!(matches!(otlp.send(&Reading::new()), Err(OtlpError::Unanswered(_))));
}
