//! The site's actions: what is added, taken away, replaced, and shown above the chat.

use serde_json::Value;

use super::{
    Context, MAX_CLEARED, MAX_UNKNOWN, YoutubeNormalizer, banner, item, push_activity, push_event,
    qualified, text,
};
use crate::{
    chat::normalize::{NormalizeError, Reading},
    model::{ActivityKind, ChatClearUser, ChatDelete, EventBody, Platform, QualifiedId},
};

impl YoutubeNormalizer {
    /// Reads one action; of a replay, those within it.
    pub(super) fn read_action(
        &mut self,
        action: &Value,
        context: &Context<'_>,
        readings: &mut Vec<Reading>,
    ) -> Result<(), NormalizeError> {
        let Some(fields) = action.as_object() else { return Ok(()) };
        // Beside the action itself stand `clickTrackingParams` and the like, which are texts.
        for (kind, it) in fields.iter().filter(|it| it.1.is_object()) {
            match kind.as_str() {
                "replayChatItemAction" => {
                    for action in it["actions"].as_array().into_iter().flatten() {
                        self.read_one(action, context, readings)?;
                    }
                }
                _ => self.read_kind(kind, it, context, readings)?,
            }
        }
        Ok(())
    }

    /// An action within another: one level, however deep somebody nests them.
    fn read_one(
        &mut self,
        action: &Value,
        context: &Context<'_>,
        readings: &mut Vec<Reading>,
    ) -> Result<(), NormalizeError> {
        let Some(fields) = action.as_object() else { return Ok(()) };
        for (kind, it) in fields.iter().filter(|it| it.1.is_object()) {
            self.read_kind(kind, it, context, readings)?;
        }
        Ok(())
    }

    fn read_kind(
        &mut self,
        kind: &str,
        it: &Value,
        context: &Context<'_>,
        readings: &mut Vec<Reading>,
    ) -> Result<(), NormalizeError> {
        match kind {
            "addChatItemAction" => item::read(self, &it["item"], context, readings),
            "replaceChatItemAction" => self.replace(it, context, readings),
            "markChatItemAsDeletedAction" | "removeChatItemAction" => {
                let target = it["targetItemId"]
                    .as_str()
                    .ok_or_else(|| NormalizeError::unparsed(kind, "targetItemId"))?;
                self.delete(qualified(target), None, readings);
                Ok(())
            }
            "markChatItemsByAuthorAsDeletedAction" | "removeChatItemByAuthorAction" => {
                let author = it["externalChannelId"]
                    .as_str()
                    .ok_or_else(|| NormalizeError::unparsed(kind, "externalChannelId"))?;
                self.clear_user(author, context, readings);
                Ok(())
            }
            "showLiveChatActionPanelAction" => {
                let panel = &it["panelToShow"]["liveChatActionPanelRenderer"]["contents"];
                match panel.get("pollRenderer") {
                    Some(poll) => self.polls.open(poll, context, readings),
                    None => self.tell_unknown(first_key(panel).unwrap_or(kind), context, readings),
                }
                Ok(())
            }
            "updateLiveChatPollAction" => {
                self.polls.update(&it["pollToUpdate"]["pollRenderer"], context, readings);
                Ok(())
            }
            "addBannerToLiveChatCommand" => {
                banner::read(&it["bannerRenderer"]["liveChatBannerRenderer"], context, readings);
                Ok(())
            }
            "updateOrAddInteractivityWidgetAction" => {
                item::read_widget(
                    &it["widgetRenderer"]["interactivityWidgetRenderer"],
                    context,
                    readings,
                );
                Ok(())
            }
            // A copy of what was paid, and the result of a poll, come as items of their own.
            "addLiveChatTickerItemAction" | "closeLiveChatActionPanelAction" => Ok(()),
            // Only about how the site looks.
            "removeBannerForLiveChatCommand"
            | "showLiveChatTooltipCommand"
            | "liveChatReportModerationStateCommand"
            | "showCreatorGoalTickerChipCommand"
            | "removeInteractivityWidgetAction"
            | "changeEngagementPanelVisibilityAction"
            | "authorizationRequiredAction" => Ok(()),
            _ => {
                self.tell_unknown(kind, context, readings);
                Ok(())
            }
        }
    }

    fn replace(
        &mut self,
        it: &Value,
        context: &Context<'_>,
        readings: &mut Vec<Reading>,
    ) -> Result<(), NormalizeError> {
        let replacement = &it["replacementItem"];
        let target = it["targetItemId"].as_str().map(qualified);
        let id = replacement.as_object().and_then(|it| it.values().next()?["id"].as_str());
        if let (Some(target), Some(id)) = (target, id)
            && qualified(id) != target
        {
            self.delete(target, None, readings);
        }
        // Under its own id it fills a place that was held back; what was shown already stays as it was.
        item::read(self, replacement, context, readings)
    }

    /// One message must vanish.
    pub(super) fn delete(
        &mut self,
        id: QualifiedId,
        author_id: Option<QualifiedId>,
        readings: &mut Vec<Reading>,
    ) {
        let message_id = self.twins.known_as(id);
        let delete = ChatDelete { message_id, platform: Platform::Youtube, author_id };
        push_event(EventBody::ChatDelete(delete), None, None, readings);
    }

    /// Everything of one viewer must vanish; the site does not say for how long.
    fn clear_user(&mut self, author: &str, context: &Context<'_>, readings: &mut Vec<Reading>) {
        if context.backlog {
            // Told again by a fresh page, at a time nobody knows: what was written since must stay.
            return;
        }
        let author_id = QualifiedId::new(Platform::Youtube, author);
        if self.cleared.len() >= MAX_CLEARED {
            self.cleared.clear();
        }
        if !self.cleared.insert(author_id.clone()) {
            return;
        }
        let clear = ChatClearUser { platform: Platform::Youtube, author_id, seconds: None };
        // The site does not say when: whatever was written before now, and comes late, is meant too.
        let at = Some(context.received_at);
        push_event(EventBody::ChatClearUser(clear), at, None, readings);
    }

    /// Somebody wrote something: should they be cleared again, that is no copy.
    pub(super) fn note_writer(&mut self, author: &Value) {
        if let Some(author) = author.as_str().filter(|_| !self.cleared.is_empty()) {
            self.cleared.remove(&QualifiedId::new(Platform::Youtube, author));
        }
    }

    /// Something nobody knows: named once.
    pub(super) fn tell_unknown(
        &mut self,
        kind: &str,
        context: &Context<'_>,
        readings: &mut Vec<Reading>,
    ) {
        let kind: String = text::of_plain(kind).text.chars().take(100).collect();
        if self.unknown.len() >= MAX_UNKNOWN || !self.unknown.insert(kind.clone()) {
            return;
        }
        let id = QualifiedId::new(
            Platform::Youtube,
            &format!("unknown-{kind}-{}", context.received_at.unix_ms()),
        );
        let mut activity = context.activity(ActivityKind::Other, &kind, id, None, None);
        activity.system_text = format!("YouTube sent something new: {kind}");
        push_activity(activity, readings);
    }
}

/// The name of the one thing in an object.
pub(super) fn first_key(object: &Value) -> Option<&str> {
    object.as_object()?.keys().next().map(String::as_str)
}
