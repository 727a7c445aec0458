//! The same as [`super::gate`] in front of a database: a write is a transaction, and its answer that of its commit.

use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use super::gate::{Fault, Shared};

/// What the client asks for, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Question {
    Begin,
    Commit,
    BeginReading,
    Other,
}

pub async fn start(shared: Arc<Shared>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut url: url::Url = shared.upstream.parse().unwrap();
    let upstream = (url.host_str().unwrap().to_owned(), url.port().unwrap_or(5432));
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (shared, upstream) = (Arc::clone(&shared), upstream.clone());
            tokio::spawn(async move {
                // Every end of a connection is an answer of this proxy.
                let _ = pass(&shared, client, upstream).await;
            });
        }
    });
    url.into()
}

async fn pass(shared: &Shared, client: TcpStream, upstream: (String, u16)) -> std::io::Result<()> {
    let (mut from_client, mut to_client) = client.into_split();
    match shared.lasting() {
        Some(Fault::Down) => return Ok(()),
        Some(Fault::TokenExpired) => {
            message(&mut from_client, true).await?;
            return refuse(&mut to_client, "28P01", "password authentication failed").await;
        }
        Some(_) => std::future::pending().await,
        None => {}
    }
    let (mut from_server, mut to_server) = TcpStream::connect(upstream).await?.into_split();
    to_server.write_all(&message(&mut from_client, true).await?).await?;
    // Answers, until a fault keeps them back.
    let mut answers = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let mut writes = false;
    loop {
        let bytes = tokio::select! {
            bytes = message(&mut from_client, false) => bytes?,
            _ = &mut answers => return Ok(()),
        };
        let question = question(&bytes);
        let fault = match question {
            Question::BeginReading => {
                shared.request();
                writes = false;
                None
            }
            Question::Begin => {
                writes = true;
                shared.before_write()
            }
            Question::Commit if writes => shared.write(),
            _ => shared.lasting(),
        };
        match fault {
            None => to_server.write_all(&bytes).await?,
            Some(Fault::AnswerLost | Fault::FailsAfter) => {
                answers.abort();
                let _ = (&mut answers).await;
                to_server.write_all(&bytes).await?;
                // It is done once the server has read the end of the connection, too.
                to_server.shutdown().await?;
                shared.settled().await;
                return Ok(());
            }
            Some(fault @ (Fault::StuckAfter | Fault::StuckBefore)) => {
                answers.abort();
                let _ = (&mut answers).await;
                if fault == Fault::StuckAfter && question == Question::Commit {
                    to_server.write_all(&bytes).await?;
                    shared.settled().await;
                }
                shared.stuck.notify_one();
                // Until the client's process is gone, and with it the connection to the server.
                let _ = from_client.read_u8().await;
                return Ok(());
            }
            Some(Fault::FailsBefore | Fault::Limited | Fault::TokenExpired | Fault::Down) => return Ok(()),
        }
    }
}

/// One message of a client; the first one has no type.
async fn message(from: &mut OwnedReadHalf, first: bool) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if !first {
        bytes.push(from.read_u8().await?);
    }
    let length = from.read_u32().await?;
    bytes.extend(length.to_be_bytes());
    let start = bytes.len();
    bytes.resize(start + length as usize - 4, 0);
    from.read_exact(&mut bytes[start..]).await?;
    Ok(bytes)
}

fn question(message: &[u8]) -> Question {
    let text = if message.first() == Some(&b'Q') { &message[5..] } else { &[] };
    match text.strip_suffix(&[0]).unwrap_or(text) {
        b"begin isolation level read committed" => Question::Begin,
        b"commit" => Question::Commit,
        text if text.starts_with(b"begin ") => Question::BeginReading,
        _ => Question::Other,
    }
}

/// An `ErrorResponse` that ends the connection.
async fn refuse(to: &mut OwnedWriteHalf, code: &str, text: &str) -> std::io::Result<()> {
    let fields = format!("SFATAL\0VFATAL\0C{code}\0M{text}\0\0");
    let mut bytes = vec![b'E'];
    bytes.extend(u32::try_from(fields.len() + 4).unwrap().to_be_bytes());
    bytes.extend(fields.into_bytes());
    to.write_all(&bytes).await
}
