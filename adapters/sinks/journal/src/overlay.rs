//! A file that is only read, with what would be written to it in memory.

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use redb::StorageBackend;

const PAGE: u64 = 4096;

/// A backend that is only read, with what would be written to it in memory.
#[derive(Debug)]
pub(crate) struct Overlay<B> {
    below: B,
    above: Mutex<Above>,
}

#[derive(Debug)]
struct Above {
    length: u64,
    /// What of `below` is still there: up to its length, or less after it was shortened.
    visible: u64,
    pages: HashMap<u64, Vec<u8>>,
}

impl<B: StorageBackend> Overlay<B> {
    pub(crate) fn new(below: B) -> io::Result<Self> {
        let length = below.len()?;
        Ok(Self { below, above: Mutex::new(Above { length, visible: length, pages: HashMap::new() }) })
    }
}

impl Above {
    /// The page of this number as it is now.
    fn page(&self, below: &impl StorageBackend, number: u64) -> io::Result<Vec<u8>> {
        if let Some(page) = self.pages.get(&number) {
            return Ok(page.clone());
        }
        let mut page = vec![0; PAGE as usize];
        let there = self.visible.saturating_sub(number * PAGE).min(PAGE) as usize;
        if there > 0 {
            below.read(number * PAGE, &mut page[..there])?;
        }
        Ok(page)
    }
}

/// The parts of pages that these bytes are: page, where in it, where in the bytes.
fn parts(offset: u64, length: usize) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset + done as u64;
        let inside = (at % PAGE) as usize;
        let step = (PAGE as usize - inside).min(length - done);
        done += step;
        (step > 0).then(|| (at / PAGE, inside, done - step..done))
    })
}

impl<B: StorageBackend> StorageBackend for Overlay<B> {
    fn len(&self) -> io::Result<u64> {
        Ok(self.above.lock().unwrap_or_else(PoisonError::into_inner).length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let above = self.above.lock().unwrap_or_else(PoisonError::into_inner);
        if offset.checked_add(out.len() as u64).is_none_or(|end| end > above.length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for (number, inside, range) in parts(offset, out.len()) {
            let page = above.page(&self.below, number)?;
            let length = range.len();
            out[range].copy_from_slice(&page[inside..inside + length]);
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut above = self.above.lock().unwrap_or_else(PoisonError::into_inner);
        if len < above.length {
            above.visible = above.visible.min(len);
            above.pages.retain(|number, _| number * PAGE < len);
            if let Some(page) = above.pages.get_mut(&(len / PAGE)) {
                page[(len % PAGE) as usize..].fill(0);
            }
        }
        above.length = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut above = self.above.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, inside, range) in parts(offset, data.len()) {
            let mut page = above.page(&self.below, number)?;
            page[inside..inside + range.len()].copy_from_slice(&data[range]);
            above.pages.insert(number, page);
        }
        above.length = above.length.max(offset + data.len() as u64);
        Ok(())
    }
}
