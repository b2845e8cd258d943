//! The patterns of the schema, held against the functions that the check uses: neither takes what the other refuses.

use countermand_core::config::Form;
use proptest::strategy::{Strategy as _, ValueTree as _};

/// Every form, with the letters that its texts and near misses are made of.
const FORMS: [(&Form, &str); 10] = [
    (&Form::NAME, "[a-c0-1A_. -]{0,8}"),
    (&Form::STREAM, "[a-cA-B0-1.:_ /-]{0,8}"),
    (&Form::REASON, "[a-b \t\u{7f}\u{85}\u{a0}\u{ad}\u{3000}é]{0,4}"),
    (&Form::VERSIONS, "([>=<!]{1,2} ?[0-9]{1,7}([.][0-9]{0,2}){0,3} ?,? ?){0,3}"),
    (&Form::DEVICE, "(auto|cpu|mps|cuda|xpu|gpu)(:?[0-9]{0,4})?"),
    (&Form::REDIS_URL, "(redis://|rediss://|unix://|http://|redis:/)?[a-b:@/ é]{0,6}"),
    (&Form::OTLP_URL, "(http://|https://|http:/)?[a-b:@/ é]{0,6}"),
    (&Form::PATH, "[a-c/. \t\u{85}\u{ad}é]{0,5}"),
    (&Form::LOOPBACK, "(127|128|0127|\\[::1\\]|\\[::2\\])?([.][0-9]{1,3}){0,4}:?[0-9]{0,5}"),
    (&Form::KEY, "(\\[redacted\\])?[!-~ é\n]{0,6}"),
];

/// The schema of a form.
fn schema_of(form: &Form) -> jsonschema::Validator {
    let schema = serde_json::json!({
        "type": "string", "minLength": form.shortest, "maxLength": form.longest, "pattern": form.pattern
    });
    jsonschema::draft202012::new(&schema).expect("a schema")
}

fn agree(form: &'static Form, validator: &jsonschema::Validator, text: &str) -> Result<bool, String> {
    let (by_schema, by_check) = (validator.is_valid(&text.into()), form.examine(text).is_ok());
    if by_schema == by_check { Ok(by_check) } else { Err(format!("{text:?}: schema {by_schema}, check {by_check}")) }
}

#[test]
fn pattern_and_function_agree() {
    for (form, letters) in FORMS {
        let (validator, mut taken, mut refused) = (schema_of(form), 0, 0);
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        for _ in 0..1_000 {
            let text =
                proptest::string::string_regex(letters).expect("an expression").new_tree(&mut runner).expect("a text");
            match agree(form, &validator, &text.current()) {
                Ok(true) => taken += 1,
                Ok(false) => refused += 1,
                Err(seen) => panic!("{}: {seen}", form.what),
            }
        }
        println!("{taken} taken, {refused} refused: {}", form.what);
        assert!(taken > 0 && refused > 0, "one side of the form was never seen: {}", form.what);
    }
}

#[test]
fn lengths_agree_at_their_ends() {
    for form in [&Form::NAME, &Form::STREAM, &Form::REASON, &Form::KEY, &Form::PATH] {
        let validator = schema_of(form);
        assert_eq!(agree(form, &validator, &"a".repeat(form.longest)), Ok(true));
        assert_eq!(agree(form, &validator, &"a".repeat(form.longest + 1)), Ok(false));
        assert_eq!(agree(form, &validator, ""), Ok(form.shortest == 0));
    }
}
