//! What the words of the core say of themselves: names, texts, and back from texts. They are shown, stored and sent, so they are part of the contract.
#![cfg(feature = "std")]

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::time::Duration;

use countermand_core::config::{
    Device, ExecutionConfig, Form, Kind, Secret, TorchReport, TorchSettings, Unfit, Version, VersionRange,
};
use countermand_core::{
    Counts, Fate, Format, HealthStatus, IdText, Instant, Ledger, Outcome, PacketId, Phase, Priority, RefuseReason,
    RejectReason, RunId, SpanParts, Text, WouldDeadlock, catalogue,
};

fn shown(what: impl ToString) -> String {
    what.to_string()
}

#[test]
fn each_word_has_its_name() {
    let health = HealthStatus::ALL.map(|status| (status.number(), status.name()));
    assert_eq!(health, [(0, "UNKNOWN"), (1, "HEALTHY"), (2, "DEGRADED"), (3, "UNHEALTHY"), (4, "CRITICAL")]);
    assert!(HealthStatus::ALL.iter().all(|status| format!("{status:>9}").trim() == status.name()));
    assert_eq!(
        [Format::Protobuf, Format::Json].map(|format| (format.name(), shown(format))),
        [("protobuf", "protobuf".to_owned()), ("json", "json".to_owned())]
    );
    let fates = [Fate::Delivered, Fate::Expired, Fate::Shed, Fate::DeadLettered];
    assert_eq!(fates.map(Fate::name), ["delivered", "expired", "shed", "dead_lettered"]);
    assert!(fates.iter().all(|fate| shown(fate) == fate.name()));
    let refusals = [RefuseReason::Full, RefuseReason::Closed, RefuseReason::TooLarge { bytes: 5, limit: 4 }];
    assert_eq!(refusals.map(RefuseReason::name), ["queue_full", "already_shutdown", "too_large"]);
    assert_eq!(shown(refusals[2]), "a packet of 5 bytes, where the room has 4");
    let rejections = [RejectReason::Full, RejectReason::Closed, RejectReason::NoThreads, RejectReason::WouldDeadlock];
    assert_eq!(rejections.map(RejectReason::name), ["queue_full", "already_shutdown", "no_threads", "would_deadlock"]);
    assert!(shown(WouldDeadlock).contains("block"), "{WouldDeadlock}");
}

#[test]
fn an_outcome_is_of_one_class() {
    let late: Outcome<u8> = Outcome::TimedOut { phase: Phase::Running, late: Some(1) };
    assert!(late.is_timed_out() && !late.is_cancelled());
    let done: Outcome<u8> = Outcome::Completed(1);
    assert!(!done.is_timed_out() && !done.is_cancelled());
    assert_eq!(done.completed(), Some(1));
    assert_eq!(late.completed(), None);
}

#[test]
fn books_that_do_not_add_up_say_so() {
    let mut counts = Counts::default();
    assert!(counts.balances());
    counts.accepted = 7;
    assert!(!counts.balances());
    (counts.completed, counts.failed, counts.cancelled) = (1, 1, 1);
    (counts.timed_out, counts.panicked, counts.abandoned) = (1, 1, 1);
    assert!(counts.settled() == 6 && !counts.balances());
    counts.unsettled = 1;
    assert!(counts.balances());

    let mut ledger = Ledger::default();
    assert!(ledger.balances());
    for priority in Priority::ALL {
        let of = priority.index();
        ledger.accepted[of] = 5;
        (ledger.delivered[of], ledger.dead_lettered[of], ledger.expired[of], ledger.shed[of]) = (1, 1, 1, 1);
        assert!(!ledger.balances(), "{priority}");
        ledger.pending[of] = 1;
        assert!(ledger.balances(), "{priority}");
    }
    assert_eq!(ledger.of(Fate::Shed), &[1; Priority::COUNT]);
}

#[test]
fn times_go_to_the_systems_clock_and_back() {
    let now = std::time::Instant::now();
    let at = Instant::from_std(now);
    assert_eq!(at.to_std(), Some(now));
    let later = Instant::from_std(now + Duration::from_millis(7));
    assert_eq!(later.saturating_since(at), Duration::from_millis(7));
    // What no clock of the system's shows.
    assert!(Instant::from_nanos(u64::MAX).to_std().is_none_or(|far| far > now));
}

#[test]
fn texts_compare_as_what_they_hold() {
    let text: Text<8> = "abc".parse().expect("it fits");
    assert!(text == *"abc" && text == "abc" && text != *"abx" && text != "abx");
    assert_eq!((text.as_ref(), Borrow::<str>::borrow(&text)), ("abc", "abc"));
    let run = RunId::new("run-7").expect("a good one");
    assert_eq!(run.as_str(), "run-7");
}

#[test]
fn identifiers_are_looked_up_by_their_text() {
    let id = IdText::parse("run", "run-7").expect("a good one");
    assert_eq!((id.as_ref(), Borrow::<str>::borrow(&id)), ("run-7", "run-7"));
    let known = BTreeSet::from([id]);
    assert!(known.contains("run-7") && !known.contains("run-8"));
}

#[test]
fn kinds_of_the_catalogue_are_named() {
    let fields = catalogue::EVENTS.iter().flat_map(|event| event.fields.iter().map(|field| shown(field.kind)));
    let fields: BTreeSet<String> = fields.collect();
    assert!(
        fields.contains("text") && fields.contains("count") && fields.iter().all(|name| !name.is_empty()),
        "{fields:?}"
    );
    let kinds: BTreeSet<String> = catalogue::FIGURES.iter().map(|figure| shown(figure.kind)).collect();
    assert!(kinds.contains("counter") && kinds.iter().all(|name| !name.is_empty()), "{kinds:?}");
    let span = SpanParts::new("0badcafe", "poll").expect("an id");
    assert_eq!((span.span_id(), span.name), ("0badcafe", "poll"));
}

#[cfg(feature = "serde")]
#[test]
fn what_is_read_is_what_was_written_or_says_what_it_should_be() {
    let secret: Secret = serde_json::from_str("\"correct-horse\"").expect("a text");
    assert_eq!(secret.expose(), "correct-horse");
    assert_eq!(serde_json::to_string(&secret).expect("a text"), "\"[redacted]\"");
    let device: Device = serde_json::from_str("\"cuda:3\"").expect("a device");
    assert_eq!(
        (device, serde_json::to_string(&device).expect("a text")),
        (Device::Cuda(Some(3)), "\"cuda:3\"".to_owned())
    );
    let error = serde_json::from_str::<Device>("3").expect_err("a number").to_string();
    assert!(error.contains("expected a text"), "{error}");
}

#[test]
fn a_packets_number_is_read_as_it_is_written() {
    let id = PacketId::new(0x0123_4567_89ab_cdef_0011_2233_4455_6677);
    assert_eq!(shown(id).parse::<PacketId>(), Ok(id));
    let error = "not a number".parse::<PacketId>().expect_err("no number");
    assert!(!shown(error).is_empty());
    let first = Kind::Number { least: 1, most: 9 };
    assert_eq!(shown(first), "a whole number from 1 to 9");
}

#[test]
fn devices_are_read_as_they_are_written() {
    let all = [
        Device::Auto,
        Device::Cpu,
        Device::Mps,
        Device::Cuda(None),
        Device::Cuda(Some(0)),
        Device::Xpu(None),
        Device::Xpu(Some(999)),
    ];
    let names = ["auto", "cpu", "mps", "cuda", "cuda:0", "xpu", "xpu:999"];
    assert_eq!(all.map(shown), names);
    assert_eq!(names.map(|name| name.parse()), all.map(Ok));
    for none in ["", "cuda:", "cuda:01", "cuda:1000", "cuda:+1", "cpu:0", "auto:1", "mps:2", "gpu", "cuda:0:0", "Cuda"]
    {
        let error = none.parse::<Device>().expect_err(none);
        assert_eq!(shown(error), format!("not {}", Form::DEVICE.what));
        assert!(Form::DEVICE.examine(none).is_err(), "{none:?}");
    }
    assert!(Device::Auto.admits(Device::Mps) && Device::Cuda(None).admits(Device::Cuda(Some(3))));
    assert!(Device::Xpu(None).admits(Device::Xpu(Some(3))) && Device::Cpu.admits(Device::Cpu));
    assert!(!Device::Cuda(Some(1)).admits(Device::Cuda(Some(2))) && !Device::Cuda(None).admits(Device::Xpu(None)));
    assert!(!Device::Cuda(Some(1)).admits(Device::Cuda(None)) && !Device::Cpu.admits(Device::Auto));
}

#[test]
fn versions_say_whether_they_are_released() {
    for (text, released) in
        [("2.8.0", true), ("2.8.post1", true), ("2.8.0+cu124", true), ("2.8rc1", false), ("2.8.dev3", false)]
    {
        let version: Version = text.parse().expect(text);
        assert_eq!(version.is_released(), released, "{text}");
        assert_eq!(shown(version).ends_with(" (pre-release)"), !released, "{version}");
    }
    assert!(shown("".parse::<Version>().expect_err("nothing")).contains("version"));
    assert!(shown("2.8".parse::<VersionRange>().expect_err("no comparison")).contains("version range"));
    let range: VersionRange = ">=2.8,<2.9".parse().expect("a range");
    assert_eq!(shown(range), ">=2.8,<2.9");
}

#[test]
fn addresses_are_of_their_form_or_nothing() {
    let cases: [(&'static Form, &[&str], &[&str]); 3] = [
        (
            &Form::REDIS_URL,
            &["", "redis://h", "rediss://user:word@h:6379/0", "unix:///run/redis.sock"],
            &["redis://", "http://h", "redis://a b", "redis://h\n", "h", "redis:/h"],
        ),
        (
            &Form::OTLP_URL,
            &["", "http://h", "http://h:4318/v1/metrics"],
            &["http://", "https://h", "http:///path", "http://a@h", "http://a b", "h"],
        ),
        (
            &Form::LOOPBACK,
            &["", "127.0.0.1:7077", "127.255.0.9:0", "[::1]:65535"],
            &["10.0.0.1:7077", "127.0.0.1", "127.0.0.1:07", "127.0.0.1:65536", "[::2]:1", "localhost:1", ":1"],
        ),
    ];
    for (form, good, bad) in cases {
        good.iter().for_each(|text| form.examine(text).unwrap_or_else(|why| panic!("{text:?}: {why}")));
        bad.iter().for_each(|text| assert!(matches!(form.examine(text), Err(Unfit::Malformed(_))), "{text:?}"));
    }
}

#[test]
fn what_a_setting_may_be_is_said_in_words() {
    const TWO: Kind = Kind::Word(&["one", "two"]);
    const THREE: Kind = Kind::Words(&["one", "two", "three"]);
    assert_eq!(
        [Kind::Flag, TWO, THREE, Kind::Reasons].map(shown),
        [
            "true or false",
            "\"one\" or \"two\"",
            "a list of \"one\", \"two\" or \"three\"",
            "a table of names, each with its reason",
        ]
    );
    assert_eq!(shown(Kind::Text(&Form::KEY)), Form::KEY.what);
    assert!(Kind::Secret(&Form::KEY).is_secret() && !Kind::Text(&Form::KEY).is_secret());
    assert!(TWO.examine_text("two").is_ok() && THREE.examine_text("three").is_ok());
    assert!(matches!(TWO.examine_text("three"), Err(Unfit::NoSuchWord(_))));
    assert!(matches!(THREE.examine_text("four"), Err(Unfit::NoSuchWord(_))));
    assert!(matches!(Kind::Flag.examine_text("true"), Err(Unfit::NotOfKind(Kind::Flag))));
    assert!(matches!(Kind::Flag.examine_number(1), Err(Unfit::NotOfKind(Kind::Flag))));
    let number = Kind::Number { least: 2, most: 3 };
    assert_eq!([1, 2, 3, 4].map(|value| number.examine_number(value).is_ok()), [false, true, true, false]);
}

#[test]
fn secrets_are_compared_whole_and_shown_to_nobody() {
    let secret = Secret::from("correct-horse");
    assert_eq!(secret.expose(), "correct-horse");
    assert!(secret == Secret::from("correct-horse".to_owned()));
    for other in ["correct-horsf", "borrect-horse", "ocrrect-horse", "correct-hors", "correct-horse!", ""] {
        assert!(secret != Secret::from(other), "{other:?}");
    }
    assert!(Secret::default() == Secret::from("") && Secret::default().is_empty() && !secret.is_empty());
    assert_eq!([format!("{secret:?}"), shown(&secret), shown(Secret::default())], ["[redacted]", "[redacted]", "none"]);
}

#[test]
fn every_fault_of_a_configuration_is_in_its_text() {
    let mut config = ExecutionConfig::default();
    config.worker.lanes = 0;
    config.worker.capacity = 0;
    let faults = config.check().expect_err("two that cannot be");
    let each: Vec<_> = faults.all().iter().map(shown).collect();
    assert_eq!(each.len(), 2, "{faults}");
    assert_eq!(shown(&faults), each.join("; "));
}

#[test]
fn every_difference_of_a_report_is_in_its_text() {
    let settings = TorchSettings::default();
    let report = TorchReport {
        version: "2.6.0",
        float32_matmul_precision: "none",
        inference_mode: false,
        tf32: true,
        compile: true,
        device: "abacus",
    };
    let found = settings.verify(&report).expect_err("hardly anything is right");
    let named: Vec<_> = found.all().iter().map(|mismatch| mismatch.setting).collect();
    assert_eq!(named[..2], ["version", "float32_matmul_precision"], "{found}");
    assert_eq!(named.last(), Some(&"device"), "{found}");
    assert_eq!(shown(&found), found.all().iter().map(shown).collect::<Vec<_>>().join("; "));
}

#[test]
fn two_streams_that_are_one_name_the_setting_that_was_changed() {
    let fault = |normal: &str, emergency: &str| {
        let mut config = ExecutionConfig::default();
        config.telemetry.normal_stream = normal.to_owned();
        config.telemetry.emergency_stream = emergency.to_owned();
        config.check().expect_err("one stream for both").all()[0].key.clone()
    };
    let default = ExecutionConfig::default().telemetry;
    assert_eq!(fault(&default.normal_stream, &default.normal_stream), "telemetry.emergency_stream");
    assert_eq!(fault(&default.emergency_stream, &default.emergency_stream), "telemetry.normal_stream");
}

#[test]
fn the_largest_reserve_is_the_one_that_is_named() {
    let fault = |reserve: [u32; Priority::COUNT]| {
        let mut config = ExecutionConfig::default();
        config.worker.capacity = 10;
        [
            config.worker.reserve_low,
            config.worker.reserve_normal,
            config.worker.reserve_high,
            config.worker.reserve_critical,
        ] = reserve;
        let faults = config.check().expect_err("more than there is");
        (faults.all()[0].key.clone(), faults.all()[0].value.clone())
    };
    let named = |key: &str, value: &str| (format!("worker.reserve_{key}"), value.to_owned());
    assert_eq!(fault([7, 2, 2, 3]), named("low", "7"));
    assert_eq!(fault([2, 7, 2, 3]), named("normal", "7"));
    assert_eq!(fault([2, 2, 7, 3]), named("high", "7"));
    assert_eq!(fault([2, 2, 3, 7]), named("critical", "7"));
    // Of equal ones, the most urgent.
    assert_eq!(fault([3, 3, 3, 3]), named("critical", "3"));
}
