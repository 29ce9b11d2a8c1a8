//! How mails get to their readers, and what they look like.
//!
//! A [`Letter`](super::Letter) is kept beside the change that caused it. The [`Postman`] has it [`Written`] and takes
//! it to its [`Delivery`], again and again until it is accepted, refused, or of no use to anybody any longer.

mod address_line;
mod browser;
mod delivery;
mod eml;
mod mail_row;
mod one_line;
mod outbox;
mod postman;
mod resend;
mod waiting;
mod words;
mod written;

pub use self::{
    browser::browser_name,
    delivery::{Delivery, DeliveryError, Fate},
    one_line::one_line,
    outbox::FOLDER as OUTBOX,
    postman::Postman,
    waiting::{Waiting, WaitingError},
    written::Written,
};

#[cfg(test)]
mod tests;
