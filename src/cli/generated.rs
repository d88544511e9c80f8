//! What can be made of the flags' own descriptions: completions for a shell, and the manual page.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Args, Exit};

/// The script that makes `shell` complete our flags.
pub(super) fn completions(shell: Shell) -> Exit {
    let mut command = Args::command();
    let name = command.get_name().to_string();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    text(script)
}

/// The manual page, in roff.
pub(super) fn manual() -> Exit {
    let mut page = Vec::new();
    match clap_mangen::Man::new(Args::command()).render(&mut page) {
        Ok(()) => text(page),
        Err(error) => Exit::Usage(format!("cannot write the manual page: {error}")),
    }
}

fn text(bytes: Vec<u8>) -> Exit {
    Exit::Asked(String::from_utf8_lossy(&bytes).into_owned())
}
