//! The command.

use strowger::exit::Exit;

fn main() -> Exit {
    strowger::cli::run()
}
