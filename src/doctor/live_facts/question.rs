//! A question about Graph or Entra, as one value.

use super::fact::Fact;
use super::reply::Reply;

/// A question that no document settles. To ask one more, add a value in `questions`.
pub(super) struct Question {
    /// A short name, unique in the list.
    pub(super) name: &'static str,
    /// What it asks.
    pub(super) asks: &'static str,
    /// The application permission that its request needs, if any.
    pub(super) needs: Option<&'static str>,
    pub(super) get: Get,
    /// What the response shows.
    pub(super) read: fn(&Reply) -> Observed,
    /// What the sample tenant does: one of these. Empty if it does nothing of the kind.
    pub(super) assumes: &'static [Fact],
}

/// What a response shows, or why it shows nothing.
pub(super) type Observed = Result<Fact, Unclear>;

/// Why a response does not settle a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unclear {
    #[error("the mailbox or the group has too few objects to tell")]
    TooFew,
    #[error("the response has no such link: there are too few objects")]
    NoLink,
    #[error("the last page is not among the first ones that were read")]
    TooManyPages,
    #[error("the response is not readable JSON")]
    Unreadable,
}

/// A GET. Its target has placeholders: `{user}` is the id of the user who was found.
#[derive(Clone, Copy)]
pub(super) struct Get {
    pub(super) server: Server,
    pub(super) target: &'static str,
    /// Header lines, each sent as its own.
    pub(super) lines: &'static [(&'static str, &'static str)],
    pub(super) with_token: bool,
    /// How many pages to read, following next links.
    pub(super) pages: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Server {
    Graph,
    Entra,
}

impl Get {
    /// A request to Graph with the access token.
    pub(super) const fn graph(target: &'static str) -> Self {
        Self { server: Server::Graph, target, lines: &[], with_token: true, pages: 1 }
    }

    /// A request to Entra without a credential.
    pub(super) const fn entra(target: &'static str) -> Self {
        Self { server: Server::Entra, with_token: false, ..Self::graph(target) }
    }

    pub(super) const fn with(self, lines: &'static [(&'static str, &'static str)]) -> Self {
        Self { lines, ..self }
    }

    pub(super) const fn without_token(self) -> Self {
        Self { with_token: false, ..self }
    }

    pub(super) const fn pages(self, pages: usize) -> Self {
        Self { pages, ..self }
    }
}
