//! The triggers of a room, made ready: a message is looked at once for all of them.

use std::{collections::HashMap, sync::Arc};

use aho_corasick::AhoCorasick;
use regex::Regex;

use super::{
    decision::{Verdict, Whose},
    line::Line,
};
use crate::model::trigger::{Trigger, TriggerKind, compile};

/// What stands around a look at the triggers: cooldowns, and how much time patterns may take.
pub trait Surroundings {
    /// How long a trigger rests still, for this viewer (ms).
    fn find_rest(&self, trigger: &Trigger, line: &Line<'_>) -> Option<(u64, Whose)>;

    /// Whether a pattern may be tried now.
    fn may_try_pattern(&mut self) -> bool;
}

/// A trigger, ready.
#[derive(Debug, Clone)]
pub struct Ready {
    /// What it is.
    pub trigger: Arc<Trigger>,
    /// Why it does not act, where it is not itself switched off: beyond what the tier allows.
    pub shut: Option<String>,
    pattern: Option<Regex>,
}

/// The triggers of a room in their order.
#[derive(Debug, Default)]
pub struct TriggerSet {
    triggers: Vec<Ready>,
    /// Of commands: prefix and word in lower case, and whose it is.
    words: HashMap<Box<str>, Vec<u32>>,
    keywords: Option<Keywords>,
    /// Those with a pattern.
    patterns: Vec<u32>,
    timers: Vec<u32>,
}

#[derive(Debug)]
struct Keywords {
    finder: AhoCorasick,
    /// Whose each word is.
    owners: Vec<u32>,
}

/// What a look at all triggers found.
#[derive(Debug, Default, PartialEq)]
pub struct Judged<'a> {
    /// Those that fit and do not act, in their order, up to the one that does or rests.
    pub passed: Vec<(u32, Verdict)>,
    /// The first that acts, and what stands behind its word.
    pub fires: Option<(u32, &'a str)>,
}

impl TriggerSet {
    /// Makes triggers ready, each with the reason why it is shut out.
    ///
    /// What is wrong with one was said where it came in; here it simply fits nothing.
    #[must_use]
    pub fn new(triggers: Vec<(Arc<Trigger>, Option<String>)>) -> Self {
        let mut set = Self::default();
        let (mut words, mut owners) = (Vec::new(), Vec::new());
        for (index, (trigger, shut)) in (0..).zip(triggers) {
            let mut pattern = None;
            match trigger.kind {
                TriggerKind::Command => {
                    for word in trigger.list_words() {
                        let owners = set.words.entry(word.into()).or_default();
                        if owners.last() != Some(&index) {
                            owners.push(index);
                        }
                    }
                }
                TriggerKind::Keyword => {
                    let folded = trigger.keywords.iter().map(|it| it.trim().to_lowercase());
                    for word in folded.filter(|it| !it.is_empty()) {
                        words.push(word);
                        owners.push(index);
                    }
                }
                TriggerKind::Regex => {
                    pattern = trigger.pattern.as_deref().and_then(|it| compile(it).ok());
                    if pattern.is_some() {
                        set.patterns.push(index);
                    }
                }
                TriggerKind::Timer => set.timers.push(index),
            }
            set.triggers.push(Ready { trigger, shut, pattern });
        }
        if !words.is_empty() {
            // Words of a bounded count and length: it cannot become too large.
            let finder = AhoCorasick::new(&words).ok();
            set.keywords = finder.map(|finder| Keywords { finder, owners });
        }
        set
    }

    /// All of them.
    #[must_use]
    pub fn list(&self) -> &[Ready] {
        &self.triggers
    }

    /// One of them.
    #[must_use]
    pub fn find(&self, index: u32) -> &Ready {
        &self.triggers[index as usize]
    }

    /// The timers among them.
    pub fn timers(&self) -> impl Iterator<Item = &Ready> {
        self.timers.iter().map(|it| self.find(*it))
    }

    /// Whether there is anything that a message could set off.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.words.is_empty() && self.keywords.is_none() && self.patterns.is_empty()
    }

    /// Which trigger a line sets off: the first that fits and whose conditions hold. One that fits and rests ends the
    /// look: nothing behind it acts in its place.
    pub fn judge<'a>(&self, line: &Line<'a>, around: &mut impl Surroundings) -> Judged<'a> {
        let mut judged = Judged::default();
        if self.is_idle() {
            return judged;
        }
        let (word, args) = match line.text.find(char::is_whitespace) {
            Some(end) => (&line.text[..end], line.text[end..].trim_start()),
            None => (line.text, ""),
        };
        let of_word = self.find_word(word);
        let mut hits: Vec<u32> = of_word.to_vec();
        if let Some(keywords) = &self.keywords {
            keywords.find_all(line.text, &mut hits);
        }
        let mut hits = hits.into_iter().peekable();
        let mut patterns = self.patterns.iter().copied().peekable();
        // Both in their order; a pattern is tried only once its turn has come.
        loop {
            let index = match (hits.peek(), patterns.peek()) {
                (None, None) => return judged,
                (Some(hit), pattern) if pattern.is_none_or(|it| hit < it) => {
                    let hit = *hit;
                    hits.next();
                    hit
                }
                _ => {
                    let Some(index) = patterns.next() else { return judged };
                    let ready = self.find(index);
                    // One that is off costs no time.
                    if !ready.trigger.enabled || ready.shut.is_some() {
                        continue;
                    }
                    if !around.may_try_pattern() {
                        let why = "the patterns of this room take too much time".to_owned();
                        judged.passed.push((index, Verdict::Limited(why)));
                        // The others need as much; what has words goes on.
                        patterns = [].iter().copied().peekable();
                        continue;
                    }
                    if !ready.pattern.as_ref().is_some_and(|it| it.is_match(line.text)) {
                        continue;
                    }
                    index
                }
            };
            let is_command = of_word.contains(&index);
            match Self::verdict(self.find(index), line, around) {
                Verdict::Matched => {
                    judged.fires = Some((index, if is_command { args } else { line.text }));
                    return judged;
                }
                verdict => {
                    let rests = matches!(verdict, Verdict::Cooldown { .. });
                    judged.passed.push((index, verdict));
                    if rests {
                        return judged;
                    }
                }
            }
        }
    }

    fn find_word(&self, word: &str) -> &[u32] {
        if self.words.is_empty() || word.len() > 120 {
            return &[];
        }
        let is_folded = word.bytes().all(|it| it.is_ascii() && !it.is_ascii_uppercase());
        let found = if is_folded {
            self.words.get(word)
        } else {
            self.words.get(word.to_lowercase().as_str())
        };
        found.map_or(&[], Vec::as_slice)
    }

    /// What is decided about a trigger that fits.
    fn verdict(ready: &Ready, line: &Line<'_>, around: &impl Surroundings) -> Verdict {
        let trigger = &ready.trigger;
        if !trigger.enabled {
            return Verdict::Disabled;
        }
        if let Some(why) = &ready.shut {
            return Verdict::Limited(why.clone());
        }
        if !trigger.platforms.is_empty() && !trigger.platforms.contains(&line.platform) {
            return Verdict::Platform;
        }
        if line.access < trigger.access {
            return Verdict::Role(trigger.access);
        }
        if let Some(least) = &trigger.least_amount {
            let paid = line.amount.filter(|it| it.currency.eq_ignore_ascii_case(&least.currency));
            if paid.is_none_or(|it| it.value < least.value) {
                return Verdict::Amount;
            }
        }
        match around.find_rest(trigger, line) {
            Some((left_ms, whose)) => Verdict::Cooldown { left_ms, whose },
            None => Verdict::Matched,
        }
    }
}

impl Keywords {
    /// Whose words are in `text`, whole; put into `hits`, which are in order afterwards.
    fn find_all(&self, text: &str, hits: &mut Vec<u32>) {
        let folded;
        let text = if text.bytes().all(|it| it.is_ascii() && !it.is_ascii_uppercase()) {
            text
        } else {
            folded = text.to_lowercase();
            &folded
        };
        for found in self.finder.find_overlapping_iter(text) {
            if is_whole(text, found.start(), found.end()) {
                hits.push(self.owners[found.pattern().as_usize()]);
            }
        }
        hits.sort_unstable();
        hits.dedup();
    }
}

/// Whether what stands at a place is no part of a longer word.
fn is_whole(text: &str, start: usize, end: usize) -> bool {
    let is_word = |it: Option<char>| it.is_some_and(|it| it.is_alphanumeric() || it == '_');
    let (before, after) = (text[..start].chars().next_back(), text[end..].chars().next());
    let (first, last) = (text[start..].chars().next(), text[..end].chars().next_back());
    // A word that begins with a sign is not glued to what stands before it.
    let is_glued = is_word(first) && is_word(before) || is_word(last) && is_word(after);
    !is_glued
}
