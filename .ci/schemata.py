"""A source file with all of its mutants in it, each behind a question that the environment answers. For `mutants.py`."""
import collections
import re

# The file that the question goes into, as a module.
DOOR = "core/src/lib.rs"

SWITCH = """
#[doc(hidden)]
#[allow(missing_docs, unsafe_code)]
pub mod schemata {
    extern crate std;
    use core::sync::atomic::{AtomicU8, AtomicU32, Ordering::Relaxed};

    const COUNT: usize = @COUNT@;
    const UNKNOWN: u32 = u32::MAX;
    const RECORDING: u32 = u32::MAX - 1;
    static ACTIVE: AtomicU32 = AtomicU32::new(UNKNOWN);
    static SEEN: [AtomicU8; COUNT] = [const { AtomicU8::new(0) }; COUNT];

    #[inline]
    pub const fn on(number: u32) -> bool {
        core::intrinsics::const_eval_select((number,), never, now)
    }

    const fn never(_: u32) -> bool {
        false
    }

    #[inline]
    fn now(number: u32) -> bool {
        match ACTIVE.load(Relaxed) {
            UNKNOWN => begin(number),
            RECORDING => {
                SEEN[number as usize].store(1, Relaxed);
                false
            }
            active => active == number,
        }
    }

    #[cold]
    fn begin(number: u32) -> bool {
        // No allocation on the way: there are tests that count them.
        unsafe extern "C" {
            fn atexit(end: extern "C" fn()) -> i32;
            fn getenv(name: *const core::ffi::c_char) -> *const core::ffi::c_char;
        }
        extern "C" fn end() {
            use std::io::Write as _;
            // A line for each process: a rule has one of its own.
            let mut seen: std::vec::Vec<u8> = SEEN.iter().map(|one| b'0' + one.load(Relaxed)).collect();
            seen.push(10);
            let to = std::env::var_os("MUTANTS_SEEN").unwrap();
            std::fs::OpenOptions::new().create(true).append(true).open(to).unwrap().write_all(&seen).unwrap();
        }
        let asked = unsafe { getenv(c"MUTANT".as_ptr()) };
        let active = if !asked.is_null() {
            let digits = unsafe { core::ffi::CStr::from_ptr(asked) }.to_bytes();
            digits.iter().fold(0, |all, digit| all * 10 + u32::from(digit - b'0'))
        } else if unsafe { !getenv(c"MUTANTS_SEEN".as_ptr()).is_null() } {
            RECORDING
        } else {
            0
        };
        if ACTIVE.swap(active, Relaxed) == UNKNOWN && active == RECORDING {
            unsafe { atexit(end) };
        }
        now(number)
    }
}
"""


class Source:
    """A file of the core, and the places in it that mutants change."""

    def __init__(self, root, name):
        import tree_sitter
        import tree_sitter_rust

        self.name = name
        self.bytes = (root / name).read_bytes()
        self.lines = [0]
        for line in self.bytes.splitlines(keepends=True):
            self.lines.append(self.lines[-1] + len(line))
        language = tree_sitter.Language(tree_sitter_rust.language())
        self.root = tree_sitter.Parser(language).parse(self.bytes).root_node

    def at(self, place):
        """Bytes up to a line and a column, which are counted from one and in characters."""
        start = self.lines[place["line"] - 1]
        line = self.bytes[start:].split(b"\n", 1)[0].decode()
        return start + len(line[: place["column"] - 1].encode())

    def text(self, node):
        return self.bytes[node.start_byte : node.end_byte].decode()

    def change(self, mutant):
        """Where it is to be written (start, end), and how: "fn" before the start, else instead of what is between; `None` if that is not known."""
        start, end = self.at(mutant["span"]["start"]), self.at(mutant["span"]["end"])
        node = self.root.descendant_for_byte_range(start, end)
        first = self.root.descendant_for_byte_range(start, start + 1)
        genre, new = mutant["genre"], mutant["replacement"]
        if genre == "FnValue":
            return start, start, "fn", new
        if genre == "BinaryOperator":
            parent = node.parent
            if parent.type not in ("binary_expression", "compound_assignment_expr"):
                return None
            left, right = parent.child_by_field_name("left"), parent.child_by_field_name("right")
            if re.search(r"\blet\b", self.text(parent)):
                return None
            return parent.start_byte, parent.end_byte, "value", f"({self.text(left)}) {new} ({self.text(right)})"
        if genre == "UnaryOperator":
            parent = node.parent
            if parent.type != "unary_expression":
                return None
            return parent.start_byte, parent.end_byte, "value", self.text(parent)[1:]
        if genre == "MatchArmGuard":
            return start, end, "value", new
        if genre == "MatchArm":
            node = first
            while node and node.type != "match_arm":
                node = node.parent
            pattern = node and node.child_by_field_name("pattern")
            if not pattern:
                return None
            guard = pattern.child_by_field_name("condition")
            if guard:
                return guard.start_byte, guard.end_byte, "value", "false"
            return pattern.end_byte, pattern.end_byte, "arm", ""
        if genre == "StructField":
            node = first
            while node and node.type not in ("field_initializer", "shorthand_field_initializer"):
                node = node.parent
            base = node and next((one for one in node.parent.children if one.type == "base_field_initializer"), None)
            if not base or node.type != "field_initializer":
                return None
            value, field = node.child_by_field_name("value"), node.child_by_field_name("field")
            return value.start_byte, value.end_byte, "value", f"({self.text(base)[2:]}).{self.text(field)}"
        return None

    def write(self, mutants, count, to):
        """Writes the file with those mutants in it, and gives back where each lies in what was written: (start, end, number)."""
        values, before = collections.defaultdict(list), collections.defaultdict(list)
        for mutant in mutants:
            start, end, how, new = mutant["change"]
            if how == "value":
                values[start, end].append((mutant["number"], new))
            elif how == "fn":
                before[start].append((mutant["number"], f"if crate::schemata::on({mutant['number']}) {{ return {new}; }} "))
            else:
                before[start].append((mutant["number"], f" if !crate::schemata::on({mutant['number']})"))
        # Insertions at one place: what ends there first, the inner before the outer; then what is written before; then what begins there, the outer first.
        insertions = [(at, 1, 0, pieces) for at, pieces in before.items()]
        for (start, end), several in values.items():
            pieces = [(0, "(")]
            for number, new in several:
                pieces.append((number, f"if crate::schemata::on({number}) {{ {new} }} else "))
            insertions.append((start, 2, -end, [*pieces, (0, "{ ")]))
            insertions.append((end, 0, -start, [(0, " })")]))
        written, ranges, done = bytearray(), [], 0
        for at, _, _, pieces in sorted(insertions, key=lambda one: one[:3]):
            written += self.bytes[done:at]
            done = at
            for number, text in pieces:
                if number:
                    ranges.append((len(written), len(written) + len(text.encode()), number))
                written += text.encode()
        written += self.bytes[done:]
        if self.name == DOOR:
            named = "#![no_std]\n#![feature(core_intrinsics, const_eval_select)]\n#![allow(internal_features)]"
            written = written.replace(b"#![no_std]", named.encode(), 1) + SWITCH.replace("@COUNT@", str(count + 1)).encode()
        # What is as it was is not built again.
        if not to.exists() or to.read_bytes() != written:
            to.write_bytes(written)
        return ranges
