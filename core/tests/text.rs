//! Short texts that lie in their owner: what fits, what is cut, and that they are compared and shown like a `str`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};

use countermand_core::{Text, TextTooLong};
use proptest::prelude::*;

type Eight = Text<8>;

#[test]
fn what_fits_is_kept_whole() {
    let full: Eight = "12345678".parse().expect("eight bytes");
    assert_eq!((full.as_str(), full.len(), Eight::LIMIT), ("12345678", 8, 8));
    assert_eq!("123456789".parse::<Eight>(), Err(too_long(9)));
    assert_eq!(Eight::default(), Eight::new());
    assert!(Eight::new().is_empty());
    assert_eq!(Text::<0>::of("x"), "");
}

#[test]
fn what_is_added_is_added_whole_or_not_at_all() {
    let mut text = Eight::new();
    write!(text, "{}-{}", 12, 34).expect("it fits");
    assert_eq!(text.push_str("5678"), Err(too_long(9)));
    assert!(write!(text, "5678").is_err());
    assert_eq!(text, "12-34");
    assert_eq!(text.push_str("567"), Ok(()));
    assert_eq!(text, "12-34567");
}

#[test]
fn what_is_cut_says_so_and_ends_with_a_whole_character() {
    assert_eq!(Eight::of("12345678"), "12345678");
    assert_eq!(Eight::of("123456789"), "12345…");
    // Two bytes each: the third would reach into the room for the mark.
    assert_eq!(Eight::of("ääääää"), "ää…");
    assert_eq!([Eight::cut("12345678").as_str(), Eight::cut("ääääää").as_str()], ["12345678", "ää…"]);
    assert_eq!(Text::<2>::of("12345"), "12");
    assert_eq!(Text::<3>::of("12345"), "…");
    assert_eq!(Eight::of(format_args!("{}{}{}", "1234", "567890", "1")), "12345…");
}

#[test]
fn a_value_that_does_not_display_to_its_end_is_cut_there() {
    struct Broken;
    impl std::fmt::Display for Broken {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("so far")?;
            Err(std::fmt::Error)
        }
    }
    assert_eq!(Text::<32>::of(Broken), "so far…");
}

#[test]
fn it_is_shown_like_a_str() {
    let text = Eight::of("a\"b");
    assert_eq!(format!("{text}|{text:>5}|{text:?}"), "a\"b|  a\"b|\"a\\\"b\"");
    assert_eq!(too_long(9).to_string(), "a text of 9 bytes, where at most 8 fit");
}

fn too_long(length: usize) -> TextTooLong {
    "123456789"[..length].parse::<Eight>().expect_err("it does not fit")
}

proptest! {
    #[test]
    fn it_is_compared_and_hashed_like_a_str(a in "\\PC{0,8}", b in "\\PC{0,8}") {
        let (left, right) = (Text::<32>::of(&a), Text::<32>::of(&b));
        prop_assert_eq!(left.cmp(&right), a.cmp(&b));
        prop_assert_eq!(left == right, a == b);
        prop_assert_eq!(left, a.as_str());
        let state = RandomState::new();
        prop_assert_eq!(state.hash_one(left), state.hash_one(a.as_str()));
        let map = HashMap::from([(left, 1)]);
        prop_assert_eq!(map.get(a.as_str()), Some(&1));
    }

    #[test]
    fn whatever_is_cut_is_a_beginning(text in "\\PC{0,12}") {
        let cut = Eight::of(&text);
        prop_assert!(cut.len() <= 8);
        match cut.strip_suffix('…') {
            Some(begin) if text.len() > 8 => prop_assert!(text.starts_with(begin)),
            _ => prop_assert_eq!(cut, text.as_str()),
        }
    }
}

#[cfg(feature = "serde")]
#[test]
fn serde_goes_through_the_same_door() {
    let text: Eight = serde_json::from_str("\"\\u00e4b\"").expect("it fits");
    assert_eq!(serde_json::to_string(&text).expect("a text"), "\"äb\"");
    let long = serde_json::from_str::<Eight>("\"123456789\"").expect_err("it does not fit");
    assert!(long.to_string().starts_with("a text of 9 bytes, where at most 8 fit"), "{long}");
    let number = serde_json::from_str::<Eight>("5").expect_err("not a text");
    assert!(number.to_string().contains("expected a text"), "{number}");
}
