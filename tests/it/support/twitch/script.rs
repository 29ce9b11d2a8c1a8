//! What the stand-in says.

use std::time::Instant;

use streamsuites::model::Timestamp;

use super::Seen;

/// A stable number for a name.
pub(crate) fn number_of(name: &str) -> u32 {
    1000 + name.bytes().fold(7_u32, |sum, it| (sum * 31 + u32::from(it)) % 8_999)
}

/// A chat line of now, line end included.
pub(crate) fn privmsg(channel: &str, id: &str, login: &str, text: &str) -> String {
    privmsg_at(channel, id, login, text, Timestamp::now())
}

/// A chat line of a moment.
pub(crate) fn privmsg_at(
    channel: &str,
    id: &str,
    login: &str,
    text: &str,
    sent_at: Timestamp,
) -> String {
    format!(
        "@badge-info=;badges=;color=#19AEF0;display-name={login};emotes=;first-msg=0;flags=;id={id};mod=0;\
         returning-chatter=0;room-id={};subscriber=0;tmi-sent-ts={};turbo=0;user-id={};user-type= \
         :{login}!{login}@{login}.tmi.twitch.tv PRIVMSG #{channel} :{text}\r\n",
        number_of(channel),
        sent_at.unix_ms(),
        number_of(login),
    )
}

/// What Twitch answers to a JOIN.
pub(super) fn join_answer(nick: &str, channel: &str) -> String {
    format!(
        ":{nick}!{nick}@{nick}.tmi.twitch.tv JOIN #{channel}\r\n\
         :{nick}.tmi.twitch.tv 353 {nick} = #{channel} :{nick}\r\n\
         :{nick}.tmi.twitch.tv 366 {nick} #{channel} :End of /NAMES list\r\n\
         @emote-only=0;followers-only=-1;r9k=0;room-id={};slow=0;subs-only=0 \
         :tmi.twitch.tv ROOMSTATE #{channel}\r\n",
        number_of(channel)
    )
}

/// The answer to a line of a client, and whether the connection ends behind it.
pub(super) fn answer(seen: &mut Seen, number: usize, line: &str) -> (String, bool) {
    let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
    let nick = seen.connections[number].nick.clone().unwrap_or_default();
    let mut text = String::new();
    match command {
        "CAP" => {
            text = ":tmi.twitch.tv CAP * ACK :twitch.tv/tags twitch.tv/commands\r\n".to_owned();
        }
        "PASS" => seen.connections[number].pass = Some(rest.to_owned()),
        "NICK" => {
            seen.connections[number].nick = Some(rest.to_owned());
            if let Some(notice) = &seen.refuse_login {
                return (format!(":tmi.twitch.tv NOTICE * :{notice}\r\n"), true);
            }
            for (numeric, words) in [
                ("001", ":Welcome, GLHF!"),
                ("002", ":Your host is tmi.twitch.tv"),
                ("003", ":This server is rather new"),
                ("004", ":-"),
                ("375", ":-"),
                ("372", ":You are in a maze of twisty passages, all alike."),
                ("376", ":>"),
            ] {
                text.push_str(&format!(":tmi.twitch.tv {numeric} {rest} {words}\r\n"));
            }
        }
        "JOIN" => {
            for channel in rest.split(',').map(|it| it.trim().trim_start_matches('#')) {
                seen.joins.push((number, channel.to_owned(), Instant::now()));
                if seen.ignored.contains(channel) {
                    continue;
                }
                if seen.hold_joins {
                    seen.connections[number].pending.push(channel.to_owned());
                    continue;
                }
                text.push_str(&join_answer(&nick, channel));
                seen.connections[number].joined.insert(channel.to_owned());
            }
        }
        "PART" => {
            for channel in rest.split(',').map(|it| it.trim().trim_start_matches('#')) {
                seen.parts.push(channel.to_owned());
                seen.connections[number].joined.remove(channel);
                text.push_str(&format!(":{nick}!{nick}@{nick}.tmi.twitch.tv PART #{channel}\r\n"));
            }
        }
        "PING" => {
            seen.pings += 1;
            text = format!(":tmi.twitch.tv PONG tmi.twitch.tv {rest}\r\n");
        }
        "PONG" => seen.pongs.push(rest.to_owned()),
        "PRIVMSG" => {
            let (channel, words) = rest.split_once(" :").unwrap_or((rest, ""));
            let channel = channel.trim_start_matches('#').to_owned();
            let id = format!("irc-{}", seen.said.len());
            seen.said.push((nick.clone(), channel.clone(), words.to_owned()));
            if let Some(notice) = &seen.refuse_words {
                text = format!("@msg-id=msg_x :tmi.twitch.tv NOTICE #{channel} :{notice}\r\n");
            } else {
                text = format!("@badges=;mod=0;id={id} :tmi.twitch.tv USERSTATE #{channel}\r\n");
                // Everybody but the connection it came over hears it.
                let line = privmsg(&channel, &id, &nick, words);
                for (other, connection) in seen.connections.iter().enumerate() {
                    if other != number && !connection.closed && connection.joined.contains(&channel)
                    {
                        let _ = connection.out.send(super::Out::Bytes(line.clone().into_bytes()));
                    }
                }
            }
        }
        _ => {}
    }
    if seen.mute {
        text.clear();
    }
    (text, false)
}
