//! The demo room's chat: a recording that ships with the program and plays in a loop.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{
    model::{Event, EventBody, Message, Platform, PlatformState, QualifiedId, Timestamp},
    platforms::{Ingest, Raw},
};

/// The room that plays the recording that ships with the program.
pub const ROOM: &str = "demo";
/// Pause between two rounds.
const BETWEEN_ROUNDS: Duration = Duration::from_secs(2);

/// Plays `recording` (JSONL) round after round until `stop`.
///
/// Each round has ids and times of its own, so that it is news and not a repeat.
///
/// # Errors
/// The number of the first line that is not an event, and why.
pub async fn play(
    recording: &str,
    ingest: &mut Ingest,
    stop: &CancellationToken,
) -> Result<(), String> {
    let events = read(recording)?;
    let Some(first) = events.first().map(|it| it.ts) else { return Ok(()) };
    // Of this start: what an earlier one said may be recorded, and would be taken for a repeat.
    let start = Timestamp::now().unix_ms();
    for round in 1_u64.. {
        let started = Timestamp::now();
        let shift = started.ms_since(first);
        for event in &events {
            let due = event.ts.plus_ms(shift);
            let pause = due.ms_since(Timestamp::now()).max(0).unsigned_abs();
            if stop.run_until_cancelled(sleep(Duration::from_millis(pause))).await.is_none() {
                return Ok(());
            }
            // To a replay the demo is one stream that never ends.
            let again = round > 1 && matches!(event.body, EventBody::SessionStart(_));
            if again || matches!(event.body, EventBody::SessionEnd(_)) {
                continue;
            }
            let mut body = event.body.clone();
            renew(&mut body, &format!("{start}.{round}"), shift);
            ingest.accept(Raw::Event(Box::new(body)), Timestamp::now());
        }
        ingest.status(PlatformState::Live, "demo");
        if stop.run_until_cancelled(sleep(BETWEEN_ROUNDS)).await.is_none() {
            break;
        }
    }
    Ok(())
}

/// All events of a recording.
fn read(recording: &str) -> Result<Vec<Event>, String> {
    let lines = recording.lines().enumerate().filter(|(_, line)| !line.is_empty());
    lines
        .map(|(index, line)| {
            serde_json::from_str(line).map_err(|error| format!("line {}: {error}", index + 1))
        })
        .collect()
}

/// Gives everything in `body` the ids and times of this round.
fn renew(body: &mut EventBody, round: &str, shift: i64) {
    let id = |id: &mut QualifiedId| {
        let platform = id.platform().unwrap_or(Platform::Streamsuites);
        *id = QualifiedId::new(platform, &format!("{}.{round}", id.own_id()));
    };
    let message = |it: &mut Message| {
        id(&mut it.id);
        if let Some(quote) = &mut it.reply_to {
            id(&mut quote.id);
        }
        it.sent_at = it.sent_at.plus_ms(shift);
        it.received_at = it.received_at.plus_ms(shift);
    };
    let moment = |at: &mut Option<Timestamp>| *at = at.map(|it| it.plus_ms(shift));
    match body {
        EventBody::ChatMessage(it) | EventBody::FeatureShow(it) => message(it),
        EventBody::QueueUpdate(it) => it.items.iter_mut().for_each(message),
        EventBody::ChatDelete(it) => id(&mut it.message_id),
        EventBody::ChatRedacted(it) => id(&mut it.message_id),
        EventBody::Activity(it) => {
            id(&mut it.id);
            it.part_of.as_mut().into_iter().for_each(id);
            moment(&mut it.sent_at);
        }
        EventBody::PollUpdate(it) => {
            it.poll_id = format!("{}.{round}", it.poll_id);
            moment(&mut it.opened_at);
            moment(&mut it.closes_at);
            moment(&mut it.closed_at);
        }
        EventBody::TallyUpdate(it) => it.last_updated_at = it.last_updated_at.plus_ms(shift),
        EventBody::ScoreUpdate(it) => moment(&mut it.finalized_at),
        EventBody::ClipUpdate(it) => moment(&mut it.published_at),
        EventBody::SessionStart(it) => it.session_id = format!("{}.{round}", it.session_id),
        EventBody::SessionEnd(it) => it.session_id = format!("{}.{round}", it.session_id),
        EventBody::ChatClearUser(_)
        | EventBody::ChatClear(_)
        | EventBody::RoomState(_)
        | EventBody::PlatformStatus(_)
        | EventBody::FeatureClear(_)
        | EventBody::FeedGap(_)
        | EventBody::SettingsUpdate(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const RECORDING: &str =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/static/demo/demo.jsonl"));

    #[test]
    fn the_shipped_recording_shows_every_kind_of_event() {
        let events = read(RECORDING).unwrap();
        let kinds: BTreeSet<_> = events.iter().map(|it| it.body.kind()).collect();
        assert_eq!(kinds.len(), 18, "{kinds:?}");
        for (index, event) in events.iter().enumerate() {
            assert_eq!(event.seq, index as u64 + 1);
            if let EventBody::ChatMessage(it) = &event.body {
                let joined: String = it.fragments.iter().map(|it| it.text()).collect();
                assert_eq!(joined, it.text);
            }
        }
    }

    #[test]
    fn a_second_round_repeats_no_id() {
        let mut seen = BTreeSet::new();
        for round in 1..=2 {
            for event in read(RECORDING).unwrap() {
                let mut body = event.body;
                renew(&mut body, &round.to_string(), 0);
                if let EventBody::ChatMessage(it) = body {
                    assert!(seen.insert(it.id.clone()), "{}", it.id);
                }
            }
        }
    }
}
