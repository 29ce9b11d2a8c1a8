//! Ids and values that every other module shares. Nothing here does I/O.

pub mod account_role;
pub mod action;
pub mod activity;
mod admission;
pub mod amount;
pub mod creator_id;
pub mod email;
pub mod event;
pub mod hosted_picture;
pub mod message;
pub mod overlay_settings;
pub mod percent;
pub mod platform;
pub mod public_address;
pub mod qualified_id;
pub mod redaction;
pub mod snapshot;
pub mod stylesheet;
pub mod template;
pub mod tier;
pub mod timestamp;
pub mod trigger;

pub use account_role::{AccountRole, UnknownRole};
pub use activity::{Activity, ActivityKind};
pub use amount::Amount;
pub use creator_id::{BadCreatorId, CreatorId};
pub use email::{BadEmail, Email};
pub use event::{
    ChatClear, ChatClearUser, ChatDelete, ChatRedacted, Event, EventBody, FeatureClear, FeedGap,
    PlatformStatus, QueueUpdate, RoomState, SessionEnd, SessionStart,
};
pub use hosted_picture::HostedPicture;
pub use message::{
    Author, Badge, Channel, Emote, EmoteProvider, Flag, Fragment, Message, ReplyTo, Role,
};
pub use overlay_settings::OverlaySettings;
pub use percent::{percent_decoded, percent_encoded};
pub use platform::{Platform, PlatformState};
pub use public_address::is_public_address;
pub use qualified_id::QualifiedId;
pub use tier::{Tier, UnknownTier};
pub use timestamp::Timestamp;
