//! A field of a message: its key, its length, its bytes.

/// A message that knows its length.
pub(super) trait Message {
    /// How many bytes `put` writes.
    fn len(&self) -> usize;

    /// Writes its fields in front of what is there, the last one first.
    fn put(&self, out: &mut Tail<'_>);
}

/// The end of a packet, in somebody else's bytes. It grows to the front.
pub(super) struct Tail<'a> {
    bytes: &'a mut [u8],
    /// Where it begins.
    start: usize,
}

impl<'a> Tail<'a> {
    /// Writes `message` into `bytes`, which are as many as it has.
    pub(super) fn fill(bytes: &'a mut [u8], message: &impl Message) {
        let mut tail = Self { start: bytes.len(), bytes };
        message.put(&mut tail);
        debug_assert_eq!(tail.start, 0, "what was measured was written");
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        let end = self.start;
        self.start -= bytes.len();
        self.bytes[self.start..end].copy_from_slice(bytes);
    }

    #[inline]
    fn byte(&mut self, byte: u8) {
        self.start -= 1;
        self.bytes[self.start] = byte;
    }

    #[inline]
    fn varint(&mut self, number: u64) {
        if number < 0x80 {
            self.byte(number as u8);
        } else {
            self.long_varint(number);
        }
    }

    /// Seven bits in each byte, the lowest first; all but the last say that there are more.
    fn long_varint(&mut self, number: u64) {
        let length = varint_len(number);
        for place in (0..length).rev() {
            let more = if place + 1 < length { 0x80 } else { 0 };
            self.byte((number >> (7 * place)) as u8 & 0x7f | more);
        }
    }

    #[inline]
    fn key(&mut self, field: u32, form: Form) {
        self.varint(u64::from(field) << 3 | form as u64);
    }

    /// A number, which is left out if it is 0.
    #[inline]
    pub(super) fn number(&mut self, field: u32, number: i64) {
        if number != 0 {
            self.varint(number as u64);
            self.key(field, Form::Varint);
        }
    }

    /// A number with a point, which is left out if it is 0 and not negative.
    #[inline]
    pub(super) fn double(&mut self, field: u32, number: f64) {
        if number.to_bits() != 0 {
            self.put(&number.to_bits().to_le_bytes());
            self.key(field, Form::Eight);
        }
    }

    /// A text, which is left out if it is empty.
    #[inline]
    pub(super) fn text(&mut self, field: u32, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    #[inline]
    fn bytes(&mut self, field: u32, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.put(bytes);
            self.varint(bytes.len() as u64);
            self.key(field, Form::Lengthy);
        }
    }

    /// A text that comes in two parts.
    #[inline]
    pub(super) fn text_of_two(&mut self, field: u32, first: &str, second: &str) {
        self.put(second.as_bytes());
        self.put(first.as_bytes());
        self.varint((first.len() + second.len()) as u64);
        self.key(field, Form::Lengthy);
    }

    /// An entry of a map from text to text.
    #[inline]
    pub(super) fn entry(&mut self, field: u32, key: &[u8], value: &[u8]) {
        let end = self.start;
        self.bytes(2, value);
        self.bytes(1, key);
        self.varint((end - self.start) as u64);
        self.key(field, Form::Lengthy);
    }

    /// A message in a message.
    #[inline]
    pub(super) fn message(&mut self, field: u32, message: &impl Message) {
        let end = self.start;
        message.put(self);
        self.varint((end - self.start) as u64);
        self.key(field, Form::Lengthy);
    }

    /// Several messages; the first of them stands in front.
    #[inline]
    pub(super) fn messages<M: Message>(
        &mut self,
        field: u32,
        messages: impl IntoIterator<IntoIter: DoubleEndedIterator<Item = M>>,
    ) {
        messages.into_iter().rev().for_each(|message| self.message(field, &message));
    }
}

/// How the bytes behind a key are to be read.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Form {
    Varint = 0,
    Eight = 1,
    Lengthy = 2,
}

/// How many bytes a number takes, seven bits in each.
#[inline]
const fn varint_len(number: u64) -> usize {
    if number < 0x80 { 1 } else { (64 - number.leading_zeros() as usize).div_ceil(7) }
}

#[inline]
const fn key_len(field: u32) -> usize {
    varint_len((field as u64) << 3)
}

/// Of a number. A negative one takes ten bytes.
#[inline]
pub(super) const fn number_len(field: u32, number: i64) -> usize {
    if number == 0 { 0 } else { key_len(field) + varint_len(number as u64) }
}

/// Of a number with a point.
#[inline]
pub(super) const fn double_len(field: u32, number: f64) -> usize {
    if number.to_bits() == 0 { 0 } else { key_len(field) + 8 }
}

/// Of a text.
#[inline]
pub(super) const fn text_len(field: u32, text: &str) -> usize {
    bytes_len(field, text.len())
}

/// Of a text of this length.
#[inline]
pub(super) const fn bytes_len(field: u32, length: usize) -> usize {
    if length == 0 { 0 } else { lengthy_len(field, length) }
}

/// Of an entry of a map whose key and value have these lengths.
#[inline]
pub(super) const fn entry_len(field: u32, key: usize, value: usize) -> usize {
    lengthy_len(field, bytes_len(1, key) + bytes_len(2, value))
}

#[inline]
const fn lengthy_len(field: u32, length: usize) -> usize {
    key_len(field) + varint_len(length as u64) + length
}

/// Of a message in a message.
#[inline]
pub(super) fn message_len(field: u32, message: &impl Message) -> usize {
    lengthy_len(field, message.len())
}

/// Of several messages.
#[inline]
pub(super) fn messages_len<M: Message>(field: u32, messages: impl IntoIterator<Item = M>) -> usize {
    messages.into_iter().map(|message| message_len(field, &message)).sum()
}

impl<M: Message> Message for &M {
    #[inline]
    fn len(&self) -> usize {
        (**self).len()
    }

    #[inline]
    fn put(&self, out: &mut Tail<'_>) {
        (**self).put(out);
    }
}

/// An entry of a map from text to text.
impl Message for (&str, &str) {
    #[inline]
    fn len(&self) -> usize {
        text_len(1, self.0) + text_len(2, self.1)
    }

    #[inline]
    fn put(&self, out: &mut Tail<'_>) {
        out.text(2, self.1);
        out.text(1, self.0);
    }
}
