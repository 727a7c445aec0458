//! The connection between Strowger and the database, at which a test does harm: a message counts what is read at once.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What happens at a message; whether the connection is cut then.
type Harm = Box<dyn FnOnce() -> bool + Send>;

pub struct Cable {
    /// Where Strowger finds the database.
    pub address: String,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    /// Messages to the database since the harm was planned.
    messages: usize,
    planned: Option<Planned>,
}

struct Planned {
    message: usize,
    /// Whether the message reaches the database; its answer does not reach Strowger if the connection is cut.
    is_after: bool,
    harm: Harm,
}

impl Cable {
    pub fn to(database: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::<Mutex<Shared>>::default();
        let of_cable = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(&database) else { continue };
                let (answers, back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let shared = Arc::clone(&of_cable);
                std::thread::spawn(move || carry(client, server, &shared));
                std::thread::spawn(move || carry_answers(answers, back));
            }
        });
        Self { address, shared }
    }

    /// Plans what happens at a message, counted from now, before or after it reaches the database.
    pub fn harm_at(&self, message: usize, is_after: bool, harm: impl FnOnce() -> bool + Send + 'static) {
        let planned = Planned { message, is_after, harm: Box::new(harm) };
        *self.shared.lock().unwrap() = Shared { messages: 0, planned: Some(planned) };
    }

    /// Whether what was planned happens or has happened.
    pub fn is_harmed(&self) -> bool {
        self.shared.lock().unwrap().planned.is_none()
    }

    /// Ends the planning; whether what was planned happened.
    pub fn harmed(&self) -> bool {
        self.shared.lock().unwrap().planned.take().is_none()
    }
}

fn carry(mut client: TcpStream, mut server: TcpStream, shared: &Mutex<Shared>) {
    let mut message = vec![0; 65536];
    while let Ok(length @ 1..) = client.read(&mut message) {
        let mut guard = shared.lock().unwrap();
        guard.messages += 1;
        let count = guard.messages;
        let now = guard.planned.take_if(|planned| planned.message == count);
        drop(guard);
        let is_after = now.as_ref().is_some_and(|planned| planned.is_after);
        if (now.is_none() || is_after) && server.write_all(&message[..length]).is_err() {
            break;
        }
        let Some(planned) = now else { continue };
        if (planned.harm)() {
            break;
        }
        if !is_after && server.write_all(&message[..length]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}

fn carry_answers(mut server: TcpStream, mut client: TcpStream) {
    let mut answer = vec![0; 65536];
    while let Ok(length @ 1..) = server.read(&mut answer) {
        if client.write_all(&answer[..length]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}
