//! People with accounts, made without their pages.

use serde_json::json;
use streamsuites::{
    accounts::{Account, NewSession, Surface},
    model::Timestamp,
};

use super::{TestServer, browser::Page};

/// Somebody with an account, who is signed in.
pub(crate) struct Person {
    /// The code of the account.
    pub(crate) code: String,
    cookie: String,
}

impl TestServer {
    /// An account of that name and address.
    pub(crate) async fn put_person(&self, name: &str, email: &str) -> Person {
        let account = Account::new(Some(email.parse().unwrap()), name, Timestamp::now());
        let made = self.server.accounts.change(|change| {
            let account = change.put_account(account)?;
            let new = NewSession {
                surface: Surface::Public,
                method: "password".to_owned(),
                address: None,
                user_agent: String::new(),
                days: 7,
            };
            let (secret, _) = change.open_session(account.id, new);
            Ok((account.user_code.to_string(), secret.expose().to_owned()))
        });
        let (code, cookie) = made.await.unwrap();
        Person { code, cookie }
    }
}

impl Page {
    /// Makes whoever uses this page's browser that person. The page is one of the server's.
    pub(crate) async fn become_person(&self, person: &Person) {
        let cookie = json!(format!("streamsuites_session={}; path=/", person.cookie));
        self.eval(&format!("void (document.cookie = {cookie})")).await;
    }
}
