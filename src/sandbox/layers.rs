//! What every request passes on its way in: the count, the token, the faults, the end of the server's life.

use std::sync::{Arc, PoisonError};

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::body;
use super::faults::{self, Fate};
use super::hosted::Shared;
use super::lifecycle::Phase;
use super::line::Plug;
use super::problem::Problem;

/// The middleware around all routes.
pub(super) async fn gate(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let plug = request.extensions().get::<Plug>().cloned().unwrap_or_default();
    let response = tokio::select! {
        () = shared.life.reached(Phase::Overdue) => cut(&plug),
        response = pass(&shared, request, next, &plug) => response,
    };
    // An answer may be ready in the very moment of death; it must not be sent.
    if shared.life.phase() >= Phase::Overdue { cut(&plug) } else { response }
}

async fn pass(shared: &Shared, mut request: Request, next: Next, plug: &Plug) -> Response {
    if !["/v1/", "/accounts/"].iter().any(|start| request.uri().path().starts_with(start)) {
        return next.run(request).await;
    }
    shared.counters.lock().unwrap_or_else(PoisonError::into_inner).add(request.method());
    let admitted = shared.tokens.role(request.headers()).and_then(|role| shared.injector.admit().map(|()| role));
    match admitted {
        Ok(role) => request.extensions_mut().insert(role),
        Err(problem) => return problem.into_response(),
    };
    let (delay, fate) = shared.injector.draw();
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    match fate {
        Fate::CommitsLater if !reads => commit_later(shared, request, next).await,
        Fate::Duplicated if !reads => twice(request, next).await,
        Fate::Served | Fate::CommitsLater | Fate::Duplicated => next.run(request).await,
        Fate::FailsFirst => faults::failure().into_response(),
        Fate::ResetFirst => cut(plug),
        // Never answers; axum drops this future when the client disconnects.
        Fate::StallsFirst => std::future::pending().await,
        Fate::StallsAfter => {
            next.run(request).await;
            std::future::pending().await
        }
        Fate::FailsAfter => {
            next.run(request).await;
            faults::failure().into_response()
        }
        Fate::ResetAfter => {
            next.run(request).await;
            cut(plug)
        }
    }
}

/// Responds with an error, and does the work later.
async fn commit_later(shared: &Shared, request: Request, next: Next) -> Response {
    let Some((_, request)) = copied(request).await else { return faults::failure().into_response() };
    let after = shared.injector.late_commit_after();
    tokio::spawn(async move {
        tokio::time::sleep(after).await;
        next.run(request).await;
    });
    faults::failure().into_response()
}

/// Takes the request in twice, one after the other, and gives the second answer.
async fn twice(request: Request, next: Next) -> Response {
    let Some((first, second)) = copied(request).await else { return faults::failure().into_response() };
    next.clone().run(first).await;
    next.run(second).await
}

/// The request and a copy of it; nothing if its body does not arrive.
async fn copied(request: Request) -> Option<(Request, Request)> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, body::MAX_BYTES + 1).await.ok()?;
    let copy = Request::from_parts(parts.clone(), body.clone().into());
    Some((copy, Request::from_parts(parts, body.into())))
}

/// Resets the connection, so the response is never sent.
fn cut(plug: &Plug) -> Response {
    plug.pull();
    Problem::not_found().into_response()
}
