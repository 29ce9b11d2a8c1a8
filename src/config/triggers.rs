//! `config/triggers.json`: what is done about what is said, in every room or in single ones.

use std::{collections::HashSet, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{CreatorId, trigger::Trigger};

/// `config/triggers.json`: triggers of the operator's. Those of a page come behind them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TriggersConfig {
    /// In the order they are tried: the first that fits acts.
    #[schemars(length(max = 1_000))]
    pub triggers: Vec<Arc<Trigger>>,
}

impl TriggersConfig {
    /// Those for a room, in their order.
    pub fn of_room(&self, room: &CreatorId) -> impl Iterator<Item = &Arc<Trigger>> {
        let is_for = move |it: &&Arc<Trigger>| it.creator_id.as_ref().is_none_or(|id| id == room);
        self.triggers.iter().filter(is_for)
    }

    /// What is wrong between values that are right by themselves: JSON pointer and message.
    pub(super) fn check(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        for (at, trigger) in self.triggers.iter().enumerate() {
            let place = format!("/triggers/{at}");
            let of_trigger = trigger.check().into_iter();
            found.extend(of_trigger.map(|(rest, it)| (format!("{place}{rest}"), it)));
            // Those for every room are in each: a name is good once.
            if !seen.insert((trigger.trigger_id.as_str(), trigger.creator_id.as_ref())) {
                let message = format!("`{}` is there already", trigger.trigger_id);
                found.push((format!("{place}/trigger_id"), message));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_room_has_those_for_all_and_its_own_in_the_order_of_the_file() {
        let trigger = |id: &str, room: Option<&str>| {
            json!({"trigger_id": id, "creator_id": room, "type": "command", "command": id,
                "actions": [{"action_type": "reply", "payload": {"text": "x"}}]})
        };
        let all = [trigger("a", None), trigger("b", Some("ana")), trigger("c", Some("ben"))];
        let config: TriggersConfig = serde_json::from_value(json!({ "triggers": all })).unwrap();
        assert_eq!(config.check(), []);
        let of = |room: &str| {
            let room = room.parse().unwrap();
            config.of_room(&room).map(|it| it.trigger_id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(
            (of("ana"), of("x")),
            (vec!["a".to_owned(), "b".to_owned()], vec!["a".to_owned()])
        );

        let twice = json!({ "triggers": [trigger("a", None), trigger("a", None)] });
        let config: TriggersConfig = serde_json::from_value(twice).unwrap();
        assert_eq!(
            config.check(),
            [("/triggers/1/trigger_id".to_owned(), "`a` is there already".to_owned())]
        );
    }
}
