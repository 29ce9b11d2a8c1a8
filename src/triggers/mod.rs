//! Triggers: what is done about what is said. A match becomes an action, and actions are carried out.

pub mod cooldowns;
pub mod decision;
pub mod dispatcher;
pub mod dry_run;
pub mod engine;
pub mod hands;
mod hear;
pub mod import;
pub mod line;
pub mod page;
pub mod room;
pub mod set;
mod upkeep;

pub use decision::{Decision, Done, DoneState, Outcome, Verdict};
pub use dispatcher::Dispatcher;
pub use engine::{Parts, Triggers};
pub use hands::{Hands, NoHands, Task};
pub use page::{Listed, PageError, TriggerList};

#[cfg(test)]
mod tests;
