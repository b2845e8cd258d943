//! Identifiers: an empty, blank, overlong or malformed one cannot be had, by any door (G1).

use std::collections::BTreeSet;

use countermand_core::{
    BlueprintId, IdError, IdFault, IdText, Identifier, KernelId, RunId, SeedId, SubsystemId, TrainingRunId, identifier,
};
use proptest::prelude::*;

identifier! {
    /// One of the test's own.
    pub(crate) struct TenantId = "tenant";
    /// And another in the same breath.
    struct RegionId = "region";
}

fn fault(text: &str) -> IdFault {
    text.parse::<TenantId>().expect_err("no identifier").fault
}

#[test]
fn what_people_use_as_identifiers_is_one() {
    let sha = format!("sha256:{}", "0f".repeat(32));
    for text in [
        "123e4567-e89b-12d3-a456-426614174000",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "bp/1",
        "training-run-epoch-0",
        "registry.local:5000/kernels/fused@1.2.0+cpu",
        "a",
        "7",
        &sha,
    ] {
        let id = TenantId::new(text).expect(text);
        assert_eq!((id.as_str(), id.to_string()), (text, text.to_owned()));
    }
    let longest = "x".repeat(IdText::LIMIT);
    assert_eq!(TenantId::new(&longest).expect("as long as may be").as_str(), longest);
}

#[test]
fn what_names_nothing_is_none() {
    assert_eq!(fault(""), IdFault::Empty);
    for blank in [" ", "\t\n", "\u{a0}\u{2003}", "-", "../..", ":::"] {
        assert_eq!(fault(blank), IdFault::Blank, "{blank:?}");
    }
    assert_eq!(fault(&"x".repeat(IdText::LIMIT + 1)), IdFault::TooLong { length: 97 });
    for (text, character, at) in [
        ("bp 1", ' ', 2),
        (" bp", ' ', 0),
        ("bp\n", '\n', 2),
        ("bp\0", '\0', 2),
        ("a\u{200b}b", '\u{200b}', 1),
        ("größe", 'ö', 2),
    ] {
        assert_eq!(fault(text), IdFault::Forbidden { character, at }, "{text:?}");
    }
}

#[test]
fn an_error_says_which_what_and_where() {
    let error = |text: &str| KernelId::new(text).expect_err("no identifier").to_string();
    assert_eq!(error(""), "kernel identifier is empty");
    assert_eq!(error(" "), "kernel identifier \" \" is blank: it has no letter and no digit");
    assert_eq!(
        error("two\nlines"),
        "kernel identifier \"two\\nlines\" has '\\n' at byte 3, where only ASCII letters, digits and ._:/@+- may be"
    );
    let far = format!("{}!{}", "a".repeat(60), "b".repeat(20));
    assert_eq!(
        error(&far),
        format!(
            "kernel identifier \"…{}!{}…\" has '!' at byte 60, where only ASCII letters, digits and ._:/@+- may be",
            "a".repeat(20),
            "b".repeat(13)
        )
    );
    assert_eq!(
        error(&"y".repeat(1_000_000)),
        format!("kernel identifier \"{}…\" is too long: 1000000 bytes, of at most 96", "y".repeat(37))
    );
}

#[test]
fn every_kind_says_its_name() {
    let kinds = [
        RunId::KIND,
        TrainingRunId::KIND,
        BlueprintId::KIND,
        KernelId::KIND,
        SeedId::KIND,
        SubsystemId::KIND,
        TenantId::KIND,
        RegionId::KIND,
    ];
    assert_eq!(kinds, ["run", "training_run", "blueprint", "kernel", "seed", "subsystem", "tenant", "region"]);
    assert_eq!(kinds.iter().collect::<BTreeSet<_>>().len(), kinds.len());
    assert_eq!(RegionId::new("").expect_err("empty").kind, "region");
}

#[test]
fn an_identifier_costs_no_more_than_its_text() {
    assert_eq!(size_of::<BlueprintId>(), IdText::LIMIT + size_of::<u16>());
    let mut ids = [BlueprintId::new("b").expect("an id"), BlueprintId::new("a/2").expect("an id")];
    ids.sort();
    assert_eq!(format!("{ids:?}"), "[BlueprintId(\"a/2\"), BlueprintId(\"b\")]");
    let set = BTreeSet::from(ids);
    // Found by its text, without making an identifier of it.
    assert!(set.contains("a/2"));
    assert_eq!(format!("{:>4}|", ids[1]), "   b|");
    // Results with this error stay below what is passed in memory only when it is large.
    assert!(size_of::<IdError>() < 128, "{}", size_of::<IdError>());
}

proptest! {
    #[test]
    fn a_text_is_an_identifier_exactly_if_the_rule_says_so(text in prop_oneof![
        "[a-zA-Z0-9._:/@+-]{0,110}",
        "[ \t\n._:/@+-]{0,6}",
        "\\PC{0,12}",
        any::<String>(),
    ]) {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/@+-".contains(&byte);
        let expected = text.len() <= 96
            && text.bytes().all(allowed)
            && text.bytes().any(|byte| byte.is_ascii_alphanumeric());
        let made = TenantId::new(&text);
        prop_assert_eq!(made.is_ok(), expected);
        prop_assert_eq!(text.parse::<TenantId>(), made);
        prop_assert_eq!(TenantId::try_from(&*text), made);
        match made {
            Ok(id) => {
                prop_assert_eq!(id.as_str(), &text);
                prop_assert_eq!(id.to_string().parse::<TenantId>(), Ok(id));
            }
            // Whatever was refused, what is said of it is short, and one line.
            Err(error) => {
                let said = error.to_string();
                prop_assert!(said.len() < 500 && !said.contains(char::is_control), "{}", said);
            }
        }
    }

    #[test]
    fn identifiers_are_ordered_as_their_texts(a in "[a-z0-9/.]{0,5}[a-z]", b in "[a-z0-9/.]{0,5}[a-z]") {
        let (left, right) = (SeedId::new(&a).expect("an id"), SeedId::new(&b).expect("an id"));
        prop_assert_eq!(left.cmp(&right), a.cmp(&b));
        prop_assert_eq!(left == right, a == b);
    }
}

#[cfg(feature = "serde")]
#[test]
fn serde_goes_through_the_same_door() {
    let id: BlueprintId = serde_json::from_str("\"bp/1\"").expect("an identifier");
    assert_eq!(id.as_str(), "bp/1");
    assert_eq!(serde_json::to_string(&id).expect("a text"), "\"bp/1\"");
    for (json, said) in [
        ("\"\"", "blueprint identifier is empty"),
        ("\"  \"", "blueprint identifier \"  \" is blank"),
        ("\"bp\\u00001\"", "blueprint identifier \"bp\\01\" has '\\0' at byte 2"),
        ("7", "expected blueprint identifier"),
        ("null", "expected blueprint identifier"),
    ] {
        let error = serde_json::from_str::<BlueprintId>(json).expect_err(json).to_string();
        assert!(error.contains(said), "{json}: {error}");
    }
    // From a reader the text is not borrowed.
    let own: TenantId = serde_json::from_reader(&b"\"acme\""[..]).expect("an identifier");
    assert_eq!(own.as_str(), "acme");
}
