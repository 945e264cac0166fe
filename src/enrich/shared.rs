//! The enricher of the moment: names of accounts change while the agent runs.
//!
//! In: an enricher; later other names. Out: the enricher as it is now, for whoever keeps it while they read an object. What
//! always holds: what somebody holds never changes under their hands; nobody waits for new names.

use std::sync::{Arc, PoisonError, RwLock};

use super::{AccountNames, Enricher};

/// An enricher whose names of accounts can be exchanged.
#[derive(Debug)]
pub struct SharedEnricher {
    current: RwLock<Arc<Enricher>>,
}

impl SharedEnricher {
    /// The enricher of now. To be held for an object, not for ever.
    #[must_use]
    pub fn now(&self) -> Arc<Enricher> {
        // No code runs under the lock that could leave it half changed.
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Another one with the names of now.
    #[must_use]
    pub fn same(&self) -> Self {
        Self { current: RwLock::new(self.now()) }
    }

    /// From now on accounts have these names.
    pub fn rename(&self, accounts: AccountNames) {
        let renamed = Arc::new(self.now().with_accounts(accounts));
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = renamed;
    }
}

impl From<Enricher> for SharedEnricher {
    fn from(enricher: Enricher) -> Self {
        Self { current: RwLock::new(Arc::new(enricher)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enrich::AccountRow;

    #[test]
    fn who_holds_an_enricher_keeps_its_names_and_who_asks_again_has_new_ones() {
        let shared = SharedEnricher::from(Enricher::new(AccountNames::default(), "UTC").expect("a zone"));
        let held = shared.now();
        let row = AccountRow { id: "111122223333".to_owned(), name: Some("prod".to_owned()), ..AccountRow::default() };
        shared.rename(AccountNames::default().with(vec![row]));
        assert_eq!((held.account("111122223333").name, shared.now().account("111122223333").name), ("111122223333", "prod"));
    }
}
