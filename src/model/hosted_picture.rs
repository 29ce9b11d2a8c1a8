//! Pictures that platforms and emote providers host: named in their messages by address, shown from here.
//!
//! A page has one origin, so an address of a platform becomes a path of this server. Only hosts of this list
//! are ever asked for a picture, so no chat line can make the server fetch from somewhere else.

/// The hosts; one that begins with a dot stands for every host that ends so.
const HOSTS: &[&str] = &[
    // YouTube: avatars, emoji, badges, stickers
    ".ggpht.com",
    ".googleusercontent.com",
    "www.youtube.com",
    ".ytimg.com",
    "www.gstatic.com",
    "fonts.gstatic.com",
    // Kick
    ".kick.com",
    "kick.com",
    "dbxmjjzl5pc1g.cloudfront.net",
    // Rumble
    "rumble.com",
    ".rumble.com",
    ".rmbl.ws",
    ".1a-1791.com",
    // Pilled
    ".pilled.net",
    // Twitch
    ".jtvnw.net",
    ".twitchcdn.net",
    // Emotes
    "cdn.7tv.app",
    "cdn.betterttv.net",
    "cdn.frankerfacez.com",
];
/// Longest path with query (bytes).
const MAX_PATH_BYTES: usize = 1_024;

/// The address of a picture on a host of the list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostedPicture {
    host: String,
    /// With its slash in front, and with its query.
    path: String,
}

impl HostedPicture {
    /// By its address: `https://…`, `http://…` (which is asked for over TLS all the same), or `//…`.
    /// `None` when its host is not of the list.
    #[must_use]
    pub fn find(url: &str) -> Option<Self> {
        let rest = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"))
            .or_else(|| url.strip_prefix("//"))?;
        let (host, path) = rest.split_at(rest.find('/')?);
        Self::new(host, path)
    }

    /// By its parts, as [`HostedPicture::media_path`] put them together: the host, and the path with its
    /// query, decoded.
    #[must_use]
    pub fn new(host: &str, path: &str) -> Option<Self> {
        let host = host.to_ascii_lowercase();
        let path = path.split('#').next()?;
        let plain = |it: u8| it.is_ascii_graphic() && !matches!(it, b'\\' | b'"' | b'<' | b'>');
        let valid = is_listed(&host)
            && path.starts_with('/')
            && path.len() > 1
            && path.len() <= MAX_PATH_BYTES
            && path.bytes().all(plain)
            && !path.split(['/', '?']).any(|it| matches!(it, "." | ".."));
        valid.then(|| Self { host, path: path.to_owned() })
    }

    /// Whose it is.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Where it is there: path and query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}{}", self.host, self.path)
    }

    /// The same without movement, where its host has one.
    #[must_use]
    pub fn still(mut self) -> Self {
        match self.host.as_str() {
            "cdn.7tv.app" if !self.path.contains("_static.") => {
                if let Some((stem, ending)) = self.path.rsplit_once('.') {
                    self.path = format!("{stem}_static.{ending}");
                }
            }
            "cdn.frankerfacez.com" => self.path = self.path.replacen("/animated/", "/", 1),
            _ => {}
        }
        self
    }

    /// Where this server serves it: `/media/at/HOST/PATH`, the path as one segment.
    #[must_use]
    pub fn media_path(&self) -> String {
        let mut path = format!("/media/at/{}/", self.host);
        for byte in self.path[1..].bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'=') {
                path.push(char::from(byte));
            } else {
                path.push_str(&format!("%{byte:02X}"));
            }
        }
        path
    }
}

fn is_listed(host: &str) -> bool {
    let plain = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'-');
    host.bytes().all(plain)
        && HOSTS.iter().any(|it| match it.strip_prefix('.') {
            Some(_) => host.ends_with(it) && host.len() > it.len(),
            None => host == *it,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_of_a_listed_host_becomes_a_path_of_this_server_and_back() {
        let url = "https://yt3.ggpht.com/ytc/abc_-d=s64-c-k?a=1&b=/2";
        let picture = HostedPicture::find(url).unwrap();
        assert_eq!(picture.url(), url);
        assert_eq!(
            picture.media_path(),
            "/media/at/yt3.ggpht.com/ytc%2Fabc_-d=s64-c-k%3Fa=1%26b=%2F2"
        );
        assert_eq!(HostedPicture::new("yt3.ggpht.com", picture.path()), Some(picture));
        let relative = HostedPicture::find("//cdn.7tv.app/emote/1/2x.webp").unwrap();
        assert_eq!(relative.url(), "https://cdn.7tv.app/emote/1/2x.webp");
    }

    #[test]
    fn the_still_picture_is_where_its_host_keeps_it() {
        let still = |url: &str| HostedPicture::find(url).unwrap().still().url();
        let seventv = "https://cdn.7tv.app/emote/1/3x_static.webp";
        assert_eq!(still("https://cdn.7tv.app/emote/1/3x.webp"), seventv);
        assert_eq!(still(seventv), seventv);
        assert_eq!(
            still("https://cdn.frankerfacez.com/emote/1/animated/4"),
            "https://cdn.frankerfacez.com/emote/1/4"
        );
    }

    #[test]
    fn no_other_host_is_ever_asked() {
        for url in [
            "https://example.org/a.png",
            "https://ggpht.com.example.org/a",
            "https://evilggpht.com/a",
            "https://.ggpht.com/a",
            "https://user@yt3.ggpht.com/a",
            "https://yt3.ggpht.com:8443/a",
            "https://yt3.ggpht.com",
            "https://yt3.ggpht.com/",
            "https://yt3.ggpht.com/a/../b",
            "https://yt3.ggpht.com/a b",
            "https://yt3.ggpht.com\\@example.org/a",
            "https://127.0.0.1/a",
            "ftp://yt3.ggpht.com/a",
            "data:image/gif;base64,R0lGODlh",
        ] {
            assert_eq!(HostedPicture::find(url), None, "{url}");
        }
    }
}
