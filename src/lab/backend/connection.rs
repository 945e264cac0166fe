//! Connections that a handler can cut.
//!
//! In: accepted TCP connections. Out: a stream for the HTTP server and a [`Connection`] for the handler of each request on it.
//! After [`Connection::cut`] no byte is read or written any more and the socket is closed, so the client sees a lost
//! connection and never an answer. Knows nothing of HTTP.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How long the listener rests after the system refused to accept, for example with no file handle left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

#[derive(Debug, Default)]
struct Cut {
    done: AtomicBool,
    waker: AtomicWaker,
}

/// The handler's side of one client connection.
#[derive(Debug, Clone)]
pub(super) struct Connection(Arc<Cut>);

impl Connection {
    /// Closes the socket without another byte.
    pub(super) fn cut(&self) {
        self.0.done.store(true, Ordering::Release);
        self.0.waker.wake();
    }
}

impl Connected<IncomingStream<'_, CuttingListener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, CuttingListener>) -> Self {
        Self(Arc::clone(&stream.io().cut))
    }
}

/// The server's side of one client connection.
#[derive(Debug)]
pub(super) struct CuttableStream {
    stream: TcpStream,
    cut: Arc<Cut>,
    /// Lives as long as the socket; see [`Open::closed`].
    _open: watch::Receiver<()>,
}

impl CuttableStream {
    fn check(&self, cx: &Context<'_>) -> io::Result<()> {
        // Registered before the flag is read, so a cut in between still wakes this task.
        self.cut.waker.register(cx.waker());
        if self.cut.done.load(Ordering::Acquire) {
            return Err(io::Error::new(io::ErrorKind::ConnectionReset, "cut by the stand-in"));
        }
        Ok(())
    }
}

impl AsyncRead for CuttableStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.check(cx)?;
        Pin::new(&mut this.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check(cx)?;
        Pin::new(&mut this.stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.check(cx)?;
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// All open connections of one server.
#[derive(Debug)]
pub(super) struct Open {
    cuts: Mutex<Vec<Weak<Cut>>>,
    alive: watch::Sender<()>,
}

impl Open {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { cuts: Mutex::new(Vec::new()), alive: watch::Sender::new(()) })
    }

    fn add(&self, stream: TcpStream) -> CuttableStream {
        let cut = Arc::new(Cut::default());
        let mut cuts = self.cuts.lock().unwrap_or_else(PoisonError::into_inner);
        cuts.retain(|known| known.strong_count() > 0);
        cuts.push(Arc::downgrade(&cut));
        CuttableStream { stream, cut, _open: self.alive.subscribe() }
    }

    /// Cuts every open connection.
    pub(super) fn cut_all(&self) {
        for cut in self.cuts.lock().unwrap_or_else(PoisonError::into_inner).drain(..).filter_map(|cut| cut.upgrade()) {
            Connection(cut).cut();
        }
    }

    /// Ends when no connection is open any more.
    pub(super) async fn closed(&self) {
        self.alive.closed().await;
    }
}

/// Accepts connections that can be cut.
#[derive(Debug)]
pub(super) struct CuttingListener {
    listener: TcpListener,
    open: Arc<Open>,
}

impl CuttingListener {
    pub(super) fn new(listener: TcpListener, open: Arc<Open>) -> Self {
        Self { listener, open }
    }
}

impl Listener for CuttingListener {
    type Io = CuttableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, from)) => {
                    // Small answers must not wait for Nagle; a socket that refuses the option still works.
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!("switching off Nagle for {from}: {error}");
                    }
                    return (self.open.add(stream), from);
                }
                Err(error) => {
                    tracing::warn!("accepting a connection: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}
