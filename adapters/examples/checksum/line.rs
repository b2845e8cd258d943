//! Writes a line of the list as `sha256sum` of the GNU coreutils does.

use std::path::Path;

/// A SHA-256 digest.
pub(crate) type Digest = [u8; 32];

/// The bytes of a path as the list shows them; the flag says whether anything had to be escaped.
///
/// A backslash, a newline and a carriage return would make a line ambiguous, so they are written as `\\`, `\n` and `\r`.
/// All other bytes stand for themselves, whether they are text or not.
pub(crate) fn escaped(path: &Path) -> (Vec<u8>, bool) {
    let bytes = path.as_os_str().as_encoded_bytes();
    let mut shown = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\\' => shown.extend(br"\\"),
            b'\n' => shown.extend(br"\n"),
            b'\r' => shown.extend(br"\r"),
            plain => shown.push(plain),
        }
    }
    let odd = shown.len() != bytes.len();
    (shown, odd)
}

/// One line of the list: the digest, two spaces, the name; a backslash at the front where the name is escaped.
pub(crate) fn line(path: &Path, digest: &Digest) -> Vec<u8> {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let (name, odd) = escaped(path);
    let mut line = Vec::with_capacity(2 * digest.len() + name.len() + 4);
    if odd {
        line.push(b'\\');
    }
    for byte in digest {
        line.extend([HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
    line.extend(b"  ");
    line.extend(name);
    line.push(b'\n');
    line
}
