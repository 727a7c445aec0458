//! Connections: so many at once, none of them idle or half a request for long.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::apply::{Stop, Urgency};

/// So many connections at once; more wait until one ends.
const CONNECTIONS: usize = 256;
/// The most time until the head of a request is there, also on a connection that had requests before.
const HEAD: Duration = Duration::from_secs(30);
/// After a failure to accept, such as too many open files.
const PAUSE: Duration = Duration::from_millis(200);
/// How long requests in flight may take when the process stops.
const GRACE: Duration = Duration::from_secs(2);

/// Accepts connections until the process stops.
pub(super) async fn serve(listener: TcpListener, app: Router, stop: &Stop) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.until(Urgency::Finish) => break,
            // Whoever has ended is forgotten.
            Some(_) = connections.join_next() => continue,
            accepted = next(&listener, &room) => accepted,
        };
        match accepted {
            Some((stream, permit)) => {
                let (app, stop) = (app.clone(), stop.clone());
                connections.spawn(async move {
                    connection(stream, app, &stop).await;
                    drop(permit);
                });
            }
            None => tokio::time::sleep(PAUSE).await,
        }
    }
    let rest = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, rest).await;
}

async fn next(listener: &TcpListener, room: &Arc<Semaphore>) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
        Err(error) => {
            tracing::debug!(%error, "a connection to the status server failed");
            None
        }
    }
}

async fn connection(stream: TcpStream, app: Router, stop: &Stop) {
    // Small answers leave at once, or later; either is fine.
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(app);
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.until(Urgency::Finish) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the status server broke");
    }
}
