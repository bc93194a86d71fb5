//! A stream whose writes must make progress.
//!
//! A peer that requests a page and then reads nothing would hold a connection, a permit and a connection to Graph. A
//! timeout on the whole response would cut slow links. This one only requires that the peer takes some bytes in time.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// Fails a write, flush or shutdown that makes no progress for a given time.
#[derive(Debug)]
pub struct StallGuard<S> {
    stream: S,
    limit: Duration,
    /// Invariant: armed exactly while the last write-side call was pending.
    deadline: Pin<Box<Sleep>>,
    armed: bool,
}

impl<S> StallGuard<S> {
    /// Guards `stream`.
    pub fn new(stream: S, limit: Duration) -> Self {
        Self { stream, limit, deadline: Box::pin(tokio::time::sleep(limit)), armed: false }
    }

    /// Returns `polled`, or [`io::ErrorKind::TimedOut`] if it has been pending for too long.
    fn watch<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.armed = false;
            return polled;
        }
        if !self.armed {
            self.armed = true;
            self.deadline.as_mut().reset(Instant::now() + self.limit);
        }
        self.deadline.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for StallGuard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for StallGuard<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch(cx, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.watch(cx, polled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    /// Short enough to wait for in a test, and long compared to the scheduler's delays.
    const LIMIT: Duration = Duration::from_millis(400);

    /// Fault: a peer takes no byte of what is written to it. Outcome: writing fails when the time limit is over.
    #[tokio::test]
    async fn a_peer_that_takes_nothing_is_cut_after_the_limit() {
        let (near, _far) = duplex(4);
        let mut guarded = StallGuard::new(near, LIMIT);
        let began = Instant::now();
        let error = guarded.write_all(b"12345678").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(began.elapsed() >= LIMIT);
    }

    /// Fault: a peer reads slowly, for longer than the time limit. Outcome: the peer is served.
    #[tokio::test]
    async fn a_slow_peer_is_served_for_longer_than_the_limit() {
        let (near, mut far) = duplex(1);
        let mut guarded = StallGuard::new(near, LIMIT);
        let began = Instant::now();
        let reader = tokio::spawn(async move {
            while began.elapsed() < LIMIT * 2 {
                tokio::time::sleep(LIMIT / 20).await;
                far.read_u8().await.unwrap();
            }
        });
        let mut error = None;
        while error.is_none() {
            error = guarded.write_all(b"1").await.err();
        }
        reader.await.unwrap();
        assert_eq!(error.unwrap().kind(), io::ErrorKind::BrokenPipe, "the reader left first");
    }

    #[tokio::test]
    async fn a_pause_between_writes_is_not_a_stall() {
        let (near, _far) = duplex(4);
        let mut guarded = StallGuard::new(near, LIMIT);
        guarded.write_all(b"12").await.unwrap();
        tokio::time::sleep(LIMIT * 2).await;
        guarded.write_all(b"34").await.unwrap();
    }

    #[tokio::test]
    async fn reading_is_not_guarded() {
        let (near, mut far) = duplex(4);
        let mut guarded = StallGuard::new(near, LIMIT);
        let writer = tokio::spawn(async move {
            tokio::time::sleep(LIMIT * 2).await;
            far.write_u8(7).await.unwrap();
        });
        assert_eq!(guarded.read_u8().await.unwrap(), 7);
        writer.await.unwrap();
    }
}
