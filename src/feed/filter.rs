//! Which events a reader wants.

use crate::model::Platform;

/// Event types by prefix and platforms by name; empty lists want everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    types: Vec<String>,
    platforms: Vec<Platform>,
}

impl Filter {
    /// From the query's `types=a,b` and `platforms=a,b`.
    ///
    /// # Errors
    /// The word that names no platform.
    pub fn parse(
        types: Option<&str>,
        platforms: Option<&str>,
    ) -> Result<Self, crate::model::platform::UnknownPlatform> {
        fn words(list: Option<&str>) -> impl Iterator<Item = &str> {
            list.unwrap_or_default().split(',').map(str::trim).filter(|it| !it.is_empty())
        }
        let mut types: Vec<String> = words(types).map(str::to_owned).collect();
        types.sort_unstable();
        types.dedup();
        let mut platforms = words(platforms).map(str::parse).collect::<Result<Vec<_>, _>>()?;
        platforms.sort_unstable();
        platforms.dedup();
        Ok(Self { types, platforms })
    }

    /// Whether everything is wanted.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.types.is_empty() && self.platforms.is_empty()
    }

    /// Whether an event of this type and platform is wanted. What concerns no platform concerns all.
    #[must_use]
    pub fn wants(&self, kind: &str, platform: Option<Platform>) -> bool {
        (self.types.is_empty() || self.types.iter().any(|it| kind.starts_with(it.as_str())))
            && platform.is_none_or(|it| self.platforms.is_empty() || self.platforms.contains(&it))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_wanted_by_its_prefix() {
        let filter = Filter::parse(Some("chat, activity"), Some("twitch")).unwrap();
        assert!(filter.wants("chat.message", Some(Platform::Twitch)));
        assert!(filter.wants("chat.clear", None));
        assert!(!filter.wants("chat.message", Some(Platform::Kick)));
        assert!(!filter.wants("room.state", Some(Platform::Twitch)));
        assert!(Filter::parse(Some(""), None).unwrap().is_all());
        assert!(Filter::parse(None, Some("myspace")).is_err());
    }
}
