//! A connection that ends when its peer's key is taken out of the pins.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use symbolon_protocol::roster::PartyId;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::pins::Pins;

/// A TLS stream to or from `party`. Each read and write looks whether the key that the handshake
/// proved still stands for that party: a lock-out ends open connections too, not only new ones.
pub(crate) struct PinnedStream<S> {
    stream: S,
    pins: Pins,
    pin: [u8; 32],
    party: PartyId,
}

impl<S> PinnedStream<S> {
    pub(crate) fn new(stream: S, pins: Pins, pin: [u8; 32], party: PartyId) -> Self {
        Self {
            stream,
            pins,
            pin,
            party,
        }
    }

    pub(crate) fn party(&self) -> &PartyId {
        &self.party
    }

    fn standing(&self) -> io::Result<()> {
        if self.pins.holds(&self.pin, &self.party) {
            Ok(())
        } else {
            Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                format!("the key of {} is not in the roster any more", self.party),
            ))
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for PinnedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        // After the read: what came in while the key was pinned no longer is not passed on.
        if let Err(error) = self.standing() {
            buffer.set_filled(before);
            return Poll::Ready(Err(error));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PinnedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Err(error) = self.standing() {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
