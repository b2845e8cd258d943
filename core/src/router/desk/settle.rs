//! What becomes of what was out with a sink: delivered, tried again, a dead letter.

use alloc::vec::Vec;

use super::super::after::After;
use super::super::config::Takes;
use super::super::line::{Item, Line};
use super::Desk;
use crate::telemetry::Fate;
use crate::telemetry::{Answer, Batch, DeadReason, Label, Refusal};
use crate::{Instant, Priority};

impl<B> Desk<B> {
    /// The sink of the outlet `of` is through with its batch: `batch` is what came back, `None` if nothing did.
    pub(in crate::router) fn conclude(
        &mut self,
        of: usize,
        now: Instant,
        batch: Option<Batch<B>>,
        after: &mut After<B>,
    ) {
        let number = self.lines[of].batch();
        let batch = match batch {
            Some(batch) if batch.number() == number => Some(batch),
            Some(_) => {
                self.misbehaved(of);
                None
            }
            None => None,
        };
        let mut answers = match batch {
            Some(batch) => {
                if batch.astray() > 0 {
                    self.misbehaved(of);
                }
                batch.into_answers()
            }
            None => Vec::new(),
        }
        .into_iter();
        let mut took = [0_u32; Priority::COUNT];
        let mut refused = [0_u32; Priority::COUNT];
        let mut others = [false; Priority::COUNT];
        let mut back = Vec::new();
        for mut item in self.lines[of].back() {
            let priority = item.priority();
            others[priority.index()] |= !self.docket.is_own(item.case);
            match answers.next().flatten() {
                Some(Answer::Acknowledged) => {
                    took[priority.index()] += 1;
                    self.through(of, item, Fate::Delivered, after);
                }
                Some(Answer::Refused(_)) if mutant!(RefusalAdvances) => self.through(of, item, Fate::Delivered, after),
                Some(Answer::Refused(Refusal::Never(reason))) => {
                    item.attempts += 1;
                    match self.bury(of, item, reason, after) {
                        None => took[priority.index()] += 1,
                        Some(item) => {
                            refused[priority.index()] += 1;
                            back.push(item);
                        }
                    }
                }
                answer => {
                    item.attempts += 1;
                    refused[priority.index()] += 1;
                    let enough = item.attempts >= self.lines[of].config.attempts && priority != Priority::Critical;
                    if enough && self.lines[of].config.takes != Takes::DeadLetters {
                        let reason = match answer {
                            Some(Answer::Refused(Refusal::Later(reason))) => reason,
                            _ => "no answer".into(),
                        };
                        back.extend(self.bury(of, item, reason, after));
                    } else {
                        back.push(item);
                    }
                }
            }
        }
        self.lines[of].put_back(back.into_iter());
        for priority in Priority::ALL {
            let at = priority.index();
            if refused[at] > 0 {
                if self.lines[of].refused(priority, took[at] == 0, now) && others[at] {
                    self.notes.failed(of);
                }
            } else if took[at] > 0 {
                self.lines[of].took(priority);
            }
        }
        self.spread(after);
    }

    /// What is out with the sink of the outlet `of` comes back as if it had not gone: nobody serves that outlet any more.
    pub(in crate::router) fn abandon(&mut self, of: usize, after: &mut After<B>) {
        let line = &mut self.lines[of];
        let back = line.back();
        line.put_back(back.into_iter());
        line.served = false;
        after.wake.extend(line.waker.take());
        // It may have been the one that waited for the time of the next report.
        self.ring_one(after);
    }

    /// The sink of the outlet `of` is through with the packet, and with all that were told with it.
    pub(super) fn through(&mut self, of: usize, mut item: Item<B>, fate: Fate, after: &mut After<B>) {
        self.lines[of].count_out(&item);
        let fate = if item.dead.is_some() { Fate::DeadLettered } else { fate };
        let keeps = self.lines[of].config.keeps;
        let folded = item.folded.take().map(|folded| folded.items);
        for item in core::iter::once(item).chain(folded.into_iter().flatten()) {
            self.notes.figure(of, fate);
            self.leave(item, fate, keeps, after);
        }
    }

    /// The sink of the outlet `of` will never have the packet: it goes where dead letters go. Comes back if it cannot.
    fn bury(
        &mut self,
        of: usize,
        item: Item<B>,
        reason: alloc::borrow::Cow<'static, str>,
        after: &mut After<B>,
    ) -> Option<Item<B>> {
        let grave = self.lines.iter().position(|line| line.config.takes == Takes::DeadLetters);
        let Some(grave) = grave.filter(|grave| *grave != of) else {
            // Nobody takes dead letters. A CRITICAL packet goes on being tried (E4); the rest ends here, counted.
            if item.priority() == Priority::Critical {
                return Some(item);
            }
            self.through(of, item, Fate::DeadLettered, after);
            return None;
        };
        if !self.lines[grave].has_room(item.priority(), item.parcel.label.weight) {
            return Some(item);
        }
        self.lines[of].count_out(&item);
        self.notes.figure(of, Fate::DeadLettered);
        let mut dead = DeadReason::new(self.lines[of].config.name.clone(), reason);
        dead.attempts = item.attempts;
        let Item { parcel, case, folded, .. } = item;
        let mut letter = Item::new(parcel, case);
        letter.dead = Some(dead.clone().into());
        // Each of those that were told together is a letter of its own; one that finds no room ends as what it is, counted.
        let mut letters = alloc::vec![letter];
        letters.extend(folded.into_iter().flat_map(|folded| folded.items).map(|mut item| {
            item.dead = Some(dead.clone().into());
            item
        }));
        for letter in letters {
            if let Err(letter) = self.lines[grave].push(letter) {
                self.leave(letter, Fate::DeadLettered, false, after);
            }
        }
        after.wake.extend(self.lines[grave].waker.take());
        None
    }

    /// An outlet is through with a packet.
    pub(super) fn leave(&mut self, item: Item<B>, fate: Fate, keeps: bool, after: &mut After<B>) {
        let change = self.docket.leave(item.case, fate, keeps);
        if let Some(end) = change.end {
            self.end(&item.parcel.label, end, change.own);
        }
        after.wake.extend(change.waker);
        after.gone.push(item.parcel);
        if self.closed && change.end.is_some() {
            // The outlet for dead letters ends after all others.
            self.ring_all(after);
        }
    }

    /// Every outlet is through with a packet.
    pub(super) fn end(&mut self, label: &Label, fate: Fate, own: bool) {
        self.ledger.end(label.priority, fate);
        if fate == Fate::Shed {
            self.notes.shed(label.source, label.priority, 1, own);
        }
    }

    /// Whether nothing can come to the outlet `of` any more.
    pub(super) fn is_through(&self, of: usize) -> bool {
        let line = &self.lines[of];
        let alone = || self.lines.iter().all(Line::is_empty);
        line.is_empty() && (line.config.takes != Takes::DeadLetters || alone())
    }
}
