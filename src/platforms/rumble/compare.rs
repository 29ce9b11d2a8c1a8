//! Whether a stream that is silent is behind: the page of the same chat is asked what it shows.

use std::{collections::HashSet, sync::Arc, time::Duration};

use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout_at},
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    Record, observer::Report, popup_url, resolve::Found, tab::TabEvent, tab_key, worker::Reader,
};

/// Longest wait for what the page shows.
const PATIENCE: Duration = Duration::from_secs(10);

/// The ids of the messages that the page has, when it is done; empty when it has none, or none in time.
pub(super) type Comparing = AbortOnDropHandle<HashSet<String>>;

impl Reader<'_> {
    /// Opens the chat's page beside the stream. Only in a browser that runs anyway, and for one creator at a
    /// time: a quiet chat is no reason to start one. `None` when that cannot be had now.
    pub(super) fn compare(&self, found: &Found) -> Option<Comparing> {
        if !self.shared.browser.runs() {
            return None;
        }
        let turn = Arc::clone(&self.shared.comparing).try_acquire_owned().ok()?;
        let (browser, config) = (Arc::clone(&self.shared.browser), Arc::clone(&self.config));
        // Not the tab in which somebody may be typing.
        let key = format!("compare {}", tab_key(&self.ingest.source().creator, self.plan));
        let url = popup_url(&self.config, &found.chat_id);
        let comparing = self.shared.shared.life.spawn(async move {
            let _turn: OwnedSemaphorePermit = turn;
            let Ok(tab) = browser.tab(&config, &key).await else { return HashSet::new() };
            let mut events = tab.events();
            tab.go(&url);
            let deadline = Instant::now() + PATIENCE;
            while let Ok(Ok(event)) = timeout_at(deadline, events.recv()).await {
                let ids: HashSet<String> = match event {
                    TabEvent::Tapped { data, .. } => match Record::parse(&data) {
                        Some(record) => {
                            record.lines().iter().filter_map(|it| it.id.clone()).collect()
                        }
                        None => continue,
                    },
                    TabEvent::Shown(report, _) => match &*report {
                        Report::Rows { rows, .. } => rows
                            .iter()
                            .map(|it| it.id.clone())
                            .filter(|it| !it.is_empty())
                            .collect(),
                        _ => continue,
                    },
                    _ => continue,
                };
                if !ids.is_empty() {
                    return ids;
                }
            }
            HashSet::new()
        });
        Some(AbortOnDropHandle::new(comparing))
    }
}
