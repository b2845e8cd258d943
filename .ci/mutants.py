#!/usr/bin/env python3
"""The mutants that cargo-mutants lists for the core, all in one build.

A build a mutant takes days. So each is written into the same source behind a question, `on(17)`, which the environment answers; what does not compile is
taken out again; each test runs once to see which of them it reaches; and then each mutant meets the tests that reach it, until one fails.

    .ci/mutants.py build [--no-rules] instruments a copy of the tree, builds the core's tests and the conformance program there, and sees what each test
                                      and each rule reaches
    .ci/mutants.py run [--shard K/N] [--match WORD] [--jobs J] [--again]
                                      the tests of the core; with --again those mutants that survived before, too
    .ci/mutants.py rules […]          what survived, before the rules of the contract, on two hosts
    .ci/mutants.py report             the figures by room, and what survived and is not in .cargo/survivors.txt

Wants cargo-mutants, and of PyPI tree-sitter and tree-sitter-rust. Linux."""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

from schemata import DOOR, Source
from survivors import KNOWN, known_survivors, not_built, without_place

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "mutants"
TREE, UNCOMPILED, STATE, RESULTS = WORK / "tree", WORK / "uncompiled.json", WORK / "state.json", WORK / "results.json"
CARGO = ["--package", "countermand-core", "--features", "serde", "--tests"]
CONFORMANCE = ["--package", "countermand-conformance", "--bin", "conformance"]
ENVIRONMENT = {
    **os.environ,
    "CARGO_TARGET_DIR": str(WORK / "target"),
    "CARGO_INCREMENTAL": "1",
    "CARGO_PROFILE_DEV_DEBUG": "0",
    # For `const_eval_select`: the question stands in functions that are also evaluated by the compiler, where nothing is on.
    "RUSTC_BOOTSTRAP": "1",
    "RUSTFLAGS": "--cap-lints allow",
    "PROPTEST_MAX_SHRINK_ITERS": "0",
    "RUST_BACKTRACE": "0",
}
# They read the core's source, and so the copy's.
NOT_TESTS = {"floors", "unsafe_files"}
# Seconds: a test that takes longer shows by a million of something what others show by a few.
LONGEST = 4
LONGEST_RULE = 0.7

def listed():
    answer = subprocess.run(["cargo", "mutants", "--list", "--json", "-p", "countermand-core"], cwd=ROOT, check=True, capture_output=True)
    mutants = json.loads(answer.stdout)
    for number, mutant in enumerate(mutants, 1):
        mutant["number"] = number
        del mutant["diff"]
    return mutants


def instrument(sources, mutants, out):
    """Writes the sources without the mutants of `out`; where each lies, by file."""
    ranges = {}
    by_file = collections.defaultdict(list)
    for mutant in mutants:
        if mutant["number"] not in out:
            by_file[mutant["file"]].append(mutant)
    for name, source in sources.items():
        ranges[name] = source.write(by_file[name], len(mutants), TREE / name)
    return ranges


def cargo(word, what=CARGO, *more):
    """The messages of a cargo that may fail."""
    run = subprocess.run(["cargo", word, *what, *more, "--message-format=json"], cwd=TREE, env=ENVIRONMENT, capture_output=True, text=True)
    messages = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    return run, messages


def guilty(messages, ranges, sources, mutants, out):
    """Whose text the compiler points at; where it points at none, all that lie in the functions it does point at."""
    found, lost, by = set(), [], {mutant["number"]: mutant for mutant in mutants}
    for message in messages:
        if message.get("reason") != "compiler-message" or message["message"]["level"] != "error":
            continue
        spans = list(message["message"]["spans"])
        for child in message["message"]["children"]:
            spans += child["spans"]
        own = set()
        for primary in (True, False):
            for span in spans:
                if span["is_primary"] == primary and not own:
                    for start, end, number in ranges.get(span["file_name"], []):
                        if span["byte_start"] < end and start < span["byte_end"]:
                            own.add(number)
        if not own and spans:
            lost.append(message["message"])
        found |= own
    if not found:
        for message in lost:
            for span in message["spans"]:
                here = ranges.get(span["file_name"], [])
                if message["code"] and message["code"]["code"] == "E0004":
                    # Arms that may be left out leave something out; those that are next, of one function.
                    after = [number for start, _, number in here if start >= span["byte_start"] and by[number]["change"][2] == "arm"]
                    found |= {number for number in after if by[number]["function"] == by[after[0]]["function"]}
                else:
                    before = [number for start, _, number in here if start <= span["byte_start"]]
                    found |= {number for number in before if by[number]["function"] == by[before[-1]]["function"]}
    return found - out


def build(arguments):
    mutants = listed()
    sources = {name: Source(ROOT, name) for name in {DOOR, *(mutant["file"] for mutant in mutants)}}
    for mutant in mutants:
        mutant["change"] = sources[mutant["file"]].change(mutant)
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, files):
        to = TREE / name
        to.parent.mkdir(parents=True, exist_ok=True)
        if name not in sources and not (to.exists() and to.read_bytes() == (ROOT / name).read_bytes()):
            shutil.copy(ROOT / name, to)
    # A test that was there at the last build, and is not any more, is none.
    for old in (path for path in TREE.rglob("*.rs") if str(path.relative_to(TREE)) not in files):
        old.unlink()
    # Where a function gives back "some type that can", every way out of it is of one type, and so no other can be put beside it.
    unknown = {mutant["number"] for mutant in mutants if not mutant["change"]}
    # What only the compiler evaluates meets no question.
    unknown |= {one["number"] for one in mutants if not one["function"]}
    unknown |= {one["number"] for one in mutants if one["genre"] == "FnValue" and one["function"] and "impl " in one["function"]["return_type"]}
    out = set(unknown)
    if UNCOMPILED.exists():
        names = set(json.loads(UNCOMPILED.read_text()))
        out |= {mutant["number"] for mutant in mutants if mutant["name"] in names}
    while True:
        ranges = instrument(sources, mutants, out)
        run, messages = cargo("check")
        if run.returncode == 0:
            break
        more = guilty(messages, ranges, sources, mutants, out)
        print(f"{len(more)} do not compile, of {len(mutants) - len(out)}", flush=True)
        if not more:
            sys.exit("\n".join(one["message"]["rendered"] for one in messages if one.get("message"))[-8000:] + run.stderr[-4000:])
        out |= more
        UNCOMPILED.write_text(json.dumps([mutant["name"] for mutant in mutants if mutant["number"] in out]))
    run, messages = cargo("test", CARGO, "--no-run")
    if run.returncode:
        sys.exit(run.stderr[-8000:])
    programs = {one["target"]["name"]: one["executable"] for one in messages if one.get("executable") and one["profile"]["test"]}
    state = {"mutants": mutants, "out": sorted(out), "unknown": sorted(unknown), "tests": []}
    for program, path in sorted(programs.items()):
        if program in NOT_TESTS:
            continue
        names = subprocess.run([path, "--list", "--format", "terse"], check=True, capture_output=True, text=True, env=ENVIRONMENT, cwd=TREE / "core").stdout
        for line in names.splitlines():
            if line.endswith(": test"):
                state["tests"].append(seen(program, path, line[: -len(": test")], len(mutants)))
    before = json.loads(STATE.read_text()) if STATE.exists() else {}
    # The program of the rules answers to the numbers that it was built with.
    state["numbers_of_rules"] = before.get("numbers_of_rules") if arguments.no_rules else numbers(mutants)
    state["rules"] = before.get("rules", []) if arguments.no_rules else seen_by_rules(before, numbers(mutants))
    STATE.write_text(json.dumps(state))
    print(f"{len(mutants)} mutants, {len(out)} do not compile, {len(state['tests'])} tests of {len(programs)} programs, {len(state['rules'])} rules on hosts")


def seen(program, path, name, count):
    reached, run, took = reached_by([path, "--exact", name])
    if run.returncode:
        print(f"{program}: {name} fails while it is looked at, and so counts as one that reaches everything\n{run.stdout[-600:]}")
        reached = list(range(1, count + 1))
    return {"program": program, "path": path, "name": name, "took": took, "reached": reached}


def reached_by(command):
    to = WORK / "seen"
    to.unlink(missing_ok=True)
    start = time.monotonic()
    run = subprocess.run(command, env={**ENVIRONMENT, "MUTANTS_SEEN": str(to)}, cwd=TREE / "core", capture_output=True, text=True)
    took = time.monotonic() - start
    lines = to.read_text().splitlines() if to.exists() else []
    return sorted({number for line in lines for number, bit in enumerate(line) if bit == "1"}), run, took


def numbers(mutants):
    """What tells one numbering of mutants from another."""
    return hashlib.sha256("\n".join(mutant["name"] for mutant in mutants).encode()).hexdigest()


def seen_by_rules(before, numbers_now):
    """What each rule reaches, on a host that replays and on threads. The least of races: more of them are no more places."""
    run, messages = cargo("build", CONFORMANCE)
    if run.returncode:
        sys.exit(run.stderr[-8000:])
    program = next(one for one in messages if one.get("executable") and one["target"]["name"] == "conformance")
    path = program["executable"]
    if program["fresh"] and before.get("rules") and before.get("numbers_of_rules") == numbers_now:
        return before["rules"]
    listing = subprocess.run([path, "--list"], check=True, capture_output=True, text=True, env=ENVIRONMENT).stdout
    rules = []
    for line in listing.splitlines():
        name = line.split()[0] if line.strip() else ""
        if not re.fullmatch(r"[A-Z]+[0-9]+", name):
            continue
        for host in ("sim", "blocking"):
            command = [path, "--rule", name, "--host", host, "--seed", "1", "--budget", "1"]
            reached, run, took = reached_by(command)
            if run.returncode == 0:
                rules.append({"rule": name, "host": host, "command": command, "took": took, "reached": reached})
            else:
                print(f"{name} on {host} ends with {run.returncode}, and is left out")
    return rules


def limits():
    # A defect that takes all memory is a defect that is seen.
    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.setsid()


def program_fails(number, path, tests):
    """How these tests of one program fail with the mutant: "caught", "hung", or `None`."""
    if not tests:
        return None
    took = sum(test["took"] for test in tests)
    child = subprocess.Popen(
        [path, "--exact", "--test-threads", "1", *(test["name"] for test in sorted(tests, key=lambda test: test["took"]))],
        env={**ENVIRONMENT, "MUTANT": str(number)}, cwd=TREE / "core", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, preexec_fn=limits,
    )  # fmt: skip
    hung = threading.Event()

    def end():
        hung.set()
        os.killpg(child.pid, signal.SIGKILL)

    watchdog = threading.Timer(8 + 5 * took, end)
    watchdog.start()
    failed = False
    try:
        for line in child.stdout:
            if line.rstrip().endswith("FAILED") and line.startswith("test "):
                failed = True
                os.killpg(child.pid, signal.SIGKILL)
                break
        code = child.wait()
    finally:
        watchdog.cancel()
    if failed:
        return "caught"
    if hung.is_set():
        return "hung"
    return "caught" if code else None


def meet(state, number):
    by_program = collections.defaultdict(list)
    for test in state["tests"]:
        if number in test["reached_set"] and test["took"] <= LONGEST:
            by_program[test["path"]].append(test)
    if not by_program:
        return {"end": "unreached", "tests": 0}
    count = sum(map(len, by_program.values()))
    for path, tests in sorted(by_program.items(), key=lambda one: sum(test["took"] for test in one[1])):
        end = program_fails(number, path, tests)
        if end:
            return {"end": end, "by": tests[0]["program"], "tests": count}
    return {"end": "survived", "tests": count}


def rule_fails(number, rule):
    """Whether the rule is broken with the mutant; that it is inconclusive says nothing."""
    child = subprocess.Popen(
        rule["command"], env={**ENVIRONMENT, "MUTANT": str(number)}, cwd=TREE / "core", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=limits
    )  # fmt: skip
    try:
        return child.wait(120) == 1
    except subprocess.TimeoutExpired:
        # The program's own watchdog ends a rule that hangs sooner: it is the program that hangs.
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        return False


def meet_rules(state, number):
    rules = [rule for rule in state["rules"] if number in rule["reached_set"] and rule["took"] <= LONGEST_RULE]
    for rule in sorted(rules, key=lambda rule: rule["took"]):
        if rule_fails(number, rule):
            return {"end": "rule", "by": f"{rule['rule']} on {rule['host']}", "rules": len(rules)}
    return {"end": "survived", "rules": len(rules)}


def for_all(arguments, wanted, meets):
    """Each mutant of the shard, several at a time; what came of it goes into the results."""
    state = json.loads(STATE.read_text())
    for test in [*state["tests"], *state.get("rules", [])]:
        test["reached_set"] = set(test["reached"])
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    out = set(state["out"])
    part, parts = map(int, (arguments.shard or "0/1").split("/"))
    mutants = [
        mutant
        for mutant in state["mutants"]
        if mutant["number"] not in out
        and mutant["number"] % parts == part % parts
        and (not arguments.match or re.search(arguments.match, mutant["name"]))
        and wanted(results.get(mutant["name"], {"end": None}), without_place(mutant["name"]))
    ]
    # At random, but always the same: whoever is cut short has met a fair share.
    random.Random(1).shuffle(mutants)
    # Without a mutant everything passes: else nothing is shown by a test that fails.
    for path in {test["path"] for test in state["tests"]} if mutants and meets is meet else ():
        if program_fails(0, path, [test for test in state["tests"] if test["path"] == path and test["took"] <= LONGEST]):
            sys.exit(f"{path} fails without a mutant")
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        coming = {pool.submit(meets, state, mutant["number"]): mutant for mutant in mutants}
        for done, future in enumerate(concurrent.futures.as_completed(coming), 1):
            mutant, result = coming[future], future.result()
            if result:
                results[mutant["name"]] = result
                if result["end"] not in ("caught", "hung"):
                    print(f"{result['end']} {result.get('by', '')}: {mutant['name']}", flush=True)
            if done % 10 == 0 or done == len(mutants):
                RESULTS.write_text(json.dumps(results))
                print(f"{done} of {len(mutants)} in {time.monotonic() - start:.0f} s", flush=True)


def run(arguments):
    for_all(arguments, lambda result, _: result["end"] is None or (arguments.again and result["end"] in ("survived", "unreached")), meet)


def rules(arguments):
    state = json.loads(STATE.read_text())
    if state.get("numbers_of_rules") != numbers(state["mutants"]):
        sys.exit("the program of the rules was built with other numbers: build it without --no-rules")
    # Those that nothing can fail with, and those that met the rules before, need not meet them.
    known = known_survivors()
    for_all(arguments, lambda result, name: result["end"] in ("survived", "unreached") and "rules" not in result and not known[name], meet_rules)


def report(_):
    state, results = json.loads(STATE.read_text()), json.loads(RESULTS.read_text())
    known, elsewhere = known_survivors(), not_built()
    out = set(state["out"])
    rooms, new, total = collections.defaultdict(collections.Counter), [], collections.Counter()
    for mutant in state["mutants"]:
        room = mutant["file"].split("/")[2].removesuffix(".rs")
        end = "uncompiled" if mutant["number"] in out else results.get(mutant["name"], {"end": "not met"})["end"]
        if end in ("survived", "unreached") and known[without_place(mutant["name"])]:
            known[without_place(mutant["name"])] -= 1
            end = "not built" if without_place(mutant["name"]) in elsewhere else "known"
        elif end in ("survived", "unreached"):
            new.append(f"{end}: {mutant['name']}")
        rooms[room][end] += 1
        total[end] += 1
    columns = ["caught", "hung", "rule", "survived", "unreached", "known", "not built", "uncompiled", "not met"]
    print("| room | " + " | ".join(columns) + " |")
    for room, counts in sorted(rooms.items()):
        print(f"| {room} | " + " | ".join(str(counts[column]) for column in columns) + " |")
    print("| all | " + " | ".join(str(total[column]) for column in columns) + " |")
    print("\n".join(new))
    gone = [name for name, count in known.items() if count > 0] if not total["not met"] else []
    print("\n".join(f"is in {KNOWN.name} and does not survive: {name}" for name in gone))
    tests = total["caught"] + total["hung"]
    caught = tests + total["rule"]
    met = caught + total["survived"] + total["unreached"] + total["known"]
    rate = 100 * caught / max(met, 1)
    print(f"{caught} of {met} that were met are caught: {rate:.1f} %; by the core's tests alone {100 * tests / max(met, 1):.1f} %")
    print(f"{total['known']} more change nothing that can be seen, and {total['not built']} are not part of the core as it is built")
    sys.exit(rate < 95 or bool(new))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    building = commands.add_parser("build")
    building.add_argument("--no-rules", action="store_true", help="only the tests; the rules can be met after it only if the list of mutants is what it was")
    building.set_defaults(call=build)
    for name, call in (("run", run), ("rules", rules)):
        running = commands.add_parser(name)
        running.add_argument("--shard", help="K/N: every N-th, from the K-th on")
        running.add_argument("--match", help="only what has this expression in its name")
        running.add_argument("--jobs", type=int, default=2)
        if name == "run":
            running.add_argument("--again", action="store_true", help="what survived before, once more")
        running.set_defaults(call=call)
    commands.add_parser("report").set_defaults(call=report)
    arguments = parser.parse_args()
    arguments.call(arguments)


if __name__ == "__main__":
    main()
