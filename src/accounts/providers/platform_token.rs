//! What a platform allows in a creator's name: kept sealed, handed out to who speaks there.

use serde::{Deserialize, Serialize};

use super::Providers;
use crate::{
    accounts::{
        Account, AccountId, Book, Change, Record,
        oauth::{Identity, PlatformTokens, Provider},
        sealed::{SealError, Sealed},
    },
    model::{CreatorId, Timestamp},
};

/// What a platform allows in the name of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformToken {
    /// Whose.
    pub account: AccountId,
    /// Which provider's platform.
    pub provider: Provider,
    /// Who they are there.
    pub subject: String,
    /// The tokens, for this account and provider alone.
    pub(super) sealed: Sealed,
    /// When these tokens were given.
    pub given_at: Timestamp,
    /// When the access token ends.
    pub expires_at: Timestamp,
    /// What they allow.
    pub scopes: Vec<String>,
    /// Since when the provider does not accept them any more: its owner must sign in there again.
    pub refused_at: Option<Timestamp>,
}

impl Record for PlatformToken {
    const KIND: &'static str = "platform_token";

    fn key(&self) -> String {
        row_key(self.account, self.provider)
    }
}

/// The name of the row.
pub(super) fn row_key(account: AccountId, provider: Provider) -> String {
    format!("{account}/{provider}")
}

impl PlatformToken {
    /// Whether its account still has that way in: what has no owner is given back.
    pub(super) fn is_owned(&self, book: &Book) -> bool {
        book.account(self.account).is_some_and(|it| self.belongs_to(it))
    }

    fn belongs_to(&self, account: &Account) -> bool {
        let same = |it: &crate::accounts::Linked| {
            it.provider == self.provider.as_str() && it.subject == self.subject
        };
        account.id == self.account && account.providers.iter().any(same)
    }
}

impl Providers {
    /// Keeps what came with a sign-in, in place of what was there.
    pub(super) fn keep(&self, change: &mut Change, account: AccountId, identity: &Identity) {
        let Some(tokens) = &identity.tokens else { return };
        let at = change.at();
        let row = self.sealed(account, identity.provider, &identity.subject, tokens, at);
        change.put(&row);
    }

    pub(super) fn sealed(
        &self,
        account: AccountId,
        provider: Provider,
        subject: &str,
        tokens: &PlatformTokens,
        at: Timestamp,
    ) -> PlatformToken {
        let words = serde_json::to_vec(tokens).expect("plain values always serialise");
        let owner = account.to_string();
        PlatformToken {
            account,
            provider,
            subject: subject.to_owned(),
            sealed: self.0.sealer.seal(&words, &[&owner, provider.as_str()]),
            given_at: at,
            expires_at: tokens.expires_at,
            scopes: tokens.scopes.clone(),
            refused_at: None,
        }
    }

    pub(super) fn unsealed(&self, row: &PlatformToken) -> Result<PlatformTokens, SealError> {
        let owner = row.account.to_string();
        let words = self.0.sealer.open(&row.sealed, &[&owner, row.provider.as_str()])?;
        serde_json::from_slice(&words).map_err(|_| SealError::Damaged)
    }

    /// The same row under the newest secret key; `None` when it is under that already.
    pub(super) fn resealed(&self, row: &PlatformToken) -> Result<Option<PlatformToken>, SealError> {
        let owner = row.account.to_string();
        let sealed = self.0.sealer.reseal(&row.sealed, &[&owner, row.provider.as_str()])?;
        Ok(sealed.map(|sealed| PlatformToken { sealed, ..row.clone() }))
    }

    /// What a platform allows in the name of an account, while it does.
    #[must_use]
    pub fn find_tokens(&self, account: AccountId, provider: Provider) -> Option<PlatformTokens> {
        let accounts = &self.0.accounts;
        let book = accounts.book();
        let owner = book.account(account).filter(|it| it.is_active())?;
        let row: PlatformToken = book.find(&row_key(account, provider))?;
        let good = row.belongs_to(owner) && row.refused_at.is_none();
        let tokens = self.unsealed(&row).ok().filter(|_| good)?;
        (accounts.now() < tokens.expires_at).then_some(tokens)
    }

    /// What a platform allows in the name of the account that owns a room.
    #[must_use]
    pub fn find_tokens_of_room(
        &self,
        room: &CreatorId,
        provider: Provider,
    ) -> Option<PlatformTokens> {
        let owner = self.0.accounts.book().find_by_room(room)?.id;
        self.find_tokens(owner, provider)
    }

    /// What is kept for an account, without the tokens.
    #[must_use]
    pub fn list_kept(&self, account: AccountId) -> Vec<PlatformToken> {
        let book = self.0.accounts.book();
        let mut kept: Vec<PlatformToken> = book.list(&format!("{account}/"));
        kept.retain(|it| it.is_owned(&book));
        kept
    }
}
