//! Each file of the core with unsafe code, the models that try the orders of what it does, and the tests that do it on many threads. A file that is in no row, or in one whose
//! models or tests are not there, fails.
#![cfg(feature = "std")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What tries the orders.
enum Orders {
    /// Models under loom.
    Models(&'static [&'static str]),
    /// Nothing, as there are none to try: why.
    None(&'static str),
}

use Orders::{Models, None};

/// Files below `core/src`; what tries their orders; tests that run under the sanitizers.
struct Row(&'static [&'static str], Orders, &'static [&'static str]);

const ONE_LOCK: &str = "all of it is touched under the one lock of what needs no heap";
const ONE_OWNER: &str = "it has one owner, and is never shared while it changes";

const ROWS: &[Row] = &[
    Row(
        &[
            "token/hub",
            "token/list",
            "token/taking",
            "token/wait",
            "token/waiter",
            "token/entry",
            "token/node",
            "token/tree",
        ],
        Models(&[
            "loom_t6_wait_against_cancel",
            "loom_t6_two_siblings_wait_while_the_root_is_cancelled",
            "loom_t6_one_waits_while_its_sibling_leaves",
            "loom_r6_a_dropped_wait_against_cancel",
        ]),
        &["r6_a_tree_grows_and_goes_while_it_is_cancelled", "t6_children_come_and_go_while_their_root_is_cancelled"],
    ),
    Row(
        &["token/callback", "token/registration"],
        Models(&["loom_t12_a_callback_registers_while_its_parent_is_cancelled", "loom_t13_unregister_against_cancel"]),
        &["r6_a_tree_grows_and_goes_while_it_is_cancelled", "t13_prevented_means_never_whoever_races"],
    ),
    Row(
        &["token/hold", "token/never", "token/down", "token/stack", "token/dated", "token/parents", "token/up"],
        Models(&[
            "loom_r6_the_last_handle_is_dropped_against_cancel",
            "loom_r6_a_child_goes_with_its_only_wait_against_cancel",
            "loom_r8_two_handles_dropped_at_once",
        ]),
        &["r6_a_tree_grows_and_goes_while_it_is_cancelled"],
    ),
    Row(
        &["token/linked", "token/tap"],
        Models(&[
            "loom_r7_two_parents_are_cancelled_at_once",
            "loom_r6_a_linked_token_is_dropped_against_cancel",
            "loom_r4_a_linked_token_is_born_while_a_parent_is_cancelled",
        ]),
        &["r6_a_tree_grows_and_goes_while_it_is_cancelled", "r3_parents_cancelled_by_several_threads"],
    ),
    Row(
        &["token/hosted", "token/hosting"],
        Models(&[
            "loom_t7_a_host_is_dismissed_against_cancel",
            "loom_r5_the_last_of_two_who_let_go_releases_the_host",
            "loom_r7_a_link_is_shared_against_its_last_holder",
        ]),
        &["r5_the_token_of_a_job_outlives_it"],
    ),
    Row(
        &["token/word"],
        Models(&[
            "loom_t10_a_cause_once_seen_stays",
            "loom_t1_one_of_two_is_first",
            "loom_t3_what_came_before_is_seen",
        ]),
        &["t10_whatever_races_with_it"],
    ),
    Row(
        &["slot", "handle", "submit"],
        Models(&[
            "loom_j7_a_reader_that_comes_meanwhile_gets_the_outcome",
            "loom_x2_what_a_leaving_reader_misses_is_handed_to_one",
            "loom_j8_a_reader_that_comes_with_another_waker_is_woken_by_that",
        ]),
        &["x2_an_outcome_goes_to_its_reader_or_to_nobody"],
    ),
    Row(
        &["job/told"],
        Models(&[
            "loom_p4_a_callback_that_comes_meanwhile_is_called_once",
            "loom_p4_of_two_who_ask_meanwhile_each_is_called_once",
        ]),
        &["p4_whoever_asks_meanwhile_is_told_once"],
    ),
    Row(
        &["job/cell", "job/head", "job/hold", "job/runner"],
        Models(&[
            "loom_j1_a_job_cancelled_while_it_is_taken_settles_once",
            "loom_l5_a_wake_between_poll_and_park_is_not_lost",
            "loom_s1_what_is_accepted_while_closing_is_settled",
        ]),
        &["x2_an_outcome_goes_to_its_reader_or_to_nobody", "q4_jobs_leave_the_middle_of_the_queue"],
    ),
    Row(
        &["job/cell/call", "errand"],
        Models(&[
            "loom_b1_what_a_call_brought_is_there_when_its_outcome_is",
            "loom_b2_a_call_begins_or_is_withdrawn",
            "loom_b3_an_abandoned_call_settles_once",
        ]),
        &["b2_a_call_is_run_or_withdrawn_and_leaves_nothing"],
    ),
    Row(&["places"], Models(&["loom_l3_a_job_is_found_whole_or_not_at_all"]), &["l3_a_job_that_is_listed_is_there"]),
    Row(
        &["queue", "queue/rows"],
        Models(&[
            "loom_bell_a_job_in_the_middle_comes_out_once",
            "loom_bell_a_freed_place_goes_to_the_submitter_in_line",
        ]),
        &["q4_jobs_leave_the_middle_of_the_queue"],
    ),
    Row(
        &["stock/mod", "stock/kept"],
        None("what a thread keeps it alone takes and gives; the list of threads has a lock"),
        &["x4_memory_of_jobs_goes_from_thread_to_thread", "what_is_kept_is_told_and_goes_with_its_thread"],
    ),
    Row(
        &["sync/latch"],
        Models(&["loom_t6_a_latch_lets_one_in_at_a_time_and_each_in_the_end"]),
        &["many_threads_are_in_one_after_the_other"],
    ),
    Row(
        &["held/why"],
        Models(&["loom_t5_whoever_sees_a_held_token_cancelled_sees_its_whole_cause"]),
        &["t6_waits_come_and_go_while_a_held_root_is_cancelled", "t1_t3_among_threads"],
    ),
    Row(
        &["held/mod", "held/list", "held/wait", "held/callback"],
        None(ONE_LOCK),
        &[
            "t6_waits_come_and_go_while_a_held_root_is_cancelled",
            "t12_a_held_callback_registers_while_its_token_is_cancelled",
        ],
    ),
    Row(
        &[
            "held_worker/mod",
            "held_worker/board",
            "held_worker/body",
            "held_worker/card",
            "held_worker/chain",
            "held_worker/driver",
            "held_worker/handle",
            "held_worker/hub",
            "held_worker/nap",
            "held_worker/seat",
            "held_worker/submit",
            "held_worker/under",
        ],
        None(
            "all of it but the bodies is touched under the one lock of what needs no heap, and a body by who holds its card",
        ),
        &["x2_jobs_in_slots_among_threads", "s1_s6_among_threads_every_accepted_job_settles"],
    ),
    Row(&["held_router/mod", "held_router/line"], None(ONE_LOCK), &["e8_packets_in_places_among_threads"]),
    Row(
        &["prefetch"],
        None("an instruction that neither reads nor writes"),
        &["x2_an_outcome_goes_to_its_reader_or_to_nobody", "q4_jobs_leave_the_middle_of_the_queue"],
    ),
    Row(&["text"], None(ONE_OWNER), &["what_is_added_is_added_whole_or_not_at_all"]),
    Row(&["telemetry/arena"], None(ONE_OWNER), &["the_whole_is_bounded_and_each_text_keeps_its_mark"]),
    Row(&["telemetry/digits"], None(ONE_OWNER), &["they_are_those_that_are_displayed"]),
];

fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the core's source is here") {
        let path = entry.expect("it can be read").path();
        match path.extension() {
            Option::None if path.is_dir() => below(&path, found),
            Some(ending) if ending == "rs" => found.push(path),
            _ => {}
        }
    }
}

/// Without what stands in comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("it can be read");
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[test]
fn each_file_with_unsafe_code_has_its_models_and_its_stress() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut sources, mut tests) = (Vec::new(), Vec::new());
    below(&core.join("src"), &mut sources);
    below(&core.join("tests"), &mut tests);
    let mut functions = BTreeSet::new();
    let mut with_unsafe = BTreeSet::new();
    for path in sources.iter().chain(&tests) {
        let code = code(path);
        functions.extend(code.split("fn ").skip(1).filter_map(|rest| rest.split("()").next()).map(str::to_owned));
        let Ok(name) = path.strip_prefix(core.join("src")) else { continue };
        let name = name.with_extension("").to_string_lossy().replace('\\', "/");
        // What is only there for models and tests is tried by them.
        let of_tests = name.split('/').any(|part| ["loom", "models", "nobody"].contains(&part));
        if !of_tests && ["unsafe {", "unsafe fn", "unsafe impl", "unsafe trait"].iter().any(|word| code.contains(word))
        {
            with_unsafe.insert(name);
        }
    }
    let mut listed = BTreeSet::new();
    for Row(files, orders, stress) in ROWS {
        files.iter().for_each(|file| assert!(listed.insert((*file).to_owned()), "{file} stands in two rows"));
        let models = match orders {
            Models(models) => *models,
            None(why) => {
                assert!(!why.is_empty());
                &[]
            }
        };
        assert!(
            matches!(orders, None(_)) != !models.is_empty() && !stress.is_empty(),
            "{files:?} have nothing that tries them"
        );
        for name in models.iter().chain(*stress) {
            assert!(functions.contains(*name), "{name}, which is to try {files:?}, is not there");
        }
    }
    let missing: Vec<_> = with_unsafe.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&with_unsafe).collect();
    assert!(missing.is_empty(), "unsafe code that stands in no row: {missing:?}");
    assert!(gone.is_empty(), "rows of files that have no unsafe code: {gone:?}");
    println!("{} files with unsafe code in {} rows", listed.len(), ROWS.len());
}
