//! Looks at the channel beside its chat: live or not, its numbers, its badges and rules.

use std::time::Duration;

use rand::RngExt;
use tokio::time::Instant;

use super::{KickWorker, Question, Session};
use crate::platforms::{
    Ingest,
    kick::{
        channel,
        official::{ApiError, OfficialChannel},
        site::{SiteChannel, SiteError},
    },
};

/// Longest wait for the first look at a channel whose numbers are known.
const FIRST_LOOK: Duration = Duration::from_secs(3);
/// For how long a site that did not answer is left alone while the API does.
const SITE_AGAIN: Duration = Duration::from_secs(600);

/// What was learnt about the channel.
pub(super) enum Look {
    Site(Box<Result<SiteChannel, SiteError>>),
    Official(Result<Option<OfficialChannel>, ApiError>),
}

/// When the channel is looked at, and who is asked: one at a time.
pub(super) struct Looks {
    pub(super) asked: Question<Look>,
    at: Instant,
    /// The site is left alone until then, where the API can be asked.
    site_at: Instant,
    /// Until then it asked to be left alone.
    site_pause: Instant,
    /// What stood in the way last time: kept from telling it over and over.
    problem: Option<String>,
}

impl Looks {
    fn new(at: Instant, now: Instant) -> Self {
        Self { asked: None, at, site_at: now, site_pause: now, problem: None }
    }

    /// What the site has just said need not be asked again at once. Where it was not asked, all channels of a server
    /// would ask at once.
    pub(super) fn begin(worker: &KickWorker, is_known: bool) -> Self {
        let now = Instant::now();
        let soon = || FIRST_LOOK.mul_f64(rand::rng().random_range(0.0..=1.0));
        Self::new(now + if is_known { worker.look_pause() } else { soon() }, now)
    }

    /// When the next look is due; never while one is on its way.
    pub(super) fn due(&self) -> Option<Instant> {
        self.asked.is_none().then_some(self.at)
    }

    /// Looks by then.
    pub(super) fn hurry(&mut self, at: Instant) {
        self.at = self.at.min(at);
    }

    /// Whether the site is asked: it tells more, the numbers, the badges, the rules. Where it does not, the API tells
    /// enough for now.
    fn asks_site(&self, is_official: bool, now: Instant) -> bool {
        !is_official || now >= self.site_at
    }

    fn site_answers(&mut self, now: Instant) {
        (self.problem, self.site_at) = (None, now);
    }

    fn site_fails(&mut self, pause: Option<Duration>, is_official: bool, now: Instant) {
        self.site_pause = now + pause.unwrap_or_default();
        self.site_at = self.site_pause.max(now + SITE_AGAIN);
        if is_official {
            self.at = now;
        } else {
            self.at = self.at.max(self.site_pause);
        }
    }

    fn api_fails(&mut self, pause: Option<Duration>, now: Instant) {
        self.at = self.at.max(now + pause.unwrap_or_default());
        // The site again, next time.
        self.site_at = self.site_pause;
    }
}

impl Session<'_> {
    /// Looks at the channel when that is due.
    pub(super) fn look_in_time(&mut self, now: Instant) {
        if self.looks.due().is_none_or(|it| now < it) {
            return;
        }
        self.looks.at = now + self.worker.look_pause();
        let slug = self.found.slug.clone();
        let asks_site = self.looks.asks_site(self.official.is_some(), now);
        self.looks.asked = Some(match &self.official {
            Some(official) if !asks_site => {
                let official = official.clone();
                Box::pin(async move { Look::Official(official.channel(&slug).await) })
            }
            _ => {
                let site = self.site.clone();
                Box::pin(async move { Look::Site(Box::new(site.channel(&slug).await)) })
            }
        });
    }

    /// Takes in what a look came to; `true` when the numbers are others than those that are read.
    pub(super) fn take_look(&mut self, look: Look, ingest: &mut Ingest) -> bool {
        let now = Instant::now();
        match look {
            Look::Site(answer) => match *answer {
                Ok(site) => {
                    self.looks.site_answers(now);
                    self.learn(site.stream.clone(), now);
                    return self.take_site(site, ingest);
                }
                Err(error) => {
                    let pause = match &error {
                        SiteError::Refused { retry_after, .. } => *retry_after,
                        SiteError::NotFound | SiteError::Unreachable(_) => None,
                    };
                    self.looks.site_fails(pause, self.official.is_some(), now);
                    let problem = error.to_string();
                    if self.looks.problem.as_ref() != Some(&problem) {
                        self.note_problem(&problem);
                    }
                    self.looks.problem = Some(problem);
                }
            },
            Look::Official(Ok(found)) => {
                if let Some(user_id) = found.as_ref().map(|it| it.user_id)
                    && self.found.user_id.is_none()
                {
                    self.found.user_id = Some(user_id);
                    self.register();
                    self.tell_channel(ingest);
                }
                self.learn(found.map(|it| it.stream).unwrap_or_default(), now);
            }
            Look::Official(Err(error)) => {
                let pause = match &error {
                    ApiError::Wait(pause) => Some(*pause),
                    _ => None,
                };
                self.looks.api_fails(pause, now);
                self.note_problem(&error.to_string());
            }
        }
        false
    }

    fn take_site(&mut self, site: SiteChannel, ingest: &mut Ingest) -> bool {
        let plan = &self.worker.plan;
        let by_hand = plan.chat_id.is_some_and(|it| it != site.chatroom_id)
            || plan.channel_id.is_some_and(|it| it != site.channel_id);
        if by_hand {
            self.note = Some(format!(
                "creators.json has other numbers than Kick: channel_id {} and chat_id {}",
                site.channel_id, site.chatroom_id
            ));
        }
        channel::remember(&self.worker.kick.shared.memory, &plan.channel, &site);
        let found = channel::of_site(plan, site);
        let moved = found.topics != self.found.topics;
        let before = self.found.facts();
        self.found = found;
        self.register();
        if self.found.facts() != before {
            self.tell_channel(ingest);
        }
        moved
    }
}

impl KickWorker {
    /// Time to the next look at the channel, jittered: a thousand channels do not ask at once.
    fn look_pause(&self) -> Duration {
        let seconds = f64::from(self.plan.config.channel_seconds);
        Duration::from_secs_f64(seconds * rand::rng().random_range(0.8..=1.2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_site_that_did_not_answer_is_asked_again_though_the_api_does() {
        let now = Instant::now();
        let mut looks = Looks::new(now + 60 * SECOND, now);
        assert!(looks.asks_site(true, now));
        looks.site_fails(None, true, now);
        assert_eq!(looks.due(), Some(now), "the API at once");
        assert!(!looks.asks_site(true, now));
        assert!(!looks.asks_site(true, now + SITE_AGAIN - SECOND), "and for a while");
        assert!(looks.asks_site(true, now + SITE_AGAIN));
        looks.api_fails(None, now + SECOND);
        assert!(looks.asks_site(true, now + SECOND), "one of them answers");
        looks.site_fails(Some(2 * SITE_AGAIN), true, now);
        looks.api_fails(None, now + SECOND);
        assert!(!looks.asks_site(true, now + SITE_AGAIN), "the site asked for a pause");
        assert!(looks.asks_site(true, now + 2 * SITE_AGAIN));
    }

    #[test]
    fn without_the_api_the_site_is_asked_each_time_and_its_pause_is_kept() {
        let now = Instant::now();
        let mut looks = Looks::new(now + SECOND, now);
        looks.site_fails(None, false, now);
        assert_eq!(looks.due(), Some(now + SECOND));
        assert!(looks.asks_site(false, now));
        looks.site_fails(Some(60 * SECOND), false, now);
        assert_eq!(looks.due(), Some(now + 60 * SECOND));
        looks.hurry(now);
        assert_eq!(looks.due(), Some(now));
    }
}
