//! Raw servers on loopback that answer with whatever they are given, byte for byte, and remember what was asked.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// A request: its first line, its head with everything, and its body.
#[derive(Clone, Debug)]
pub struct Asked {
    pub line: String,
    pub head: String,
    pub body: Vec<u8>,
}

/// What writes an answer; it ends when the client has had enough.
pub type Answer = dyn Fn(&Asked, &mut dyn Write) -> std::io::Result<()> + Send + Sync;

pub struct Hostile {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    /// The bytes of answers that the clients took.
    sent: Arc<AtomicU64>,
}

impl Hostile {
    pub fn start(answer: impl Fn(&Asked, &mut dyn Write) -> std::io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { url, asked: Arc::default(), sent: Arc::default() };
        let (asked, sent, answer): (_, _, Arc<Answer>) = (server.asked.clone(), server.sent.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (asked, sent, answer) = (asked.clone(), sent.clone(), answer.clone());
                std::thread::spawn(move || {
                    let mut reader = BufReader::new(stream.try_clone().unwrap());
                    while let Ok(Some(request)) = request(&mut reader) {
                        asked.lock().unwrap().push(request.clone());
                        let mut counted = Counted { stream: &stream, sent: &sent };
                        if answer(&request, &mut counted).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        server
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }
}

struct Counted<'a, W> {
    stream: W,
    sent: &'a AtomicU64,
}

impl<W: Write> Write for Counted<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.stream.write(bytes)?;
        self.sent.fetch_add(count as u64, Ordering::SeqCst);
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.stream.flush()
    }
}

/// The next request of a connection.
pub fn request(reader: &mut BufReader<impl Read>) -> std::io::Result<Option<Asked>> {
    let mut head = String::new();
    loop {
        let before = head.len();
        if reader.read_line(&mut head)? == 0 {
            return Ok(None);
        }
        if head[before..].trim_end().is_empty() {
            break;
        }
    }
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    Ok(Some(Asked { line: head.lines().next().unwrap_or_default().to_owned(), head, body }))
}

/// A whole answer.
pub fn answer(to: &mut dyn Write, status: &str, headers: &[(&str, &str)], body: &str) -> std::io::Result<()> {
    let headers = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<Vec<_>>().concat();
    write!(to, "HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
}

pub const JSON: (&str, &str) = ("content-type", "application/json");

/// What a small, good account answers, but for what is asked for at this path.
pub fn good(asked: &Asked, to: &mut dyn Write) -> std::io::Result<()> {
    let body = match asked.line.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default() {
        "/v1/account" => r#"{"id":"1","name":"a","default_number":null,"capabilities":{"page_limit":2}}"#,
        _ => r#"{"items":[],"next":null,"cursors":[]}"#,
    };
    answer(to, "200 OK", &[JSON], body)
}

/// Whether a request is for a path below `/v1/`.
pub fn is_for(asked: &Asked, path: &str) -> bool {
    let target = asked.line.split(' ').nth(1).unwrap_or_default();
    target.split('?').next() == Some(&format!("/v1/{path}"))
}

/// Asks a server behind, and passes its answer on, the last one of this connection.
pub fn forward(url: &str, asked: &Asked, to: &mut dyn Write) -> std::io::Result<()> {
    let mut server = TcpStream::connect(url.strip_prefix("http://").unwrap())?;
    let head = asked.head.trim_end();
    write!(server, "{head}\r\nconnection: close\r\n\r\n")?;
    server.write_all(&asked.body)?;
    std::io::copy(&mut server, to)?;
    Err(std::io::ErrorKind::ConnectionAborted.into())
}
