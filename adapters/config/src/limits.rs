//! How much input is read at the most.

/// How much input is read at the most (G8). What goes beyond is an error that names the limit; nothing is cut off silently.
///
/// Reading takes time and memory that grow with the input, not with its square, and these limits bound both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The size of one file, and of all variables together, in bytes. Default: 256 KiB.
    pub bytes: usize,
    /// How deep tables and lists are nested in one file: the names in a dotted path. Default: 16.
    pub depth: usize,
    /// How many keys and list elements one file has; how many variables and how many flags there are. Default: 4096.
    pub keys: usize,
    /// How many problems are told; of the others only the number. Default: 64.
    pub problems: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 256 << 10, depth: 16, keys: 4096, problems: 64 }
    }
}
