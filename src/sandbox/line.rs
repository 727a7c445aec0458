//! TCP connections that can be cut: the way to fail without answering.
//!
//! HTTP libraries turn every failure into a response. Here a request's handler may reset the connection it came
//! in on, as a crashing server or a middlebox does: the next read or write fails, and the peer gets an RST.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// One connection.
#[derive(Debug)]
pub(super) struct Line {
    stream: TcpStream,
    plug: Plug,
}

/// Cuts a connection; each request has the plug of its own connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Plug(Arc<AtomicBool>);

impl Plug {
    pub(super) fn pull(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Line {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, plug: Plug::default() }
    }

    /// What cuts it.
    pub(super) fn plug(&self) -> Plug {
        self.plug.clone()
    }

    fn alive(&self) -> io::Result<()> {
        if !self.plug.0.load(Ordering::SeqCst) {
            return Ok(());
        }
        // Without this the peer would see an orderly end. If it fails, an orderly end it is.
        let _ = self.stream.set_zero_linger();
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.alive()?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.alive()?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.alive()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.alive()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.alive()?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
