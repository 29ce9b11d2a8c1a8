//! Writes a message into a channel on Discord.

use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::call::{Calls, of_failure, of_status, payload};
use crate::{
    http::Answer,
    jobs::{Again, Fault, Job, JobKind, Runner},
    model::Timestamp,
};

/// Longest message (characters).
const MOST_CHARS: usize = 2_000;
/// Longest answer that is read (bytes).
const ANSWER_BYTES: usize = 262_144;
/// How long Discord surely knows a message again that is sent twice (ms); it says "a few minutes".
const KNOWN_AGAIN_MS: i64 = 120_000;
/// How long a message is tried again of which it is not known whether it was said (ms).
const TRIED_BLINDLY_MS: i64 = 30_000;
/// Longest pause that is taken from an answer (s).
const LONGEST_PAUSE: f64 = 3_600.0;

/// `{channel_id, text}`
#[derive(Deserialize)]
struct Note {
    channel_id: String,
    text: String,
}

#[derive(Deserialize)]
struct Pause {
    /// Seconds, with a fraction.
    retry_after: f64,
}

/// Writes to Discord with the bot of `DISCORD_BOT_TOKEN`. Nobody is mentioned, whatever the text says.
pub struct DiscordRunner {
    pub(super) calls: Calls,
}

impl DiscordRunner {
    async fn send(&self, job: &Job) -> Result<String, Fault> {
        let Note { channel_id, text } = payload(job)?;
        let is_id = (1..=20).contains(&channel_id.len())
            && channel_id.bytes().all(|it| it.is_ascii_digit());
        if !is_id {
            return Err(Fault::never("a channel on Discord is named by its number"));
        }
        if text.trim().is_empty() || text.chars().count() > MOST_CHARS {
            return Err(Fault::never(format!("a message has 1 to {MOST_CHARS} characters")));
        }
        let config = self.calls.config();
        let token = config.secrets.discord_bot_token();
        let token = token.ok_or_else(|| {
            Fault::never("there is no bot: set DISCORD_BOT_TOKEN, and retry the job")
        })?;
        let client = self.calls.clients.unredirected(&self.calls.way()).await;
        let client = client.map_err(|it| Fault::backoff(it.to_string()))?;
        let api = config.system.automation.discord_api_url.as_str();
        let sent = client
            .post(format!("{api}/channels/{channel_id}/messages"))
            .timeout(self.calls.timeout())
            .header("authorization", format!("Bot {token}"))
            .json(&json!({
                "content": text,
                "allowed_mentions": { "parse": [] },
                "nonce": nonce(&job.job_id),
                "enforce_nonce": true,
            }))
            .send()
            .await;
        // Not said again behind the time in which it would be known again.
        let tried_for = job.started_at.map_or(0, |it| it.ms_since(job.asked_at));
        let response = sent.map_err(|error| of_failure(&error, tried_for < TRIED_BLINDLY_MS))?;
        if response.status() != StatusCode::TOO_MANY_REQUESTS {
            return of_discord(response.status());
        }
        let answer = Answer::read(response, ANSWER_BYTES).await;
        let answer = answer.map_err(|it| Fault::backoff(it.to_string()))?;
        let told = answer.json::<Pause>().map(|it| it.retry_after).filter(|it| it.is_finite());
        let told = told.map(|it| Duration::from_secs_f64(it.clamp(0.0, LONGEST_PAUSE)));
        let again = told.or(answer.retry_after).map_or(Again::Backoff, Again::After);
        Err(Fault { reason: "Discord asks for a pause".to_owned(), again })
    }
}

/// What tells a message from another: Discord takes at most 25 characters, and the first of an id is the same for ages.
fn nonce(job_id: &str) -> &str {
    job_id.get(1..).unwrap_or(job_id)
}

fn of_discord(status: StatusCode) -> Result<String, Fault> {
    match status.as_u16() {
        401 => Err(Fault::never("Discord does not know the bot's token")),
        403 => Err(Fault::never("the bot may not write in that channel")),
        404 => Err(Fault::never("Discord knows no such channel, or the bot does not see it")),
        _ => of_status(status, None, true),
    }
}

impl Runner for DiscordRunner {
    fn kind(&self) -> JobKind {
        JobKind::Discord
    }

    fn run<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<String, Fault>> {
        Box::pin(self.send(job))
    }

    /// For as long as Discord knows the message again.
    fn may_repeat(&self, job: &Job, now: Timestamp) -> bool {
        job.started_at.is_none_or(|it| (0..KNOWN_AGAIN_MS).contains(&now.ms_since(it)))
    }
}
