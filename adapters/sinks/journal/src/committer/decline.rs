//! What the committer does with what the file does not take.

use std::io;

use countermand_core::{Priority, Refusal};

use super::Committer;
use crate::command::{Append, Command};
use crate::record::Draft;
use crate::reserve::Reserve;
use crate::{JournalError, Sequence};

impl Committer {
    /// The file does not take it: what is CRITICAL goes into the reserve, anything else is refused (E13).
    pub(super) fn decline(&mut self, command: Command) {
        let (text, full) = match &self.trouble {
            Some(trouble) => (trouble.text.clone(), trouble.full),
            None => (String::new(), false),
        };
        match command {
            Command::Append(append) => self.reserve_or_refuse(append, &text),
            Command::Operate(operation) => {
                let error = if full { JournalError::Full(text) } else { JournalError::Unavailable(text) };
                operation.finish(Err(error));
            }
        }
    }

    fn reserve_or_refuse(&mut self, append: Append, text: &str) {
        let (drafts, reply) = append.into_parts();
        let mut answers = drafts.iter().map(|_| None).collect::<Vec<_>>();
        let mut critical = Vec::new();
        let mut refusal = Refusal::later(text.to_owned());
        for (index, draft) in drafts.into_iter().enumerate() {
            let known = self.known(draft.label.id.number());
            if let Some(sequence) = known {
                answers[index] = Some(Ok(Sequence::new(sequence)));
            } else if draft.label.priority == Priority::Critical {
                critical.push((index, draft));
            }
        }
        if !critical.is_empty() && !mutant!(NoReserve) {
            let (places, drafts): (Vec<usize>, Vec<Draft>) = critical.into_iter().unzip();
            let size = self.reserve.as_ref().map_or(0, Reserve::size);
            match self.put(drafts) {
                Ok(sequences) => {
                    if sequences.len() < places.len() {
                        let reserve = format!("{text}, and the reserve of {size} bytes for CRITICAL is full too");
                        refusal = Refusal::later(reserve);
                    }
                    for (index, sequence) in places.iter().zip(sequences) {
                        answers[*index] = Some(Ok(Sequence::new(sequence)));
                    }
                }
                Err(error) => refusal = Refusal::later(format!("{text}, and the reserve cannot be written: {error}")),
            }
        }
        let answers = answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(refusal.clone())));
        let answers = answers.collect();
        self.publish();
        let _ = reply.send(answers);
    }

    fn put(&mut self, drafts: Vec<Draft>) -> io::Result<Vec<u64>> {
        let now = (self.shared.config.clock)();
        match &mut self.reserve {
            Some(reserve) => reserve.put(drafts, self.state.next, now),
            None => Ok(Vec::new()),
        }
    }

    /// The place of a packet that came before.
    fn known(&self, id: u128) -> Option<u64> {
        self.recent.find(id).or_else(|| self.reserve.as_ref()?.find(id))
    }
}
