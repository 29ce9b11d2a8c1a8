//! Keeps Kick delivering webhooks: asked for at the start, looked at every hour, repaired.

use std::{collections::HashSet, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use rand::RngExt;
use tokio::sync::mpsc;

use crate::platforms::kick::{
    official::{ApiError, EVENTS, Official},
    webhooks::Webhooks,
};

/// How often it is looked whether webhooks are still delivered.
const REPAIR_EVERY: Duration = Duration::from_secs(3_600);
/// First pause after a look that failed; it doubles up to [`REPAIR_EVERY`].
const REPAIR_AGAIN: Duration = Duration::from_secs(30);
/// Shown until the first delivery.
pub(super) const FIRST_WEBHOOK: &str = "waiting for the first webhook event";

/// Sees to it, every hour, that webhooks are delivered; tells what stands in the way.
pub(super) fn keep_subscribed(
    official: Official,
    webhooks: Arc<Webhooks>,
    slug: String,
    user_id: Option<u64>,
    notes: mpsc::Sender<Option<String>>,
) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        let mut user_id = user_id;
        let mut told = false;
        let mut pause = REPAIR_AGAIN;
        loop {
            let repaired = async {
                let id = match user_id {
                    Some(id) => id,
                    None => {
                        let found = official.channel(&slug).await?;
                        let missing =
                            || ApiError::Other("Kick's API knows no such channel".to_owned());
                        found.ok_or_else(missing)?.user_id
                    }
                };
                repair(&official, &webhooks, id).await.map(|made| (id, made))
            };
            let note = match repaired.await {
                Ok((id, made)) => {
                    if made > 0 && user_id.is_some() {
                        tracing::info!(made, "asked Kick for webhooks");
                    }
                    user_id = Some(id);
                    pause = REPAIR_EVERY;
                    let first = !told;
                    told = true;
                    // Known by its deliveries from then on.
                    if first { Some(Some(FIRST_WEBHOOK.to_owned())) } else { None }
                }
                Err(error) => {
                    let wait = match &error {
                        ApiError::Wait(wait) => *wait,
                        _ => Duration::ZERO,
                    };
                    pause = if pause >= REPAIR_EVERY { REPAIR_AGAIN } else { pause * 2 };
                    pause = pause.min(REPAIR_EVERY).max(wait);
                    told = false;
                    Some(Some(match error {
                        ApiError::Credentials => {
                            "waiting for credentials: Kick does not accept the application's"
                                .to_owned()
                        }
                        ApiError::Scope(what) => format!("waiting for scopes: {what}"),
                        other => format!("no webhooks: {other}"),
                    }))
                }
            };
            if let Some(note) = note
                && notes.send(note).await.is_err()
            {
                return;
            }
            let jitter = rand::rng().random_range(0.9..=1.1);
            tokio::time::sleep(pause.mul_f64(jitter)).await;
        }
    })
}

/// Sees to it that everything of the channel is delivered, and that it is known by which subscriptions; answers how
/// much had to be asked for.
async fn repair(official: &Official, webhooks: &Webhooks, user_id: u64) -> Result<usize, ApiError> {
    let client_id = &official.application.client_id;
    let listed = official.list_subscriptions(user_id).await?;
    let there: HashSet<&str> = listed.iter().map(|it| it.event.as_str()).collect();
    let missing: Vec<&str> = EVENTS.into_iter().filter(|it| !there.contains(it)).collect();
    let ids = listed.iter().map(|it| it.id.clone()).collect();
    webhooks.know(user_id, client_id, ids, missing.is_empty());
    if missing.is_empty() {
        return Ok(0);
    }
    // Where the answer is lost, it is not known what was made until the next look.
    let made = official.subscribe(user_id, &missing).await?;
    webhooks.know(user_id, client_id, made.ids, made.all);
    made.refused.map_or(Ok(missing.len()), Err)
}
