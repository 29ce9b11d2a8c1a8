//! A chat that is asked again and again, whichever way.

use std::{future::Future, time::Duration};

use super::{item::Item, trouble::Trouble};

/// What one look at a chat brought.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Looked {
    /// In the order they were written.
    pub items: Vec<Item>,
    /// How long to wait before the next look, at the least.
    pub pause: Duration,
    /// How many watch, if that was learnt just now.
    pub viewers: Option<u64>,
    /// What a person should know of how it is read; mostly empty.
    pub remark: &'static str,
}

/// One way to read a chat.
pub trait Chat: Send {
    /// Asks once.
    fn look(&mut self) -> impl Future<Output = Result<Looked, Trouble>> + Send;

    /// Whether the other side answers at all; costs nothing.
    fn knock(&mut self) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// Forgets its place: the next look tells what was said lately, too.
    fn begin_anew(&mut self);
}
