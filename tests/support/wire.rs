//! An HTTP/2 upstream that a test writes frame by frame, for what libraries refuse to do: it leaves pings unanswered, ends
//! connections at any moment, and changes its limits at will.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::server::TlsStream;

use super::h2::Http2Server;

/// Frame types (RFC 9113 section 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

pub(crate) const NO_ERROR: u32 = 0;
pub(crate) const REFUSED_STREAM: u32 = 7;
pub(crate) const CANCEL: u32 = 8;

impl Http2Server {
    /// A server that runs `serve` for each connection, with its number from 0, and writes each frame itself.
    pub(crate) async fn framed<S>(serve: impl Fn(usize, Wire) -> S + Send + Sync + 'static) -> Self
    where
        S: Future<Output = Option<()>> + Send + 'static,
    {
        let serve = Arc::new(serve);
        Self::start(move |number, stream| {
            let serve = Arc::clone(&serve);
            async move { serve(number, Wire::new(stream).await?).await }
        })
        .await
    }
}

/// The server's side of one connection. Every method returns `None` when the client is gone.
pub(crate) struct Wire {
    stream: TlsStream<TcpStream>,
    unread: BytesMut,
}

impl Wire {
    /// Reads the client's preface.
    async fn new(mut stream: TlsStream<TcpStream>) -> Option<Self> {
        let mut preface = [0; 24];
        stream.read_exact(&mut preface).await.ok()?;
        assert_eq!(&preface, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        Some(Self { stream, unread: BytesMut::new() })
    }

    /// Says how many streams the client may have.
    pub(crate) async fn allow(&mut self, streams: u32) -> Option<()> {
        // SETTINGS_MAX_CONCURRENT_STREAMS.
        let payload = [&3u16.to_be_bytes()[..], &streams.to_be_bytes()].concat();
        self.send(SETTINGS, 0, 0, &payload).await
    }

    /// The stream of the next request. Acknowledges settings and pings meanwhile.
    pub(crate) async fn request(&mut self) -> Option<u32> {
        loop {
            let (kind, flags, stream, payload) = self.receive().await?;
            match kind {
                HEADERS => return Some(stream),
                SETTINGS | PING if flags & ACK == 0 => {
                    let payload = if kind == PING { &payload[..] } else { &[] };
                    self.send(kind, ACK, 0, payload).await?;
                }
                _ => {}
            }
        }
    }

    /// 200 with an empty collection.
    pub(crate) async fn respond(&mut self, stream: u32) -> Option<()> {
        self.head(stream).await?;
        self.send(DATA, END_STREAM, stream, br#"{"value":[]}"#).await
    }

    /// The head of a response, of which a body follows.
    pub(crate) async fn head(&mut self, stream: u32) -> Option<()> {
        // `:status: 200` is entry 8 of HPACK's static table (RFC 7541 appendix A).
        self.send(HEADERS, END_HEADERS, stream, &[0x88]).await
    }

    /// A part of a body.
    pub(crate) async fn data(&mut self, stream: u32, part: &[u8]) -> Option<()> {
        self.send(DATA, 0, stream, part).await
    }

    pub(crate) async fn reset(&mut self, stream: u32, code: u32) -> Option<()> {
        self.send(RST_STREAM, 0, stream, &code.to_be_bytes()).await
    }

    /// Says that no stream after `last` was or will be processed.
    pub(crate) async fn go_away(&mut self, last: u32, code: u32) -> Option<()> {
        self.send(GOAWAY, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat()).await
    }

    /// Closes the connection with a TCP reset.
    pub(crate) fn kill(self) {
        self.stream.get_ref().0.set_zero_linger().unwrap();
    }

    /// Sends and reads nothing any more, but leaves the connection open.
    pub(crate) async fn fall_silent(self) -> Option<()> {
        let _open = self;
        std::future::pending().await
    }

    /// Responds to each request after `delay`; refuses those that are more than `limit` at a time, and counts them.
    pub(crate) async fn serve(mut self, limit: usize, delay: Duration, refused: &AtomicUsize) -> Option<()> {
        let mut running = std::collections::VecDeque::<(Instant, u32)>::new();
        loop {
            let due = running.front().map(|(due, _)| *due);
            let next = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                stream = self.request() => {
                    let stream = stream?;
                    if running.len() < limit {
                        running.push_back((Instant::now() + delay, stream));
                    } else {
                        refused.fetch_add(1, Ordering::SeqCst);
                        self.reset(stream, REFUSED_STREAM).await?;
                    }
                }
                () = next => {
                    let (_, stream) = running.pop_front().unwrap();
                    self.respond(stream).await?;
                }
            }
        }
    }

    /// The next frame: type, flags, stream, payload. Loses nothing when it is dropped.
    async fn receive(&mut self) -> Option<(u8, u8, u32, BytesMut)> {
        loop {
            if let [a, b, c, ..] = self.unread[..] {
                let length = u32::from_be_bytes([0, a, b, c]) as usize;
                if self.unread.len() >= 9 + length {
                    let mut head = self.unread.split_to(9);
                    head.advance(3);
                    let (kind, flags) = (head.get_u8(), head.get_u8());
                    return Some((kind, flags, head.get_u32(), self.unread.split_to(length)));
                }
            }
            if self.stream.read_buf(&mut self.unread).await.ok()? == 0 {
                return None;
            }
        }
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Option<()> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let frame = [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat();
        self.stream.write_all(&frame).await.ok()?;
        self.stream.flush().await.ok()
    }
}
