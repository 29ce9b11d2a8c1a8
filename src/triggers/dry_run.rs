//! What would happen: a line, or a recorded session, goes through the triggers and nothing is said or done.

mod session;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    cooldowns::{Around, Cooldowns},
    decision::Outcome,
    engine::Triggers,
    line::{Line, bounded},
    page::find_shadow,
    room::Terms,
    set::{Judged, TriggerSet},
};
use crate::{
    chat::Room,
    config::AutomationConfig,
    model::{
        Amount, Platform, QualifiedId, Role, Timestamp,
        action::Action,
        message::spoken,
        template::{Facts, Filled, Template},
        trigger::{Access, Trigger, TriggerKind},
    },
};

pub use session::{Hit, TriedSession, TriggerCount};

/// A line to try.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TryLine {
    /// Where it is written.
    pub platform: Platform,
    /// What is written.
    #[schemars(length(max = 2_000))]
    pub message: String,
    /// Who writes it.
    #[serde(default)]
    pub actor: TryActor,
    /// What is paid with it.
    #[serde(default)]
    pub amount: Option<Amount>,
    /// Taken from older clients, and not looked at: what is live or not changes nothing here.
    #[serde(default)]
    #[expect(dead_code, reason = "older clients send it")]
    stream_context: serde_json::Value,
    /// Triggers to try instead of the room's: drafts.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub triggers: Option<Vec<Trigger>>,
}

/// Who writes a line that is tried.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TryActor {
    /// As shown.
    #[schemars(length(max = 100))]
    pub display_name: String,
    /// Whether they moderate the channel.
    pub is_moderator: bool,
    /// Whether they pay for the channel.
    pub is_subscriber: bool,
    /// Whether they follow the channel: nothing asks for that.
    pub is_follower: bool,
    /// Whether they are set apart by the creator.
    pub is_vip: bool,
    /// Whether they are the creator.
    pub is_broadcaster: bool,
}

impl TryActor {
    fn roles(&self) -> Vec<Role> {
        let roles = [
            (self.is_broadcaster, Role::Broadcaster),
            (self.is_moderator, Role::Moderator),
            (self.is_vip, Role::Vip),
            (self.is_subscriber, Role::Subscriber),
        ];
        roles.into_iter().filter(|it| it.0).map(|it| it.1).collect()
    }
}

/// What would become of a line.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TriedLine {
    /// Whether a trigger acts.
    pub matched: bool,
    /// Why, or why not, for people.
    pub match_reason: String,
    /// Which acts.
    pub trigger_id: Option<String>,
    /// What is said first.
    pub generated_reply: Option<String>,
    /// Whether something is said in a chat.
    pub would_post: bool,
    /// Why nothing is said, where something would be.
    pub blocked_reason: Option<String>,
    /// What may not be as it was meant.
    pub validation_warnings: Vec<String>,
    /// The longest text that can be said there (characters); null where nothing can.
    pub platform_max_chars: Option<usize>,
    /// What is done, in this order.
    pub actions: Vec<TriedAction>,
    /// Every trigger that fits, with what is decided about it.
    pub considered: Vec<Considered>,
}

/// What would be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TriedAction {
    /// What kind of thing.
    pub action_type: &'static str,
    /// In words.
    pub would: String,
    /// The text, its gaps filled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What is decided about a trigger that fits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Considered {
    /// Which.
    pub trigger_id: String,
    /// What.
    pub outcome: Outcome,
    /// Why, for people.
    pub detail: String,
}

/// The first text that is said.
fn find_reply(trigger: &Trigger, facts: &Facts<'_>) -> Option<String> {
    trigger.actions.iter().find_map(|it| match it {
        Action::Reply(it) => Some(fill(&it.text, facts)),
        Action::SendChatMessage(it) => Some(fill(&it.text, facts)),
        _ => None,
    })
}

fn fill(text: &str, facts: &Facts<'_>) -> String {
    Template::parse(text).map_or_else(|_| text.to_owned(), |it| it.fill(facts))
}

fn fill_body(text: &str, facts: &Facts<'_>) -> String {
    match Template::parse(text).map(|it| it.fill_body(facts)) {
        Ok(Ok(Filled::Text(it))) => it,
        Ok(Ok(Filled::Json(it))) => it.to_string(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => text.to_owned(),
    }
}

fn describe(action: &Action, facts: &Facts<'_>, automation: bool) -> TriedAction {
    let text = match action {
        Action::Reply(it) => Some(fill(&it.text, facts)),
        Action::SendChatMessage(it) => Some(fill(&it.text, facts)),
        Action::Notify(it) => Some(fill(&it.text, facts)),
        Action::PollOpen(it) => {
            Some(it.question.as_deref().map_or_else(|| facts.args.to_owned(), |it| fill(it, facts)))
        }
        Action::PollVote(it) => {
            Some(it.choice.as_deref().map_or_else(|| facts.args.to_owned(), |it| fill(it, facts)))
        }
        Action::Tally(it) => it.item.as_deref().map(|it| fill(it, facts)),
        Action::Http(it) => it.body.as_deref().map(|it| fill_body(it, facts)),
        _ => None,
    };
    let would = match action {
        Action::Reply(_) => format!("answer {} on {}", facts.user, facts.platform),
        Action::SendChatMessage(it) if it.platforms.is_empty() => "say in all chats".to_owned(),
        Action::SendChatMessage(it) => {
            let names: Vec<_> = it.platforms.iter().map(|it| it.title()).collect();
            format!("say on {}", names.join(", "))
        }
        Action::Feature(_) => "put the message on the stage".to_owned(),
        Action::Queue(_) => "mark the message for discussion".to_owned(),
        Action::PollVote(_) => format!("count the vote of {}", facts.user),
        Action::PollOpen(_) => "begin a poll".to_owned(),
        Action::PollClose(_) => "end the poll".to_owned(),
        Action::Tally(it) => format!("add {} to the tally `{}`", it.by, it.tally_id),
        Action::Score(it) => {
            let who = it.who.as_deref().map_or_else(|| facts.user.to_owned(), |it| fill(it, facts));
            format!("give {who} {} points on `{}`", it.points, it.scoreboard_id)
        }
        Action::Clip(_) => "ask for a clip".to_owned(),
        Action::Notify(it) => format!("tell channel {} on Discord", it.channel_id),
        Action::Webhook(it) => format!("tell {}", host_of(&it.url)),
        Action::Http(it) => format!("send {} to {}", it.method.as_str(), host_of(&it.url)),
    };
    let would = if action.is_outside() && !automation {
        format!("not {would}: the tier of this room's owner does not allow it")
    } else {
        would
    };
    TriedAction { action_type: action.as_str(), would, text }
}

/// Why the addresses of a trigger would not be reached, as things are.
fn list_unreachable(trigger: &Trigger, automation: &AutomationConfig) -> Vec<String> {
    let why = |action: &Action| {
        let url = match action {
            Action::Webhook(it) => &it.url,
            Action::Http(it) => &it.url,
            _ => return None,
        };
        let why = automation.reach(url).err()?;
        Some(format!("{} would fail: {why}", action.as_str()))
    };
    trigger.actions.iter().filter_map(why).collect()
}

/// The host of an address: what stands behind it may be a secret.
fn host_of(url: &str) -> String {
    let parsed = url::Url::parse(url).ok();
    parsed.and_then(|it| it.host_str().map(str::to_owned)).unwrap_or_else(|| "nobody".to_owned())
}

impl Triggers {
    /// What would become of a line that is said now.
    #[must_use]
    pub fn try_line(&self, room: &Arc<Room>, tried: &TryLine) -> TriedLine {
        let known = self.room(room.id());
        let in_force = known.in_force.load_full();
        let drafts = tried.triggers.as_ref().map(|it| {
            let each = it.iter().map(|it| (Arc::new(it.clone()), None));
            TriggerSet::new(each.collect())
        });
        let set = drafts.as_ref().unwrap_or(&in_force.set);
        let mut warnings: Vec<String> = Vec::new();
        for (place, trigger) in tried.triggers.iter().flatten().enumerate() {
            let of_trigger = trigger.check().into_iter();
            warnings.extend(of_trigger.map(|it| format!("/triggers/{place}{}: {}", it.0, it.1)));
        }

        let name = tried.actor.display_name.trim();
        let name = if name.is_empty() { "viewer" } else { name };
        let login = name.to_lowercase();
        let viewer = QualifiedId::new(tried.platform, &login);
        let line = Line {
            text: bounded(spoken(&tried.message, false)),
            platform: tried.platform,
            access: Access::of(&tried.actor.roles()),
            amount: tried.amount.as_ref(),
            viewer: &viewer,
        };
        let now = Timestamp::now();
        // A copy: chats do not wait for patterns that take their time here.
        let cooldowns = known.live().cooldowns.of_viewer(&viewer);
        let fresh = Cooldowns::default();
        let everywhere = |id: &str| {
            drafts.is_none().then(|| self.everywhere(&in_force, &cooldowns, id)).flatten()
        };
        let mut around = Around {
            cooldowns: if drafts.is_some() { &fresh } else { &cooldowns },
            everywhere: &everywhere,
            least_seconds: in_force.terms.least_seconds,
            now,
            patterns: None,
            began: None,
        };
        let Judged { passed, fires } = set.judge(&line, &mut around);
        drop(around);
        let count = fires.and_then(|it| {
            let id = &set.find(it.0).trigger.trigger_id;
            cooldowns.rooms.get(id).map(|it| it.count)
        });

        let mut considered: Vec<Considered> = passed
            .iter()
            .map(|(index, verdict)| Considered {
                trigger_id: set.find(*index).trigger.trigger_id.clone(),
                outcome: verdict.outcome(),
                detail: verdict.detail(),
            })
            .collect();
        let voice = self.parts().hands.find_voice(room.id(), tried.platform);
        let max_chars = voice.as_ref().ok().copied();
        let Some((index, args)) = fires else {
            let reason = considered
                .last()
                .map_or_else(|| "no trigger fits this line".to_owned(), |it| it.detail.clone());
            return TriedLine {
                matched: false,
                blocked_reason: considered.last().map(|it| it.detail.clone()),
                match_reason: reason,
                trigger_id: None,
                generated_reply: None,
                would_post: false,
                validation_warnings: warnings,
                platform_max_chars: max_chars,
                actions: Vec::new(),
                considered,
            };
        };
        let trigger = &set.find(index).trigger;
        considered.push(Considered {
            trigger_id: trigger.trigger_id.clone(),
            outcome: Outcome::Matched,
            detail: "matched".to_owned(),
        });
        let moment = now.to_string();
        let facts = Facts {
            user: name,
            login: &login,
            platform: tried.platform.title(),
            channel: room.id().as_str(),
            room: room.id().as_str(),
            args,
            message: line.text,
            amount: tried.amount.as_ref().map_or("", |it| it.display.as_str()),
            count: count.unwrap_or_default() + 1,
            time: &moment[11..16],
            date: &moment[..10],
            chance: rand::random(),
        };
        let reply = find_reply(trigger, &facts);
        if let (Some(most), Some(reply)) = (max_chars, &reply)
            && reply.chars().count() > most
        {
            let platform = tried.platform.title();
            warnings
                .push(format!("what is said is longer than {platform} takes ({most} characters)"));
        }
        let before = set.list()[..index as usize].iter().map(|it| &*it.trigger);
        warnings.extend(find_shadow(before, trigger));
        warnings.extend(list_unreachable(trigger, &self.config().system.automation));
        let Terms { automation, .. } = in_force.terms;
        let posts = reply.as_ref().is_some_and(|it| !it.is_empty());
        let blocked = match &voice {
            _ if !posts => None,
            Err(why) => Some(why.clone()),
            Ok(most) => reply
                .as_ref()
                .filter(|it| it.chars().count() > *most)
                .map(|_| format!("longer than {most} characters")),
        };
        TriedLine {
            matched: true,
            match_reason: match trigger.kind {
                TriggerKind::Command => {
                    format!("the command of `{}`", trigger.trigger_id)
                }
                TriggerKind::Regex => {
                    format!("the pattern of `{}`", trigger.trigger_id)
                }
                _ => format!("a keyword of `{}`", trigger.trigger_id),
            },
            trigger_id: Some(trigger.trigger_id.clone()),
            generated_reply: reply,
            would_post: posts && blocked.is_none(),
            blocked_reason: blocked,
            validation_warnings: warnings,
            platform_max_chars: max_chars,
            actions: trigger.actions.iter().map(|it| describe(it, &facts, automation)).collect(),
            considered,
        }
    }
}
