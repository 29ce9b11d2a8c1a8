//! A chat of Twitch's, as far as reading one asks it: what is said there goes the whole way, past everybody who listens.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
};

use super::DEADLINE;

/// The stand-in. Everybody who joins is in the same chat.
pub(crate) struct Chat {
    /// For `STREAMSUITES__PLATFORMS__TWITCH__IRC_URL`.
    pub(crate) url: String,
    said: Arc<Mutex<u32>>,
    readers: watch::Receiver<Vec<mpsc::UnboundedSender<String>>>,
}

impl Chat {
    /// On any free port.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("irc://{}", listener.local_addr().unwrap());
        let (joined, readers) = watch::channel(Vec::new());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, joined.clone()));
            }
        });
        Self { url, said: Arc::default(), readers }
    }

    /// Waits until somebody reads it.
    pub(crate) async fn until_read(&mut self) {
        let read = self.readers.wait_for(|it| !it.is_empty());
        drop(
            tokio::time::timeout(DEADLINE, read)
                .await
                .expect("nobody came to read the chat")
                .unwrap(),
        );
    }

    /// A viewer of that name, whose login it is in lower case, says something.
    pub(crate) fn say(&self, name: &str, text: &str) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        *said += 1;
        let login = name.to_lowercase();
        let user_id = login.bytes().fold(7_u32, |sum, it| (sum * 31 + u32::from(it)) % 8_999);
        let line = format!(
            "@badge-info=;badges=;color=;display-name={name};emotes=;id=said-{said};mod=0;room-id=1001;subscriber=0;\
             tmi-sent-ts={};turbo=0;user-id={user_id};user-type= :{login}!{login}@{login}.tmi.twitch.tv PRIVMSG #ana :{text}\r\n",
            streamsuites::model::Timestamp::now().unix_ms(),
        );
        for reader in self.readers.borrow().iter() {
            // One that is gone hears nothing.
            let _ = reader.send(line.clone());
        }
    }
}

async fn serve(stream: TcpStream, joined: watch::Sender<Vec<mpsc::UnboundedSender<String>>>) {
    let (reading, writing) = stream.into_split();
    let (out, outbox) = mpsc::unbounded_channel();
    tokio::select! {
        () = read(reading, out, joined) => {}
        () = write(writing, outbox) => {}
    }
}

async fn read(
    reading: OwnedReadHalf,
    out: mpsc::UnboundedSender<String>,
    joined: watch::Sender<Vec<mpsc::UnboundedSender<String>>>,
) {
    let mut lines = BufReader::new(reading).lines();
    let mut nick = String::new();
    while let Ok(Some(line)) = lines.next_line().await {
        let (command, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let answer = match command {
            "CAP" => ":tmi.twitch.tv CAP * ACK :twitch.tv/tags twitch.tv/commands\r\n".to_owned(),
            "NICK" => {
                rest.clone_into(&mut nick);
                format!(
                    ":tmi.twitch.tv 001 {nick} :Welcome, GLHF!\r\n:tmi.twitch.tv 376 {nick} :>\r\n"
                )
            }
            "PING" => format!(":tmi.twitch.tv PONG tmi.twitch.tv {rest}\r\n"),
            "JOIN" => rest.split(',').map(|it| join_answer(&nick, it)).collect(),
            _ => continue,
        };
        let _ = out.send(answer);
        if command == "JOIN" {
            joined.send_modify(|it| it.push(out.clone()));
        }
    }
}

fn join_answer(nick: &str, channel: &str) -> String {
    format!(
        ":{nick}!{nick}@{nick}.tmi.twitch.tv JOIN {channel}\r\n\
         :{nick}.tmi.twitch.tv 366 {nick} {channel} :End of /NAMES list\r\n\
         @emote-only=0;followers-only=-1;r9k=0;room-id=1001;slow=0;subs-only=0 :tmi.twitch.tv ROOMSTATE {channel}\r\n"
    )
}

async fn write(mut writing: OwnedWriteHalf, mut outbox: mpsc::UnboundedReceiver<String>) {
    while let Some(text) = outbox.recv().await {
        if writing.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}
