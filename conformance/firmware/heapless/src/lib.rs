//! What the images have in common: the line to the emulator, a measure of the stack, and what the weighed ones do.
#![no_std]

pub mod line;
pub mod stack;
pub mod weighed;
