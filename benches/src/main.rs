//! Times countermand against what people would use otherwise; see `--help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    countermand_benches::main()
}
