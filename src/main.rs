//! The command.

use mimalloc::MiMalloc;
use strowger::exit::Exit;

/// A YAML parser makes and frees a text for every word: this allocator takes a tenth of the time off a large plan.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> Exit {
    strowger::cli::run()
}
