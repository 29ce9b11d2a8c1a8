//! Whether the site's chat still looks as it is understood.
//!
//! The site promises nothing. What changes bit by bit is no fault as long as it is little: an unknown kind is
//! told as such. When most of what comes is unknown, or lacks what it always had, the chat is not read any
//! more, however well the answers arrive.

use serde_json::Value;

use super::trouble::Trouble;

/// The kinds of items that are understood: the keys of `addChatItemAction.item`.
pub const KNOWN_ITEMS: &[&str] = &[
    "liveChatTextMessageRenderer",
    "liveChatPaidMessageRenderer",
    "liveChatPaidStickerRenderer",
    "liveChatMembershipItemRenderer",
    "liveChatLegacyPaidMessageRenderer",
    "liveChatSponsorshipsGiftPurchaseAnnouncementRenderer",
    "liveChatSponsorshipsGiftRedemptionAnnouncementRenderer",
    "giftMessageViewModel",
    "liveChatPlaceholderItemRenderer",
    "liveChatViewerEngagementMessageRenderer",
    "liveChatModeChangeMessageRenderer",
    "liveChatDonationAnnouncementRenderer",
    "liveChatPurchasedProductMessageRenderer",
    "liveChatAutoModMessageRenderer",
];
/// Fewest items that a judgement is made from.
const LEAST_ITEMS: u32 = 10;
/// Items after which older ones count half.
const WINDOW_ITEMS: u32 = 200;

/// What was seen lately.
#[derive(Debug, Default)]
pub(super) struct Shape {
    seen: u32,
    strange: u32,
    /// The newest thing that was strange.
    example: String,
}

impl Shape {
    /// Takes in the actions of one answer.
    ///
    /// # Errors
    /// When most of the items that came lately are not what they were.
    pub(super) fn note(&mut self, actions: &[Value]) -> Result<(), Trouble> {
        for item in actions.iter().filter_map(|it| it.get("addChatItemAction")?.get("item")) {
            self.seen += 1;
            if let Some(strange) = strangeness(item) {
                self.strange += 1;
                self.example = strange;
            }
        }
        if self.seen >= WINDOW_ITEMS {
            self.seen /= 2;
            self.strange /= 2;
        }
        if self.seen >= LEAST_ITEMS && self.strange * 2 > self.seen {
            let trouble = format!("{} of {} items have {}", self.strange, self.seen, self.example);
            // Judged again by what comes from now on.
            *self = Self::default();
            return Err(Trouble::Shape(trouble));
        }
        Ok(())
    }
}

/// What is strange about an item: an unknown kind, or a message without what each has.
fn strangeness(item: &Value) -> Option<String> {
    let item = item.as_object()?;
    let Some((kind, renderer)) = item.iter().find(|it| KNOWN_ITEMS.contains(&it.0.as_str())) else {
        let kind: String = item.keys().next()?.chars().take(60).collect();
        return Some(format!("the unknown kind {kind}"));
    };
    if kind != "liveChatTextMessageRenderer" {
        return None;
    }
    let lacks = ["id", "timestampUsec", "authorExternalChannelId", "message"]
        .into_iter()
        .find(|it| renderer.get(it).is_none());
    lacks.map(|it| format!("no {it}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(id: &str) -> Value {
        json!({"addChatItemAction": {"item": {"liveChatTextMessageRenderer": {
            "id": id, "timestampUsec": "1", "authorExternalChannelId": "UC", "message": {"runs": []},
        }}}})
    }

    #[test]
    fn a_chat_of_mostly_unknown_items_changed_its_shape_and_a_few_do_not_matter() {
        let unknown = json!({"addChatItemAction": {"item": {"chatMessageViewModel": {"id": "1"}}}});
        let mut shape = Shape::default();
        let mixed: Vec<_> = (0..300)
            .map(|it| if it % 3 == 0 { unknown.clone() } else { text(&it.to_string()) })
            .collect();
        assert_eq!(mixed.chunks(7).map(|it| shape.note(it)).find(Result::is_err), None);
        let mut shape = Shape::default();
        let strange: Vec<_> = (0..LEAST_ITEMS).map(|_| unknown.clone()).collect();
        let trouble = shape.note(&strange).unwrap_err().to_string();
        assert!(trouble.contains("changed its shape") && trouble.contains("chatMessageViewModel"));
    }

    #[test]
    fn a_message_without_what_each_has_is_strange() {
        let mut bare = text("1");
        let renderer = &mut bare["addChatItemAction"]["item"]["liveChatTextMessageRenderer"];
        renderer.as_object_mut().unwrap().remove("authorExternalChannelId");
        let strange = vec![bare; LEAST_ITEMS as usize];
        let trouble = Shape::default().note(&strange).unwrap_err().to_string();
        assert!(trouble.contains("no authorExternalChannelId"), "{trouble}");
    }
}
