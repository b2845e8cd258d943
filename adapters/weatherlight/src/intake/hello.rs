//! The first line of a connection: what the other end wants, and whether it may.

use countermand::Format;
use countermand::config::Secret;

/// The first word.
pub(crate) const MAGIC: &str = "weatherlight/1";

/// The longest first line: the words, and the longest secret that there is.
const LONGEST: usize = 64 + 4_096;

/// What the other end wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// To send packets of this form.
    Send(Format),
    /// To ask something.
    Ask,
}

/// Who comes in by a door.
#[derive(Clone, Debug)]
pub(crate) enum Door {
    /// Whoever the file system lets in: they need not say anything, and may ask.
    Socket,
    /// Whoever knows the secret.
    Secret(Secret),
}

/// What the beginning of a connection says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hello {
    /// Not enough yet.
    More,
    /// This, in so many bytes.
    Wish(Wish, usize),
    /// Something that is not let in, and why.
    Refused(&'static str),
}

/// Reads the beginning of a connection.
///
/// Only the secret is compared with what came, and that in a time that does not depend on where they differ.
pub(crate) fn read(begin: &[u8], door: &Door) -> Hello {
    let Some(first) = begin.first() else { return Hello::More };
    if matches!(door, Door::Socket) && matches!(first, b'{' | b' ' | b'\t' | b'\r' | b'\n' | 0xef) {
        return Hello::Wish(Wish::Send(Format::Json), 0);
    }
    if !MAGIC.as_bytes().starts_with(&begin[..begin.len().min(MAGIC.len())]) {
        return Hello::Refused("the first line must be \"weatherlight/1 json\" or \"weatherlight/1 protobuf\"");
    }
    let Some(end) = begin.iter().take(LONGEST).position(|byte| *byte == b'\n') else {
        return if begin.len() >= LONGEST { Hello::Refused("the first line has no end") } else { Hello::More };
    };
    let line = begin[..end].strip_suffix(b"\r").unwrap_or(&begin[..end]);
    let Ok(line) = str::from_utf8(line) else { return Hello::Refused("the first line is not UTF-8") };
    let mut words = line.split(' ').skip(1);
    let wish = match words.next() {
        Some("json") => Wish::Send(Format::Json),
        Some("protobuf") => Wish::Send(Format::Protobuf),
        Some("ask") => Wish::Ask,
        _ => return Hello::Refused("after weatherlight/1 comes json, protobuf or ask"),
    };
    let secret = words.next();
    if words.next().is_some() {
        return Hello::Refused("the first line has too many words");
    }
    match (door, wish) {
        (Door::Socket, _) => Hello::Wish(wish, end + 1),
        (Door::Secret(own), _) if own.is_empty() || secret.is_none_or(|said| Secret::from(said) != *own) => {
            Hello::Refused("the secret is missing or wrong")
        }
        (Door::Secret(_), Wish::Ask) => Hello::Refused("questions are answered at the Unix socket only"),
        (Door::Secret(_), Wish::Send(_)) => Hello::Wish(wish, end + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: Wish = Wish::Send(Format::Json);

    #[test]
    fn at_the_socket_a_line_of_json_is_enough() {
        assert_eq!(read(b"", &Door::Socket), Hello::More);
        assert_eq!(read(b"{\"packet_id\"", &Door::Socket), Hello::Wish(JSON, 0));
        assert_eq!(read(b"weather", &Door::Socket), Hello::More);
        assert_eq!(
            read(b"weatherlight/1 protobuf\nrest", &Door::Socket),
            Hello::Wish(Wish::Send(Format::Protobuf), 24)
        );
        assert_eq!(read(b"weatherlight/1 ask\r\n", &Door::Socket), Hello::Wish(Wish::Ask, 20));
        for nonsense in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"weatherlight/2 json\n",
            b"weatherlight/1 xml\n",
            b"weatherlight/1 json a b\n",
        ] {
            assert!(matches!(read(nonsense, &Door::Socket), Hello::Refused(_)), "{nonsense:?}");
        }
    }

    #[test]
    fn elsewhere_only_the_secret_opens() {
        let door = Door::Secret("correct-horse".into());
        assert_eq!(read(b"weatherlight/1 json correct-horse\n{", &door), Hello::Wish(JSON, 34));
        let others: [&[u8]; 5] = [
            b"{\"packet_id\":\"a\"}\n",
            b"weatherlight/1 json\n",
            b"weatherlight/1 json correct-hors\n",
            b"weatherlight/1 json \n",
            b"weatherlight/1 ask correct-horse\n",
        ];
        for other in others {
            assert!(matches!(read(other, &door), Hello::Refused(_)), "{other:?}");
        }
        // A door without a secret is closed, not open.
        assert!(matches!(read(b"weatherlight/1 json \n", &Door::Secret("".into())), Hello::Refused(_)));
    }

    #[test]
    fn a_line_without_an_end_is_not_read_for_ever() {
        let mut long = b"weatherlight/1 json ".to_vec();
        long.resize(LONGEST, b'a');
        assert!(matches!(read(&long, &Door::Socket), Hello::Refused(_)));
    }
}
